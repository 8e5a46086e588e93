import {
  GuerdonError,
  type JsonObject,
  retryableCodes,
  type Score,
  type UnscoredCode,
} from '../core/index.ts'
import { type ScoreRow, sampleRows, scoreOf, scoreRows } from './rows.ts'
import { readSampleText } from './sample-text.ts'
import type { Sqlite } from './sqlite.ts'
import type {
  BadRow,
  GroupTotals,
  NewRun,
  PlacedSample,
  PlacedScores,
  RewardTotals,
  RowWarning,
  RunBatch,
  RunStatus,
  Runs,
  RunTotals,
  StoredReward,
  StoredRun,
  StoredStretch,
  UnscoredExample,
} from './store.ts'

/** Of the bad rows of a run, and of its warnings, this many keep their message; the others are counted by kind. */
const messagesKept = 1000

type NoteTable = 'bad_rows' | 'row_warnings'

const retryable = [...retryableCodes].map((code) => `'${code}'`).join(', ')

const replaceScore = `DO UPDATE SET value = excluded.value, code = excluded.code, reason = excluded.reason,
  abstained = excluded.abstained, parts = excluded.parts, details = excluded.details`
const replaceFailure = `${replaceScore} WHERE scores.code IN (${retryable})`

/** The integer keys that a run and its rewards have in this file. */
interface RunKeys {
  readonly run: number
  readonly rewards: ReadonlyMap<string, number>
  readonly messagesLeft: Record<NoteTable, number>
}

interface RunRow {
  readonly key: number
  readonly id: string
  readonly created: string
  readonly status: RunStatus
  readonly source: string | null
  readonly data_hash: string | null
  readonly config: string
}

export class SqliteRuns implements Runs {
  readonly #sqlite: Sqlite
  readonly #keys = new Map<string, RunKeys>()

  constructor(sqlite: Sqlite) {
    this.#sqlite = sqlite
  }

  async create(run: NewRun): Promise<StoredRun> {
    const added = this.#sqlite.run(
      `INSERT INTO runs (id, created, status, source, data_hash, config) VALUES (?, ?, 'running', ?, ?, ?)
       ON CONFLICT DO NOTHING`,
      run.id,
      run.created,
      run.source ?? null,
      run.dataHash ?? null,
      JSON.stringify(run.config),
    )
    if (added === 0)
      throw new GuerdonError('run-exists', `there is a run "${run.id}" already.`, {
        place: { file: this.#sqlite.path },
        fix: 'Resume it, or choose another id.',
      })
    return { ...run, status: 'running', rewards: [] }
  }

  async find(id: string): Promise<StoredRun | undefined> {
    const row = this.#sqlite.get<RunRow>('SELECT * FROM runs WHERE id = ?', id)
    return row && this.#storedRun(row)
  }

