import { type Interval, requireLevel } from './intervals.ts'
import { normalQuantile } from './special.ts'

/**
 * Interval of a correlation in closed form, by Fisher's z: standard error 1 / sqrt(n - 3) for Pearson's r, with
 * Bonett and Wright's (2000) factors for Spearman's rho and Kendall's tau. For independent observations; where they
 * share prompts, resample the prompts (`bootstrap`). Null for n < 5 (Kendall: n < 5) and without a correlation.
 */
export function correlationInterval(
  correlation: number | null,
  n: number,
  options: {
    /** @default 'pearson' */
    readonly of?: 'pearson' | 'spearman' | 'kendall'
    /** @default 0.95 */
    readonly level?: number
  } = {},
): Interval | null {
  const { of = 'pearson', level = 0.95 } = options
  requireLevel(level)
  if (correlation === null || n < 5) return null
  if (!(correlation >= -1 && correlation <= 1)) throw new RangeError(`${correlation} is not a correlation`)
  if (Math.abs(correlation) === 1)
    return { estimate: correlation, low: correlation, high: correlation, level, n }
  const error =
    of === 'pearson'
      ? 1 / Math.sqrt(n - 3)
      : of === 'spearman'
        ? Math.sqrt((1 + correlation ** 2 / 2) / (n - 3))
        : Math.sqrt(0.437 / (n - 4))
  const z = Math.atanh(correlation)
  const half = normalQuantile((1 + level) / 2) * error
  return { estimate: correlation, low: Math.tanh(z - half), high: Math.tanh(z + half), level, n }
}
