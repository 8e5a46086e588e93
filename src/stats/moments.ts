import { requireFinite } from './numbers.ts'

export interface Spread {
  /** What is subtracted from n in the denominator: 0 = population, 1 = sample. Always stated, never assumed. */
  readonly ddof: 0 | 1
}

/** Arithmetic mean; null for no values. */
export function mean(values: ArrayLike<number>): number | null {
  requireFinite(values)
  if (values.length === 0) return null
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]!
  return sum / values.length
}

/** Variance in squared units, two passes; null when n <= ddof. */
export function variance(values: ArrayLike<number>, { ddof }: Spread): number | null {
  const centre = mean(values)
  if (centre === null || values.length <= ddof) return null
  let squares = 0
  for (let i = 0; i < values.length; i++) squares += (values[i]! - centre) ** 2
  return squares / (values.length - ddof)
}

/** Square root of the variance; null when n <= ddof. */
export function standardDeviation(values: ArrayLike<number>, spread: Spread): number | null {
  const squared = variance(values, spread)
  return squared === null ? null : Math.sqrt(squared)
}
