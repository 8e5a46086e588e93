import type { Rng } from '../core/index.ts'
import { type BootstrapInterval, membersOf } from './bootstrap.ts'
import { requireLevel } from './intervals.ts'
import { standardDeviation } from './moments.ts'
import { studentQuantile } from './special.ts'

/**
 * Interval of a smooth statistic (a correlation, a mean, a ratio) of very many observations at the cost of computing
 * it twice: the data are dealt into batches, and the standard error is that of the batches' values divided by the
 * square root of their number; bounds by Student's t; `resamples` are the batches. Batches should hold some hundreds of observations. Null when
 * the statistic is not defined on the data or on two batches.
 */
export function batchInterval(
  n: number,
  statistic: (indices: Uint32Array) => number | null,
  options: {
    /** Its seed alone decides who is in which batch. */
    readonly rng: Rng
    /** @default 50 */
    readonly batches?: number
    /** @default 0.95 */
    readonly level?: number
    /** Clusters stay whole. @default each observation is its own cluster */
    readonly clusters?: readonly (string | number)[]
  },
): BootstrapInterval | null {
  const { batches = 50, level = 0.95 } = options
  requireLevel(level)
  const everyone = Uint32Array.from({ length: n }, (_, i) => i)
  const estimate = n === 0 ? null : statistic(everyone)
  if (estimate === null) return null
  const groups = membersOf(n, options.clusters)
  const units = groups?.length ?? n
  const order = options.rng.fork('batches').shuffled([...everyone.subarray(0, units)])
  const dealt = Array.from({ length: batches }, () => [] as number[])
  order.forEach((unit, i) => {
    const batch = dealt[i % batches]!
    if (groups === undefined) batch.push(unit)
    else for (const index of groups[unit]!) batch.push(index)
  })
  const values = dealt
    .map((batch) => (batch.length === 0 ? null : statistic(Uint32Array.from(batch))))
    .filter((value) => value !== null)
  const deviation = standardDeviation(values, { ddof: 1 })
  if (deviation === null) return null
  const standardError = deviation / Math.sqrt(values.length)
  const half = studentQuantile((1 + level) / 2, values.length - 1) * standardError
  return {
    estimate,
    low: estimate - half,
    high: estimate + half,
    level,
    n,
    method: 'batches',
    standardError,
    units,
    resamples: values.length,
    undefinedResamples: batches - values.length,
  }
}
