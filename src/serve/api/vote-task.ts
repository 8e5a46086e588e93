import { scoredSamples } from '../../apply/scored-samples.ts'
import { GuerdonError, groupOf, Rng, type Sample, type ScoredSample, textOf } from '../../core/index.ts'
import { standardDeviation } from '../../stats/index.ts'
import type { KeptDocument, Store, StoredRun, Vote } from '../../store/index.ts'
import type { NewVoteTask, VoteCriterion } from './wire.ts'

/** One of the two of a pair. */
export interface VoteSide {
  readonly position: number
  readonly id: string
  /** What it counts for in the ratings: the value of the rated field, or the sample's id. */
  readonly rated: string
}

export interface VotePair {
  readonly a: VoteSide
  readonly b: VoteSide
  /** An attention check: b answers another prompt, so that a is to be chosen. */
  readonly check: boolean
}

/** What the document of a task holds (kind `vote-task`). The task's id is the question of its votes. */
export interface VoteTask {
  readonly question: string
  readonly criteria: readonly VoteCriterion[]
  readonly run: string
  readonly rated: string | null
  readonly votesPerPair: number
  readonly attentionChecks: boolean
  readonly pairs: readonly VotePair[]
}

export const voteTaskKind = 'vote-task'
/** Samples of a run that pairs are drawn from. */
const samplesLookedAt = 20_000
/** Pairs of one group that are candidates. */
const pairsOfGroup = 60
/** One attention check for so many pairs. */
const pairsPerCheck = 12
/** Who passes fewer of at least this many checks than this share is in no figure. */
export const attention = { checks: 3, share: 2 / 3 } as const

type Placed = ScoredSample & { readonly position: number }

/** Chooses the pairs of a task; depends on its id and the run alone. Throws `too-few-pairs`. */
export async function voteTaskOf(
  store: Store,
  run: StoredRun,
  id: string,
  wanted: NewVoteTask,
): Promise<VoteTask> {
  const samples: Placed[] = await Array.fromAsync(scoredSamples(store, run.id, { limit: samplesLookedAt }))
  const rng = new Rng(`vote-task/${id}`)
  const side = ({ position, sample }: Placed): VoteSide => ({
    position,
    id: sample.id,
    rated: wanted.rated === null ? sample.id : ratedOf(sample, wanted.rated),
  })
  const groups = [...Map.groupBy(samples, ({ sample }) => groupOf(sample)).values()]
  const candidates = groups.flatMap((group, index) => {
    const own = rng.fork(index)
    const all = group.flatMap((a, i) =>
      group
        .slice(i + 1)
        .filter((b) => textOf(a.sample.output) !== textOf(b.sample.output))
        .filter((b) => wanted.rated === null || side(a).rated !== side(b).rated)
        .map((b) => (own.chance(0.5) ? ([a, b] as const) : ([b, a] as const))),
    )
    return own.sample(all, Math.min(all.length, pairsOfGroup))
  })
  const shuffled = rng.fork('pairs').shuffled(candidates)
  const chosen = wanted.choose === 'random' ? shuffled : disagreed(samples, shuffled, wanted.choose)
  if (chosen.length === 0)
    throw new GuerdonError(
      'too-few-pairs',
      'the run has no two different answers to one prompt to compare.',
      {
        fix: 'Choose another run, or pairs at random.',
      },
    )
  const pairs: VotePair[] = chosen
    .slice(0, wanted.pairs)
    .map(([a, b]) => ({ a: side(a), b: side(b), check: false }))
  if (wanted.attentionChecks && groups.length > 1) {
    const best = run.rewards[0]!.name
    const drawn = rng.fork('checks')
    for (let check = 0; check < Math.ceil(pairs.length / pairsPerCheck); check++) {
      const [own, other] = drawn.sample(groups, 2)
      const a = own!.reduce((x, y) => ((y.scores[best]?.value ?? -1) > (x.scores[best]?.value ?? -1) ? y : x))
      pairs.push({ a: side(a), b: side(drawn.pick(other!)), check: true })
    }
  }
  const { question, criteria, rated, votesPerPair, attentionChecks } = wanted
  return { question, criteria, run: run.id, rated, votesPerPair, attentionChecks, pairs }
}

function ratedOf({ meta }: Sample, field: string): string {
  const value = meta[field]
  return value === undefined ? '(none)' : typeof value === 'string' ? value : JSON.stringify(value)
}

/** Pairs that two rewards put in opposite order, widest apart first. */
function disagreed(
  samples: readonly Placed[],
  pairs: readonly (readonly [Placed, Placed])[],
  { first, second }: { readonly first: string; readonly second: string },
) {
  const spread = (reward: string) =>
    standardDeviation(
      samples.flatMap(({ scores }) => scores[reward]?.value ?? []),
      { ddof: 0 },
    ) || 1
  const [wide, narrow] = [spread(first), spread(second)]
  const gap = (reward: string, [a, b]: readonly [Placed, Placed]) =>
    (a.scores[reward]?.value ?? Number.NaN) - (b.scores[reward]?.value ?? Number.NaN)
  return pairs
    .map((pair) => ({ pair, by: [gap(first, pair) / wide, gap(second, pair) / narrow] as const }))
    .filter(({ by: [x, y] }) => x * y < 0)
    .sort((p, q) => apart(q.by) - apart(p.by))
    .map(({ pair }) => pair)
}

function apart([x, y]: readonly [number, number]): number {
  return Math.min(Math.abs(x), Math.abs(y))
}

/** Whether a voter sees a on the left: by chance, and always the same for the same pair. */
export function isAOnLeft(task: string, pair: number, voter: string): boolean {
  return new Rng(`${task}/${pair}/${voter}`).chance(0.5)
}

/** The pairs that a voter is to see next: those begun by others first, so that they are agreed or disagreed upon. */
export function nextPairs(
  id: string,
  task: VoteTask,
  votes: readonly Vote[],
  voter: string,
  limit: number,
): { readonly pairs: readonly number[]; readonly done: number; readonly total: number } {
  const own = new Map<number, Set<string>>()
  const voters = new Map<number, Set<string>>()
  for (const vote of votes) {
    const { pair, criterion } = vote.meta as { pair: number; criterion: string }
    const by = vote.voter ?? ''
    if (by === voter) own.set(pair, (own.get(pair) ?? new Set()).add(criterion))
    else voters.set(pair, (voters.get(pair) ?? new Set()).add(by))
  }
  const isDone = (pair: number) => (own.get(pair)?.size ?? 0) >= task.criteria.length
  const open = task.pairs
    .map((_, pair) => pair)
    .filter((pair) => !isDone(pair))
    .filter((pair) => task.pairs[pair]!.check || (voters.get(pair)?.size ?? 0) < task.votesPerPair)
  const order = new Map(
    new Rng(`${id}/${voter}`).shuffled(task.pairs.map((_, pair) => pair)).map((pair, place) => [pair, place]),
  )
  // A check stands where chance put it; what others have begun comes before what nobody has seen.
  const begun = (pair: number) => (task.pairs[pair]!.check || !voters.has(pair) ? 0 : task.pairs.length / 2)
  open.sort((x, y) => order.get(x)! - begun(x) - (order.get(y)! - begun(y)))
  const done = task.pairs.filter((_, pair) => isDone(pair)).length
  return { pairs: open.slice(0, limit), done, total: done + open.length }
}

export async function voteTask(
  store: Store,
  id: string,
): Promise<{ readonly document: KeptDocument; readonly task: VoteTask } | undefined> {
  const document = await store.documents.find(voteTaskKind, id)
  return document && { document, task: document.content as unknown as VoteTask }
}
