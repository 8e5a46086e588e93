import type { Sqlite } from './sqlite.ts'
import type { Documents, KeptDocument } from './store.ts'

export class SqliteDocuments implements Documents {
  readonly #sqlite: Sqlite

  constructor(sqlite: Sqlite) {
    this.#sqlite = sqlite
  }

  async keep({ kind, id, created, title, content }: KeptDocument): Promise<void> {
    this.#sqlite.run(
      `INSERT INTO documents (kind, id, created, title, content) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (kind, id) DO UPDATE SET created = excluded.created, title = excluded.title,
         content = excluded.content`,
      kind,
      id,
      created,
      title,
      JSON.stringify(content),
    )
  }

  async find(kind: string, id: string): Promise<KeptDocument | undefined> {
    type Row = Omit<KeptDocument, 'content'> & { content: string }
    const row = this.#sqlite.get<Row>(
      'SELECT kind, id, created, title, content FROM documents WHERE kind = ? AND id = ?',
      kind,
      id,
    )
    return row && { ...row, content: JSON.parse(row.content) }
  }

  async list(kind?: string): Promise<Omit<KeptDocument, 'content'>[]> {
    type Row = Omit<KeptDocument, 'content'>
    const rows = this.#sqlite.all<Row>(
      `SELECT kind, id, created, title FROM documents WHERE coalesce(kind = ?, true)
       ORDER BY created DESC, key DESC`,
      kind ?? null,
    )
    return rows.map((row) => ({ ...row }))
  }

  async remove(kind: string, id: string): Promise<void> {
    this.#sqlite.run('DELETE FROM documents WHERE kind = ? AND id = ?', kind, id)
  }
}
