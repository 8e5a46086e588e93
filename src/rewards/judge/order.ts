import { type Comparison, type Pair, Rng } from '../../core/index.ts'

/**
 * Which output of a pair is shown first. `both`: each pair is asked twice and the mean counts; `given`: a first;
 * `swapped`: b first; `random`: drawn for each pair from the seed and the pair's id.
 */
export type OrderPolicy = 'both' | 'given' | 'swapped' | 'random'

/** For each time that the pair is asked, whether b is shown first. */
export function ordersOf(
  policy: OrderPolicy,
  { id }: Pair,
  rng: Rng = new Rng('orders'),
): readonly boolean[] {
  switch (policy) {
    case 'both':
      return [false, true]
    case 'given':
      return [false]
    case 'swapped':
      return [true]
    case 'random':
      return [rng.fork(`order/${id}`).chance(0.5)]
  }
}

export interface SlotReport {
  /** Comparisons asked for. */
  readonly pairs: number
  /** Comparisons with a value. */
  readonly judged: number
  /** Of the judged: ties. */
  readonly ties: number
  /** Mean share of replies that could be read, over comparisons that say so; null when none does. */
  readonly parsed: number | null
  /** Pairs judged in both orders; what follows is of these, null when there are none. */
  readonly both: number
  /** Share whose verdict (first, tie, second) changes with the order. */
  readonly inconsistent: number | null
  /**
   * Mean of (a better, a shown first) - (a better, b shown first), in [-1, 1]: above 0 the first slot is favoured. Of a
   * judge that says how likely the first is better it is the mean of P(a, b) + P(b, a) - 1.
   */
  readonly slotBias: number | null
}

/** What a pair judge did over many pairs; `orderAgreement` (apply) adds intervals, kappa and accuracy. */
export function slotReport(comparisons: readonly Comparison[]): SlotReport {
  const judged = comparisons.filter((comparison) => comparison.value !== null)
  const both = judged.flatMap(({ orders }) => {
    const [a, b] = orders ?? [null, null]
    return a === null || b === null ? [] : [[a, b] as const]
  })
  const parsed = comparisons.flatMap(({ parts }) => (parts?.parsed == null ? [] : [parts.parsed]))
  const share = (values: readonly number[]) =>
    values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length
  return {
    pairs: comparisons.length,
    judged: judged.length,
    ties: judged.filter(({ value }) => value === 0.5).length,
    parsed: share(parsed),
    both: both.length,
    inconsistent: share(both.map(([a, b]) => Number(Math.sign(a - 0.5) !== Math.sign(b - 0.5)))),
    slotBias: share(both.map(([a, b]) => a - b)),
  }
}
