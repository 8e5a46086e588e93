import type { Rng } from '../core/index.ts'
import { type Interval, requireLevel } from './intervals.ts'
import { requireFinite } from './numbers.ts'
import { quantileOfSorted } from './quantiles.ts'
import { normalCdf, normalQuantile } from './special.ts'

export interface BootstrapOptions {
  /**
   * The same generator (its seed alone counts, not what was drawn from it) resamples the same units in every call of
   * equal size: intervals computed one after the other are paired.
   */
  readonly rng: Rng
  /** @default 1000 */
  readonly resamples?: number
  /** @default 0.95 */
  readonly level?: number
  /** Bounds by percentiles, or bias-corrected and accelerated (Efron 1987). @default 'percentile' */
  readonly method?: 'percentile' | 'bca'
  /**
   * The cluster of each observation, such as its prompt: clusters are resampled whole, since samples of one prompt
   * are not independent. @default each observation is its own cluster
   */
  readonly clusters?: readonly (string | number)[]
}

export interface BootstrapInterval extends Interval {
  /** `normal`: standard error in closed form, for a mean of very many units; `batches`: see `batchInterval`. */
  readonly method: 'percentile' | 'bca' | 'normal' | 'batches'
  /** Standard deviation of the resampled statistic (n - 1), or what it tends to. */
  readonly standardError: number
  /**
   * Clusters resampled (= observations without clusters); `n` counts observations. With 1 there is nothing to
   * resample: the bounds are the estimate and say nothing.
   */
  readonly units: number
  readonly resamples: number
  /** Resamples in which the statistic was not defined; they are left out of the bounds. */
  readonly undefinedResamples: number
}

/** Above this many units a mean needs no resampling: its distribution is normal and the standard error known. */
const resampledUnits = 20_000

/** BCa leaves out groups of units above this many: the acceleration is as good, at a cost that does not grow with n^2. */
const jackknifeGroups = 200

/**
 * Bootstrap interval of any statistic of n observations. `statistic` gets the places drawn (repeats included) and
 * may read any number of lists there, so paired data stay paired; null where it is not defined. Null when it is not
 * defined on the data themselves or on any resample.
 */
export function bootstrap(
  n: number,
  statistic: (indices: Uint32Array) => number | null,
  options: BootstrapOptions,
): BootstrapInterval | null {
  const groups = membersOf(n, options.clusters)
  const collect = (units: ArrayLike<number>) => {
    if (groups === undefined) return Uint32Array.from(units)
    let size = 0
    for (let i = 0; i < units.length; i++) size += groups[units[i]!]!.length
    const indices = new Uint32Array(size)
    let place = 0
    for (let i = 0; i < units.length; i++) for (const index of groups[units[i]!]!) indices[place++] = index
    return indices
  }
  return resample(n, groups?.length ?? n, (units) => statistic(collect(units)), options)
}

/**
 * Bootstrap interval of a mean, or with `weights` of sum(values) / sum(weights) (a ratio, as accuracy over the pairs
 * that count). Sums are kept by cluster, so a resample costs as many additions as there are clusters. Above 20,000
 * clusters, unless `method` or `resamples` ask for it, nothing is resampled: the bounds are those of the normal
 * distribution with the standard error that resampling would tend to (`method: 'normal'` in the result).
 */
export function bootstrapMean(
  values: ArrayLike<number>,
  options: BootstrapOptions & {
    /** One for each value, at least 0. `values` are then numerators: weight them yourself. @default all 1 */
    readonly weights?: ArrayLike<number>
  },
): BootstrapInterval | null {
  requireFinite(values)
  const { weights } = options
  if (weights !== undefined) requireFinite(weights, 'weights')
  const n = values.length
  const groups = membersOf(n, options.clusters)
  const units = groups?.length ?? n
  const sums = new Float64Array(units)
  const totals = new Float64Array(units)
  for (let unit = 0; unit < units; unit++) {
    for (const index of groups?.[unit] ?? [unit]) {
      sums[unit]! += values[index]!
      totals[unit]! += weights?.[index] ?? 1
    }
  }
  if (units > resampledUnits && options.method === undefined && options.resamples === undefined)
    return normalInterval(n, sums, totals, options.level)
  return resample(
    n,
    units,
    (drawn) => {
      let [sum, total] = [0, 0]
      for (let i = 0; i < drawn.length; i++) {
        const unit = drawn[i]!
        sum += sums[unit]!
        total += totals[unit]!
      }
      return total > 0 ? sum / total : null
    },
    options,
  )
}

