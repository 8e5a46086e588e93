import type { UnscoredCode, Usage } from '../core/index.ts'
import type { Sqlite } from './sqlite.ts'
import type { CachedCall, Calls, FailedCall } from './store.ts'

interface CallRow {
  readonly key: string
  readonly model: string
  readonly answer: string | null
  readonly code: UnscoredCode | null
  readonly reason: string | null
  readonly usage: string | null
}

export class SqliteCalls implements Calls {
  readonly #sqlite: Sqlite

  constructor(sqlite: Sqlite) {
    this.#sqlite = sqlite
  }

  async find(keys: readonly string[]): Promise<ReadonlyMap<string, CachedCall>> {
    const found = new Map<string, CachedCall>()
    for (const { key, model, answer, usage } of this.#rows(keys))
      if (answer !== null)
        found.set(key, {
          key,
          model,
          answer: JSON.parse(answer),
          ...(usage === null ? {} : { usage: JSON.parse(usage) }),
        })
    return found
  }

  async failures(keys: readonly string[]): Promise<ReadonlyMap<string, FailedCall>> {
    const found = new Map<string, FailedCall>()
    for (const { key, model, code, reason } of this.#rows(keys))
      if (code !== null) found.set(key, { key, model, code, reason: reason ?? '' })
    return found
  }

  async keep(calls: readonly CachedCall[]): Promise<void> {
    this.#sqlite.transaction(() => {
      for (const { key, model, answer, usage } of calls)
        this.#sqlite.run(
          `INSERT INTO calls VALUES (?, ?, ?, NULL, NULL, ?) ON CONFLICT DO UPDATE SET model = excluded.model,
             answer = excluded.answer, code = NULL, reason = NULL, usage = excluded.usage
           WHERE calls.answer IS NULL`,
          key,
          model,
          JSON.stringify(answer),
          usage === undefined ? null : JSON.stringify(usage),
        )
    })
  }

  async keepFailures(calls: readonly FailedCall[]): Promise<void> {
    this.#sqlite.transaction(() => {
      for (const { key, model, code, reason } of calls)
        this.#sqlite.run(
          `INSERT INTO calls VALUES (?, ?, NULL, ?, ?, NULL) ON CONFLICT DO UPDATE SET model = excluded.model,
             code = excluded.code, reason = excluded.reason WHERE calls.answer IS NULL`,
          key,
          model,
          code,
          reason,
        )
    })
  }

  async totals() {
    const { answers, failures, ...usage } = this.#sqlite.get<
      { answers: number; failures: number } & Record<keyof Usage, number | null>
    >(
      `SELECT count(answer) AS answers, count(code) AS failures, sum(usage ->> '$.calls') AS calls,
         sum(usage ->> '$.inputTokens') AS inputTokens, sum(usage ->> '$.outputTokens') AS outputTokens,
         sum(usage ->> '$.costUsd') AS costUsd FROM calls`,
    )!
    const known = Object.entries(usage).filter(([, count]) => count !== null)
    return { answers, failures, usage: Object.fromEntries(known) as Usage }
  }

  async clear(model?: string): Promise<void> {
    if (model === undefined) this.#sqlite.run('DELETE FROM calls')
    else this.#sqlite.run('DELETE FROM calls WHERE model = ?', model)
  }

  #rows(keys: readonly string[]): CallRow[] {
    return keys.flatMap((key) => this.#sqlite.get<CallRow>('SELECT * FROM calls WHERE key = ?', key) ?? [])
  }
}
