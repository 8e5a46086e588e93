import { Postgres, type PostgresOptions } from './postgres.ts'
import { PostgresCalls } from './postgres-calls.ts'
import { PostgresDocuments } from './postgres-documents.ts'
import { PostgresRuns } from './postgres-runs.ts'
import { PostgresVotes } from './postgres-votes.ts'
import type { Store } from './store.ts'

/** Opens the store in a schema of a PostgreSQL database, making it if need be. */
export async function openPostgresStore(address: string, options: PostgresOptions = {}): Promise<Store> {
  const postgres = await Postgres.open(address, options)
  return {
    location: postgres.location,
    runs: new PostgresRuns(postgres),
    calls: new PostgresCalls(postgres),
    votes: new PostgresVotes(postgres),
    documents: new PostgresDocuments(postgres),
    close: () => postgres.close(),
  } as unknown as Store
}
