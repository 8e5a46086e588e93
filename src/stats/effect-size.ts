import { mean, variance } from './moments.ts'
import { requirePaired } from './numbers.ts'
import { areaUnderRoc } from './pair-accuracy.ts'

/** Cohen's d: difference of the means in pooled standard deviations (n - 1). Null when not defined. */
export function cohenD(a: readonly number[], b: readonly number[]): number | null {
  const [varianceA, varianceB] = [variance(a, { ddof: 1 }), variance(b, { ddof: 1 })]
  if (varianceA === null || varianceB === null) return null
  const pooled = ((a.length - 1) * varianceA + (b.length - 1) * varianceB) / (a.length + b.length - 2)
  return pooled > 0 ? (mean(a)! - mean(b)!) / Math.sqrt(pooled) : null
}

/** Cohen's d without its upward bias in small samples (factor 1 - 3 / (4 (n - 2) - 1), n = both samples). */
export function hedgesG(a: readonly number[], b: readonly number[]): number | null {
  const d = cohenD(a, b)
  return d === null ? null : d * (1 - 3 / (4 * (a.length + b.length - 2) - 1))
}

/** Mean of the paired differences a - b in their standard deviations (n - 1), d_z. Null when not defined. */
export function pairedD(a: readonly number[], b: readonly number[]): number | null {
  requirePaired(a, b)
  const differences = a.map((value, i) => value - b[i]!)
  const spread = variance(differences, { ddof: 1 })
  return spread === null || spread === 0 ? null : mean(differences)! / Math.sqrt(spread)
}

/** Cliff's delta: P(a > b) - P(a < b), in [-1, 1]. Null when either is empty. */
export function cliffDelta(a: readonly number[], b: readonly number[]): number | null {
  const area = areaUnderRoc(a, b)
  return area === null ? null : 2 * area - 1
}
