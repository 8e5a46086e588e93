import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GuerdonError, identityOf, type Json } from '../../core/index.ts'
import { type JobOutcome, runJobs } from '../../tensor/pool.ts'
import { reproductionReport } from './report.ts'
import {
  type ArmOptions,
  type ArmResult,
  type Criterion,
  type Reproduction,
  type Verdict,
  verdictOf,
} from './reproduction.ts'
import { type RunResult, seedResults } from './results.ts'

export interface ReproduceOptions {
  /** @default the reproduction's */
  readonly seeds?: number
  /** The slice for the suite: one seed, a fraction of the steps, no verdict. @default false */
  readonly quick?: boolean
  /** Runs at a time, one thread each. @default the number of cores */
  readonly workers?: number
  /** Where runs are kept (a killed reproduction goes on from them) and results written. */
  readonly folder: string
  readonly onProgress?: (progress: ReproduceProgress) => void
  readonly signal?: AbortSignal
}

export interface ReproduceProgress {
  readonly done: number
  readonly all: number
  readonly run: string
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
  /** Of all runs together, one thread each. */
  readonly seconds: number
  readonly arms: readonly ArmSummary[]
  readonly runs: readonly RunResult[]
  readonly failures: readonly { readonly run: string; readonly reason: string }[]
}

export interface ArmSummary {
  readonly arm: string
  readonly description: string
  readonly samples: number
  readonly rewardCalls: number
  readonly metrics: Readonly<
    Record<string, { readonly mean: number; readonly low: number | null; readonly high: number | null }>
  >
}

/**
 * Runs all arms over all seeds, side by side, and judges by the criteria. Each finished run is kept at once; a run that
 * fails is reported, and its seed is left out of every comparison.
 */
