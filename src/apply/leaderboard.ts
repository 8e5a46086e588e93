import { type Benchmark, type BenchmarkResult, creditOf, runBenchmark } from '../audit/benchmarks/index.ts'
import { type Comparator, type Reward, Rng } from '../core/index.ts'
import {
  type BootstrapInterval,
  bootstrapMean,
  type McNemar,
  mcnemar,
  type Rating,
  ratings,
} from '../stats/index.ts'
import type { Store } from '../store/index.ts'
import { type LengthFindings, lengthFindings } from './audit.ts'
import { remembered } from './remembered.ts'

export interface LeaderboardOptions {
  /** By the name that each has on the board. */
  readonly judges: Readonly<Record<string, Reward | Comparator>>
  readonly benchmarks: readonly Benchmark[]
  /** Judgements are kept here: what was stopped goes on. */
  readonly store?: Store
  /** @default new Rng('leaderboard') */
  readonly rng?: Rng
  /** @default 1000 */
  readonly resamples?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (what: string, done: number, total: number) => void
}

/** Two judges on the same items of one benchmark. */
export interface PairedDifference {
  readonly first: string
  readonly second: string
  /** Items with a credit for both. */
  readonly items: number
  /** Score of the first minus that of the second: paired, weighed as in the headline, clusters resampled. */
  readonly difference: BootstrapInterval | null
  /** On items where one is wholly right and the other wholly wrong. */
  readonly mcnemar: McNemar
}

export interface LeaderboardRow {
  readonly judge: string
  readonly result: BenchmarkResult
  readonly length: LengthFindings | null
  /** Best place it may have: 1 + how many are better beyond doubt (paired difference above 0, see `isBetter`). */
  readonly place: number
  /** Those that it cannot be told from. */
  readonly likeIt: readonly string[]
}

export interface BenchmarkBoard {
  readonly benchmark: Benchmark
  /** Best score first. */
  readonly rows: readonly LeaderboardRow[]
  readonly differences: readonly PairedDifference[]
}

export interface Leaderboard {
  readonly boards: readonly BenchmarkBoard[]
  /**
   * Over all benchmarks: Bradley-Terry ratings (1000 in the middle) from every item on which one judge earned more than
   * another; each item is a cluster. Null for fewer than two judges.
   */
  readonly overall: readonly (Rating & { readonly judge: string })[] | null
  readonly seed: string
}

/** Many judges on the same items: scores, paired differences, and who cannot be told from whom. */
export async function leaderboard(options: LeaderboardOptions): Promise<Leaderboard> {
  const { judges, benchmarks, store, rng = new Rng('leaderboard'), resamples = 1000 } = options
  const names = Object.keys(judges)
  const boards: BenchmarkBoard[] = []
  const votes = { a: [] as number[], b: [] as number[], values: [] as number[] }
  const clusters: string[] = []
  for (const benchmark of benchmarks) {
    const { spec } = benchmark
    const results: Record<string, BenchmarkResult> = {}
    for (const name of names)
      results[name] = await runBenchmark(
        store === undefined ? judges[name]! : remembered(judges[name]!, store),
        benchmark,
        {
          rng: rng.fork(spec.name),
          resamples,
          ...(options.signal ? { signal: options.signal } : {}),
          onProgress: (done, total) => options.onProgress?.(`${spec.name}: ${name}`, done, total),
        },
      )
    const credits = names.map((name) => results[name]!.rows.map((row) => creditOf(row, spec.aggregation)))
    const weights = headlineWeights(benchmark)
    const itemClusters = benchmark.items.map(({ id, cluster }) => cluster ?? id)
    const differences = names.flatMap((first, i) =>
      names.slice(i + 1).map((second, offset) => {
        const j = i + 1 + offset
        return {
          first,
          second,
          ...pairedDifference(credits[i]!, credits[j]!, weights, itemClusters, { rng, resamples }),
        }
      }),
    )
    for (let i = 0; i < names.length; i++)
      for (let j = i + 1; j < names.length; j++)
        credits[i]!.forEach((left, item) => {
          const right = credits[j]![item]
          if (left === null || right === null || right === undefined) return
          votes.a.push(i)
          votes.b.push(j)
          votes.values.push(left > right ? 1 : left < right ? 0 : 0.5)
          clusters.push(`${spec.name}/${itemClusters[item]}`)
        })
    boards.push({ benchmark, differences, rows: rowsOf(names, results, differences, { rng, resamples }) })
  }
  const overall =
    names.length < 2 || votes.a.length === 0
      ? null
      : ratings(names.length, votes, {
          rng,
          clusters,
          prior: 1,
          resamples: Math.min(resamples, 200),
        }).ratings.map((rating) => ({ ...rating, judge: names[rating.item]! }))
  return { boards, overall, seed: rng.seed }
}

