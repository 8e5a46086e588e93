import { accessSync, constants, existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { GuerdonError, messageOf } from '../core/index.ts'
import { schemaSteps } from './schema.ts'

export interface SqliteOptions {
  /** How long to wait for another process that is writing, in milliseconds. @default 30000 */
  readonly busyTimeout?: number
  /** Fail where there is no store rather than make one. @default false */
  readonly mustExist?: boolean
  /** Four bytes that threads of one process share: they take turns at writing rather than try and wait. */
  readonly turn?: SharedArrayBuffer
  /** Largest size of the file in bytes; beyond it writing fails as on a full disk. @default no limit */
  readonly maximumBytes?: number
}

/** 'gdon' in ASCII: marks the file as ours. */
const applicationId = 0x67646f6e

const rowsPerStatement = 16

/** One connection to a store's file: prepared statements by their text, transactions, errors in plain words. */
export class Sqlite {
  readonly path: string
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  readonly #turn: WriteTurn | undefined

  private constructor(path: string, database: DatabaseSync, turn: SharedArrayBuffer | undefined) {
    this.path = path
    this.#database = database
    this.#turn = turn && new WriteTurn(turn)
  }

  static async open(path: string, options: SqliteOptions = {}): Promise<Sqlite> {
    const { DatabaseSync } = await importSqlite()
    if (options.mustExist && !existsSync(path))
      throw new GuerdonError('store-missing', 'there is no store here.', {
        place: { file: path },
        fix: 'Score something first, or name the store that you mean.',
      })
    let database: DatabaseSync | undefined
    try {
      mkdirSync(dirname(path), { recursive: true })
      database = new DatabaseSync(path)
      database.exec(`PRAGMA busy_timeout = ${options.busyTimeout ?? 30_000}`)
      migrate(database, path)
      // A killed process loses nothing that was committed; only a power cut can lose the last commits, never more.
      database.exec(
        'PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -8000',
      )
      if (options.maximumBytes !== undefined) {
        const { page_size } = database.prepare('PRAGMA page_size').get() as { page_size: number }
        database.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(options.maximumBytes / page_size))}`)
      }
      return new Sqlite(path, database, options.turn)
    } catch (error) {
      database?.close()
      throw storeError(error, path)
    }
  }

  /** Makes a function of this program callable from statements; it must give the same for the same. */
  define(name: string, work: (...values: never[]) => SQLInputValue): void {
    this.#database.function(name, { deterministic: true }, work as never)
  }

  run(sql: string, ...values: SQLInputValue[]): number {
    return this.#guard(() => Number(this.#prepare(sql).run(...values).changes))
  }

  all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#guard(() => this.#prepare(sql).all(...values) as Row[])
  }

  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#guard(() => this.#prepare(sql).get(...values) as Row | undefined)
  }

  /** `work` in one transaction that holds the write lock from its start, so that what it reads stays true. */
  transaction<Result>(work: () => Result): Result {
    return this.#guard(() => {
      this.#turn?.take()
      try {
        this.#database.exec('BEGIN IMMEDIATE')
        const result = work()
        this.#database.exec('COMMIT')
        return result
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
        throw error
      } finally {
        this.#turn?.pass()
      }
    })
  }

  close(): void {
    this.#statements.clear()
    if (this.#database.isOpen) this.#database.close()
  }

  /**
   * Inserts rows that lie end to end in `values`, `columns` to each. Several rows to a statement cost much less than
   * one each.
   *
   * @param conflict the statement's ON CONFLICT clause
   */
  insert(table: string, columns: number, values: readonly SQLInputValue[], conflict: string): void {
    const row = `(${Array(columns).fill('?').join(', ')})`
    const statement = (rows: number) =>
      this.#prepare(`INSERT INTO ${table} VALUES ${Array(rows).fill(row).join(', ')} ON CONFLICT ${conflict}`)
    this.#guard(() => {
      let from = 0
      for (const rows of [rowsPerStatement, 1]) {
        if (values.length - from < rows * columns) continue
        const prepared = statement(rows)
        for (; values.length - from >= rows * columns; from += rows * columns)
          prepared.run(...values.slice(from, from + rows * columns))
      }
    })
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  #guard<Result>(work: () => Result): Result {
    try {
      return work()
    } catch (error) {
      throw storeError(error, this.path)
    }
  }
}

/**
 * Whose turn it is among threads. SQLite itself keeps writers apart, by trying again after naps; taking turns leaves
 * no naps. A thread that was ended in its turn is waited for once: SQLite decides then.
 */
class WriteTurn {
  readonly #taken: Int32Array

  constructor(memory: SharedArrayBuffer) {
    this.#taken = new Int32Array(memory)
  }

  take(): void {
    while (Atomics.compareExchange(this.#taken, 0, 0, 1) !== 0)
      if (Atomics.wait(this.#taken, 0, 1, 2000) === 'timed-out') return
  }

  pass(): void {
    Atomics.store(this.#taken, 0, 0)
    Atomics.notify(this.#taken, 0, 1)
  }
}

/** Node below 24 announces `node:sqlite` as experimental on stderr; that one line is kept back. */
async function importSqlite(): Promise<typeof import('node:sqlite')> {
  const emitWarning = process.emitWarning
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).includes('SQLite')) Reflect.apply(emitWarning, process, [warning, ...rest])
  }) as typeof process.emitWarning
  try {
    return await import('node:sqlite')
  } finally {
    process.emitWarning = emitWarning
  }
}

function migrate(database: DatabaseSync, path: string): void {
  const pragma = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get()!)[0] as number
  const current = schemaSteps.length
  const check = (): number => {
    const version = pragma('user_version')
    const owner = pragma('application_id')
    if (owner !== applicationId && (owner !== 0 || version !== 0 || pragma('schema_version') !== 0))
      throw new GuerdonError('not-a-store', 'is a database of something else.', {
        place: { file: path },
        fix: 'Name another file for the store.',
      })
    if (version > current)
      throw new GuerdonError(
        'store-newer',
        `was written by a newer guerdon (store version ${version}; this one reads up to ${current}).`,
        { place: { file: path }, fix: 'Update guerdon, or name another file for the store.' },
      )
    return version
  }
  if (check() === current) return
  database.exec('PRAGMA journal_mode = WAL; BEGIN IMMEDIATE')
  try {
    for (const step of schemaSteps.slice(check())) database.exec(step) // another process may have been faster
    database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${current}; COMMIT`)
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

/** SQLite's primary result codes (the low byte of what node reports). */
const resultCodes = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
}

function storeError(error: unknown, path: string): Error {
  if (error instanceof GuerdonError) return error
  const { code, errcode, errno } = error as { code?: string; errcode?: number; errno?: number }
  const fail = (name: string, what: string, fix: string) =>
    new GuerdonError(name, what, { place: { file: path }, fix, cause: error })
  if (code === 'ERR_SQLITE_ERROR')
    switch ((errcode ?? 0) & 0xff) {
      case resultCodes.busy:
      case resultCodes.locked:
        return fail(
          'store-locked',
          'another process has been writing to the store for too long.',
          'Wait for it to end (or stop it) and run the same command again: what was written is kept.',
        )
      case resultCodes.full:
        return full(path, error)
      case resultCodes.readOnly:
        return readOnly(path, error)
      case resultCodes.cannotOpen:
        return cannotOpen(path, error)
      case resultCodes.corrupt:
      case resultCodes.notADatabase:
        return fail(
          'store-corrupt',
          'is not a store, or is damaged.',
          'Restore it from a copy, or move it away: the next run starts a new one.',
        )
      case resultCodes.ioError:
        return fail(
          'store-failed',
          `the disk could not be read or written (${messageOf(error)}).`,
          'Check the disk and its free space, then run the same command again: what was written is kept.',
        )
    }
  if (code === 'ENOSPC' || code === 'EDQUOT') return full(path, error)
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return readOnly(path, error)
  if (errno !== undefined) return cannotOpen(path, error)
  return error instanceof Error ? error : new Error(messageOf(error))
}

function full(path: string, cause: unknown): GuerdonError {
  return new GuerdonError('store-full', 'there is no space left for the store.', {
    place: { file: path },
    fix: 'Free some space and run the same command again: what was written is kept, and only the rest is computed.',
    cause,
  })
}

function readOnly(path: string, cause: unknown): GuerdonError {
  return new GuerdonError('store-read-only', 'the store cannot be written.', {
    place: { file: path },
    fix: 'Give write permission to the file and its folder, or name a store elsewhere.',
    cause,
  })
}

function cannotOpen(path: string, cause: unknown): GuerdonError {
  const folder = dirname(path)
  try {
    accessSync(folder, constants.W_OK)
  } catch {
    return readOnly(path, cause)
  }
  return new GuerdonError('store-failed', `the store cannot be opened (${messageOf(cause)}).`, {
    place: { file: path },
    fix: 'Name a file in a folder that can be written.',
    cause,
  })
}
