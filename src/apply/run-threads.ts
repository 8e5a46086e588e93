import { Worker } from 'node:worker_threads'
import { GuerdonError } from '../core/index.ts'
import type { SeenIds } from './run-rows.ts'
import type { SegmentWork } from './run-segments.ts'
import type { StreamCounts } from './run-stream.ts'
import type { WorkerOrder, WorkerReport, WorkerTask } from './run-worker.ts'

export interface ThreadOptions {
  /** At most this many threads. */
  readonly workers: number
  readonly segments: readonly SegmentWork[]
  readonly task: Omit<WorkerTask, 'seen' | 'turn'>
  readonly seenIds: SeenIds
  readonly signal: AbortSignal | undefined
  readonly onRead: (bytes: number, counts: StreamCounts) => void
}

/**
 * Judges segments in several threads; each reads, judges and writes on its own. Resolves to the seconds that each
 * reward took, over all threads.
 */
export async function scoreInThreads(options: ThreadOptions): Promise<ReadonlyMap<string, number>> {
  const { workers, segments, task, seenIds, signal, onRead } = options
  const seconds = new Map<string, number>()
  const queue = [...segments].reverse()
  let finished = 0
  const turn = new SharedArrayBuffer(4)
  const threads = Array.from({ length: Math.min(workers, segments.length) }, () =>
    startWorker({ ...task, seen: seenIds.memory, turn }),
  )
  const tellAll = () => {
    for (const thread of threads) thread.postMessage('stop' satisfies WorkerOrder)
  }
  signal?.addEventListener('abort', tellAll)
  try {
    await Promise.all(threads.map(supervise))
    if (finished < segments.length && !signal?.aborted)
      throw new GuerdonError('worker-failed', 'a thread of the run ended before its work was done.', {
        fix: 'A reward must not end the process. Run the same command again: what was written is kept.',
      })
  } finally {
    signal?.removeEventListener('abort', tellAll)
    await Promise.all(threads.map((thread) => thread.terminate()))
  }
  return seconds

  /** Hands out segments until there are none; resolves when the thread has ended. */
  function supervise(worker: Worker): Promise<void> {
    const handOut = () => {
      const order = signal?.aborted ? undefined : queue.pop()
      worker.postMessage(order ?? ('end' satisfies WorkerOrder))
    }
    return new Promise((resolve, reject) => {
      worker.on('message', (report: WorkerReport) => {
        switch (report.type) {
          case 'ready':
            return handOut()
          case 'read':
            return onRead(report.bytes, report.counts)
          case 'finished':
            finished++
            for (const [name, spent] of report.seconds) seconds.set(name, (seconds.get(name) ?? 0) + spent)
            if (report.suspects === 'all') seenIds.suspectAll()
            else seenIds.suspect(report.suspects)
            return handOut()
          case 'failed':
            return reject(new GuerdonError(report.code ?? 'worker-failed', report.message))
        }
      })
      worker.on('error', (error) =>
        reject(
          new GuerdonError('worker-failed', `a thread of the run died: ${error.message}.`, {
            fix: 'Run the same command again, with fewer workers if memory was short: what was written is kept.',
            cause: error,
          }),
        ),
      )
      worker.on('exit', () => resolve())
    })
  }
}

function startWorker(task: WorkerTask): Worker {
  // The sources run as they are; in the package the same file is JavaScript.
  const file = import.meta.url.endsWith('.ts') ? './run-worker.ts' : './run-worker.js'
  return new Worker(new URL(file, import.meta.url), {
    workerData: task,
    resourceLimits: { maxYoungGenerationSizeMb: 16 }, // samples die young: a larger one only takes memory
  })
}
