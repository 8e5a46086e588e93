import type { AttackItem } from '../audit/attacks/attack.ts'
import { attackItems } from '../audit/attacks/attack-items.ts'
import { type AuditJudgeOptions, auditJudge, type JudgeAudit } from '../audit/attacks/audit-judge.ts'
import { probeTarget, type TargetProbe } from '../audit/attacks/probe-target.ts'
import type { Target } from '../audit/attacks/targets/target.ts'
import {
  type Benchmark,
  type BenchmarkResult,
  type ItemResult,
  runBenchmark,
} from '../audit/benchmarks/index.ts'
import { type Comparator, type Reward, Rng, rewardIdentity, textOf, type Usage } from '../core/index.ts'
import { type BootstrapInterval, bootstrap, type Calibration, calibration, spearman } from '../stats/index.ts'
import type { Store } from '../store/index.ts'
import { type JudgeBias, judgeBias } from './bias.ts'
import type { PairTable } from './compare-pairs.ts'
import { remembered } from './remembered.ts'

export interface AuditOptions {
  /** What is audited, and by what name. */
  readonly name: string
  readonly judge: Reward | Comparator
  readonly benchmarks: readonly Benchmark[]
  /** Attack the judge, on `items` or else on the items of the benchmarks. @default no attacks */
  readonly attacks?: Omit<AuditJudgeOptions, 'items' | 'rng' | 'signal' | 'onProgress'> & {
    readonly items?: readonly AttackItem[]
    /** Items at most. @default 100 */
    readonly most?: number
  }
  /** Built-in targets of the reward, with what nonsense may earn of each. */
  readonly targets?: readonly { readonly target: Target; readonly reward: Reward }[]
  /** Judgements are kept here, so that an audit that was killed goes on when it is called again. */
  readonly store?: Store
  /** @default new Rng('audit') */
  readonly rng?: Rng
  /** @default 1000 */
  readonly resamples?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (what: string, done: number, total: number) => void
}

/** What length has to do with the verdicts on pairs. */
export interface LengthFindings extends Omit<JudgeBias, 'judge'> {
  /** Accuracy of "the longer answer is better" on the same pairs. */
  readonly longerIsBetter: number
  /** Mean of the accuracy where the better answer is the longer one and where it is the shorter: a judge of length alone has 0.5. */
  readonly balanced: BootstrapInterval | null
  /** Spearman's rank correlation of score and length [characters] over all answers; null for a comparator. */
  readonly correlation: BootstrapInterval | null
}

export interface BenchmarkAudit {
  readonly benchmark: Benchmark
  readonly result: BenchmarkResult
  /** Of benchmarks of pairs. */
  readonly length?: LengthFindings
  /** Of a judge that gives probabilities: of the verdicts' sureness against how often they were right. */
  readonly calibration?: Calibration
}

export interface TargetFindings {
  readonly target: Target
  readonly probes: readonly TargetProbe[]
}

export interface Audit {
  readonly name: string
  readonly kind: 'reward' | 'comparator'
  readonly identity: string
  readonly seed: string
  readonly benchmarks: readonly BenchmarkAudit[]
  readonly attacks?: JudgeAudit
  readonly targets: readonly TargetFindings[]
  /** Over benchmarks and attacks. */
  readonly judgements: number
  readonly cost: Usage
}

/**
 * Benchmarks by their official scoring, attacks, length bias and calibration of one reward or comparator. Everything
 * depends on the seed alone; with a store, an audit that was stopped or killed goes on where it was.
 */
export async function audit(options: AuditOptions): Promise<Audit> {
  const { name, store, rng = new Rng('audit'), resamples = 1000 } = options
  const judge = store === undefined ? options.judge : remembered(options.judge, store)
  const shared = options.signal === undefined ? {} : { signal: options.signal }
  const benchmarks: BenchmarkAudit[] = []
  for (const benchmark of options.benchmarks) {
    const result = await runBenchmark(judge, benchmark, {
      ...shared,
      rng: rng.fork(benchmark.spec.name),
      resamples,
      onProgress: (done, total) => options.onProgress?.(benchmark.spec.name, done, total),
    })
    const sureness = surenessOf(judge, result.rows)
    const length = lengthFindings(result.rows, { rng, resamples })
    benchmarks.push({
      benchmark,
      result,
      ...(length === null ? {} : { length }),
      ...(sureness === null ? {} : { calibration: sureness }),
    })
  }
  let attacked: JudgeAudit | undefined
  if (options.attacks !== undefined) {
    const {
      items = options.benchmarks.flatMap((one) => attackItems(one.items)),
      most = 100,
      ...rest
    } = options.attacks
    if (items.length > 0)
      attacked = await auditJudge(judge, items, {
        ...rest,
        ...shared,
        items: most,
        rng,
        onProgress: (done, total) => options.onProgress?.('attacks', done, total),
      })
  }
  const targets: TargetFindings[] = []
  for (const { target, reward } of options.targets ?? [])
    targets.push({ target, probes: await probeTarget(reward, target) })
  const costs = [...benchmarks.map(({ result }) => result.cost), ...(attacked ? [attacked.cost] : [])]
  return {
    name,
    kind: 'compare' in judge ? 'comparator' : 'reward',
    identity: rewardIdentity(judge),
    seed: rng.seed,
    benchmarks,
    ...(attacked === undefined ? {} : { attacks: attacked }),
    targets,
    judgements:
      benchmarks.reduce((sum, { result }) => sum + result.rows.length, 0) + (attacked?.judgements ?? 0),
    cost: totalOf(costs),
  }
}