  async list(): Promise<StoredRun[]> {
    return this.#sqlite
      .all<RunRow>('SELECT * FROM runs ORDER BY created DESC, key DESC')
      .map((row) => this.#storedRun(row))
  }

  async setStatus(id: string, status: RunStatus): Promise<void> {
    this.#sqlite.run('UPDATE runs SET status = ? WHERE id = ?', status, id)
  }

  async addRewards(id: string, rewards: readonly StoredReward[]): Promise<void> {
    const { run } = this.#keysOf(id)
    this.#sqlite.transaction(() => {
      for (const { name, identity, ...head } of rewards) {
        const there = this.#sqlite.get<{ identity: string }>(
          'SELECT identity FROM rewards WHERE run = ? AND name = ?',
          run,
          name,
        )
        if (there === undefined)
          this.#sqlite.run(
            'INSERT INTO rewards (run, name, identity, head) VALUES (?, ?, ?, ?)',
            run,
            name,
            identity,
            JSON.stringify(head),
          )
        else if (there.identity !== identity)
          throw new GuerdonError(
            'reward-changed',
            `is not the reward that run "${id}" was started with: its version or its options differ.`,
            {
              place: { reward: name },
              fix: 'Start a new run, give the reward another name, or go back to the options of the run.',
            },
          )
      }
    })
    this.#keys.delete(id)
  }

  async remove(id: string): Promise<void> {
    const { run, rewards } = this.#keysOf(id)
    this.#sqlite.transaction(() => {
      for (const reward of rewards.values()) {
        this.#sqlite.run('DELETE FROM scores WHERE reward = ?', reward)
        this.#sqlite.run('DELETE FROM segments WHERE reward = ?', reward)
      }
      for (const table of ['samples', 'contents', 'bad_rows', 'row_warnings', 'rewards'])
        this.#sqlite.run(`DELETE FROM ${table} WHERE run = ?`, run)
      this.#sqlite.run('DELETE FROM runs WHERE key = ?', run)
    })
    this.#keys.delete(id)
  }

  async record(id: string, batch: RunBatch): Promise<void> {
    const keys = this.#keysOf(id)
    // Everything is put into rows before the transaction, which others wait for.
    const { heads, contents } = sampleRows(keys.run, batch.samples ?? [])
    const scores = (batch.scores ?? []).map((one) => ({
      rows: scoreRows(this.#rewardKey(id, one.reward), one),
      replace: one.replace ?? false,
    }))
    const segments = (batch.finishedSegments ?? []).flatMap(({ segment, rewards }) =>
      rewards.flatMap((reward) => [this.#rewardKey(id, reward), segment]),
    )
    this.#sqlite.transaction(() => {
      this.#sqlite.insert('samples', 4, heads, 'DO NOTHING')
      this.#sqlite.insert('contents', 3, contents, 'DO NOTHING')
      for (const { rows, replace } of scores)
        this.#sqlite.insert('scores', 8, rows, replace ? replaceScore : replaceFailure)
      this.#addNotes('bad_rows', keys, batch.badRows ?? [])
      this.#addNotes('row_warnings', keys, batch.warnings ?? [])
      this.#sqlite.insert('segments', 2, segments, 'DO NOTHING')
    })
  }

  #addNotes(table: NoteTable, { run, messagesLeft }: RunKeys, rows: readonly BadRow[]): void {
    for (const { position, kind, message } of rows)
      messagesLeft[table] -= this.#sqlite.run(
        `INSERT INTO ${table} VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
        run,
        position,
        kind,
        messagesLeft[table] > 0 ? message : null,
      )
  }

  async stretch(id: string, first: number, last: number): Promise<StoredStretch> {
    const { run, rewards } = this.#keysOf(id)
    const positions = (sql: string, key: number) =>
      new Set(this.#sqlite.all<{ position: number }>(sql, key, first, last).map(({ position }) => position))
    return {
      samples: positions('SELECT position FROM samples WHERE run = ? AND position BETWEEN ? AND ?', run),
      settled: Object.fromEntries(
        [...rewards].map(([name, reward]) => [
          name,
          positions(
            `SELECT position FROM scores WHERE reward = ? AND position BETWEEN ? AND ?
             AND (code IS NULL OR code NOT IN (${retryable}))`,
            reward,
          ),
        ]),
      ),
      duplicates: positions(
        `SELECT position FROM bad_rows WHERE run = ? AND position BETWEEN ? AND ? AND kind = 'duplicate-id'`,
        run,
      ),
    }
  }

  async samples(id: string, first: number, last: number): Promise<PlacedSample[]> {
    const { run } = this.#keysOf(id)
    return this.#samples('run = ? AND position BETWEEN ? AND ? ORDER BY position', run, first, last)
  }

  async page(id: string, { after, limit }: { after: number; limit: number }): Promise<PlacedScores[]> {
    const { run, rewards } = this.#keysOf(id)
    const samples = this.#samples('run = ? AND position > ? ORDER BY position LIMIT ?', run, after, limit)
    if (samples.length === 0) return []
    const scores = new Map<number, Record<string, Score>>(samples.map(({ position }) => [position, {}]))
    for (const [name, reward] of rewards)
      for (const row of this.#sqlite.all<ScoreRow>(
        'SELECT * FROM scores WHERE reward = ? AND position BETWEEN ? AND ?',
        reward,
        samples[0]!.position,
        samples.at(-1)!.position,
      )) {
        const entry = scores.get(row.position)
        if (entry) entry[name] = scoreOf(row)
      }
    return samples.map((placed) => ({ ...placed, scores: scores.get(placed.position)! }))
  }

  async progress(id: string) {
    const result: Record<string, { segments: ReadonlySet<number>; retryable: number[] }> = {}
    for (const [name, reward] of this.#keysOf(id).rewards) {
      const segments = this.#sqlite.all<{ segment: number }>(
        'SELECT segment FROM segments WHERE reward = ?',
        reward,
      )
      const failures = this.#sqlite.all<{ position: number }>(
        `SELECT position FROM scores WHERE reward = ? AND code IN (${retryable}) ORDER BY position`,
        reward,
      )
      result[name] = {
        segments: new Set(segments.map(({ segment }) => segment)),
        retryable: failures.map(({ position }) => position),
      }
    }
    return result
  }

  async badRows(id: string, limit: number): Promise<BadRow[]> {
    return this.#notes('bad_rows', id, limit)
  }

  async warnings(id: string, limit: number): Promise<RowWarning[]> {
    return this.#notes('row_warnings', id, limit)
  }

  #notes(table: NoteTable, id: string, limit: number): BadRow[] {
    return this.#sqlite.all<BadRow>(
      `SELECT position, kind, message FROM ${table} WHERE run = ? AND message IS NOT NULL
       ORDER BY position LIMIT ?`,
      this.#keysOf(id).run,
      limit,
    )
  }

  #noteCounts(table: NoteTable, run: number): Record<string, number> {
    const kinds = this.#sqlite.all<{ kind: string; count: number }>(
      `SELECT kind, count(*) AS count FROM ${table} WHERE run = ? GROUP BY kind ORDER BY kind`,
      run,
    )
    return Object.fromEntries(kinds.map(({ kind, count }) => [kind, count]))
  }

  async dropDuplicates(
    id: string,
    message: (sample: string, position: number, first: number) => string,
    among: readonly string[] | 'all',
  ): Promise<number> {
    const keys = this.#keysOf(id)
    const { run, rewards } = keys
    return this.#sqlite.transaction(() => {
      this.#sqlite.run('DROP TABLE IF EXISTS temp.repeated')
      const suspects = among === 'all' ? '' : 'AND id IN (SELECT value FROM json_each(?))'
      this.#sqlite.run(
        `CREATE TEMP TABLE repeated AS
         SELECT position, id, first FROM
           (SELECT position, id, min(position) OVER (PARTITION BY id) AS first FROM samples
            WHERE run = ${run} ${suspects})
         WHERE position > first ORDER BY position`,
        ...(among === 'all' ? [] : [JSON.stringify(among)]),
      )
      const shown = this.#sqlite.all<{ position: number; id: string; first: number }>(
        'SELECT * FROM temp.repeated ORDER BY position LIMIT ?',
        Math.max(0, keys.messagesLeft.bad_rows),
      )
      this.#addNotes(
        'bad_rows',
        keys,
        shown.map(({ position, id: sample, first }) => ({
          position,
          kind: 'duplicate-id',
          message: message(sample, position, first),
        })),
      )
      this.#sqlite.run(
        `INSERT INTO bad_rows SELECT ?, position, 'duplicate-id', NULL FROM temp.repeated WHERE true
         ON CONFLICT DO NOTHING`,
        run,
      )
      for (const reward of rewards.values())
        this.#sqlite.run(
          'DELETE FROM scores WHERE reward = ? AND position IN (SELECT position FROM temp.repeated)',
          reward,
        )
      const remove = (table: string) =>
        this.#sqlite.run(
          `DELETE FROM ${table} WHERE run = ? AND position IN (SELECT position FROM temp.repeated)`,
          run,
        )
      remove('contents')
      return remove('samples')
    })
  }

  async totals(id: string): Promise<RunTotals> {
    const { run, rewards } = this.#keysOf(id)
    const { samples } = this.#sqlite.get<{ samples: number }>(
      'SELECT count(*) AS samples FROM samples WHERE run = ?',
      run,
    )!
    const badRowsBy = this.#noteCounts('bad_rows', run)
    const warningsBy = this.#noteCounts('row_warnings', run)
    return {
      samples,
      badRows: sumOf(badRowsBy),
      badRowsBy,
      warnings: sumOf(warningsBy),
      warningsBy,
      rewards: Object.fromEntries(
        [...rewards].map(([name, key]) => [name, this.#rewardTotals(run, key, samples)]),
      ),
    }
  }

  #rewardTotals(run: number, reward: number, samples: number): RewardTotals {
    type Row = Record<string, number | null> & { asked: number; scored: number }
    const row = this.#sqlite.get<Row>(
      `SELECT count(*) AS asked, count(value) AS scored, avg(value) AS mean, min(value) AS minimum,
         max(value) AS maximum, sum(details ->> '$.usage.calls') AS calls,
         sum(details ->> '$.usage.inputTokens') AS inputTokens,
         sum(details ->> '$.usage.outputTokens') AS outputTokens, sum(details ->> '$.usage.costUsd') AS costUsd
       FROM scores WHERE reward = ?`,
      reward,
    )!
    type Failure = UnscoredExample & { code: UnscoredCode; count: number; abstained: number }
    // Beside min(), SQLite takes the other columns from the row that has the minimum.
    const failures = this.#sqlite.all<Failure>(
      `SELECT failures.*, coalesce(samples.id, '') AS sample FROM (
         SELECT code, count(*) AS count, count(abstained) AS abstained, min(position) AS position,
           coalesce(reason, '') AS reason
         FROM scores WHERE reward = ? AND code IS NOT NULL GROUP BY code) AS failures
       LEFT JOIN samples ON samples.run = ? AND samples.position = failures.position ORDER BY code`,
      reward,
      run,
    )
    const { asked, scored, mean, minimum, maximum, ...usage } = row
    return {
      scored,
      unscored: asked - scored,
      unscoredBy: Object.fromEntries(failures.map(({ code, count }) => [code, count])),
      firstUnscoredBy: Object.fromEntries(
        failures.map(({ code, position, sample, reason }) => [code, { position, sample, reason }]),
      ),
      abstained: failures.reduce((sum, failure) => sum + failure.abstained, 0),
      retryable: failures.reduce((sum, { code, count }) => sum + (retryableCodes.has(code) ? count : 0), 0),
      waiting: samples - asked,
      mean: mean ?? null,
      minimum: minimum ?? null,
      maximum: maximum ?? null,
      usage: Object.fromEntries(Object.entries(usage).filter(([, count]) => count !== null)),
    }
  }

  async groupTotals(id: string): Promise<Record<string, GroupTotals>> {
    const { run, rewards } = this.#keysOf(id)
    // Where there are groups, the first samples mostly show one; where there are none, sorting once is enough.
    const repeated = [1000, -1].some((first) =>
      this.#sqlite.get(
        `SELECT 1 FROM (SELECT group_hash FROM samples WHERE run = ? ORDER BY position LIMIT ?)
         GROUP BY group_hash HAVING count(*) > 1 LIMIT 1`,
        run,
        first,
      ),
    )
    const totals = (reward: number): GroupTotals => {
      if (!repeated) return { groups: 0, zeroVariance: 0 }
      return this.#sqlite.get<GroupTotals>(
        `SELECT count(*) AS groups, coalesce(sum(low = high), 0) AS zeroVariance FROM (
           SELECT min(value) AS low, max(value) AS high FROM samples
           JOIN scores ON scores.reward = ? AND scores.position = samples.position
           WHERE run = ? AND value IS NOT NULL GROUP BY group_hash HAVING count(*) > 1)`,
        reward,
        run,
      )!
    }
    return Object.fromEntries([...rewards].map(([name, key]) => [name, { ...totals(key) }]))
  }

  #samples(where: string, ...values: number[]): PlacedSample[] {
    return this.#sqlite
      .all<{ position: number; id: string; content: string }>(
        `SELECT position, id, content FROM samples JOIN contents USING (run, position) WHERE ${where}`,
        ...values,
      )
      .map(({ position, id, content }) => ({ position, sample: readSampleText(id, content) }))
  }

  #storedRun(row: RunRow): StoredRun {
    const rewards = this.#sqlite.all<{ name: string; identity: string; head: string }>(
      'SELECT name, identity, head FROM rewards WHERE run = ? ORDER BY key',
      row.key,
    )
    return {
      id: row.id,
      created: row.created,
      status: row.status,
      ...(row.source === null ? {} : { source: row.source }),
      ...(row.data_hash === null ? {} : { dataHash: row.data_hash }),
      config: JSON.parse(row.config) as JsonObject,
      rewards: rewards.map(({ name, identity, head }) => {
        const { range, ...rest } = JSON.parse(head)
        const [low, high] = range // JSON turned infinite bounds into null
        return {
          name,
          identity,
          ...rest,
          range: [low ?? Number.NEGATIVE_INFINITY, high ?? Number.POSITIVE_INFINITY],
        }
      }),
    }
  }

  #rewardKey(id: string, name: string): number {
    const key = this.#keysOf(id).rewards.get(name)
    if (key === undefined)
      throw new GuerdonError('unknown-reward', `run "${id}" has no reward of this name.`, {
        place: { reward: name },
      })
    return key
  }

  #keysOf(id: string): RunKeys {
    const known = this.#keys.get(id)
    if (known) return known
    const row = this.#sqlite.get<{ key: number }>('SELECT key FROM runs WHERE id = ?', id)
    if (row === undefined)
      throw new GuerdonError('unknown-run', `there is no run "${id}" in the store.`, {
        place: { file: this.#sqlite.path },
      })
    const rewards = this.#sqlite.all<{ name: string; key: number }>(
      'SELECT name, key FROM rewards WHERE run = ? ORDER BY key',
      row.key,
    )
    const messagesLeft = (table: NoteTable) =>
      messagesKept -
      this.#sqlite.get<{ messages: number }>(
        `SELECT count(message) AS messages FROM ${table} WHERE run = ?`,
        row.key,
      )!.messages
    const keys = {
      run: row.key,
      rewards: new Map(rewards.map(({ name, key }) => [name, key])),
      messagesLeft: { bad_rows: messagesLeft('bad_rows'), row_warnings: messagesLeft('row_warnings') },
    }
    this.#keys.set(id, keys)
    return keys
  }
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}
