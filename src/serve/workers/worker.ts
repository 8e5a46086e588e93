import { hostname } from 'node:os'
import type { ShardWork } from '../../apply/run-segments.ts'
import { ScoringThread } from '../../apply/run-threads.ts'
import { type Json, messageOf } from '../../core/index.ts'
import type { CallLimits } from '../../models/calls/limits.ts'
import { closeFinished, closeInterval } from './close-orders.ts'
import { type JobShard, performJob } from './job-order.ts'
import { type Order, type OrderKind, orderKinds } from './orders.ts'
import type { Lease } from './queue.ts'
import { localSpec, type ScoreSpec } from './score-order.ts'
import { sleep } from './sleep.ts'
import type { Workplace } from './workplace.ts'

export interface WorkOptions {
  /** Shards at a time, one thread or process each. @default 1 */
  readonly threads?: number
  /** @default all */
  readonly kinds?: readonly OrderKind[]
  /** For people. @default host name and process id */
  readonly name?: string
  /** Of model calls, in each thread. */
  readonly limits?: CallLimits
  /** Ends when there was nothing to do for this long, in milliseconds. @default never */
  readonly idleLimit?: number
  /** Stops: shards under way are given back with everything written, and the promise resolves. */
  readonly signal: AbortSignal
  readonly onEvent?: (event: WorkEvent) => void
}

export type WorkEvent =
  | {
      readonly type: 'taken' | 'done'
      readonly order: string
      readonly shard: number
      readonly rows?: number
    }
  | {
      readonly type: 'failed'
      readonly order: string
      readonly shard: number
      readonly reason: string
      readonly isFinal: boolean
    }
  | { readonly type: 'stopped'; readonly order: string; readonly shard: number; readonly why: StopReason }
  | { readonly type: 'trouble'; readonly reason: string }

type StopReason = 'cancelled' | 'lease lost' | 'shut down'

/** How often it is asked whether orders were cancelled, in milliseconds. */
const cancelInterval = 1000
/** How long to wait when there is nothing to do, in milliseconds: longer and longer. */
const idle = { first: 100, factor: 1.5, longest: 2000 }
/** A thread that was asked to stop gets this long, in milliseconds. */
const grace = 15_000

/** A shard under way. */
interface Held {
  readonly lease: Lease
  readonly stop: AbortController
}

/**
 * Takes shards from the queues and does them until it is told to stop. Leases are renewed while shards are under way; a
 * shard whose order was cancelled, or that another worker has been given, is stopped.
 */
