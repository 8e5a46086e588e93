import { parentPort, workerData } from 'node:worker_threads'
import { GuerdonError, messageOf, rewardIdentity } from '../core/index.ts'
import type { ReadOptions } from '../data/read.ts'
import type { CallLimits } from '../models/calls/limits.ts'
import { loadReward, type PortableReference } from '../rewards/reward-reference.ts'
import { openStore, type Store } from '../store/index.ts'
import { SeenIds } from './run-rows.ts'
import { runContext, type ShardResult, type ShardWork, shardScorer } from './run-segments.ts'
import type { StreamCounts } from './run-stream.ts'

/** What a worker is started with. */
export interface WorkerTask {
  /** The store's `address`. */
  readonly store: string
  readonly run: string
  /** Of work on segments: the file. */
  readonly source?: string
  readonly read: ReadOptions
  readonly references: Readonly<Record<string, PortableReference & { readonly identity: string }>>
  readonly concurrency: number
  readonly batchSize: number
  readonly seed: string | undefined
  readonly step: number | undefined
  /** Ids seen by all threads. @default this thread's own */
  readonly seen?: SharedArrayBuffer
  /** For taking turns at writing to a file. */
  readonly turn?: SharedArrayBuffer
  /** Where rewards may ask models: limits of their calls, and the configuration that names models of one's own. */
  readonly models?: { readonly limits: CallLimits; readonly config: string | null }
}

/** Said to a worker. */
export type WorkerOrder = ShardWork | 'stop' | 'end'

/** Said by a worker. */
export type WorkerReport =
  | { readonly type: 'ready' }
  | { readonly type: 'read'; readonly bytes: number; readonly counts: StreamCounts }
  | { readonly type: 'finished'; readonly result: ShardResult; readonly suspects: readonly string[] | 'all' }
  | { readonly type: 'failed'; readonly message: string; readonly code: string | undefined }

async function work(task: WorkerTask, port: NonNullable<typeof parentPort>): Promise<void> {
  const { models, turn } = task
  const stop = new AbortController()
  const store = await openStore(task.store, {
    mustExist: true,
    signal: stop.signal,
    ...(turn === undefined ? {} : { turn }),
  })
  const seenIds = new SeenIds(task.seen)
  const inScope =
    models === undefined ? <Result>(work: () => Result) => work() : await callScope(models, store)
  const score = shardScorer({
    ...task,
    store,
    seenIds,
    rewards: await inScope(() => loadRewards(task.references)),
    context: runContext(task.seed, task.step, stop.signal),
    onRead: (bytes, counts) => say({ type: 'read', bytes, counts }),
  })
  port.on('message', (order: WorkerOrder) => {
    if (order === 'stop') stop.abort()
    else if (order === 'end') void store.close().then(() => port.close())
    else
      inScope(() => score(order)).then(
        (result) => say({ type: 'finished', result, suspects: seenIds.suspects }),
        fail,
      )
  })
  say({ type: 'ready' })
}

/** Runs work whose model calls are kept in the store. Loaded only where models may be asked: starting must be quick. */
async function callScope({ limits, config }: NonNullable<WorkerTask['models']>, store: Store) {
  const { CallLayer } = await import('../models/calls/call-layer.ts')
  const { withCalls } = await import('../models/calls/call-scope.ts')
  const { loadConfigFile } = await import('./config.ts')
  const calls = new CallLayer({ cache: store.calls, limits })
  const models = config === null ? {} : ((await loadConfigFile(config)).models ?? {})
  return <Result>(work: () => Result): Result => withCalls({ calls, models }, work)
}

async function loadRewards(references: WorkerTask['references']) {
  const entries = Object.entries(references).map(async ([name, { identity, ...reference }]) => {
    const reward = await loadReward(reference)
    if (rewardIdentity(reward) !== identity)
      throw new GuerdonError('bad-option', 'is not the reward here that it is where the run was started.', {
        place: { reward: name },
        fix: 'Its parameters must depend on its options alone, and every machine needs the same version of it.',
      })
    return [name, reward] as const
  })
  return new Map(await Promise.all(entries))
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
