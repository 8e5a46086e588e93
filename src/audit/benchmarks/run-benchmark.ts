import { type Comparator, type GuerdonError, type Reward, Rng, type Usage } from '../../core/index.ts'
import { type BootstrapInterval, bootstrap, bootstrapMean } from '../../stats/index.ts'
import { type Aggregate, type AggregateIntervals, aggregate } from './aggregate.ts'
import { type Answerer, type Asked, askAnswerer, askComparator, askReward } from './ask-items.ts'
import type { BenchmarkItem, BenchmarkSpec } from './benchmark.ts'
import type { ItemResult } from './item-result.ts'

/** Who is tested: something that judges, or something that answers itself. */
export type BenchmarkSubject = Reward | Comparator | Answerer

/** A benchmark with its items. */
export interface Benchmark {
  readonly spec: BenchmarkSpec
  readonly items: readonly BenchmarkItem[]
  /** Where they came from, for people. */
  readonly source: string
  /** Rows that could not be read; they are not items. */
  readonly problems: readonly GuerdonError[]
}

export interface RunBenchmarkOptions {
  /** Root of all randomness, of orders and resamples too. @default new Rng('benchmark') */
  readonly rng?: Rng
  /** Judgements of each pair by a comparator. @default the benchmark's own protocol */
  readonly votes?: number
  /** Samples or pairs handed over at a time. @default 256 */
  readonly batchSize?: number
  /** @default 1000; 0 leaves intervals out */
  readonly resamples?: number
  /** @default 0.95 */
  readonly level?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (done: number, total: number) => void
}

export interface BenchmarkResult extends Aggregate {
  readonly benchmark: string
  readonly subject: string
  /** What chance earns, in the units of the headline. */
  readonly chance?: number
  /** One for each item, in order: worst cases and paired tests read these. */
  readonly rows: readonly ItemResult[]
  /** Means of further measures of the items, such as rank correlations; areas under the ROC curve of binary items. */
  readonly measures: Readonly<Record<string, BootstrapInterval | null>>
  /** Items without a verdict, by why. */
  readonly unscored: { readonly total: number; readonly byCode: Readonly<Record<string, number>> }
  /** Of a comparator: share of its verdicts that took the side shown first, and of how many. */
  readonly firstSlot?: NonNullable<Asked['firstSlot']>
  /** What the judgements said they cost; empty where they say nothing. */
  readonly cost: Usage
}

/**
 * Runs a reward, a comparator or an answerer through a benchmark and scores it by the benchmark's own rules. What
 * cannot be judged is unresolved and counted, with the code that says why; the run itself throws only for a subject
 * of the wrong kind (`missing-need`) or when it is aborted.
 */
export async function runBenchmark(
  subject: BenchmarkSubject,
  benchmark: Benchmark,
  options: RunBenchmarkOptions = {},
): Promise<BenchmarkResult> {
  const { spec, items } = benchmark
  const { rng = new Rng('benchmark'), votes = spec.votes ?? 1, batchSize = 256, ...rest } = options
  const asking = { ...rest, rng, votes, batchSize }
  const { results, cost, firstSlot } =
    'compare' in subject
      ? await askComparator(subject, spec, items, asking)
      : 'score' in subject
        ? await askReward(subject, spec, items, asking)
        : await askAnswerer(subject, spec, items, asking)
  return {
    benchmark: spec.name,
    subject: subject.name,
    ...(spec.chance === undefined ? {} : { chance: spec.chance }),
    ...summarizeResults(spec, results, { ...rest, rng }, 'compare' in subject ? spec.comparatorRules : {}),
    rows: results,
    ...(firstSlot ? { firstSlot } : {}),
    cost,
  }
}

/**
 * The scores of results that are there already: of a stored run, or of rows that were filtered. `rules` go before the
 * benchmark's own (for a comparator: `spec.comparatorRules`).
 */
export function summarizeResults(
  spec: BenchmarkSpec,
  results: readonly ItemResult[],
  intervals: AggregateIntervals,
  rules: BenchmarkSpec['comparatorRules'] = {},
): Aggregate & Pick<BenchmarkResult, 'measures' | 'unscored'> {
  const measures = Object.fromEntries(
    Object.entries(spec.measures ?? {}).map(([subset, measure]) => [
      subset,
      (places: readonly number[]) => measure(places.map((place) => results[place]!)),
    ]),
  )
  const byCode: Record<string, number> = {}
  const unjudged = results.filter(({ outcome }) => outcome === 'unresolved')
  for (const { code = 'not-applicable' } of unjudged) byCode[code] = (byCode[code] ?? 0) + 1
  return {
    ...aggregate(results, { ...spec.aggregation, ...rules, measures }, intervals),
    measures: intervals.resamples === 0 ? {} : furtherMeasures(results, intervals),
    unscored: { total: unjudged.length, byCode },
  }
}

function furtherMeasures(
  results: readonly ItemResult[],
  intervals: AggregateIntervals,
): BenchmarkResult['measures'] {
  const names = new Set(results.flatMap(({ measures }) => Object.keys(measures ?? {})))
  const means = [...names].map((name) => {
    const rows = results.flatMap((row, place) => {
      const value = row.measures?.[name]
      return value === null || value === undefined
        ? []
        : [{ value, cluster: row.cluster ?? `\u0000${place}` }]
    })
    const interval = bootstrapMean(
      rows.map(({ value }) => value),
      { ...intervals, clusters: rows.map(({ cluster }) => cluster) },
    )
    return [name, interval] as const
  })
  const binary = results.flatMap(({ item, values: [value], cluster }, place) =>
    item.kind !== 'binary' || value === null || value === undefined
      ? []
      : [{ value, good: item.good, cluster: cluster ?? place }],
  )
  if (binary.length === 0) return Object.fromEntries(means)
  return { ...Object.fromEntries(means), 'area under ROC': areaInterval(binary, intervals) }
}

/** Area under the ROC curve (ties half) with its interval: sorted once, each resample counts how often a place is drawn. */
function areaInterval(
  rows: readonly { readonly value: number; readonly good: boolean; readonly cluster: string | number }[],
  intervals: AggregateIntervals,
): BootstrapInterval | null {
  const order = [...rows.keys()].sort((i, j) => rows[i]!.value - rows[j]!.value)
  const times = new Uint32Array(rows.length)
  return bootstrap(
    rows.length,
    (drawn) => {
      times.fill(0)
      for (const place of drawn) times[place]!++
      let [wins, goods, bads, tiedGood, tiedBad, last] = [0, 0, 0, 0, 0, Number.NaN]
      const close = () => {
        wins += tiedGood * (bads + tiedBad / 2)
        goods += tiedGood
        bads += tiedBad
        tiedGood = 0
        tiedBad = 0
      }
      for (const place of order) {
        const { value, good } = rows[place]!
        if (value !== last) close()
        last = value
        if (good) tiedGood += times[place]!
        else tiedBad += times[place]!
      }
      close()
      return goods * bads === 0 ? null : wins / (goods * bads)
    },
    { ...intervals, clusters: rows.map(({ cluster }) => cluster) },
  )
}
