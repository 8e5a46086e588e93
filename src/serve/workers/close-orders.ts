import { closeScores } from './score-order.ts'
import type { Workplace } from './workplace.ts'

/** How often it is done by whoever waits or works, in milliseconds. */
export const closeInterval = 5000

/**
 * Writes down which shards are dead, and closes the orders that have no open shard left. Every worker and everybody who
 * waits does it now and then, so that it is done whoever dies.
 */
export async function closeFinished(workplace: Workplace): Promise<void> {
  const { orders, queue } = workplace
  const { shards, bury } = await queue.dead()
  for (const { order, shard, failure } of shards) await orders.failed(order, shard, failure, true)
  await bury()
  for (const order of await orders.claimFinished()) {
    const { failed } = await orders.progress(order.key)
    if (order.kind === 'score') await closeScores(workplace, order, failed)
    await orders.close(order.key, failed === 0 ? 'complete' : 'failed')
  }
}