/** Of sum(sums) / sum(totals) over independent units, linearised. */
function normalInterval(
  n: number,
  sums: Float64Array,
  totals: Float64Array,
  level = 0.95,
): BootstrapInterval | null {
  requireLevel(level)
  const units = sums.length
  let [sum, total, squares] = [0, 0, 0]
  for (let i = 0; i < units; i++) {
    sum += sums[i]!
    total += totals[i]!
  }
  if (!(total > 0)) return null
  const estimate = sum / total
  for (let i = 0; i < units; i++) squares += (sums[i]! - estimate * totals[i]!) ** 2
  const standardError = Math.sqrt((squares * units) / (units - 1)) / total
  const half = normalQuantile((1 + level) / 2) * standardError
  return {
    estimate,
    low: estimate - half,
    high: estimate + half,
    level,
    n,
    method: 'normal',
    standardError,
    units,
    resamples: 0,
    undefinedResamples: 0,
  }
}

/** The places of each cluster, in order of appearance; undefined without clusters. */
export function membersOf(
  n: number,
  clusters: readonly (string | number)[] | undefined,
): readonly (readonly number[])[] | undefined {
  if (clusters === undefined) return undefined
  if (clusters.length !== n) throw new RangeError(`${clusters.length} clusters for ${n} observations`)
  return [
    ...Map.groupBy(
      Array.from({ length: n }, (_, i) => i),
      (i) => clusters[i]!,
    ).values(),
  ]
}

function resample(
  n: number,
  units: number,
  statistic: (units: Uint32Array) => number | null,
  options: BootstrapOptions,
): BootstrapInterval | null {
  const { resamples = 1000, level = 0.95, method = 'percentile' } = options
  requireLevel(level)
  if (!(Number.isSafeInteger(resamples) && resamples >= 1)) throw new RangeError(`${resamples} resamples`)
  const everyone = Uint32Array.from({ length: units }, (_, i) => i)
  const estimate = units === 0 ? null : statistic(everyone)
  if (estimate === null) return null
  const rng = options.rng.fork('bootstrap')
  const drawn = new Uint32Array(units)
  const results = new Float64Array(resamples)
  let defined = 0
  for (let r = 0; r < resamples; r++) {
    // Multiply and shift: a bias below units / 2^32, and half the time of an exact draw.
    for (let i = 0; i < units; i++) drawn[i] = (rng.uint32() * units) / 2 ** 32
    const value = statistic(drawn)
    if (value !== null) results[defined++] = value
  }
  if (defined === 0) return null
  const sorted = results.subarray(0, defined).sort()
  const tails = [(1 - level) / 2, (1 + level) / 2] as const
  const [low, high] =
    method === 'bca' ? acceleratedTails(tails, estimate, sorted, units, statistic, options.rng) : tails
  let sum = 0
  for (const value of sorted) sum += value
  let squares = 0
  for (const value of sorted) squares += (value - sum / defined) ** 2
  return {
    estimate,
    low: quantileOfSorted(sorted, low)!,
    high: quantileOfSorted(sorted, high)!,
    level,
    n,
    method,
    standardError: defined < 2 ? 0 : Math.sqrt(squares / (defined - 1)),
    units,
    resamples,
    undefinedResamples: resamples - defined,
  }
}

/** The percentiles that BCa reads instead of the nominal ones. */
function acceleratedTails(
  tails: readonly [number, number],
  estimate: number,
  sorted: Float64Array,
  units: number,
  statistic: (units: Uint32Array) => number | null,
  rng: Rng,
): readonly [number, number] {
  let below = 0
  for (const value of sorted) below += value < estimate ? 1 : value === estimate ? 0.5 : 0
  const bias = normalQuantile(below / sorted.length)
  if (!Number.isFinite(bias)) return tails // the estimate lies outside every resample
  const acceleration = skewOfJackknife(units, statistic, rng) / 6
  const [low, high] = tails.map((tail) => {
    const shifted = bias + normalQuantile(tail)
    return normalCdf(bias + shifted / (1 - acceleration * shifted))
  })
  return [low!, high!]
}

/** sum(d^3) / sum(d^2)^1.5 over the leave-one-out (or leave-a-group-out) values; 0 when it is not defined. */
function skewOfJackknife(units: number, statistic: (units: Uint32Array) => number | null, rng: Rng): number {
  const order = Array.from({ length: units }, (_, i) => i)
  const shuffled = units > jackknifeGroups ? rng.fork('jackknife').shuffled(order) : order
  const groups = Math.min(units, jackknifeGroups)
  const values: number[] = []
  for (let group = 0; group < groups; group++) {
    const kept = Uint32Array.from(shuffled.filter((_, place) => place % groups !== group))
    const value = kept.length === 0 ? null : statistic(kept)
    if (value !== null) values.push(value)
  }
  const centre = values.reduce((sum, value) => sum + value, 0) / values.length
  let [squares, cubes] = [0, 0]
  for (const value of values) {
    squares += (centre - value) ** 2
    cubes += (centre - value) ** 3
  }
  return squares > 0 ? cubes / squares ** 1.5 : 0
}
