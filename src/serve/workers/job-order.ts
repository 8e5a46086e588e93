import { timedId } from '../../apply/run-open.ts'
import { GuerdonError, type Json, type JsonObject } from '../../core/index.ts'
import { type Job, type JobOutcome, type PoolOptions, runJobs } from '../../tensor/pool.ts'
import { localModule, portableModule } from './modules.ts'
import type { OrderKind } from './orders.ts'
import { waitForOrder } from './wait.ts'
import type { Workplace } from './workplace.ts'

/** A piece of work that has a process of its own, on whichever machine: an export of a module, by name. */
export interface JobShard {
  readonly module: string
  readonly export: string
  readonly options: Json
}

interface JobDone {
  readonly value: Json
  readonly seconds: number
}

/**
 * What a worker does with a `JobShard`. Throws when it failed; null when it was cancelled.
 *
 * @param store the address of the worker's store, which the job gets with its options
 */
export async function performJob(spec: JobShard, store: string, signal: AbortSignal): Promise<Json> {
  const started = performance.now()
  const job = {
    module: localModule(spec.module),
    export: spec.export,
    options: { ...(spec.options as JsonObject), store },
  }
  const [outcome] = await runJobs<Json>([job], { workers: 1, threads: 1, signal })
  if (outcome!.status === 'failed') throw outcome!.error
  if (outcome!.status === 'cancelled') return null
  const done: JobDone = { value: outcome!.value ?? null, seconds: (performance.now() - started) / 1000 }
  return { ...done }
}

/**
 * `runJobs` on the workers of a workplace: each job goes to whichever worker is free. Options and results cross as JSON,
 * and folders that they name must be seen by all machines.
 *
 * @param about what the jobs belong to, for people
 */
export function queuedJobs(workplace: Workplace, kind: OrderKind, about: string): typeof runJobs {
  return async <Result>(
    jobs: readonly Job[],
    { signal }: PoolOptions = {},
  ): Promise<JobOutcome<Result>[]> => {
    const shards = jobs.map(
      ({ module, export: name, options }): JobShard => ({
        module: portableModule(String(module)),
        export: name,
        options: (options ?? null) as Json,
      }),
    )
    const order = { id: timedId(), kind, about, created: new Date().toISOString(), spec: null }
    const key = await workplace.orders.create({ ...order, shards: shards as unknown as readonly Json[] })
    await workplace.queue.put(kind, key, shards.keys().toArray())
    const status = await waitForOrder(
      workplace,
      { ...order, key, status: 'open' },
      { interval: 2000, ...(signal ? { signal } : {}) },
    )
    const results = await workplace.orders.results(key)
    const failures = new Map(
      (await workplace.orders.failedShards(key, jobs.length)).map(({ number, failure }) => [number, failure]),
    )
    return jobs.map((_, number): JobOutcome<Result> => {
      const done = results.get(number) as unknown as JobDone | undefined
      if (done) return { status: 'done', value: done.value as Result, seconds: done.seconds }
      if (status === 'cancelled') return { status: 'cancelled' }
      return {
        status: 'failed',
        error: new GuerdonError('job-failed', failures.get(number) ?? 'it was not done.'),
      }
    })
  }
}
