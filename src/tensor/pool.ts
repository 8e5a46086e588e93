import { type ChildProcess, fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { GuerdonError } from '../core/index.ts'

/** One independent piece of work, such as the training of one seed. */
export interface Job {
  /** URL of the module (`import.meta.url` of the file, or `pathToFileURL(...)`). */
  readonly module: string | URL
  /** Name of the exported `JobFunction`. */
  readonly export: string
  /** Handed to the function; plain data. */
  readonly options?: unknown
}

/** What a job's module exports. Its result, its progress and its options cross to another process: plain data. */
export type JobFunction<Options = any, Result = unknown> = (
  options: Options,
  context: JobContext,
) => Result | Promise<Result>

export interface JobContext {
  progress(value: unknown): void
  /** Aborted when the pool is cancelled: save what is worth keeping and return or throw. */
  readonly signal: AbortSignal
}

export interface PoolOptions {
  /** Jobs at a time. @default the number of cores */
  readonly workers?: number
  /** Threads of each job's compiled functions, where it asks for no other number. @default 1 */
  readonly threads?: number
  readonly onProgress?: (job: number, value: unknown) => void
  /** Cancels: running jobs get five seconds to end by themselves, waiting ones do not start. */
  readonly signal?: AbortSignal
}

export type JobOutcome<Result = unknown> =
  | {
      readonly status: 'done'
      readonly value: Result
      /** That the job took, where it had to wait before it was begun. */
      readonly seconds?: number
    }
  | { readonly status: 'failed'; readonly error: GuerdonError }
  | { readonly status: 'cancelled' }

/** To a job: what to do, or that it is cancelled. */
export type ToJob =
  | { readonly kind: 'start'; readonly job: { module: string; export: string; options: unknown } }
  | { readonly kind: 'cancel' }

/** From a job. */
export type FromJob =
  | { readonly kind: 'progress'; readonly value: unknown }
  | { readonly kind: 'done'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly message: string; readonly stack: string | undefined }

const entry = new URL(`./pool-entry${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
const graceMs = 5_000

/**
 * Runs independent jobs side by side, each in a process of its own with one thread, and gives their outcomes in
 * order. Two trainings on two cores so take little longer than one; a job that throws, or takes its process down,
 * is `failed` and loses no other.
 *
 * @example
 * const outcomes = await runJobs([0, 1, 2].map((seed) => ({ module: import.meta.url, export: 'trainOne', options: { seed } })))
 */
export async function runJobs<Result = unknown>(
  jobs: readonly Job[],
  options: PoolOptions = {},
): Promise<JobOutcome<Result>[]> {
  const { workers = availableParallelism(), signal } = options
  if (!(Number.isInteger(workers) && workers > 0))
    throw new GuerdonError('bad-option', `workers is ${workers}; it must be a whole number above 0.`)
  const outcomes = new Array<JobOutcome<Result>>(jobs.length)
  let next = 0
  const work = async () => {
    while (next < jobs.length) {
      const index = next++
      outcomes[index] = signal?.aborted
        ? { status: 'cancelled' }
        : ((await runJob(jobs[index]!, index, options)) as JobOutcome<Result>)
    }
  }
  await Promise.all(Array.from({ length: Math.min(workers, jobs.length) }, work))
  return outcomes
}

function runJob(
  { module, export: name, options }: Job,
  index: number,
  { threads = 1, onProgress, signal }: PoolOptions,
): Promise<JobOutcome> {
  const child: ChildProcess = fork(fileURLToPath(entry), [], {
    execArgv: process.execArgv.filter((argument) => argument.startsWith('--conditions=')),
    env: { ...process.env, GUERDON_TENSOR_THREADS: String(threads) },
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const what = `job ${index} (${name})`
  return new Promise((resolve) => {
    let outcome: JobOutcome | undefined
    let grace: NodeJS.Timeout | undefined
    const send = (message: ToJob) => child.connected && child.send(message)
    const cancel = () => {
      send({ kind: 'cancel' })
      grace ??= setTimeout(() => child.kill('SIGKILL'), graceMs)
    }
    signal?.addEventListener('abort', cancel)
    child.on('message', (message: FromJob) => {
      if (message.kind === 'progress') return onProgress?.(index, message.value)
      if (message.kind === 'done') outcome = { status: 'done', value: message.value }
      else
        outcome = {
          status: 'failed',
          error: new GuerdonError('job-failed', `${what}: ${message.message}`, {
            cause: message.stack === undefined ? undefined : { stack: message.stack },
          }),
        }
    })
    child.on('error', (error) => {
      outcome ??= { status: 'failed', error: new GuerdonError('job-failed', `${what}: ${error.message}`) }
    })
    child.on('close', (code, ended) => {
      clearTimeout(grace)
      signal?.removeEventListener('abort', cancel)
      if (outcome?.status === 'done') return resolve(outcome)
      if (signal?.aborted) return resolve({ status: 'cancelled' })
      const how = ended === null ? `ended with code ${code}` : `was ended by ${ended}`
      resolve(
        outcome ?? {
          status: 'failed',
          error: new GuerdonError('job-crashed', `${what}: its process ${how} before it was done.`, {
            fix: 'Look at what it wrote on standard error; too little memory ends a process with SIGKILL.',
          }),
        },
      )
    })
    send({ kind: 'start', job: { module: String(module), export: name, options } })
  })
}
