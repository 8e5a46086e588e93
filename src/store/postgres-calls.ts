import type { UnscoredCode, Usage } from '../core/index.ts'
import type { Postgres } from './postgres.ts'
import { usageOf, usageSums } from './postgres-totals.ts'
import { restored, restoredJson, storable, storableJson, textsArray } from './postgres-values.ts'
import type { CachedCall, Calls, FailedCall } from './store.ts'

interface CallRow {
  readonly key: string
  readonly model: string
  readonly answer: string | null
  readonly code: UnscoredCode | null
  readonly reason: string | null
  readonly usage: Usage | null
}

export class PostgresCalls implements Calls {
  readonly #postgres: Postgres

  constructor(postgres: Postgres) {
    this.#postgres = postgres
  }

  async find(keys: readonly string[]): Promise<ReadonlyMap<string, CachedCall>> {
    const found = new Map<string, CachedCall>()
    for (const { key, model, answer, usage } of await this.#rows(keys))
      if (answer !== null)
        found.set(key, { key, model, answer: restoredJson(answer), ...(usage === null ? {} : { usage }) })
    return found
  }

  async failures(keys: readonly string[]): Promise<ReadonlyMap<string, FailedCall>> {
    const found = new Map<string, FailedCall>()
    for (const { key, model, code, reason } of await this.#rows(keys))
      if (code !== null) found.set(key, { key, model, code, reason: restored(reason ?? '') })
    return found
  }

  async keep(calls: readonly CachedCall[]): Promise<void> {
    const rows = inOrder(calls)
    if (rows.length === 0) return
    await this.#postgres.run(
      `INSERT INTO calls (key, model, answer, usage)
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[])
       ON CONFLICT (key) DO UPDATE SET model = excluded.model, answer = excluded.answer, code = NULL,
         reason = NULL, usage = excluded.usage WHERE calls.answer IS NULL`,
      textsArray(rows.map(({ key }) => storable(key))),
      textsArray(rows.map(({ model }) => storable(model))),
      textsArray(rows.map(({ answer }) => storableJson(answer))),
      textsArray(rows.map(({ usage }) => (usage === undefined ? null : JSON.stringify(usage)))),
    )
  }

  async keepFailures(calls: readonly FailedCall[]): Promise<void> {
    const rows = inOrder(calls)
    if (rows.length === 0) return
    await this.#postgres.run(
      `INSERT INTO calls (key, model, code, reason)
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
       ON CONFLICT (key) DO UPDATE SET model = excluded.model, code = excluded.code, reason = excluded.reason
       WHERE calls.answer IS NULL`,
      textsArray(rows.map(({ key }) => storable(key))),
      textsArray(rows.map(({ model }) => storable(model))),
      textsArray(rows.map(({ code }) => code)),
      textsArray(rows.map(({ reason }) => storable(reason))),
    )
  }

  async totals() {
    type Row = { answers: number; failures: number } & Record<keyof Usage, number | null>
    const { answers, failures, ...sums } = await this.#postgres.transaction(
      async (sql) =>
        (await sql.get<Row>(
          `SELECT count(answer) AS answers, count(code) AS failures, ${usageSums} FROM calls`,
        ))!,
      { isLong: true, isReading: true },
    )
    return { answers, failures, usage: usageOf(sums) }
  }

  async clear(model?: string): Promise<void> {
    await this.#postgres.transaction(
      (sql) =>
        model === undefined
          ? sql.run('DELETE FROM calls')
          : sql.run('DELETE FROM calls WHERE model = $1', storable(model)),
      { isLong: true },
    )
  }

  async #rows(keys: readonly string[]): Promise<CallRow[]> {
    if (keys.length === 0) return []
    const rows = await this.#postgres.all<CallRow>(
      'SELECT * FROM calls WHERE key = ANY($1::text[])',
      textsArray([...new Set(keys)].map(storable)),
    )
    return rows.map((row) => ({ ...row, key: restored(row.key), model: restored(row.model) }))
  }
}

/** Each key once (the first of them counts), in one order for all who write. */
function inOrder<Call extends { readonly key: string }>(calls: readonly Call[]): Call[] {
  const byKey = new Map<string, Call>()
  for (const call of calls) if (!byKey.has(call.key)) byKey.set(call.key, call)
  return [...byKey.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
}
