import { sortedNumbers } from './argsort.ts'
import { requireFinite } from './numbers.ts'

/**
 * The p-quantile by linear interpolation between order statistics (Hyndman and Fan's type 7, the default of NumPy
 * and R): position (n - 1) p. Null for no values.
 */
export function quantile(values: ArrayLike<number>, p: number): number | null {
  return quantiles(values, [p])[0]!
}

/** Several quantiles of one list, sorting once. */
export function quantiles(values: ArrayLike<number>, ps: readonly number[]): (number | null)[] {
  requireFinite(values)
  const sorted = sortedNumbers(values)
  return ps.map((p) => quantileOfSorted(sorted, p))
}

/** As `quantile`, of numbers already in ascending order. */
export function quantileOfSorted(sorted: ArrayLike<number>, p: number): number | null {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`quantile ${p} is not in [0, 1]`)
  if (sorted.length === 0) return null
  const position = (sorted.length - 1) * p
  const below = Math.floor(position)
  const low = sorted[below]!
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!
  return low + (high - low) * (position - below)
}

/** The 0.5-quantile; null for no values. */
export function median(values: ArrayLike<number>): number | null {
  return quantile(values, 0.5)
}

/**
 * Mean of the middle half: floor(n / 4) values dropped at each end, as in rliable (Agarwal et al. 2021). Null for no
 * values.
 */
export function interquartileMean(values: ArrayLike<number>): number | null {
  requireFinite(values)
  if (values.length === 0) return null
  const sorted = sortedNumbers(values)
  const cut = Math.floor(sorted.length / 4)
  let sum = 0
  for (let i = cut; i < sorted.length - cut; i++) sum += sorted[i]!
  return sum / (sorted.length - 2 * cut)
}

export interface Histogram {
  /** `counts.length + 1` ascending edges; a bin holds its lower edge, the last bin both. */
  readonly edges: readonly number[]
  readonly counts: readonly number[]
  /** Values outside the given range. */
  readonly below: number
  readonly above: number
}

/** Counts in bins of equal width. */
export function histogram(
  values: ArrayLike<number>,
  options: {
    /** @default 20 */
    readonly bins?: number
    /** @default smallest and largest value (widened when they are equal) */
    readonly range?: readonly [number, number]
  } = {},
): Histogram {
  requireFinite(values)
  const { bins = 20 } = options
  if (!(Number.isSafeInteger(bins) && bins > 0)) throw new RangeError(`a histogram of ${bins} bins`)
  const [low, high] = options.range ?? extent(values)
  if (!(low / 2 < high / 2)) throw new RangeError(`histogram range [${low}, ${high}] is empty`)
  // Halves, so that the width of a range of the largest numbers does not overflow.
  const width = high / 2 - low / 2
  const edges = Array.from({ length: bins + 1 }, (_, i) =>
    i === bins ? high : low + ((width * i) / bins) * 2,
  )
  const counts = new Array<number>(bins).fill(0)
  let below = 0
  let above = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (value < low) below++
    else if (value > high) above++
    else {
      let bin = Math.min(bins - 1, Math.floor(((value / 2 - low / 2) / width) * bins))
      // Rounding may land a bin off.
      while (value < edges[bin]!) bin--
      while (bin < bins - 1 && value >= edges[bin + 1]!) bin++
      counts[bin]!++
    }
  }
  return { edges, counts, below, above }
}

function extent(values: ArrayLike<number>): readonly [number, number] {
  let low = Infinity
  let high = -Infinity
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (value < low) low = value
    if (value > high) high = value
  }
  if (values.length === 0) return [0, 1]
  if (high / 2 > low / 2) return [low, high]
  const margin = Math.max(0.5, Math.abs(low) * 1e-6)
  return [Math.max(-Number.MAX_VALUE, low - margin), Math.min(Number.MAX_VALUE, high + margin)]
}
