import type { Json } from '../../core/index.ts'
import type { Postgres, Sql } from '../../store/postgres.ts'
import { restored, restoredJson, storable, storableJson, textsArray } from '../../store/postgres-values.ts'

export const orderKinds = ['score', 'audit', 'reproduction'] as const
export type OrderKind = (typeof orderKinds)[number]

/** `open` until every shard is done or has failed for good. */
export type OrderStatus = 'open' | 'complete' | 'failed' | 'cancelled'

/** Work that was asked for, in shards that any worker can do. */
export interface NewOrder {
  readonly id: string
  readonly kind: OrderKind
  /** The run that is scored, or what is audited or reproduced. */
  readonly about: string
  /** ISO 8601, UTC. */
  readonly created: string
  /** What all shards need. */
  readonly spec: Json
  readonly shards: readonly Json[]
}

export interface Order extends Omit<NewOrder, 'shards'> {
  readonly key: number
  readonly status: OrderStatus
}

export interface OrderProgress {
  readonly shards: number
  readonly done: number
  readonly failed: number
  /** Rows of the shards that are done. */
  readonly rows: number
}

export interface Shard {
  readonly order: Order
  readonly number: number
  readonly spec: Json
  readonly isOpen: boolean
}

export interface FailedShard {
  readonly number: number
  readonly spec: Json
  readonly attempts: number
  /** Who had it last. */
  readonly worker: string | null
  readonly failure: string
}

/** Shards to one statement. */
const shardsPerInsert = 5000

/** The orders of a store and their shards: what there is to do, what was done, and what failed why. */
export class Orders {
  readonly #postgres: Postgres

  constructor(postgres: Postgres) {
    this.#postgres = postgres
  }

