import { type Schedule, stepAt } from './schedule.ts'

/** Bounds of a squashing threshold. */
export type Threshold = readonly [low: number, high: number]

/**
 * 0 below `low`, 1 above `high`, and the value itself between. Strict on both sides: a value equal to a bound
 * stays what it is, so `squash(0.75, [0.5, 0.75])` is 0.75. (Vision-R1, arXiv 2503.18013.)
 */
export function squash(value: number, [low, high]: Threshold): number {
  if (value < low) return 0
  return value > high ? 1 : value
}

/** Vision-R1's hard cut: 1 above `at`, 0 below, and a value equal to `at` stays. Same as `squash` with equal bounds. */
export function hardCut(value: number, at: number): number {
  return squash(value, [at, at])
}

/** 1 if `value > at` (or `>=` when `inclusive`), else 0: the plain threshold, with no value that stays. */
export function exceeds(value: number, at: number, inclusive = false): 0 | 1 {
  return value > at || (inclusive && value === at) ? 1 : 0
}

/**
 * The value of the first band whose bound is exceeded, bands given highest first:
 * `banded(similarity, [[0.95, 1], [0.9, 0.2]])` is 1 above 0.95, 0.2 above 0.9, else `otherwise`.
 */
export function banded(
  value: number,
  bands: readonly (readonly [above: number, worth: number])[],
  otherwise = 0,
): number {
  return bands.find(([above]) => value > above)?.[1] ?? otherwise
}

/** `value` limited to [low, high]. */
export function clip(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high)
}

/** `value` clipped to [low, high] and mapped to [0, 1]. Throws a `RangeError` when low is not below high. */
export function rescale(value: number, [low, high]: Threshold): number {
  if (!(low < high)) throw new RangeError(`cannot rescale from the empty interval [${low}, ${high}]`)
  return (clip(value, low, high) - low) / (high - low)
}

/** A threshold that is raised during training: `before` until `step`, `after` from then on. */
export function raisedAfter(step: number, before: Threshold, after: Threshold): Schedule<Threshold> {
  return stepAt(step, before, after)
}
