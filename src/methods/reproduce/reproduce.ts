import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Json } from '../../core/index.ts'
import { mean } from '../../stats/moments.ts'
import { type JobsOptions, runEach, type StageProgress, type Work } from './jobs.ts'
import { type KeptRuns, keptRuns, removeCheckpoints, runFolder } from './kept-runs.ts'
import { reproductionReport } from './report.ts'
import {
  type ArmOptions,
  type ArmResult,
  type Criterion,
  firstTuningSeed,
  type Reproduction,
  type Verdict,
  verdictOf,
} from './reproduction.ts'
import { type RunResult, type SeedResults, seedResults } from './results.ts'
import { keptExamples } from './tracked.ts'

export interface ReproduceOptions {
  /** @default the reproduction's */
  readonly seeds?: number
  /** The slice for the suite: one seed, a fraction of the steps, no tuning and no verdict. @default false */
  readonly quick?: boolean
  /** Runs at a time, one thread each. @default the number of cores */
  readonly workers?: number
  /** Where runs are kept (a killed reproduction goes on from them) and results written. */
  readonly folder: string
  readonly onProgress?: (progress: StageProgress) => void
  readonly signal?: AbortSignal
  /** Does jobs somewhere else than on this machine, where `folder` must be seen too. @default processes here */
  readonly runJobs?: JobsOptions['runJobs']
}

/** What a reproduction came to; written as `result.json`, with `report.html` beside it. */
export interface ReproductionResult {
  readonly id: string
  readonly claim: string
  /** Null of a quick slice, or when no seed has all its arms. */
  readonly verdict: Verdict | null
  readonly criteria: readonly Criterion[]
  readonly seeds: number
  readonly quick: boolean
  /** Of all runs and trials together, one thread each. */
  readonly seconds: number
  readonly settings: Json
  readonly tuning: readonly TunedArm[]
  readonly arms: readonly ArmSummary[]
  readonly runs: readonly RunResult[]
  readonly failures: readonly { readonly run: string; readonly reason: string }[]
}

export interface ArmSummary {
  readonly arm: string
  readonly description: string
  readonly samples: number
  readonly rewardCalls: number
  /** Of those that any seed could measure. */
  readonly metrics: Readonly<Record<string, MetricSummary>>
}

export interface MetricSummary {
  readonly mean: number
  readonly low: number | null
  readonly high: number | null
  /** Seeds that could not measure it. @default 0 */
  readonly missing?: number
}

/** How an arm was tuned. */
export interface TunedArm {
  readonly arm: string
  readonly what: string
  readonly metric: string
  /** The mean of the metric over the trial's seeds; null where one failed or could not measure it. */
  readonly trials: readonly { readonly value: number; readonly mean: number | null }[]
  readonly seeds: readonly number[]
  readonly chosen: number
  /** Arms that use it, itself first. */
  readonly usedBy: readonly string[]
}

/**
 * Tunes, runs all arms over all seeds, side by side, and judges by the criteria. Each finished run is kept at once; a
 * run that fails is reported, and its seed is left out of every comparison.
 */
export async function reproduce(
  reproduction: Reproduction,
  options: ReproduceOptions,
): Promise<ReproductionResult> {
  const { quick = false, folder } = options
  const seeds = upTo(quick ? 1 : (options.seeds ?? reproduction.seeds ?? 5))
  const arms = Object.keys(reproduction.arms).filter(
    (arm) => !quick || (reproduction.quickArms?.includes(arm) ?? true),
  )
  const kept = await keptRuns(reproduction, folder, quick)
  const failures: { run: string; reason: string }[] = []
  const all = { reproduction, options, kept, failures }
  const tuning = await tuned(all)
  const settingOf = (arm: string) =>
    quick ? quickValue(reproduction, arm) : tuning.find(({ usedBy }) => usedBy.includes(arm))?.chosen
  await runAll(
    all,
    'runs',
    seeds.flatMap((seed) => arms.map((arm) => ({ arm, seed, tuned: settingOf(arm) }))),
  )
  options.signal?.throwIfAborted()

  const runs = seeds.flatMap((seed) => arms.flatMap((arm) => kept.find(arm, seed, settingOf(arm)) ?? []))
  const results = seedResults(runs)
  const judged = !quick && results.seeds.length > 0 && results.arms.length === arms.length
  const criteria = judged ? [...equalSamples(reproduction, results), ...reproduction.criteria(results)] : []
  const trials = tuning.flatMap(({ arm, trials, seeds: own }) =>
    trials.flatMap(({ value }) => own.flatMap((seed) => kept.find(arm, seed, value) ?? [])),
  )
  const result: ReproductionResult = {
    id: reproduction.id,
    claim: reproduction.claim,
    verdict: judged ? verdictOf(criteria) : null,
    criteria,
    seeds: results.seeds.length,
    quick,
    seconds: [...results.runs, ...trials].reduce((sum, { seconds }) => sum + seconds, 0),
    settings: reproduction.settings,
    tuning,
    arms: arms
      .filter((arm) => results.arms.includes(arm) && results.seeds.length > 0)
      .map((arm) => armSummary(reproduction, results, arm)),
    runs: results.runs,
    failures,
  }
  await writeFile(join(folder, 'result.json'), `${JSON.stringify(result, null, 1)}\n`)
  await writeFile(join(folder, 'report.html'), await reproductionReport(reproduction, result))
  return result
}

interface All {
  readonly reproduction: Reproduction
  readonly options: ReproduceOptions
  readonly kept: KeptRuns
  readonly failures: { run: string; reason: string }[]
}

interface Wanted {
  readonly arm: string
  readonly seed: number
  readonly tuned: number | undefined
}

