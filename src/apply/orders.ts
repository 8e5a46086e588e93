import { Rng } from '../core/index.ts'
import { type BootstrapInterval, bootstrapMean, cohenKappa, pairPoints } from '../stats/index.ts'

/** What one judge does when the two sides of a pair change places. */
export interface OrderAgreement {
  readonly pairs: number
  /** Pairs judged in both orders; shares below are of these. */
  readonly both: number
  /** Share with the same verdict (first, tie, second) in both orders. */
  readonly consistent: BootstrapInterval | null
  /** Cohen's kappa of the verdicts in the two orders. */
  readonly kappa: number | null
  /**
   * Mean of (a better, a shown first) - (a better, b shown first), with a better = 1, tie = 0.5: above 0 the first
   * slot is favoured, 1 means that the first slot always wins.
   */
  readonly slotBias: BootstrapInterval | null
  /** Accuracy with a first, with b first, and their mean; only where labels are given. Ties earn half. */
  readonly accuracy: {
    readonly aFirst: BootstrapInterval | null
    readonly bFirst: BootstrapInterval | null
    readonly mean: BootstrapInterval | null
    /** Right in both orders. */
    readonly both: BootstrapInterval | null
  } | null
}

/**
 * Compares a judge's verdicts in both orders. Verdicts say how much better *a* is in either order: above 0, 0 for a
 * tie, below 0; null where it could not be judged. `unjudged: 'wrong'` counts those as wrong (as the figures
 * published with LLMBar do); otherwise they are left out.
 */
export function orderAgreement(
  verdicts: { readonly aFirst: readonly (number | null)[]; readonly bFirst: readonly (number | null)[] },
  options: {
    /** Above 0: a is better; a tied label is left out of accuracy. */
    readonly labels?: readonly number[]
    /** @default 'drop' */
    readonly unjudged?: 'drop' | 'wrong'
    /** @default new Rng('orders') */
    readonly rng?: Rng
    /** @default 1000 */
    readonly resamples?: number
  } = {},
): OrderAgreement {
  const { aFirst, bFirst } = verdicts
  const { labels, unjudged = 'drop', rng = new Rng('orders'), resamples = 1000 } = options
  if (aFirst.length !== bFirst.length || (labels && labels.length !== aFirst.length))
    throw new RangeError(`verdicts of ${aFirst.length} and ${bFirst.length} pairs cannot be compared`)
  const meanOf = (values: readonly (number | null)[]) =>
    bootstrapMean(
      values.filter((value) => value !== null),
      { rng, resamples },
    )
  const both = aFirst.flatMap((verdict, i) => {
    const other = bFirst[i]!
    return verdict === null || other === null ? [] : [[Math.sign(verdict), Math.sign(other)] as const]
  })
  const points = (list: readonly (number | null)[]) =>
    list.map((verdict, i) => {
      if (labels![i] === 0) return null
      return verdict === null ? (unjudged === 'wrong' ? 0 : null) : pairPoints(verdict, labels![i]!)
    })
  const combined = (merge: (a: number, b: number) => number) => {
    const [a, b] = [points(aFirst), points(bFirst)]
    return meanOf(a.map((value, i) => (value === null || b[i] == null ? null : merge(value, b[i]))))
  }
  return {
    pairs: aFirst.length,
    both: both.length,
    consistent: meanOf(both.map(([a, b]) => Number(a === b))),
    kappa:
      cohenKappa(
        both.map(([a]) => a),
        both.map(([, b]) => b),
      )?.kappa ?? null,
    slotBias: meanOf(both.map(([a, b]) => (a - b) / 2)),
    accuracy: labels
      ? {
          aFirst: meanOf(points(aFirst)),
          bFirst: meanOf(points(bFirst)),
          mean: combined((a, b) => (a + b) / 2),
          both: combined(Math.min),
        }
      : null,
  }
}
