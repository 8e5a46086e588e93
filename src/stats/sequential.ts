import { requireLevel } from './intervals.ts'
import { logGamma } from './special.ts'

/** Bounds of a mean that hold at every n at once, however often one looks and whenever one stops. */
export interface AnytimeInterval {
  readonly estimate: number
  readonly low: number
  readonly high: number
  readonly level: number
  readonly n: number
}

/**
 * A confidence sequence for the mean of values in [0, 1] that come one after the other: all means that a beta-
 * binomial mixture martingale (Robbins 1970) does not refute. Valid for any values in [0, 1], since the martingale
 * is convex in them; sharpest for 0 and 1. Null when n = 0.
 */
export function anytimeInterval(sum: number, n: number, level = 0.95): AnytimeInterval | null {
  requireLevel(level)
  if (!(n >= 0 && sum >= 0 && sum <= n + 1e-9))
    throw new RangeError(`a sum of ${sum} over ${n} values in [0, 1]`)
  if (n === 0) return null
  const wins = Math.min(sum, n)
  const losses = n - wins
  // log of the mixture B(wins + 1/2, losses + 1/2) / B(1/2, 1/2), Jeffreys' prior.
  const mixture =
    logGamma(wins + 0.5) + logGamma(losses + 0.5) - logGamma(n + 1) - 2 * logGamma(0.5) + logGamma(1)
  const limit = Math.log(1 / (1 - level))
  const evidence = (p: number) => mixture - xlogy(wins, p) - xlogy(losses, 1 - p)
  const estimate = wins / n
  const bound = (end: 0 | 1) => {
    if (evidence(end) <= limit) return end
    let [inside, outside] = [estimate, end as number]
    for (let step = 0; step < 60; step++) {
      const middle = (inside + outside) / 2
      if (evidence(middle) <= limit) inside = middle
      else outside = middle
    }
    return outside
  }
  return { estimate, low: bound(0), high: bound(1), level, n }
}

function xlogy(x: number, y: number): number {
  return x === 0 ? 0 : x * Math.log(y)
}

export type SequentialDecision = 'above' | 'below' | 'undecided'

export interface SequentialOutcome {
  readonly decision: SequentialDecision
  /** Values looked at when the decision fell, or all of them. */
  readonly looked: number
  /** Values that need not have been paid for. */
  readonly saved: number
  readonly interval: AnytimeInterval | null
}

/**
 * Is the mean of values in [0, 1] above or below `threshold`? Looks after every value and stops as soon as the
 * confidence sequence excludes the threshold, with a chance of at most 1 - level of a wrong decision over all looks.
 */
export class SequentialTest {
  readonly threshold: number
  readonly level: number
  readonly #minimum: number
  #sum = 0
  #n = 0

  constructor(threshold: number, options: { readonly level?: number; readonly minimum?: number } = {}) {
    if (!(threshold > 0 && threshold < 1))
      throw new RangeError(`threshold ${threshold} is not between 0 and 1`)
    this.threshold = threshold
    this.level = options.level ?? 0.95
    this.#minimum = options.minimum ?? 1
    requireLevel(this.level)
  }

  /** Adds a value in [0, 1]; says what is known then. */
  add(value: number): SequentialDecision {
    if (!(value >= 0 && value <= 1)) throw new RangeError(`${value} is not in [0, 1]`)
    this.#sum += value
    this.#n++
    return this.decision
  }

  get n(): number {
    return this.#n
  }

  get interval(): AnytimeInterval | null {
    return anytimeInterval(this.#sum, this.#n, this.level)
  }

  get decision(): SequentialDecision {
    const { interval } = this
    if (interval === null || this.#n < this.#minimum) return 'undecided'
    return interval.low > this.threshold ? 'above' : interval.high < this.threshold ? 'below' : 'undecided'
  }
}

/** What stopping early would have done with these values in this order. */
export function sequentialOutcome(
  values: ArrayLike<number>,
  threshold: number,
  options: { readonly level?: number; readonly minimum?: number } = {},
): SequentialOutcome {
  const test = new SequentialTest(threshold, options)
  for (let i = 0; i < values.length && test.decision === 'undecided'; i++) test.add(values[i]!)
  return {
    decision: test.decision,
    looked: test.n,
    saved: values.length - test.n,
    interval: test.interval,
  }
}
