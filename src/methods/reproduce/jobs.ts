import { availableParallelism } from 'node:os'
import { runJobs } from '../../tensor/pool.ts'
import type { RunProgress } from './reproduction.ts'

/** One job of a reproduction, in a process of its own. */
export interface Work<Result> {
  readonly name: string
  /** Of the module's exports. */
  readonly export: string
  readonly options: unknown
  /** Called as soon as it is done. */
  readonly keep: (result: Result, seconds: number) => Promise<void>
}

/** How far a stage of a reproduction is: its finished jobs, and those at work now. */
export interface StageProgress {
  readonly stage: 'starts' | 'tuning' | 'runs'
  readonly done: number
  readonly all: number
  readonly running: readonly (RunProgress & { readonly run: string })[]
}

export interface JobsOptions {
  readonly module: string
  readonly stage: StageProgress['stage']
  /** @default the number of cores */
  readonly workers?: number | undefined
  readonly onProgress?: ((progress: StageProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
  /** Does a job somewhere else than on this machine. @default a process here */
  readonly runJobs?: typeof runJobs | undefined
}

/** Runs jobs side by side, one thread each; gives those that failed. */
export async function runEach<Result>(
  work: readonly Work<Result>[],
  {
    module,
    stage,
    workers = availableParallelism(),
    onProgress,
    signal,
    runJobs: run = runJobs,
  }: JobsOptions,
): Promise<{ readonly run: string; readonly reason: string }[]> {
  const failures: { run: string; reason: string }[] = []
  const running = new Map<string, RunProgress & { run: string }>()
  let next = 0
  let done = 0
  const tell = () => onProgress?.({ stage, done, all: work.length, running: [...running.values()] })
  const lane = async () => {
    while (next < work.length && !signal?.aborted) {
      const { name, export: entry, options, keep } = work[next++]!
      running.set(name, { run: name, done: 0, all: 1 })
      tell()
      const started = performance.now()
      const [outcome] = await run<Result>([{ module, export: entry, options }], {
        workers: 1,
        threads: 1,
        onProgress: (_, value) => {
          running.set(name, { run: name, ...(value as RunProgress) })
          tell()
        },
        ...(signal === undefined ? {} : { signal }),
      })
      if (outcome!.status === 'done')
        await keep(outcome!.value, outcome!.seconds ?? (performance.now() - started) / 1000)
      else if (outcome!.status === 'failed') failures.push({ run: name, reason: outcome!.error.message })
      running.delete(name)
      done++
      tell()
    }
  }
  await Promise.all(Array.from({ length: Math.min(workers, work.length) }, lane))
  return failures
}