export async function reproduce(
  reproduction: Reproduction,
  options: ReproduceOptions,
): Promise<ReproductionResult> {
  const { quick = false, folder } = options
  const seeds = Array.from(
    { length: quick ? 1 : (options.seeds ?? reproduction.seeds ?? 5) },
    (_, seed) => seed,
  )
  const arms = Object.keys(reproduction.arms).filter(
    (arm) => !quick || (reproduction.quickArms?.includes(arm) ?? true),
  )
  const runs = await keptRuns(reproduction, folder, quick)
  const failures: { run: string; reason: string }[] = []
  const starts = await prepared(reproduction, seeds, options, failures)
  const missing = seeds
    .flatMap((seed) => arms.map((arm) => ({ arm, seed })))
    .filter(({ arm, seed }) => !runs.list.some((run) => run.arm === arm && run.seed === seed))
    .filter(({ seed }) => !reproduction.prepared || starts.has(seed))
  let done = 0
  await runEach<ArmResult>(
    missing.map(({ arm, seed }) => ({
      name: `${arm}, seed ${seed}`,
      export: 'runArm',
      options: {
        arm,
        seed,
        quick,
        folder: join(folder, `seed-${seed}`, arm),
        ...(starts.has(seed) ? { start: starts.get(seed)! } : {}),
      } satisfies ArmOptions,
      keep: (result, seconds) => runs.add({ ...result, arm, seed, seconds }),
    })),
    reproduction.module,
    options,
    failures,
    (run) => options.onProgress?.({ done: ++done, all: missing.length, run }),
  )
  options.signal?.throwIfAborted()

  const results = seedResults(runs.list.filter(({ arm, seed }) => arms.includes(arm) && seeds.includes(seed)))
  const judged = !quick && results.seeds.length > 0
  const criteria = judged ? reproduction.criteria(results) : []
  const result: ReproductionResult = {
    id: reproduction.id,
    claim: reproduction.claim,
    verdict: judged ? verdictOf(criteria) : null,
    criteria,
    seeds: results.seeds.length,
    quick,
    seconds: results.runs.reduce((sum, { seconds }) => sum + seconds, 0),
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

function armSummary(
  reproduction: Reproduction,
  results: ReturnType<typeof seedResults>,
  arm: string,
): ArmSummary {
  const [first] = results.runs.filter((run) => run.arm === arm)
  return {
    arm,
    description: reproduction.arms[arm]!,
    samples: first!.samples,
    rewardCalls: first!.rewardCalls,
    metrics: Object.fromEntries(
      Object.keys(first!.metrics).map((metric) => {
        const interval = results.interval(arm, metric)
        return [
          metric,
          { mean: results.mean(arm, metric), low: interval?.low ?? null, high: interval?.high ?? null },
        ]
      }),
    ),
  }
}

interface Work<Result> {
  readonly name: string
  readonly export: string
  readonly options: unknown
  readonly keep: (result: Result, seconds: number) => Promise<void>
}

/** Each piece of work in a process of its own; kept as soon as it is done. */
async function runEach<Result>(
  work: readonly Work<Result>[],
  module: string,
  { workers, signal }: ReproduceOptions,
  failures: { run: string; reason: string }[],
  onDone: (name: string) => void,
): Promise<void> {
  const started = new Map<number, number>()
  const outcomes: Promise<void>[] = []
  let next = 0
  const lanes = Math.min(workers ?? (await import('node:os')).availableParallelism(), work.length)
  const lane = async () => {
    while (next < work.length && !signal?.aborted) {
      const index = next++
      const piece = work[index]!
      started.set(index, performance.now())
      const [outcome] = (await runJobs([{ module, export: piece.export, options: piece.options }], {
        workers: 1,
        threads: 1,
        ...(signal === undefined ? {} : { signal }),
      })) as [JobOutcome<Result>]
      const seconds = (performance.now() - started.get(index)!) / 1000
      if (outcome.status === 'done') await piece.keep(outcome.value, seconds)
      else if (outcome.status === 'failed') failures.push({ run: piece.name, reason: outcome.error.message })
      onDone(piece.name)
    }
  }
  for (let index = 0; index < lanes; index++) outcomes.push(lane())
  await Promise.all(outcomes)
}

/** What `prepare` makes for each seed, made once. */
async function prepared(
  reproduction: Reproduction,
  seeds: readonly number[],
  options: ReproduceOptions,
  failures: { run: string; reason: string }[],
): Promise<Map<number, Json>> {
  const starts = new Map<number, Json>()
  if (!reproduction.prepared) return starts
  const { quick = false, folder } = options
  const work: Work<Json>[] = []
  for (const seed of seeds) {
    const place = join(folder, `seed-${seed}`)
    const file = join(place, 'start.json')
    const known = await readFile(file, 'utf8').catch(() => undefined)
    if (known !== undefined) {
      starts.set(seed, JSON.parse(known))
      continue
    }
    await mkdir(place, { recursive: true })
    work.push({
      name: `start of seed ${seed}`,
      export: 'prepare',
      options: { seed, quick, folder: place },
      keep: async (start) => {
        starts.set(seed, start)
        await writeFile(file, JSON.stringify(start))
      },
    })
  }
  let done = 0
  await runEach(work, reproduction.module, options, failures, (run) =>
    options.onProgress?.({ done: ++done, all: work.length, run }),
  )
  return starts
}

/** Runs finished before, of the same reproduction; anything else in the folder is refused. */
async function keptRuns(reproduction: Reproduction, folder: string, quick: boolean) {
  await mkdir(folder, { recursive: true })
  const head = identityOf({ id: reproduction.id, arms: reproduction.arms, quick })
  const file = join(folder, 'runs.jsonl')
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n').filter(Boolean)
  const list: RunResult[] = []
  if (lines.length === 0) await writeFile(file, `${JSON.stringify({ reproduction: head })}\n`)
  else if (JSON.parse(lines[0]!).reproduction !== head)
    throw new GuerdonError('other-reproduction', 'this folder holds runs of another reproduction.', {
      place: { file },
      fix: 'Give another folder, or remove it to begin anew.',
    })
  for (const line of lines.slice(1)) {
    try {
      list.push(JSON.parse(line))
    } catch {
      // a line that a crash cut off: that run is done again
    }
  }
  return {
    list,
    async add(run: RunResult) {
      list.push(run)
      await appendFile(file, `${JSON.stringify(run)}\n`)
      await rm(join(folder, `seed-${run.seed}`, run.arm), { recursive: true, force: true })
    },
  }
}
