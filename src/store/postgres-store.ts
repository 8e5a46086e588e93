import { Postgres, type PostgresOptions } from './postgres.ts'
import { PostgresCalls } from './postgres-calls.ts'
import { PostgresDocuments } from './postgres-documents.ts'
import { PostgresRuns } from './postgres-runs.ts'
import { PostgresSamples } from './postgres-samples.ts'
import { PostgresVotes } from './postgres-votes.ts'
import type { Store } from './store.ts'

export interface PostgresStore extends Store {
  readonly runs: PostgresRuns
  /** The connections, for what stands beside the store in the same database. */
  readonly postgres: Postgres
}

/** Opens the store in a schema of a PostgreSQL database, making it if need be. */
export async function openPostgresStore(
  address: string,
  options: PostgresOptions = {},
): Promise<PostgresStore> {
  const postgres = await Postgres.open(address, options)
  const runs = new PostgresRuns(postgres)
  return {
    location: postgres.location,
    address: postgres.address,
    postgres,
    runs,
    samples: new PostgresSamples(postgres, runs),
    calls: new PostgresCalls(postgres),
    votes: new PostgresVotes(postgres),
    documents: new PostgresDocuments(postgres),
    close: () => postgres.close(),
  }
}
