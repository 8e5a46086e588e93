import type { Postgres } from './postgres.ts'
import { restored, restoredJson, storable, storableJson } from './postgres-values.ts'
import type { Vote, Votes } from './store.ts'

export class PostgresVotes implements Votes {
  readonly #postgres: Postgres

  constructor(postgres: Postgres) {
    this.#postgres = postgres
  }

  async add(votes: readonly Vote[]): Promise<void> {
    await this.#postgres.transaction(async (sql) => {
      for (const { id, created, question, a, b, choice, voter, meta } of votes)
        await sql.run(
          `INSERT INTO votes (id, created, question, a, b, choice, voter, meta)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
          storable(id),
          storable(created),
          storable(question),
          storable(a),
          storable(b),
          choice,
          voter === undefined ? null : storable(voter),
          storableJson(meta),
        )
    })
  }

  async list(question?: string): Promise<Vote[]> {
    type Row = Omit<Vote, 'voter' | 'meta'> & { key: number; voter: string | null; meta: string }
    const rows =
      question === undefined
        ? await this.#postgres.all<Row>('SELECT * FROM votes ORDER BY key')
        : await this.#postgres.all<Row>(
            'SELECT * FROM votes WHERE question = $1 ORDER BY key',
            storable(question),
          )
    return rows.map(({ id, created, question, a, b, choice, voter, meta }) => ({
      id: restored(id),
      created: restored(created),
      question: restored(question),
      a: restored(a),
      b: restored(b),
      choice,
      ...(voter === null ? {} : { voter: restored(voter) }),
      meta: restoredJson(meta),
    }))
  }
}
