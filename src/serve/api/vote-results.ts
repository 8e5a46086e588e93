import { type Preference, Rng } from '../../core/index.ts'
import { krippendorffAlpha, ratings, wilsonInterval } from '../../stats/index.ts'
import type { FoundSample, Store, StoredRun, Vote } from '../../store/index.ts'
import { attention, isAOnLeft, type VotePair, type VoteTask } from './vote-task.ts'
import type { CriterionResults, VoteResults } from './wire.ts'

interface Judged {
  readonly pair: number
  readonly criterion: string
  readonly voter: string
  readonly choice: Vote['choice']
}

/** What the votes on a task come to so far: who voted how, how far voters agree, ratings, and the rewards beside them. */
export async function voteResults(
  store: Store,
  id: string,
  task: VoteTask,
  run: StoredRun | undefined,
): Promise<VoteResults> {
  const judged = await judgedOf(store, id)
  const voters = votersOf(id, task, judged)
  const trusted = new Set(voters.filter(({ leftOut }) => !leftOut).map(({ voter }) => voter))
  const counted = judged.filter(
    ({ voter, pair }) => trusted.has(voter) && task.pairs[pair] !== undefined && !task.pairs[pair].check,
  )
  const scores = run === undefined ? new Map<number, never>() : await scoresOf(store, run, task)
  return {
    votes: judged.length,
    voters,
    criteria: task.criteria.map((criterion) =>
      criterionResults(
        criterion.id,
        task,
        counted.filter((vote) => vote.criterion === criterion.id),
        run?.rewards.map(({ name }) => name) ?? [],
        scores,
      ),
    ),
  }
}

/** The answers that most voters preferred, ties and undecided pairs left out. */
export async function votedPreferences(
  store: Store,
  id: string,
  task: VoteTask,
  criterion: string,
): Promise<Preference[]> {
  const judged = await judgedOf(store, id)
  const trusted = new Set(
    votersOf(id, task, judged)
      .filter(({ leftOut }) => !leftOut)
      .map(({ voter }) => voter),
  )
  const byPair = Map.groupBy(
    judged.filter((vote) => vote.criterion === criterion && trusted.has(vote.voter) && vote.choice !== null),
    ({ pair }) => pair,
  )
  const decided = [...byPair].flatMap(([index, votes]) => {
    const pair = task.pairs[index]
    const share = votes.reduce((sum, { choice }) => sum + choice!, 0) / votes.length
    return pair === undefined || pair.check || share === 0.5
      ? []
      : [{ pair, index, share, votes: votes.length }]
  })
  const samples = await samplesOf(
    store,
    task.run,
    decided.flatMap(({ pair }) => [pair.a.id, pair.b.id]),
  )
  return decided
    .sort((x, y) => x.index - y.index)
    .flatMap(({ pair, index, share, votes }) => {
      const [better, worse] = share > 0.5 ? [pair.a, pair.b] : [pair.b, pair.a]
      const [chosen, rejected] = [samples.get(better.position), samples.get(worse.position)]
      if (chosen === undefined || rejected === undefined) return []
      return [
        {
          id: `${id}-${index}`,
          prompt: chosen.sample.prompt,
          chosen: chosen.sample.output,
          rejected: rejected.sample.output,
          meta: { votes, share: Math.max(share, 1 - share), chosen_id: better.id, rejected_id: worse.id },
        },
      ]
    })
}

/** Votes as they count: of one voter on one pair and criterion the first. */
async function judgedOf(store: Store, id: string): Promise<Judged[]> {
  const seen = new Map<string, Judged>()
  for (const { voter = '', choice, meta } of await store.votes.list(id)) {
    const { pair, criterion } = meta as { pair: number; criterion: string }
    const key = JSON.stringify([pair, criterion, voter])
    if (!seen.has(key)) seen.set(key, { pair, criterion, voter, choice })
  }
  return [...seen.values()]
}

