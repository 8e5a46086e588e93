import { resolve } from 'node:path'
import { Sqlite, type SqliteOptions } from './sqlite.ts'
import { SqliteCalls } from './sqlite-calls.ts'
import { SqliteDocuments } from './sqlite-documents.ts'
import { SqliteRuns } from './sqlite-runs.ts'
import { SqliteSamples } from './sqlite-samples.ts'
import { SqliteVotes } from './sqlite-votes.ts'
import type { Store } from './store.ts'

/** Where the store is unless another path is given: in the working directory. */
export const defaultStorePath = '.guerdon/store.db'

/**
 * Opens the embedded store, making it (and its folder) if need be. Any number of processes may have one file open;
 * it must be on a local disk.
 *
 * @throws GuerdonError `store-missing`, `not-a-store`, `store-newer`, and what `Store` lists
 */
export async function openStore(
  path: string = defaultStorePath,
  options: SqliteOptions = {},
): Promise<Store> {
  const location = resolve(path)
  const sqlite = await Sqlite.open(location, options)
  return {
    location,
    runs: new SqliteRuns(sqlite),
    samples: new SqliteSamples(sqlite),
    calls: new SqliteCalls(sqlite),
    votes: new SqliteVotes(sqlite),
    documents: new SqliteDocuments(sqlite),
    close: async () => sqlite.close(),
  }
}