export async function work(workplace: Workplace, options: WorkOptions): Promise<void> {
  const { orders, queue } = workplace
  const { threads = 1, kinds = orderKinds, signal, onEvent = () => {} } = options
  const name = options.name ?? `${hostname()}:${process.pid}`
  const held = new Set<Held>()
  const orderly = (task: () => Promise<void>) =>
    task().catch((error) => onEvent({ type: 'trouble', reason: messageOf(error) }))

  const renew = async () => {
    for (const { lease, stop } of held)
      if (!(await queue.renew(lease)) && !stop.signal.aborted) stop.abort('lease lost' satisfies StopReason)
  }
  const stopCancelled = async () => {
    const closed = await orders.closedAmong([...new Set([...held].map(({ lease }) => lease.order))])
    for (const { lease, stop } of held)
      if (closed.has(lease.order)) stop.abort('cancelled' satisfies StopReason)
  }
  const timers = [
    setInterval(() => void orderly(renew), (queue.lease * 1000) / 3),
    setInterval(() => void orderly(stopCancelled), cancelInterval),
    setInterval(() => void orderly(() => closeFinished(workplace)), closeInterval),
  ]
  const shutDown = () => {
    for (const { stop } of held) stop.abort('shut down' satisfies StopReason)
  }
  signal.addEventListener('abort', shutDown)
  try {
    await Promise.all(Array.from({ length: threads }, slot))
  } finally {
    signal.removeEventListener('abort', shutDown)
    for (const timer of timers) clearInterval(timer)
  }

  /** Does one shard after another. */
  async function slot(): Promise<void> {
    const scorer = new Scorer(workplace.store.address, options.limits ?? {})
    let pause = idle.first
    let idleSince = performance.now()
    while (
      !signal.aborted &&
      performance.now() - idleSince < (options.idleLimit ?? Number.POSITIVE_INFINITY)
    ) {
      let lease: Lease | undefined
      await orderly(async () => {
        lease = await queue.take(kinds)
        if (lease !== undefined) await perform(lease, scorer)
      })
      if (lease !== undefined) [pause, idleSince] = [idle.first, performance.now()]
      else {
        await scorer.rest()
        await sleep(pause, signal)
        pause = Math.min(idle.longest, pause * idle.factor)
      }
    }
    await scorer.rest()
  }

  async function perform(lease: Lease, scorer: Scorer): Promise<void> {
    const shard = await orders.shard(lease.order, lease.shard)
    if (shard === undefined || !shard.isOpen || shard.order.status !== 'open') return queue.done(lease)
    const { order, number } = shard
    const one: Held = { lease, stop: new AbortController() }
    if (signal.aborted) one.stop.abort('shut down' satisfies StopReason)
    held.add(one)
    onEvent({ type: 'taken', order: order.id, shard: number })
    try {
      await orders.taken(order.key, number, name)
      const { result, rows } =
        order.kind === 'score'
          ? await scorer.score(order, shard.spec as unknown as ShardWork, one.stop.signal)
          : {
              result: await performJob(
                shard.spec as unknown as JobShard,
                workplace.store.address,
                one.stop.signal,
              ),
              rows: 0,
            }
      if (one.stop.signal.aborted) return await stopped(one, order.id)
      await orders.done(order.key, number, result, rows)
      await queue.done(lease)
      onEvent({ type: 'done', order: order.id, shard: number, rows })
      if (!(await orders.hasOpenShards(order.key))) await closeFinished(workplace)
    } catch (error) {
      if (one.stop.signal.aborted) return await stopped(one, order.id)
      const reason = messageOf(error)
      onEvent({ type: 'failed', order: order.id, shard: number, reason, isFinal: lease.isLastAttempt })
      await orders.failed(order.key, number, reason, lease.isLastAttempt)
      await queue.failed(lease, reason)
    } finally {
      held.delete(one)
    }
  }

  async function stopped({ lease, stop }: Held, order: string): Promise<void> {
    const why = stop.signal.reason as StopReason
    onEvent({ type: 'stopped', order, shard: lease.shard, why })
    if (why === 'cancelled') await queue.done(lease)
    else if (why === 'shut down') await queue.giveBack(lease)
  }
}

/** The thread of one slot: kept from shard to shard of an order, since rewards take a while to load. */
class Scorer {
  readonly #address: string
  readonly #limits: CallLimits
  #order: number | undefined
  #thread: ScoringThread | undefined

  constructor(address: string, limits: CallLimits) {
    this.#address = address
    this.#limits = limits
  }

  async score(order: Order, shard: ShardWork, signal: AbortSignal): Promise<{ result: Json; rows: number }> {
    if (this.#order !== order.key) await this.rest()
    if (this.#thread === undefined) {
      const { config, ...task } = localSpec(order.spec as unknown as ScoreSpec)
      this.#order = order.key
      this.#thread = new ScoringThread({
        ...task,
        store: this.#address,
        models: { limits: this.#limits, config },
      })
    }
    const thread = this.#thread
    let timer: NodeJS.Timeout | undefined
    const stop = () => {
      thread.stop()
      timer = setTimeout(() => void thread.kill(), grace)
    }
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop)
    try {
      const { counts, seconds } = await thread.score(shard)
      return { result: { ...counts, seconds: Object.fromEntries(seconds) }, rows: counts.rows }
    } catch (error) {
      this.#thread = undefined
      await thread.kill()
      throw error
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      if (signal.aborted && this.#thread !== undefined) await this.rest()
    }
  }

  /** Ends the thread: there is nothing to do for it. */
  async rest(): Promise<void> {
    const thread = this.#thread
    this.#thread = undefined
    this.#order = undefined
    await thread?.end()
  }
}
