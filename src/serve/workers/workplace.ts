import { GuerdonError } from '../../core/index.ts'
import { isPostgresAddress, type PostgresOptions } from '../../store/postgres.ts'
import { openPostgresStore, type PostgresStore } from '../../store/postgres-store.ts'
import { Orders } from './orders.ts'
import { type QueueOptions, WorkQueue } from './queue.ts'

/** A shared store with its orders and queues: what submitters, workers and those who wait have in common. */
export interface Workplace {
  readonly store: PostgresStore
  readonly orders: Orders
  readonly queue: WorkQueue
  close(): Promise<void>
}

/** @param address of PostgreSQL. Throws `no-shared-store` for another, and what `openStore` throws */
export async function openWorkplace(
  address: string,
  options: QueueOptions & PostgresOptions = {},
): Promise<Workplace> {
  if (!isPostgresAddress(address))
    throw new GuerdonError('no-shared-store', 'workers share a store in PostgreSQL, and this is a file.', {
      place: { file: address },
      fix: 'Set DATABASE_URL or --store to postgres://user:password@host/database; docs/scale.md shows how.',
    })
  const store = await openPostgresStore(address, options)
  try {
    const queue = await WorkQueue.open(store.postgres, options)
    return {
      store,
      orders: new Orders(store.postgres),
      queue,
      async close() {
        await queue.close()
        await store.close()
      },
    }
  } catch (error) {
    await store.close()
    throw error
  }
}
