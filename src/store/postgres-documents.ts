import type { Postgres } from './postgres.ts'
import { restored, restoredJson, storable, storableJson } from './postgres-values.ts'
import type { Documents, KeptDocument } from './store.ts'

export class PostgresDocuments implements Documents {
  readonly #postgres: Postgres

  constructor(postgres: Postgres) {
    this.#postgres = postgres
  }

  async keep({ kind, id, created, title, content }: KeptDocument): Promise<void> {
    await this.#postgres.run(
      `INSERT INTO documents (kind, id, created, title, content) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (kind, id) DO UPDATE SET created = excluded.created, title = excluded.title,
         content = excluded.content`,
      storable(kind),
      storable(id),
      storable(created),
      storable(title),
      storableJson(content),
    )
  }

  async find(kind: string, id: string): Promise<KeptDocument | undefined> {
    const row = await this.#postgres.get<Omit<KeptDocument, 'content'> & { content: string }>(
      'SELECT kind, id, created, title, content FROM documents WHERE kind = $1 AND id = $2',
      storable(kind),
      storable(id),
    )
    return row && { ...headOf(row), content: restoredJson(row.content) }
  }

  async list(kind?: string): Promise<Omit<KeptDocument, 'content'>[]> {
    const rows = await this.#postgres.all<Omit<KeptDocument, 'content'>>(
      `SELECT kind, id, created, title FROM documents WHERE kind = $1 OR $1 IS NULL
       ORDER BY created DESC, key DESC`,
      kind === undefined ? null : storable(kind),
    )
    return rows.map(headOf)
  }

  async remove(kind: string, id: string): Promise<void> {
    await this.#postgres.run(
      'DELETE FROM documents WHERE kind = $1 AND id = $2',
      storable(kind),
      storable(id),
    )
  }
}

function headOf({ kind, id, created, title }: Omit<KeptDocument, 'content'>): Omit<KeptDocument, 'content'> {
  return { kind: restored(kind), id: restored(id), created: restored(created), title: restored(title) }
}
