import type { Sqlite } from './sqlite.ts'
import type { Vote, Votes } from './store.ts'

export class SqliteVotes implements Votes {
  readonly #sqlite: Sqlite

  constructor(sqlite: Sqlite) {
    this.#sqlite = sqlite
  }

  async add(votes: readonly Vote[]): Promise<void> {
    this.#sqlite.transaction(() => {
      for (const { id, created, question, a, b, choice, voter, meta } of votes)
        this.#sqlite.run(
          `INSERT INTO votes (id, created, question, a, b, choice, voter, meta) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT DO NOTHING`,
          id,
          created,
          question,
          a,
          b,
          choice,
          voter ?? null,
          JSON.stringify(meta),
        )
    })
  }

  async list(question?: string): Promise<Vote[]> {
    type Row = Omit<Vote, 'voter' | 'meta'> & { key: number; voter: string | null; meta: string }
    const rows =
      question === undefined
        ? this.#sqlite.all<Row>('SELECT * FROM votes ORDER BY key')
        : this.#sqlite.all<Row>('SELECT * FROM votes WHERE question = ? ORDER BY key', question)
    return rows.map(({ key: _key, voter, meta, ...vote }) => ({
      ...vote,
      ...(voter === null ? {} : { voter }),
      meta: JSON.parse(meta),
    }))
  }
}
