import {
  type Comparator,
  type Comparison,
  GuerdonError,
  messageOf,
  type Pair,
  type Reward,
  type Rng,
  type Sample,
  type Score,
  type ScoreContext,
  type Turns,
  type Unscored,
  type Usage,
  unscored,
} from '../../core/index.ts'
import { rewardFromComparator } from '../../rewards/convert.ts'
import { scoresOf } from '../../rewards/scores-of.ts'
import type { AnswerItem, BenchmarkItem, BenchmarkSpec, PreferenceItem } from './benchmark.ts'
import type { ItemResult } from './item-result.ts'
import {
  bestOfResult,
  binaryResult,
  byMargin,
  head,
  listResult,
  preferenceResult,
  thresholdFor,
  unresolved,
} from './judge-items.ts'

/** Something that answers questions itself: a policy, a captioner, recorded answers. */
export interface Answerer {
  readonly name: string
  /** An answer for each sample, in order. */
  answer(samples: readonly Sample[], context?: ScoreContext): Promise<readonly (Turns | Unscored)[]>
}

export interface AskOptions {
  readonly rng: Rng
  readonly votes: number
  readonly batchSize: number
  readonly signal?: AbortSignal
  readonly onProgress?: (done: number, total: number) => void
}

export interface Asked {
  readonly results: readonly ItemResult[]
  readonly cost: Usage
  readonly firstSlot?: { readonly share: number; readonly verdicts: number }
}

/** Scores every candidate once, however many items it stands in; a reward of groups sees the items whole. */
export async function askReward(
  reward: Reward,
  spec: BenchmarkSpec,
  items: readonly BenchmarkItem[],
  options: AskOptions,
): Promise<Asked> {
  const grouped = reward.needs.includes('group')
  const scores = new Map<Sample, Score>()
  const samplesIn = (item: BenchmarkItem): readonly Sample[] => {
    if (item.kind === 'answer') throw needsAnswers(spec)
    return item.kind === 'preference'
      ? [item.a, item.b]
      : item.kind === 'binary'
        ? [item.sample]
        : item.candidates
  }
  const costs: Usage[] = []
  let done = 0
  for (const batch of batchesOf(items, options.batchSize, (item) => samplesIn(item).length)) {
    const asked = batch.flatMap((item) => {
      const fresh = samplesIn(item).filter((sample) => grouped || !scores.has(sample))
      return fresh.map((sample) => ({ sample, given: grouped ? { ...sample, group: item.id } : sample }))
    })
    const distinct = grouped ? asked : [...new Map(asked.map((each) => [each.sample, each])).values()]
    const judged = await scoresOf(
      reward,
      distinct.map(({ given }) => given),
      contextOf(options, 'score'),
    )
    for (const [index, { sample }] of distinct.entries()) {
      scores.set(sample, judged[index]!)
      if (judged[index]!.usage) costs.push(judged[index]!.usage)
    }
    done += batch.length
    options.onProgress?.(done, items.length)
  }
  const values = items.flatMap((item) => (item.kind === 'binary' ? [scores.get(item.sample)!.value] : []))
  const threshold = thresholdFor(reward.range, values)
  const results = items.map((item): ItemResult => {
    const own = samplesIn(item).map((sample) => scores.get(sample)!)
    switch (item.kind) {
      case 'preference':
        return preferenceResult(item, own)
      case 'best-of':
        return bestOfResult(item, own, spec)
      case 'list':
        return listResult(item, own)
      case 'binary':
        return binaryResult(item, own[0]!, threshold)
      default:
        throw needsAnswers(spec)
    }
  })
  return { results, cost: totalUsage(costs) }
}

/**
 * Asks a comparator about every pair, `votes` times, each time in an order drawn anew; with several votes a side
 * needs more than half of all of them, those without a verdict included. Best of n and lists are ranked by all their
 * pairs.
 */