/** Margins of the judge and of length, and the labels, of the items that are pairs. */
export function pairTableOf(
  results: Readonly<Record<string, readonly ItemResult[]>>,
): { readonly table: PairTable; readonly lengths: readonly number[] } | null {
  const [first] = Object.values(results)
  const pairs = (first ?? []).flatMap(({ item }, place) =>
    item.kind === 'preference' ? [{ item, place }] : [],
  )
  if (pairs.length === 0) return null
  return {
    table: {
      ids: pairs.map(({ item }) => item.id),
      labels: pairs.map(({ item }) => item.label),
      clusters: pairs.map(({ item }) => item.cluster ?? item.id),
      judges: Object.fromEntries(
        Object.entries(results).map(([name, rows]) => [
          name,
          pairs.map(({ item, place }) => {
            const { margin } = rows[place]!
            return margin === null ? null : item.label < 0 ? 0 - margin : margin
          }),
        ]),
      ),
    },
    lengths: pairs.map(({ item }) => textOf(item.a.output).length - textOf(item.b.output).length),
  }
}

export function lengthFindings(
  rows: readonly ItemResult[],
  options: { readonly rng: Rng; readonly resamples: number },
): LengthFindings | null {
  const found = pairTableOf({ judge: rows })
  if (found === null) return null
  const { table, lengths } = found
  const [{ judge: _, ...bias }] = judgeBias(table, lengths, options) as [JudgeBias]
  const balanced = balancedAccuracy(table, lengths, options)
  if (bias.pairs === 0) return null
  const strict = table.labels.flatMap((label, i) => (label === 0 || lengths[i] === 0 ? [] : [i]))
  const longer = strict.filter((i) => Math.sign(lengths[i]!) === Math.sign(table.labels[i]!)).length
  return {
    ...bias,
    longerIsBetter: longer / strict.length,
    balanced,
    correlation: lengthCorrelation(rows, options),
  }
}

/** Accuracy as if the longer answer had been the better one half of the time. */
function balancedAccuracy(
  { labels, judges, clusters }: PairTable,
  lengths: readonly number[],
  options: { readonly rng: Rng; readonly resamples: number },
): BootstrapInterval | null {
  const margins = judges.judge!
  const places = margins.flatMap((margin, i) =>
    margin === null || labels[i] === 0 || lengths[i] === 0 ? [] : [i],
  )
  const points = places.map((i) =>
    margins[i] === 0 ? 0.5 : Number(Math.sign(margins[i]!) === Math.sign(labels[i]!)),
  )
  const aligned = places.map((i) => Math.sign(lengths[i]!) === Math.sign(labels[i]!))
  return bootstrap(
    places.length,
    (drawn) => {
      const sums = [0, 0]
      const counts = [0, 0]
      for (const i of drawn) {
        sums[Number(aligned[i])]! += points[i]!
        counts[Number(aligned[i])]!++
      }
      return counts[0] === 0 || counts[1] === 0 ? null : (sums[0]! / counts[0]! + sums[1]! / counts[1]!) / 2
    },
    { ...options, clusters: places.map((i) => clusters![i]!) },
  )
}

/** Length correlation of very many answers is resampled on this many of them. */
const correlated = 2000

function lengthCorrelation(
  rows: readonly ItemResult[],
  options: { readonly rng: Rng; readonly resamples: number },
): BootstrapInterval | null {
  const answers = rows.flatMap(({ item, values }) => {
    if (item.kind !== 'preference' || values.length !== 2) return []
    return [item.a, item.b].flatMap(({ output }, side) => {
      const value = values[side]!
      return value === null
        ? []
        : [{ value, length: textOf(output).length, cluster: item.cluster ?? item.id }]
    })
  })
  const chosen =
    answers.length > correlated ? options.rng.fork('length').sample(answers, correlated) : answers
  return bootstrap(
    chosen.length,
    (drawn) =>
      spearman(
        Array.from(drawn, (i) => chosen[i]!.value),
        Array.from(drawn, (i) => chosen[i]!.length),
      ),
    {
      ...options,
      resamples: Math.min(options.resamples, 200),
      clusters: chosen.map(({ cluster }) => cluster),
    },
  )
}

/**
 * Calibration of a judge that speaks in probabilities: of a comparator, how sure it was (|p - 0.5| + 0.5) against how
 * often it was right; of a reward in [0, 1] on single outputs, its value against whether they were good. Null where
 * there is no probability to speak of: a range of another width, or verdicts of nothing but 0, 0.5 and 1.
 */
function surenessOf(judge: Reward | Comparator, rows: readonly ItemResult[]): Calibration | null {
  const pairs = rows.flatMap(({ item, margin, values }): [number, number][] => {
    if ('compare' in judge)
      return item.kind === 'preference' && item.label !== 0 && margin !== null && margin !== 0
        ? [[Math.min(1, 0.5 + Math.abs(margin)), Number(margin > 0)]]
        : []
    return item.kind === 'binary' && values[0] != null ? [[values[0], Number(item.good)]] : []
  })
  const isProbability = 'compare' in judge || (judge.range[0] === 0 && judge.range[1] === 1)
  if (!isProbability || pairs.every(([p]) => p === 0 || p === 1)) return null
  return calibration(
    pairs.map(([p]) => p),
    pairs.map(([, y]) => y),
  )
}

function totalOf(costs: readonly Usage[]): Usage {
  const total: { -readonly [Key in keyof Usage]: number } = {}
  for (const cost of costs)
    for (const key of ['calls', 'inputTokens', 'outputTokens', 'costUsd'] as const)
      if (cost[key] !== undefined) total[key] = (total[key] ?? 0) + cost[key]
  return total
}
