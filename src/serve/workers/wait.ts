import { GuerdonError } from '../../core/index.ts'
import { closeFinished, closeInterval } from './close-orders.ts'
import type { Order, OrderProgress, OrderStatus } from './orders.ts'
import { sleep } from './sleep.ts'
import type { Workplace } from './workplace.ts'

export interface WaitOptions {
  /** Cancels the order: workers stop, and what they found out is kept. */
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: OrderProgress) => void
  /** [ms] @default 500 */
  readonly interval?: number
}

/** Waits until an order is closed. Work goes on without whoever waits. */
export async function waitForOrder(
  workplace: Workplace,
  order: Order,
  { signal, onProgress, interval = 500 }: WaitOptions = {},
): Promise<Exclude<OrderStatus, 'open'>> {
  for (let closed = 0; ; ) {
    if (signal?.aborted) await cancelOrder(workplace, order)
    const progress = await workplace.orders.progress(order.key)
    onProgress?.(progress)
    // Workers close orders too; whoever waits need not wait for them.
    if (progress.done + progress.failed === progress.shards || performance.now() - closed > closeInterval) {
      await closeFinished(workplace)
      closed = performance.now()
    }
    const { status } = (await workplace.orders.find(order.id))!
    if (status !== 'open') return status
    await sleep(interval, signal)
  }
}

/** Workers stop at their shards of it within seconds, and take no other. What was written is kept. */
export async function cancelOrder({ store, orders }: Workplace, order: Order): Promise<void> {
  if ((await orders.close(order.key, 'cancelled')) && order.kind === 'score')
    await store.runs.setStatus(order.about, 'stopped')
}

/** Has the shards that failed, or were left when it was cancelled, done after all; returns how many. */
export async function retryOrder({ orders, queue }: Workplace, order: Order): Promise<number> {
  if (order.status === 'open') return 0
  const shards = await orders.reopen(order.key)
  await queue.put(order.kind, order.key, shards)
  return shards.length
}

/** An order by its id. Throws `unknown-order`. */
export async function orderNamed({ orders, store }: Workplace, id: string): Promise<Order> {
  const order = await orders.find(id)
  if (order !== undefined) return order
  throw new GuerdonError('unknown-order', `there is no order "${id}".`, {
    place: { file: store.location },
    fix: '"guerdon jobs" lists them.',
  })
}