export async function askComparator(
  comparator: Comparator,
  spec: BenchmarkSpec,
  items: readonly BenchmarkItem[],
  options: AskOptions,
): Promise<Asked> {
  if (spec.kind === 'best-of' || spec.kind === 'list')
    return askReward(rewardFromComparator(comparator), spec, items, options)
  const pairs = items.filter((item): item is PreferenceItem => item.kind === 'preference')
  if (pairs.length < items.length)
    throw new GuerdonError('missing-need', `"${spec.name}" judges single outputs; a comparator sees pairs.`, {
      fix: 'Give it a reward.',
    })
  const { votes } = options
  const verdicts: Comparison[][] = pairs.map(() => [])
  const slots = { first: 0, verdicts: 0 }
  const costs: Usage[] = []
  let done = 0
  for (let vote = 0; vote < votes; vote++) {
    for (const batch of batchesOf([...pairs.keys()], options.batchSize)) {
      const asked = batch.map((index) => {
        const { id, a, b } = pairs[index]!
        const swapped = options.rng.fork(id).fork(`order/${vote}`).chance(0.5)
        const named = votes > 1 ? `${id}/${vote}` : id
        return { index, swapped, pair: swapped ? { id: named, a: b, b: a } : { id: named, a, b } }
      })
      const given = asked.map(({ pair }) => pair)
      const said = await comparisonsOf(comparator, given, contextOf(options, `vote/${vote}`))
      for (const [place, { index, swapped }] of asked.entries()) {
        const comparison = said[place]!
        const { usage } = comparison as { usage?: Usage }
        if (usage) costs.push(usage)
        if (comparison.value !== null && comparison.value !== 0.5) {
          slots.verdicts++
          if (comparison.value > 0.5) slots.first++
        }
        verdicts[index]!.push(
          comparison.value === null
            ? comparison
            : { value: swapped ? 1 - comparison.value : comparison.value },
        )
      }
      done += batch.length
      options.onProgress?.(done, pairs.length * votes)
    }
  }
  return {
    results: pairs.map((item, index) => comparedResult(item, verdicts[index]!)),
    cost: totalUsage(costs),
    ...(slots.verdicts === 0
      ? {}
      : { firstSlot: { share: slots.first / slots.verdicts, verdicts: slots.verdicts } }),
  }
}

/** The result of a pair from one verdict, or from the strict majority of several. */
export function comparedResult(item: PreferenceItem, verdicts: readonly Comparison[]): ItemResult {
  const [only] = verdicts
  if (verdicts.length === 1)
    return only!.value === null
      ? unresolved(item, [], only as Unscored)
      : { ...head(item, []), ...byMargin(item.label, only!.value - 0.5) }
  const signs = verdicts.map(({ value }) => (value === null ? 0 : Math.sign(value - 0.5)))
  const wanted = Math.sign(item.label)
  const right = signs.filter((sign) => sign !== 0 && sign === wanted).length
  const none = signs.filter((sign) => sign === 0).length
  const votes = { right, wrong: signs.length - right - none, none }
  const { outcome, code, reason } = majorityOf(votes)
  const known = verdicts.flatMap(({ value }) => (value === null ? [] : [value - 0.5]))
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length
  return {
    ...head(item, []),
    outcome,
    votes,
    margin: known.length === 0 || outcome === 'unresolved' ? null : mean * wanted,
    ...(code === undefined ? {} : { code, reason: reason! }),
  }
}

/** More than half of all votes, those without a verdict included. */
export function majorityOf({
  right,
  wrong,
  none,
}: NonNullable<ItemResult['votes']>): Pick<ItemResult, 'outcome' | 'code' | 'reason'> {
  const half = (right + wrong + none) / 2
  if (right > half) return { outcome: 'right' }
  if (wrong > half) return { outcome: 'wrong' }
  return none > half
    ? { outcome: 'unresolved', code: 'unparsable', reason: 'most votes have no verdict' }
    : { outcome: 'unresolved', code: 'split', reason: 'no side has more than half of the votes' }
}