function votersOf(id: string, task: VoteTask, judged: readonly Judged[]): VoteResults['voters'] {
  return [...Map.groupBy(judged, ({ voter }) => voter)].map(([voter, votes]) => {
    const checks = votes.filter(({ pair }) => task.pairs[pair]?.check)
    const checksPassed = checks.filter(({ choice }) => choice === 1).length
    const sided = votes.filter(({ choice }) => choice === 1 || choice === 0)
    const left = sided.filter(({ pair, choice }) => isAOnLeft(id, pair, voter) === (choice === 1)).length
    return {
      voter,
      votes: votes.length,
      skipped: votes.filter(({ choice }) => choice === null).length,
      checks: checks.length,
      checksPassed,
      leftShare: sided.length === 0 ? null : left / sided.length,
      leftOut: checks.length >= attention.checks && checksPassed / checks.length < attention.share,
    }
  })
}

function criterionResults(
  criterion: string,
  task: VoteTask,
  votes: readonly Judged[],
  rewards: readonly string[],
  scores: ReadonlyMap<number, Readonly<Record<string, number | null>>>,
): CriterionResults {
  const decided = votes.filter(({ choice }) => choice !== null)
  const byPair = [...Map.groupBy(decided, ({ pair }) => pair)]
  const names = [...new Set(decided.flatMap(({ pair }) => sidesOf(task.pairs[pair]!)))]
  const places = new Map(names.map((name, place) => [name, place]))
  const between = decided.filter(({ pair }) => task.pairs[pair]!.a.rated !== task.pairs[pair]!.b.rated)
  const rated =
    names.length < 2 || between.length === 0
      ? []
      : ratings(
          names.length,
          {
            a: between.map(({ pair }) => places.get(task.pairs[pair]!.a.rated)!),
            b: between.map(({ pair }) => places.get(task.pairs[pair]!.b.rated)!),
            values: between.map(({ choice }) => choice!),
          },
          // The prior keeps ratings finite where somebody has won every time.
          { rng: new Rng('votes'), clusters: between.map(({ pair }) => pair), prior: 1, resamples: 100 },
        ).ratings.map(({ item, ...rating }) => ({ ...rating, name: names[item]! }))
  return {
    criterion,
    decided: decided.length,
    ties: decided.filter(({ choice }) => choice === 0.5).length,
    pairsWithTwo: byPair.filter(([, votes]) => votes.length > 1).length,
    alpha: krippendorffAlpha(
      byPair.map(([, votes]) => votes.map(({ choice }) => choice)),
      'nominal',
    ),
    ratings: rated.slice(0, 200),
    rewards: rewards.flatMap((reward) => {
      let [agree, pairs] = [0, 0]
      for (const [index, votes] of byPair) {
        const share = votes.reduce((sum, { choice }) => sum + choice!, 0) / votes.length
        const { a, b } = task.pairs[index]!
        const [x, y] = [scores.get(a.position)?.[reward] ?? null, scores.get(b.position)?.[reward] ?? null]
        if (share === 0.5 || x === null || y === null) continue
        pairs++
        agree += x === y ? 0.5 : Number(x > y === share > 0.5)
      }
      const interval = wilsonInterval(agree, pairs)
      return interval === null
        ? []
        : [{ reward, agree: agree / pairs, pairs, low: interval.low, high: interval.high }]
    }),
  }
}

function sidesOf({ a, b }: VotePair): string[] {
  return [a.rated, b.rated]
}

async function scoresOf(store: Store, run: StoredRun, task: VoteTask) {
  const samples = await samplesOf(
    store,
    run.id,
    task.pairs.flatMap(({ a, b }) => [a.id, b.id]),
  )
  return new Map(
    [...samples].map(([position, { scores }]) => [
      position,
      Object.fromEntries(Object.entries(scores).map(([name, { value }]) => [name, value])),
    ]),
  )
}

async function samplesOf(store: Store, run: string, ids: readonly string[]) {
  const wanted = [...new Set(ids)]
  if (wanted.length === 0) return new Map<number, FoundSample>()
  const { samples } = await store.samples.page(run, { filter: { ids: wanted }, limit: wanted.length })
  return new Map(samples.map((found) => [found.position, found]))
}
