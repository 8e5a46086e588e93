import { parentPort, workerData } from 'node:worker_threads'
import { GuerdonError, messageOf, rewardIdentity } from '../core/index.ts'
import type { ReadOptions } from '../data/read.ts'
import { loadReward, type PortableReference } from '../rewards/reward-reference.ts'
import { openStore } from '../store/index.ts'
import { SeenIds } from './run-rows.ts'
import { runContext, type SegmentWork, segmentScorer } from './run-segments.ts'
import type { StreamCounts } from './run-stream.ts'

/** What a worker is started with. */
export interface WorkerTask {
  readonly store: string
  readonly run: string
  readonly source: string
  readonly read: ReadOptions
  readonly references: Readonly<Record<string, PortableReference & { readonly identity: string }>>
  readonly concurrency: number
  readonly batchSize: number
  readonly seed: string | undefined
  readonly step: number | undefined
  readonly seen: SharedArrayBuffer
  /** For taking turns at writing. */
  readonly turn: SharedArrayBuffer
}

/** Said to a worker. */
export type WorkerOrder = SegmentWork | 'stop' | 'end'

/** Said by a worker. */
export type WorkerReport =
  | { readonly type: 'ready' }
  | { readonly type: 'read'; readonly bytes: number; readonly counts: StreamCounts }
  | {
      readonly type: 'finished'
      readonly seconds: ReadonlyMap<string, number>
      readonly suspects: readonly string[] | 'all'
    }
  | { readonly type: 'failed'; readonly message: string; readonly code: string | undefined }

async function work(task: WorkerTask, port: NonNullable<typeof parentPort>): Promise<void> {
  const store = await openStore(task.store, { mustExist: true, turn: task.turn })
  const stop = new AbortController()
  const seenIds = new SeenIds(task.seen)
  const score = segmentScorer({
    ...task,
    store,
    seenIds,
    rewards: new Map(
      await Promise.all(
        Object.entries(task.references).map(async ([name, { identity, ...reference }]) => {
          const reward = await loadReward(reference)
          if (rewardIdentity(reward) !== identity)
            throw new GuerdonError('bad-option', 'is made anew in each thread, and differs between them.', {
              place: { reward: name },
              fix: 'Its parameters must depend on its options alone.',
            })
          return [name, reward] as const
        }),
      ),
    ),
    context: runContext(task.seed, task.step, stop.signal),
    onRead: (bytes, counts) => say({ type: 'read', bytes, counts }),
  })
  port.on('message', (order: WorkerOrder) => {
    if (order === 'stop') stop.abort()
    else if (order === 'end') void store.close().then(() => port.close())
    else score(order).then((seconds) => say({ type: 'finished', seconds, suspects: seenIds.suspects }), fail)
  })
  say({ type: 'ready' })
}

function say(report: WorkerReport): void {
  parentPort!.postMessage(report)
}

function fail(error: unknown): void {
  say({
    type: 'failed',
    message: messageOf(error),
    code: error instanceof GuerdonError ? error.code : undefined,
  })
}

if (parentPort) work(workerData as WorkerTask, parentPort).catch(fail)