  /** Keeps an order; giving it twice changes nothing. Returns its key. */
  async create({ id, kind, about, created, spec, shards }: NewOrder): Promise<number> {
    return this.#postgres.transaction(
      async (sql) => {
        await sql.run(
          'INSERT INTO orders (id, kind, about, created, spec) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING',
          id,
          kind,
          storable(about),
          created,
          storableJson(spec),
        )
        const { key } = (await sql.get<{ key: number }>('SELECT key FROM orders WHERE id = $1', id))!
        for (let from = 0; from < shards.length; from += shardsPerInsert)
          await sql.run(
            `INSERT INTO shards (order_key, number, spec)
             SELECT $1::bigint, $2::int + place - 1, spec FROM unnest($3::text[]) WITH ORDINALITY AS given (spec, place)
             ON CONFLICT DO NOTHING`,
            key,
            from,
            textsArray(shards.slice(from, from + shardsPerInsert).map((shard) => storableJson(shard))),
          )
        return key
      },
      { isLong: true },
    )
  }

  async find(id: string): Promise<Order | undefined> {
    const row = await this.#postgres.get<OrderRow>('SELECT * FROM orders WHERE id = $1', id)
    return row && orderOf(row)
  }

  /** Newest first. */
  async list(limit = 50): Promise<(Order & OrderProgress)[]> {
    const rows = await this.#postgres.all<OrderRow>('SELECT * FROM orders ORDER BY key DESC LIMIT $1', limit)
    return Promise.all(rows.map(async (row) => ({ ...orderOf(row), ...(await this.progress(row.key)) })))
  }

  /** The newest open order about something. */
  async openAbout(kind: OrderKind, about: string): Promise<Order | undefined> {
    const row = await this.#postgres.get<OrderRow>(
      `SELECT * FROM orders WHERE kind = $1 AND about = $2 AND status = 'open' ORDER BY key DESC LIMIT 1`,
      kind,
      storable(about),
    )
    return row && orderOf(row)
  }

  progress(key: number): Promise<OrderProgress> {
    return this.#postgres.get<OrderProgress>(
      `SELECT count(*) AS shards, count(*) FILTER (WHERE status = 'done') AS done,
         count(*) FILTER (WHERE status = 'failed') AS failed, coalesce(sum(rows), 0) AS rows
       FROM shards WHERE order_key = $1`,
      key,
    ) as Promise<OrderProgress>
  }

  async hasOpenShards(key: number): Promise<boolean> {
    const open = await this.#postgres.get(
      `SELECT FROM shards WHERE order_key = $1 AND status = 'open' LIMIT 1`,
      key,
    )
    return open !== undefined
  }

  async shard(key: number, number: number): Promise<Shard | undefined> {
    const row = await this.#postgres.get<OrderRow & { shard: string; shard_status: string }>(
      `SELECT orders.*, shards.spec AS shard, shards.status AS shard_status FROM orders
       JOIN shards ON order_key = key WHERE key = $1 AND number = $2`,
      key,
      number,
    )
    return (
      row && {
        order: orderOf(row),
        number,
        spec: restoredJson(row.shard),
        isOpen: row.shard_status === 'open',
      }
    )
  }

  async taken(key: number, number: number, worker: string): Promise<void> {
    await this.#postgres.run(
      'UPDATE shards SET attempts = attempts + 1, worker = $3 WHERE order_key = $1 AND number = $2',
      key,
      number,
      storable(worker),
    )
  }

  async done(key: number, number: number, result: Json, rows: number): Promise<void> {
    await this.#postgres.run(
      `UPDATE shards SET status = 'done', result = $3, rows = $4, failure = NULL WHERE order_key = $1 AND number = $2`,
      key,
      number,
      storableJson(result),
      rows,
    )
  }

  /** Why the last attempt failed; `isFinal` when there will be no other. */
  async failed(key: number, number: number, failure: string, isFinal: boolean): Promise<void> {
    await this.#postgres.run(
      `UPDATE shards SET failure = coalesce($3, failure), status = CASE WHEN $4 THEN 'failed' ELSE status END
       WHERE order_key = $1 AND number = $2 AND status <> 'done'`,
      key,
      number,
      storable(failure),
      isFinal,
    )
  }

  async failedShards(key: number, limit = 20): Promise<FailedShard[]> {
    const rows = await this.#postgres.all<Omit<FailedShard, 'spec'> & { spec: string }>(
      `SELECT number, spec, attempts, worker, coalesce(failure, 'its workers died') AS failure FROM shards
       WHERE order_key = $1 AND status = 'failed' ORDER BY number LIMIT $2`,
      key,
      limit,
    )
    return rows.map((row) => ({ ...row, spec: restoredJson(row.spec), failure: restored(row.failure) }))
  }

  /** Opens an order again, with the shards that failed; returns their numbers. */
  async reopen(key: number): Promise<number[]> {
    return this.#postgres.transaction(async (sql) => {
      const rows = await sql.all<{ number: number }>(
        `UPDATE shards SET status = 'open' WHERE order_key = $1 AND status <> 'done' RETURNING number`,
        key,
      )
      await sql.run(`UPDATE orders SET status = 'open', claimed = NULL WHERE key = $1`, key)
      return rows.map(({ number }) => number)
    })
  }

  /** Results of the shards that are done, by number. */
  async results(key: number): Promise<Map<number, Json>> {
    const rows = await this.#postgres.all<{ number: number; result: string }>(
      `SELECT number, result FROM shards WHERE order_key = $1 AND status = 'done'`,
      key,
    )
    return new Map(rows.map(({ number, result }) => [number, restoredJson(result)]))
  }

  /** Of these orders, those that are not open any more. */
  async closedAmong(keys: readonly number[]): Promise<ReadonlySet<number>> {
    if (keys.length === 0) return new Set()
    const rows = await this.#postgres.all<{ key: number }>(
      `SELECT key FROM orders WHERE key = ANY($1::bigint[]) AND status <> 'open'`,
      `{${keys.join(',')}}`,
    )
    return new Set(rows.map(({ key }) => key))
  }

  /** Closes an open order; false when it was closed already. */
  async close(key: number, status: Exclude<OrderStatus, 'open'>): Promise<boolean> {
    return (
      (await this.#postgres.run(
        `UPDATE orders SET status = $2 WHERE key = $1 AND status = 'open'`,
        key,
        status,
      )) > 0
    )
  }

  /**
   * Open orders without open shards, which only want closing. Whoever is told of one has half a minute before others are
   * told of it as well, in case it died; what closing does can be done twice.
   */
  claimFinished(): Promise<Order[]> {
    const claim = async (sql: Sql) => {
      const rows = await sql.all<OrderRow>(
        `UPDATE orders SET claimed = now() WHERE status = 'open'
           AND (claimed IS NULL OR claimed < now() - interval '30 seconds')
           AND NOT EXISTS (SELECT FROM shards WHERE order_key = key AND shards.status = 'open')
         RETURNING *`,
      )
      return rows.map(orderOf)
    }
    return claim(this.#postgres)
  }
}

interface OrderRow {
  readonly key: number
  readonly id: string
  readonly kind: OrderKind
  readonly about: string
  readonly status: OrderStatus
  readonly created: string
  readonly spec: string
}

function orderOf({ key, id, kind, about, status, created, spec }: OrderRow): Order {
  return { key, id, kind, about: restored(about), status, created, spec: restoredJson(spec) }
}
