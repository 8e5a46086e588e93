import type { JobWithMetadata, PgBoss } from 'pg-boss'
import { GuerdonError } from '../../core/index.ts'
import type { Postgres } from '../../store/postgres.ts'
import { type OrderKind, orderKinds } from './orders.ts'

export interface QueueOptions {
  /**
   * How long a shard stays with a worker that is not heard of, in seconds; workers say that they live three times as
   * often. At least 10. @default 30
   */
  readonly lease?: number
  /** Of the shards that are ordered here: attempts after the first. @default 4 */
  readonly retries?: number
  /** Before another attempt, in seconds; twice as long before each further one, 30 at most. @default 1 */
  readonly retryDelay?: number
}

/** A shard that a worker has for a while. */
export interface Lease {
  readonly id: string
  readonly kind: OrderKind
  /** Key of the order. */
  readonly order: number
  readonly shard: number
  /** Attempts before this one. */
  readonly retryCount: number
  readonly isLastAttempt: boolean
}

/** A shard that every attempt failed at. */
export interface DeadShard {
  readonly order: number
  readonly shard: number
  readonly failure: string
}

interface Payload {
  readonly order: number
  readonly shard: number
}

const failedQueue = 'failed'

/**
 * Which shard is whose: queues of pg-boss in the schema beside the store's. They hold keys alone; what is to be done, and
 * whether it was, stands in the orders.
 */
export class WorkQueue {
  readonly #boss: PgBoss
  readonly #options: Required<QueueOptions>

  private constructor(boss: PgBoss, options: Required<QueueOptions>) {
    this.#boss = boss
    this.#options = options
  }

  static async open(
    postgres: Postgres,
    { lease = 30, retries = 4, retryDelay = 1 }: QueueOptions = {},
  ): Promise<WorkQueue> {
    if (!(Number.isInteger(lease) && lease >= 10))
      throw new GuerdonError('bad-option', `a lease of ${lease} s is none.`, {
        fix: 'Give a whole number from 10.',
      })
    const { PgBoss } = await importBoss(postgres.location)
    const boss = new PgBoss({
      db: { executeSql: (sql, values) => postgres.execute(sql, values) }, // with its patience
      schema: `${postgres.schema}_queue`,
      schedule: false,
      // Every process looks after leases that have run out; the database lets one at a time.
      superviseIntervalSeconds: 2,
      monitorIntervalSeconds: 2,
      registerInstance: false,
      openTelemetry: { enabled: false },
    })
    boss.on('error', () => {}) // what an operation of its own met; those that are asked for reject
    await boss.start()
    await boss.createQueue(failedQueue, { retryLimit: 100 })
    for (const kind of orderKinds)
      await boss.createQueue(kind, {
        deadLetter: failedQueue,
        expireInSeconds: 23 * 3600, // leases tell the living from the dead
        deleteAfterSeconds: 3600,
      })
    return new WorkQueue(boss, { lease, retries, retryDelay })
  }

  get lease(): number {
    return this.#options.lease
  }

  async put(kind: OrderKind, order: number, shards: readonly number[]): Promise<void> {
    const { lease, retries, retryDelay } = this.#options
    for (let from = 0; from < shards.length; from += 1000)
      await this.#boss.insert(
        kind,
        shards.slice(from, from + 1000).map((shard) => ({
          data: { order, shard } satisfies Payload,
          heartbeatSeconds: lease,
          retryLimit: retries,
          retryDelay,
          retryBackoff: retryDelay > 0,
          retryDelayMax: 30,
        })),
      )
  }

  /** The next shard of one of the kinds, if there is one. */
  async take(kinds: readonly OrderKind[]): Promise<Lease | undefined> {
    for (const kind of kinds) {
      const [job] = (await this.#boss.fetch<Payload>(kind, {
        batchSize: 1,
        includeMetadata: true,
      })) as JobWithMetadata<Payload>[]
      if (job)
        return {
          id: job.id,
          kind,
          order: job.data.order,
          shard: job.data.shard,
          retryCount: job.retryCount,
          isLastAttempt: job.retryCount >= job.retryLimit,
        }
    }
    return undefined
  }

  /** Says that the holder lives; false when the shard is not its own any more. */
  async renew(lease: Lease): Promise<boolean> {
    const { affected } = (await this.#boss.touch(lease.kind, lease)) as { affected: number } // its type says nothing
    return affected > 0
  }

  async done(lease: Lease): Promise<void> {
    await this.#boss.complete(lease.kind, lease)
  }

  /** Another attempt follows, after a pause; after the last one it is dead. */
  async failed(lease: Lease, failure: string): Promise<void> {
    await this.#boss.fail(lease.kind, lease, { message: failure })
  }

  /** Gives a shard back at once, for any worker, as if it had not been taken. */
  async giveBack(lease: Lease): Promise<void> {
    await this.put(lease.kind, lease.order, [lease.shard])
    await this.#boss.complete(lease.kind, lease)
  }

  /** Tells of dead shards, each of which must be kept elsewhere before `bury`. */
  async dead(): Promise<{ readonly shards: readonly DeadShard[]; bury(): Promise<void> }> {
    const jobs = (await this.#boss.fetch<Payload>(failedQueue, {
      batchSize: 100,
      includeMetadata: true,
    })) as JobWithMetadata<Payload>[]
    return {
      shards: jobs.map(({ data, sourceOutput }) => ({ ...data, failure: failureOf(sourceOutput) })),
      bury: async () => {
        if (jobs.length > 0) await this.#boss.complete(failedQueue, jobs)
      },
    }
  }

  async close(): Promise<void> {
    await this.#boss.stop({ graceful: false })
  }
}

function failureOf(output: object | null): string {
  const { message, value } = (output ?? {}) as { message?: string; value?: { message?: string } }
  const said = message ?? value?.message ?? 'no reason was told'
  return /heartbeat/.test(said)
    ? 'the workers that had it died or were cut off (memory, a crash of native code, the network)'
    : said
}

async function importBoss(location: string): Promise<typeof import('pg-boss')> {
  try {
    return await import('pg-boss')
  } catch (cause) {
    throw new GuerdonError('missing-package', 'queues need the package "pg-boss".', {
      place: { file: location },
      fix: 'Run "npm install pg pg-boss".',
      cause,
    })
  }
}
