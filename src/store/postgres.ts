import { randomInt } from 'node:crypto'
import type { Pool, PoolClient, QueryResult } from 'pg'
import { GuerdonError } from '../core/index.ts'
import { isTransient, postgresError } from './postgres-errors.ts'
import { postgresSteps } from './postgres-schema.ts'

export interface PostgresOptions {
  /** The schema that holds the tables; also the parameter `schema` of the address. @default 'guerdon' */
  readonly schema?: string
  /** Connections at most. @default 4 */
  readonly connections?: number
  /** Longest time of one statement, in milliseconds; summaries of whole runs have ten times as long. @default 60000 */
  readonly statementTimeout?: number
  /**
   * How long lost connections, conflicts of transactions and a server that is starting anew are met with another try,
   * in milliseconds. Everything that a store does can be done twice. @default 60000
   */
  readonly patience?: number
  /** The same while the store is opened. @default 2000 */
  readonly openPatience?: number
  /** Once it is aborted there is no more patience than two seconds, so that whoever stops does not wait for a server. */
  readonly signal?: AbortSignal | undefined
  /** Fail where there is no store rather than make one. @default false */
  readonly mustExist?: boolean
}

export type SqlValue = string | number | boolean | null

/** What statements are run with: the pool, or the connection that a transaction holds. */
export interface Sql {
  all<Row>(sql: string, ...values: SqlValue[]): Promise<Row[]>
  get<Row>(sql: string, ...values: SqlValue[]): Promise<Row | undefined>
  /** Returns the number of rows that changed. */
  run(sql: string, ...values: SqlValue[]): Promise<number>
}

export function isPostgresAddress(location: string): boolean {
  return /^postgres(ql)?:\/\//i.test(location)
}

/**
 * Connections to a store in PostgreSQL. What fails for a while (a lost connection, a conflict of transactions) is tried
 * again; everything else becomes a `GuerdonError` in plain words.
 */
export class Postgres implements Sql {
  /** For messages: without the password. */
  readonly location: string
  /** Opens the same store again; with the password. */
  readonly address: string
  readonly schema: string
  readonly #pool: Pool
  readonly #patience: number
  readonly #signal: AbortSignal | undefined
  readonly #statementTimeout: number

  private constructor(
    { location, address, schema }: ReturnType<typeof parsed>,
    pool: Pool,
    options: PostgresOptions,
  ) {
    this.location = location
    this.address = address
    this.schema = schema
    this.#pool = pool
    this.#patience = options.patience ?? 60_000
    this.#signal = options.signal
    this.#statementTimeout = options.statementTimeout ?? 60_000
  }

  static async open(address: string, options: PostgresOptions = {}): Promise<Postgres> {
    const place = parsed(address, options.schema)
    const { connectionString, schema, location } = place
    const { default: pg } = await importPg(location)
    const timeout = options.statementTimeout ?? 60_000
    const pool = new pg.Pool({
      connectionString,
      max: options.connections ?? 4,
      application_name: 'guerdon',
      connectionTimeoutMillis: 10_000,
      idleTimeoutMillis: 30_000,
      keepAlive: true,
      // The client's own limit is for a server that cannot be reached any more.
      query_timeout: 10 * timeout + 10_000,
      options: [
        `search_path=${schema}`,
        `statement_timeout=${timeout}`,
        `idle_in_transaction_session_timeout=${timeout}`,
        'client_min_messages=warning',
      ]
        .map((setting) => `-c ${setting}`)
        .join(' '),
      types: {
        // Counts, positions and sums are whole numbers that a double holds.
        getTypeParser: ((oid: number, format: 'text') =>
          oid === int8 || oid === numeric ? Number : pg.types.getTypeParser(oid, format)) as never,
      },
    })
    pool.on('error', ignore) // a connection that breaks while idle: the next statement gets another one
    pool.on('connect', (client) => client.on('error', ignore)) // in use: the statement under way tells it
    const opened = new Postgres(place, pool, options)
    try {
      await opened.#retried(() => opened.#migrate(options.mustExist ?? false), options.openPatience ?? 2000)
      return opened
    } catch (error) {
      await pool.end()
      throw error
    }
  }

