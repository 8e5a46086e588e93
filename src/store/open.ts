import { resolve } from 'node:path'
import { isPostgresAddress, type PostgresOptions } from './postgres.ts'
import { Sqlite, type SqliteOptions } from './sqlite.ts'
import { SqliteCalls } from './sqlite-calls.ts'
import { SqliteDocuments } from './sqlite-documents.ts'
import { SqliteRuns } from './sqlite-runs.ts'
import { SqliteSamples } from './sqlite-samples.ts'
import { SqliteVotes } from './sqlite-votes.ts'
import type { Store } from './store.ts'

/** Where the store is unless another path or address is given: in the working directory. */
export const defaultStorePath = '.guerdon/store.db'

/** Of either kind of store; what does not concern the one that is opened is ignored. */
export type StoreOptions = SqliteOptions & PostgresOptions

/** The PostgreSQL database that the environment names as the store (`DATABASE_URL`), if it names one. */
export function storeOfEnvironment(): string | undefined {
  const address = process.env.DATABASE_URL
  return address !== undefined && isPostgresAddress(address) ? address : undefined
}

/**
 * Opens a store, making it if need be: a file (and its folder), which any number of processes of one machine may have
 * open, on a local disk; or a schema of a PostgreSQL database (`postgres://user:password@host/database?schema=guerdon`),
 * for any number of machines.
 *
 * @param location a path or an address. @default `DATABASE_URL` where that is one of PostgreSQL, else `.guerdon/store.db`
 * @throws GuerdonError `store-missing`, `not-a-store`, `store-newer`, `bad-address`, and what `Store` lists
 */
export async function openStore(
  location: string = storeOfEnvironment() ?? defaultStorePath,
  options: StoreOptions = {},
): Promise<Store> {
  if (isPostgresAddress(location)) {
    const { openPostgresStore } = await import('./postgres-store.ts') // and the driver, only where they are wanted
    return openPostgresStore(location, options)
  }
  const path = resolve(location)
  const sqlite = await Sqlite.open(path, options)
  return {
    location: path,
    address: path,
    runs: new SqliteRuns(sqlite),
    samples: new SqliteSamples(sqlite),
    calls: new SqliteCalls(sqlite),
    votes: new SqliteVotes(sqlite),
    documents: new SqliteDocuments(sqlite),
    close: async () => sqlite.close(),
  }
}