function pairedDifference(
  a: readonly (number | null)[],
  b: readonly (number | null)[],
  weights: readonly number[],
  clusters: readonly string[],
  options: { readonly rng: Rng; readonly resamples: number },
): Omit<PairedDifference, 'first' | 'second'> {
  const both = a.flatMap((left, i) => (left === null || b[i] == null ? [] : [i]))
  const gaps = both.map((i) => a[i]! - b[i]!)
  return {
    items: both.length,
    difference: bootstrapMean(
      gaps.map((gap, place) => gap * weights[both[place]!]!),
      {
        ...options,
        weights: both.map((i) => weights[i]!),
        clusters: both.map((i) => clusters[i]!),
      },
    ),
    mcnemar: mcnemar(gaps.filter((gap) => gap === 1).length, gaps.filter((gap) => gap === -1).length),
  }
}

/**
 * What each item counts for in the benchmark's headline, so that a paired difference is one of headlines: the weight of
 * its section, shared among the section's subsets, shared among the subset's items. All alike where the headline pools
 * items, or where a subset's score is no mean of credits.
 */
function headlineWeights({ spec, items }: Benchmark): number[] {
  const { top = 'macro', sections, weights } = spec.aggregation
  const counts = new Map<string, number>()
  for (const { subset } of items) counts.set(subset, (counts.get(subset) ?? 0) + 1)
  if (top === 'pooled' || spec.measures !== undefined) return items.map(() => 1)
  const parts = sections ?? Object.fromEntries([...counts.keys()].map((subset) => [subset, [subset]]))
  const shares = new Map<string, number>()
  for (const [section, subsets] of Object.entries(parts)) {
    const present = subsets.filter((subset) => counts.has(subset))
    const weightOf = (subset: string) => weights?.[subset] ?? counts.get(subset)!
    const total = present.reduce((sum, subset) => sum + weightOf(subset), 0)
    const own = top === 'macro' ? 1 : (top[section] ?? 0)
    for (const subset of present)
      shares.set(subset, (shares.get(subset) ?? 0) + (own * weightOf(subset)) / total / counts.get(subset)!)
  }
  return items.map(({ subset }) => shares.get(subset) ?? 0)
}

/** Whether `first` is better beyond doubt: the interval of the paired difference lies above 0. */
export function isBetter(first: string, second: string, differences: readonly PairedDifference[]): boolean {
  return differences.some(({ first: one, second: other, difference }) => {
    if (difference === null) return false
    if (one === first && other === second) return difference.low > 0
    return one === second && other === first && difference.high < 0
  })
}

function rowsOf(
  names: readonly string[],
  results: Readonly<Record<string, BenchmarkResult>>,
  differences: readonly PairedDifference[],
  options: { readonly rng: Rng; readonly resamples: number },
): LeaderboardRow[] {
  const others = (name: string) => names.filter((other) => other !== name)
  return names
    .map((judge): LeaderboardRow => {
      const better = others(judge).filter((other) => isBetter(other, judge, differences))
      return {
        judge,
        result: results[judge]!,
        length: lengthFindings(results[judge]!.rows, options),
        place: 1 + better.length,
        likeIt: others(judge).filter(
          (other) => !better.includes(other) && !isBetter(judge, other, differences),
        ),
      }
    })
    .sort((a, b) => scoreOf(b) - scoreOf(a))
}

/** For order: who judged nothing comes last. */
function scoreOf({ result: { headline, unscored, rows } }: LeaderboardRow): number {
  return unscored.total === rows.length ? -1 : (headline.score ?? -1)
}
