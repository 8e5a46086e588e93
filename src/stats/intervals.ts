import { mean, standardDeviation } from './moments.ts'
import { incompleteBetaInverse, normalQuantile, studentQuantile } from './special.ts'

/** An estimate with the bounds of its confidence interval. */
export interface Interval {
  readonly estimate: number
  readonly low: number
  readonly high: number
  /** Confidence, such as 0.95. */
  readonly level: number
  /** What was counted: observations, prompts, pairs. */
  readonly n: number
}

/** Wilson's score interval of a proportion; sensible at 0, at n and for small n. Null when n = 0. */
export function wilsonInterval(successes: number, n: number, level = 0.95): Interval | null {
  requireCounts(successes, n, level)
  if (n === 0) return null
  const z = normalQuantile((1 + level) / 2)
  const p = successes / n
  const centre = (p + (z * z) / (2 * n)) / (1 + (z * z) / n)
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n))
  return {
    estimate: p,
    low: successes === 0 ? 0 : Math.max(0, centre - half),
    high: successes === n ? 1 : Math.min(1, centre + half),
    level,
    n,
  }
}

/** The exact (Clopper-Pearson) interval of a proportion: covers at least `level`, usually more. Null when n = 0. */
export function clopperPearsonInterval(successes: number, n: number, level = 0.95): Interval | null {
  requireCounts(successes, n, level)
  if (n === 0) return null
  const tail = (1 - level) / 2
  return {
    estimate: successes / n,
    low: successes === 0 ? 0 : incompleteBetaInverse(tail, successes, n - successes + 1),
    high: successes === n ? 1 : incompleteBetaInverse(1 - tail, successes + 1, n - successes),
    level,
    n,
  }
}

/** Student's t interval of a mean (standard deviation with n - 1). Null when n < 2. */
export function meanInterval(values: readonly number[], level = 0.95): Interval | null {
  requireLevel(level)
  const n = values.length
  const estimate = mean(values)
  const deviation = standardDeviation(values, { ddof: 1 })
  if (estimate === null || deviation === null) return null
  const half = (studentQuantile((1 + level) / 2, n - 1) * deviation) / Math.sqrt(n)
  return { estimate, low: estimate - half, high: estimate + half, level, n }
}

export function requireLevel(level: number): void {
  if (!(level > 0 && level < 1)) throw new RangeError(`confidence level ${level} is not between 0 and 1`)
}

function requireCounts(successes: number, n: number, level: number): void {
  requireLevel(level)
  if (!(Number.isSafeInteger(successes) && Number.isSafeInteger(n) && successes >= 0 && successes <= n))
    throw new RangeError(`${successes} of ${n} is not a proportion of counts`)
}
