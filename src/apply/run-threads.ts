import { Worker } from 'node:worker_threads'
import { GuerdonError } from '../core/index.ts'
import type { SeenIds } from './run-rows.ts'
import type { SegmentWork, ShardResult, ShardWork } from './run-segments.ts'
import type { StreamCounts } from './run-stream.ts'
import type { WorkerOrder, WorkerReport, WorkerTask } from './run-worker.ts'

/** What a shard came to in a thread, with the ids that the thread suspects to stand twice so far. */
export type ThreadResult = ShardResult & { readonly suspects: readonly string[] | 'all' }

/**
 * A thread that judges shards of one run, one after another; it reads, judges and writes on its own. Whether its shards
 * come from a run of this process or from a queue is all the same to it.
 */
export class ScoringThread {
  readonly #worker: Worker
  readonly #ready: Promise<void>
  #onRead: ((bytes: number, counts: StreamCounts) => void) | undefined
  #settle: { resolve: (result: ThreadResult) => void; reject: (error: unknown) => void } | undefined
  #failure: GuerdonError | undefined

  constructor(task: WorkerTask) {
    // The sources run as they are; in the package the same file is JavaScript.
    const file = import.meta.url.endsWith('.ts') ? './run-worker.ts' : './run-worker.js'
    this.#worker = new Worker(new URL(file, import.meta.url), {
      workerData: task,
      resourceLimits: { maxYoungGenerationSizeMb: 16 }, // samples die young: a larger one only takes memory
    })
    this.#ready = new Promise((resolve, reject) => {
      const fail = (error: GuerdonError) => {
        this.#failure = error
        this.#settle?.reject(error)
        reject(error)
      }
      this.#worker.on('message', (report: WorkerReport) => {
        switch (report.type) {
          case 'ready':
            return resolve()
          case 'read':
            return this.#onRead?.(report.bytes, report.counts)
          case 'finished':
            return this.#settle?.resolve({ ...report.result, suspects: report.suspects })
          case 'failed':
            return fail(new GuerdonError(report.code ?? 'worker-failed', report.message))
        }
      })
      this.#worker.on('error', (error) =>
        fail(
          new GuerdonError('worker-failed', `a thread of the run died: ${error.message}.`, {
            fix: 'Run the same command again, with fewer workers if memory was short: what was written is kept.',
            cause: error,
          }),
        ),
      )
      this.#worker.on('exit', () =>
        fail(
          new GuerdonError('worker-failed', 'a thread of the run ended before its work was done.', {
            fix: 'A reward must not end the process. Run the same command again: what was written is kept.',
          }),
        ),
      )
    })
    this.#ready.catch(() => {}) // told by the next `score`
  }

  /** Judges a shard. After it has rejected, or `stop`, the thread is of no use any more. */
  async score(
    work: ShardWork,
    onRead?: (bytes: number, counts: StreamCounts) => void,
  ): Promise<ThreadResult> {
    await this.#ready
    if (this.#failure !== undefined) throw this.#failure
    this.#onRead = onRead
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
      this.#worker.postMessage(work satisfies WorkerOrder)
    })
  }

  /** Asks it to stop early: the shard under way resolves with everything written that is known. */
  stop(): void {
    this.#worker.postMessage('stop' satisfies WorkerOrder)
  }

  /** Lets it close its store and end, when no shard is under way. */
  async end(): Promise<void> {
    if (this.#failure !== undefined) return
    const ended = new Promise((resolve) => this.#worker.once('exit', resolve))
    this.#worker.postMessage('end' satisfies WorkerOrder)
    await ended
  }

  /** Ends it whatever it does. */
  async kill(): Promise<void> {
    await this.#worker.terminate()
  }
}

export interface ThreadsOptions {
  /** At most this many threads. */
  readonly workers: number
  readonly segments: readonly SegmentWork[]
  readonly task: Omit<WorkerTask, 'seen' | 'turn'>
  readonly seenIds: SeenIds
  readonly signal: AbortSignal | undefined
  readonly onRead: (bytes: number, counts: StreamCounts) => void
}

/** Judges segments in several threads. Resolves to the seconds that each reward took, over all threads. */
export async function scoreInThreads(options: ThreadsOptions): Promise<ReadonlyMap<string, number>> {
  const { workers, segments, task, seenIds, signal, onRead } = options
  const seconds = new Map<string, number>()
  const queue = [...segments].reverse()
  const turn = new SharedArrayBuffer(4)
  const threads = Array.from(
    { length: Math.min(workers, segments.length) },
    () => new ScoringThread({ ...task, seen: seenIds.memory, turn }),
  )
  const stopAll = () => {
    for (const thread of threads) thread.stop()
  }
  const workThrough = async (thread: ScoringThread) => {
    for (let work = queue.pop(); work !== undefined && !signal?.aborted; work = queue.pop()) {
      const { seconds: spent, suspects } = await thread.score(work, onRead)
      for (const [name, more] of spent) seconds.set(name, (seconds.get(name) ?? 0) + more)
      if (suspects === 'all') seenIds.suspectAll()
      else seenIds.suspect(suspects)
    }
    await thread.end()
  }
  signal?.addEventListener('abort', stopAll)
  try {
    await Promise.all(threads.map(workThrough))
  } finally {
    signal?.removeEventListener('abort', stopAll)
    await Promise.all(threads.map((thread) => thread.kill()))
  }
  return seconds
}