/** The trials of every tuned arm, and what they choose. */
async function tuned(all: All): Promise<readonly TunedArm[]> {
  const { reproduction, options, kept } = all
  const { tuning } = reproduction
  if (tuning === undefined || options.quick) return []
  const { what, grid, metric } = tuning
  const seeds = upTo(tuning.seeds ?? 1).map((seed) => firstTuningSeed + seed)
  const owners = Object.keys(tuning.arms)
  await runAll(
    all,
    'tuning',
    seeds.flatMap((seed) => owners.flatMap((arm) => grid.map((value) => ({ arm, seed, tuned: value })))),
  )
  return owners.map((arm) => {
    const trials = grid.map((value) => {
      const values = seeds.flatMap((seed) => kept.find(arm, seed, value)?.metrics[metric] ?? [])
      return { value, mean: values.length === seeds.length ? mean(values) : null }
    })
    const best = Math.max(...trials.map(({ mean }) => mean ?? Number.NEGATIVE_INFINITY))
    const chosen = (trials.find(({ mean }) => mean === best) ?? trials[0]!).value
    return { arm, what, metric, trials, seeds, chosen, usedBy: [arm, ...tuning.arms[arm]!] }
  })
}

/** What a quick slice runs with: the middle of the grid. */
function quickValue({ tuning }: Reproduction, arm: string): number | undefined {
  const isTuned = Object.entries(tuning?.arms ?? {}).some(
    ([owner, others]) => owner === arm || others.includes(arm),
  )
  return isTuned ? tuning!.grid[Math.floor(tuning!.grid.length / 2)] : undefined
}

/** Does what is wanted and not yet kept; what cannot be started, since its start failed, is left out. */
async function runAll(all: All, stage: StageProgress['stage'], wanted: readonly Wanted[]): Promise<void> {
  const { reproduction, options, kept, failures } = all
  const { quick = false, folder } = options
  const missing = wanted.filter(({ arm, seed, tuned }) => kept.find(arm, seed, tuned) === undefined)
  const starts = await prepared(all, [...new Set(missing.map(({ seed }) => seed))])
  const work = missing
    .filter(({ seed }) => !reproduction.prepared || starts.has(seed))
    .map(({ arm, seed, tuned }): Work<ArmResult> => {
      const place = runFolder(folder, arm, seed, tuned)
      const own = tuned === undefined ? {} : { tuned }
      return {
        name: `${arm}, seed ${seed}${stage === 'tuning' ? `, ${reproduction.tuning!.what} ${tuned}` : ''}`,
        export: 'runArm',
        options: {
          arm,
          seed,
          quick,
          folder: place,
          ...own,
          ...(starts.has(seed) ? { start: starts.get(seed)! } : {}),
        } satisfies ArmOptions,
        async keep(result, seconds) {
          const examples = [...(await keptExamples(place)), ...(result.examples ?? [])]
          await kept.add({ ...result, examples, arm, seed, ...own, seconds })
          await removeCheckpoints(place)
        },
      }
    })
  failures.push(...(await runEach(work, { ...options, module: reproduction.module, stage })))
}

/** What `prepare` makes for each seed, made once. */
async function prepared(
  { reproduction, options, failures }: All,
  seeds: readonly number[],
): Promise<Map<number, Json>> {
  const starts = new Map<number, Json>()
  if (!reproduction.prepared) return starts
  const { quick = false, folder } = options
  const work: Work<Json>[] = []
  for (const seed of seeds) {
    const place = join(folder, `seed-${seed}`, 'start')
    const file = join(place, 'start.json')
    const known = await readFile(file, 'utf8').catch(() => undefined)
    if (known !== undefined) {
      starts.set(seed, JSON.parse(known))
      continue
    }
    await rm(place, { recursive: true, force: true })
    await mkdir(place, { recursive: true })
    work.push({
      name: `start of seed ${seed}`,
      export: 'prepare',
      options: { seed, quick, folder: place },
      async keep(start) {
        starts.set(seed, start)
        await writeFile(file, JSON.stringify(start))
      },
    })
  }
  failures.push(...(await runEach(work, { ...options, module: reproduction.module, stage: 'starts' })))
  return starts
}

/** The set-up is invalid when arms that are compared at equal cost spent different numbers of samples. */
function equalSamples({ equalSamples: arms = [] }: Reproduction, results: SeedResults): Criterion[] {
  if (arms.length === 0) return []
  const spent = results.runs.filter(({ arm }) => arms.includes(arm)).map(({ samples }) => samples)
  const [least, most] = [Math.min(...spent), Math.max(...spent)]
  return [
    {
      name: `equally many samples for ${arms.join(', ')}`,
      kind: 'validity',
      holds: least === most,
      measured: least === most ? String(least) : `${least} to ${most}`,
    },
  ]
}

function armSummary(reproduction: Reproduction, results: SeedResults, arm: string): ArmSummary {
  const [first] = results.runs.filter((run) => run.arm === arm)
  const metrics: Record<string, MetricSummary> = {}
  for (const metric of Object.keys(first!.metrics)) {
    const missing = results.measured(arm, metric).filter((value) => value === null).length
    if (missing === results.seeds.length) continue
    const interval = results.interval(arm, metric)
    metrics[metric] = {
      mean: results.mean(arm, metric),
      low: interval?.low ?? null,
      high: interval?.high ?? null,
      ...(missing === 0 ? {} : { missing }),
    }
  }
  return {
    arm,
    description: reproduction.arms[arm]!,
    samples: first!.samples,
    rewardCalls: first!.rewardCalls,
    metrics,
  }
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}