  async all<Row>(sql: string, ...values: SqlValue[]): Promise<Row[]> {
    return (await this.#retried(() => ask(this.#pool, sql, values))).rows as Row[]
  }

  async get<Row>(sql: string, ...values: SqlValue[]): Promise<Row | undefined> {
    return (await this.all<Row>(sql, ...values))[0]
  }

  async run(sql: string, ...values: SqlValue[]): Promise<number> {
    return (await this.#retried(() => ask(this.#pool, sql, values))).rowCount ?? 0
  }

  /** One statement, or several without values, as they are: for a library that brings its own SQL. */
  execute(sql: string, values?: unknown[]): Promise<QueryResult> {
    return this.#retried(() => this.#pool.query(sql, values))
  }

  /**
   * `work` in one transaction, from the beginning again when it fails for a while: it must be right to do it twice, also
   * where it is not known whether the first time was kept.
   *
   * @param options `isLong`: may take ten times the usual time; `isReading`: sees one state of the store
   */
  transaction<Result>(
    work: (sql: Sql) => Promise<Result>,
    { isLong = false, isReading = false }: { isLong?: boolean; isReading?: boolean } = {},
  ): Promise<Result> {
    return this.#retried(async () => {
      const client = await this.#pool.connect()
      try {
        await client.query(isReading ? 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY' : 'BEGIN')
        if (isLong) await client.query(`SET LOCAL statement_timeout = ${10 * this.#statementTimeout}`)
        const result = await work(sqlOf(client))
        await client.query('COMMIT')
        client.release()
        return result
      } catch (error) {
        await client.query('ROLLBACK').catch(ignore)
        client.release(isTransient(error)) // true: not used again
        throw error
      }
    })
  }

  async close(): Promise<void> {
    if (!this.#pool.ended) await this.#pool.end()
  }

  async #retried<Result>(work: () => Promise<Result>, patience = this.#patience): Promise<Result> {
    const started = performance.now()
    for (let attempt = 0; ; attempt++) {
      try {
        return await work()
      } catch (error) {
        const waited = performance.now() - started
        const longest = this.#signal?.aborted ? Math.min(patience, patienceOfStopping) : patience
        if (!isTransient(error) || waited >= longest) throw postgresError(error, this.location)
        const pause = Math.min(1000, 25 * 2 ** attempt, longest - waited)
        await new Promise((resolve) => setTimeout(resolve, (pause * randomInt(500, 1000)) / 1000)) // not all at once
      }
    }
  }

  /** Brings the schema to the newest version; of several processes one does it and the others wait. */
  async #migrate(mustExist: boolean): Promise<void> {
    if ((await this.#version(this.#pool, mustExist)) === postgresSteps.length) return
    const client = await this.#pool.connect()
    try {
      await client.query('BEGIN')
      await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('guerdon ${this.schema}', 0))`)
      const version = await this.#version(client, mustExist)
      await client.query(`CREATE SCHEMA IF NOT EXISTS ${this.schema}`)
      for (const step of postgresSteps.slice(version)) await client.query(step)
      await client.query(
        version === 0 ? 'INSERT INTO store_version VALUES ($1)' : 'UPDATE store_version SET version = $1',
        [postgresSteps.length],
      )
      await client.query('COMMIT')
      client.release()
    } catch (error) {
      client.release(true)
      throw error
    }
  }

  async #version(client: Pool | PoolClient, mustExist: boolean): Promise<number> {
    const { rows } = await client.query(
      `SELECT to_regclass('${this.schema}.store_version') IS NOT NULL AS ours,
         EXISTS (SELECT FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
                 WHERE nspname = '${this.schema}' AND relkind IN ('r', 'p')) AS used`,
    )
    const { ours, used } = rows[0] as { ours: boolean; used: boolean }
    const place = { file: this.location }
    if (!ours && used)
      throw new GuerdonError('not-a-store', `its schema "${this.schema}" holds something else.`, {
        place,
        fix: 'Name another schema: add ?schema=NAME to the address.',
      })
    if (!ours && mustExist)
      throw new GuerdonError('store-missing', `there is no store in its schema "${this.schema}".`, {
        place,
        fix: 'Score something first, or name the store that you mean.',
      })
    if (!ours) return 0
    const { version } = (await client.query(`SELECT version FROM ${this.schema}.store_version`)).rows[0]
    if (version > postgresSteps.length)
      throw new GuerdonError(
        'store-newer',
        `was written by a newer guerdon (store version ${version}; this one reads up to ${postgresSteps.length}).`,
        { place, fix: 'Update guerdon, or name another schema for the store.' },
      )
    return version
  }
}

/** In milliseconds. */
const patienceOfStopping = 2000

const int8 = 20
const numeric = 1700

const ignore = () => {}

function sqlOf(client: PoolClient): Sql {
  const all = async <Row>(sql: string, ...values: SqlValue[]) =>
    (await ask(client, sql, values)).rows as Row[]
  return {
    all,
    get: async <Row>(sql: string, ...values: SqlValue[]) => (await all<Row>(sql, ...values))[0],
    run: async (sql, ...values) => (await ask(client, sql, values)).rowCount ?? 0,
  }
}

/** Statements with values are prepared once in each connection, under a name of their own. */
const names = new Map<string, string>()

function ask(client: Pool | PoolClient, sql: string, values: readonly SqlValue[]): Promise<QueryResult> {
  if (values.length === 0) return client.query(sql)
  let name = names.get(sql)
  if (name === undefined) {
    name = `guerdon_${names.size}`
    names.set(sql, name)
  }
  return client.query({ name, text: sql, values: values as SqlValue[] })
}

function parsed(address: string, given: string | undefined) {
  let url: URL
  try {
    url = new URL(address)
  } catch (cause) {
    throw new GuerdonError('bad-address', 'the address of the store cannot be read.', {
      fix: 'Such as postgres://user:password@host:5432/database?schema=guerdon.',
      cause,
    })
  }
  const schema = given ?? url.searchParams.get('schema') ?? 'guerdon'
  if (!/^[a-z_][a-z0-9_]{0,49}$/.test(schema))
    throw new GuerdonError('bad-address', `"${schema}" cannot be the name of a schema.`, {
      fix: 'A lower-case letter, then letters, digits and _, at most 50.',
    })
  url.searchParams.delete('schema')
  const connectionString = url.href
  url.searchParams.set('schema', schema)
  const full = url.href
  if (schema === 'guerdon') url.searchParams.delete('schema')
  if (url.password !== '') url.password = '***'
  if (url.searchParams.has('password')) url.searchParams.set('password', '***')
  return { connectionString, schema, address: full, location: decodeURI(url.href) }
}

async function importPg(location: string): Promise<typeof import('pg')> {
  try {
    return await import('pg')
  } catch (cause) {
    throw new GuerdonError('missing-package', 'a store in PostgreSQL needs the package "pg".', {
      place: { file: location },
      fix: 'Run "npm install pg pg-boss".',
      cause,
    })
  }
}
