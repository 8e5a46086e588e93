import { membersOf } from './bootstrap.ts'
import { type Interval, requireLevel } from './intervals.ts'
import { normalQuantile } from './special.ts'

export interface ClusteredProportion extends Interval {
  readonly clusters: number
  /** By how much the clusters inflate the variance; `n / designEffect` independent observations say as much. */
  readonly designEffect: number
}

/**
 * Wilson's interval of a proportion whose observations share clusters (prompts, voters): n is divided by the design
 * effect, the variance between clusters over that of independent observations (never below 1, and at least what
 * whole clusters would give where all outcomes are alike and no variance can be seen). Null for no observations.
 */
export function clusteredProportion(
  outcomes: readonly (0 | 1 | boolean)[],
  clusters: readonly (string | number)[],
  level = 0.95,
): ClusteredProportion | null {
  requireLevel(level)
  const n = outcomes.length
  const groups = membersOf(n, clusters)!
  if (n === 0) return null
  let successes = 0
  for (const outcome of outcomes) successes += Number(outcome)
  const p = successes / n
  let squares = 0
  for (const group of groups) {
    let sum = 0
    for (const i of group) sum += Number(outcomes[i]) - p
    squares += sum * sum
  }
  const units = groups.length
  const independent = n * p * (1 - p)
  const between = units > 1 ? (squares * units) / (units - 1) : n * independent
  const designEffect = independent > 0 ? Math.max(1, between / independent) : n / units
  const effective = n / designEffect
  const z = normalQuantile((1 + level) / 2)
  const centre = (p + (z * z) / (2 * effective)) / (1 + (z * z) / effective)
  const half =
    (z / (1 + (z * z) / effective)) *
    Math.sqrt((p * (1 - p)) / effective + (z * z) / (4 * effective * effective))
  return {
    estimate: p,
    low: successes === 0 ? 0 : Math.max(0, centre - half),
    high: successes === n ? 1 : Math.min(1, centre + half),
    level,
    n,
    clusters: units,
    designEffect,
  }
}