/** Has every question answered, and the answers judged by the benchmark's own scorer. */
export async function askAnswerer(
  answerer: Answerer,
  spec: BenchmarkSpec,
  items: readonly BenchmarkItem[],
  options: AskOptions,
): Promise<Asked> {
  const questions = items.filter((item): item is AnswerItem => item.kind === 'answer')
  const scorer = spec.scorer?.()
  if (questions.length < items.length)
    throw new GuerdonError('missing-need', `"${spec.name}" has no questions to answer.`, {
      fix: 'Give it a reward or a comparator.',
    })
  if (scorer === undefined)
    throw new GuerdonError('missing-need', `"${spec.name}" has no scorer of its own: it needs a judge.`, {
      fix: 'Make it in code with a judge, such as sgpCompBench(judge) or openChairBenchmark({ concreteness, ask }).',
    })
  const [low, high] = scorer.range
  const results: ItemResult[] = []
  const costs: Usage[] = []
  for (const batch of batchesOf(questions, options.batchSize)) {
    const context = contextOf(options, 'answer')
    const answers = await answersOf(
      answerer,
      batch.map(({ sample }) => sample),
      context,
    )
    const answered = batch.flatMap(({ sample }, index) => {
      const answer = answers[index]!
      return isUnscored(answer) ? [] : [{ ...sample, output: answer }]
    })
    const scores = await scoresOf(scorer, answered, context)
    let next = 0
    for (const [index, item] of batch.entries()) {
      const answer = answers[index]!
      const score = isUnscored(answer) ? answer : scores[next++]!
      if (score.usage) costs.push(score.usage)
      if (score.value === null) results.push(unresolved(item, [score], score))
      else {
        const credit = (score.value - low) / (high - low)
        const answeredItem = isUnscored(answer)
          ? item
          : { ...item, sample: { ...item.sample, output: answer } }
        results.push({
          ...head(answeredItem, [score]),
          outcome: credit === 1 ? 'right' : credit === 0 ? 'wrong' : 'graded',
          credit,
          margin: 2 * credit - 1,
          ...(score.parts ? { parts: score.parts } : {}),
        })
      }
    }
    options.onProgress?.(results.length, questions.length)
  }
  return { results, cost: totalUsage(costs) }
}

function isUnscored(answer: Turns | Unscored): answer is Unscored {
  return typeof answer === 'object' && 'code' in answer
}

async function answersOf(
  answerer: Answerer,
  samples: readonly Sample[],
  context: ScoreContext,
): Promise<readonly (Turns | Unscored)[]> {
  try {
    const answers = await answerer.answer(samples, context)
    if (answers.length === samples.length) return answers
    throw new Error(`${answers.length} answers for ${samples.length} questions`)
  } catch (error) {
    context.signal?.throwIfAborted()
    return samples.map(() => unscored('crashed', `"${answerer.name}" failed: ${messageOf(error)}`))
  }
}

/** Comparisons of a comparator that may not keep the contract. */
async function comparisonsOf(
  comparator: Comparator,
  pairs: readonly Pair[],
  context: ScoreContext,
): Promise<readonly Comparison[]> {
  const failed = (reason: string) => unscored('crashed', `"${comparator.name}" failed: ${reason}`)
  try {
    const said = await comparator.compare(pairs, context)
    if (said.length !== pairs.length)
      throw new Error(`it returned ${said.length} comparisons for ${pairs.length} pairs`)
    return said.map((comparison) =>
      comparison.value === null || (comparison.value >= 0 && comparison.value <= 1)
        ? comparison
        : failed(`it returned ${comparison.value}, which is not in [0, 1]`),
    )
  } catch (error) {
    context.signal?.throwIfAborted()
    const failure = failed(messageOf(error))
    return pairs.map(() => failure)
  }
}

function contextOf({ rng, signal }: AskOptions, purpose: string): ScoreContext {
  signal?.throwIfAborted()
  return { rng: rng.fork(purpose), ...(signal ? { signal } : {}) }
}

/** Items in order, each batch of at least one and of about `size` units. */
function* batchesOf<Item>(
  items: readonly Item[],
  size: number,
  unitsOf: (item: Item) => number = () => 1,
): Generator<Item[]> {
  let batch: Item[] = []
  let units = 0
  for (const item of items) {
    batch.push(item)
    units += unitsOf(item)
    if (units < size) continue
    yield batch
    batch = []
    units = 0
  }
  if (batch.length > 0) yield batch
}

function totalUsage(costs: readonly Usage[]): Usage {
  const total: { -readonly [Key in keyof Usage]: number } = {}
  for (const cost of costs)
    for (const key of ['calls', 'inputTokens', 'outputTokens', 'costUsd'] as const)
      if (cost[key] !== undefined) total[key] = (total[key] ?? 0) + cost[key]
  return total
}

function needsAnswers({ name }: BenchmarkSpec): GuerdonError {
  return new GuerdonError(
    'missing-need',
    `"${name}" asks questions, so it tests who answers, not who judges.`,
    { fix: 'Give it something that answers: { name, answer(samples) }.' },
  )
}
