import type { Score, Unscored } from '../../core/index.ts'
import { kendall } from '../../stats/index.ts'
import type { BenchmarkSpec, BestOfItem, BinaryItem, ListItem, PreferenceItem } from './benchmark.ts'
import type { ItemResult } from './item-result.ts'
import { discountedGain, pairOrder } from './rank-agreement.ts'

/** A pair by the scores of its two sides. */
export function preferenceResult(item: PreferenceItem, scores: readonly Score[]): ItemResult {
  const failed = scores.find((score): score is Unscored => score.value === null)
  if (failed) return unresolved(item, scores, failed)
  const [a, b] = scores.map(({ value }) => value!) as [number, number]
  return { ...head(item, scores), ...byMargin(item.label, a - b) }
}

/** Outcome and margin of a pair from how much better a was found. */
export function byMargin(
  label: number,
  better: number,
): Pick<ItemResult, 'outcome' | 'margin' | 'tiedLabel'> {
  if (label === 0)
    return { outcome: better === 0 ? 'right' : 'wrong', margin: -Math.abs(better), tiedLabel: true }
  const margin = label > 0 ? better : 0 - better
  return { outcome: margin > 0 ? 'right' : margin < 0 ? 'wrong' : 'tie', margin }
}

/**
 * Best of n by the highest score: right when only right candidates attain it; a tie of right and wrong ones is worth
 * the share of right ones among them.
 */
export function bestOfResult(
  item: BestOfItem,
  scores: readonly Score[],
  { unscoredCandidate = 'unresolved' }: Pick<BenchmarkSpec, 'unscoredCandidate'>,
): ItemResult {
  const failed = scores.find((score): score is Unscored => score.value === null)
  const known = scores.flatMap(({ value }, index) => (value === null ? [] : [{ value, index }]))
  if (failed && (unscoredCandidate === 'unresolved' || known.length === 0))
    return unresolved(item, scores, failed)
  const highest = Math.max(...known.map(({ value }) => value))
  const winners = known.filter(({ value }) => value === highest)
  const credit = winners.filter(({ index }) => item.correct[index]).length / winners.length
  const bestOf = (correct: boolean) =>
    Math.max(...known.filter(({ index }) => item.correct[index] === correct).map(({ value }) => value))
  const margin = bestOf(true) - bestOf(false)
  return {
    ...head(item, scores),
    outcome: credit === 1 ? 'right' : credit === 0 ? 'wrong' : 'tie',
    credit,
    margin: Number.isFinite(margin) ? margin : null,
  }
}

/**
 * A ranked list: worth the share of its pairs of different gold value that are in order (a tie earns half), with
 * Kendall's tau-b and normalised discounted gain beside it.
 */
export function listResult(item: ListItem, scores: readonly Score[]): ItemResult {
  const failed = scores.find((score): score is Unscored => score.value === null)
  if (failed) return unresolved(item, scores, failed)
  const values = scores.map(({ value }) => value!)
  const credit = pairOrder(values, item.gold)
  return {
    ...head(item, scores),
    outcome: credit === null ? 'unresolved' : 'graded',
    ...(credit === null ? { reason: 'all gold values are equal' } : { credit }),
    margin: credit === null ? null : 2 * credit - 1,
    measures: {
      kendall: kendall(values, item.gold).tauB,
      ndcg: discountedGain(values, item.gold),
    },
  }
}

/** One output: called good when its score is above `threshold`. */
export function binaryResult(item: BinaryItem, score: Score, threshold: number): ItemResult {
  if (score.value === null) return unresolved(item, [score], score)
  const margin = (score.value - threshold) * (item.good ? 1 : -1)
  return {
    ...head(item, [score]),
    outcome: margin > 0 ? 'right' : margin < 0 ? 'wrong' : 'tie',
    margin,
  }
}

/** Where a binary reward changes its mind: the middle of its range, or of its scores where the range has no middle. */
export function thresholdFor(
  [low, high]: readonly [number, number],
  values: readonly (number | null)[],
): number {
  const middle = (low + high) / 2
  if (Number.isFinite(middle)) return middle
  const known = values.filter((value) => value !== null).sort((a, b) => a - b)
  if (known.length === 0) return 0
  const [below, above] = [known[Math.floor((known.length - 1) / 2)]!, known[Math.floor(known.length / 2)]!]
  return (below + above) / 2
}

export function head(item: ItemResult['item'], scores: readonly Score[]) {
  const { subset, cluster } = item
  return {
    item,
    subset,
    ...(cluster === undefined ? {} : { cluster }),
    values: scores.map(({ value }) => value),
  }
}

export function unresolved(
  item: ItemResult['item'],
  scores: readonly Score[],
  { code, reason }: Pick<Unscored, 'code' | 'reason'>,
): ItemResult {
  return { ...head(item, scores), outcome: 'unresolved', margin: null, code, reason }
}
