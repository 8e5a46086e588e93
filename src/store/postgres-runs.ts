import { GuerdonError, type JsonObject, type Score } from '../core/index.ts'
import type { Postgres, Sql } from './postgres.ts'
import { groupTotals, type RewardKeys, rewardTotals } from './postgres-totals.ts'
import {
  numbersArray,
  type PostgresScoreRow,
  restored,
  restoredJson,
  restoredJsonText,
  scoreOfRow,
  storable,
  storableJson,
  textsArray,
} from './postgres-values.ts'
import { insertNotes, insertSamples, insertScores, insertSegments, retryableList } from './postgres-writes.ts'
import { readSampleText } from './sample-text.ts'
import type {
  BadRow,
  GroupTotals,
  NewRun,
  PlacedSample,
  PlacedScores,
  RowWarning,
  RunBatch,
  RunStatus,
  Runs,
  RunTotals,
  StoredReward,
  StoredRun,
  StoredStretch,
} from './store.ts'

/** Of the bad rows of a run, and of its warnings, this many keep their message; the others are counted by kind. */
const messagesKept = 1000

type NoteTable = 'bad_rows' | 'row_warnings'

/** The integer keys that a run and its rewards have in this database. */
export interface RunKeys {
  readonly run: number
  readonly rewards: RewardKeys
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
  readonly rewards: readonly { readonly name: string; readonly identity: string; readonly head: string }[]
}

const selectRuns = `SELECT runs.*, coalesce(
    (SELECT json_agg(json_build_object('name', name, 'identity', identity, 'head', head) ORDER BY rewards.key)
     FROM rewards WHERE rewards.run = runs.key), '[]') AS rewards FROM runs`

export class PostgresRuns implements Runs {
  readonly #postgres: Postgres
  readonly #keys = new Map<string, RunKeys>()

  constructor(postgres: Postgres) {
    this.#postgres = postgres
  }

  async create(run: NewRun): Promise<StoredRun> {
    const row = [
      storable(run.id),
      storable(run.created),
      run.source === undefined ? null : storable(run.source),
      run.dataHash ?? null,
      storableJson(run.config),
    ] as const
    // A connection may break when the row was written and nobody was told: the row that is there then is this one.
    const attempt = { made: false }
    const isNew = await this.#postgres.transaction(async (sql) => {
      const added = await sql.run(
        `INSERT INTO runs (id, created, status, source, data_hash, config) VALUES ($1, $2, 'running', $3, $4, $5)
         ON CONFLICT DO NOTHING`,
        ...row,
      )
      if (added === 1) attempt.made = true
      return added === 1 || attempt.made
    })
    if (!isNew)
      throw new GuerdonError('run-exists', `there is a run "${run.id}" already.`, {
        place: { file: this.#postgres.location },
        fix: 'Resume it, or choose another id.',
      })
    return { ...run, status: 'running', rewards: [] }
  }

  async find(id: string): Promise<StoredRun | undefined> {
    const row = await this.#postgres.get<RunRow>(`${selectRuns} WHERE id = $1`, storable(id))
    return row && storedRun(row)
  }

  async list(): Promise<StoredRun[]> {
    const rows = await this.#postgres.all<RunRow>(`${selectRuns} ORDER BY created DESC, key DESC`)
    return rows.map(storedRun)
  }

  async setStatus(id: string, status: RunStatus): Promise<void> {
    await this.#postgres.run('UPDATE runs SET status = $2 WHERE id = $1', storable(id), status)
  }

  async addRewards(id: string, rewards: readonly StoredReward[]): Promise<void> {
    const { run } = await this.keysOf(id)
    await this.#postgres.transaction(async (sql) => {
      for (const { name, identity, ...head } of rewards) {
        await sql.run(
          `INSERT INTO rewards (run, name, identity, head) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
          run,
          storable(name),
          identity,
          storableJson(head),
        )
        const there = await sql.get<{ identity: string }>(
          'SELECT identity FROM rewards WHERE run = $1 AND name = $2',
          run,
          storable(name),
        )
        if (there!.identity !== identity)
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
    const { run, rewards } = await this.keysOf(id)
    const keys = numbersArray([...rewards.values()])
    await this.#postgres.transaction(
      async (sql) => {
        for (const table of ['scores', 'segments'])
          await sql.run(`DELETE FROM ${table} WHERE reward = ANY($1::int[])`, keys)
        for (const table of ['samples', 'bad_rows', 'row_warnings', 'rewards'])
          await sql.run(`DELETE FROM ${table} WHERE run = $1`, run)
        await sql.run('DELETE FROM runs WHERE key = $1', run)
      },
      { isLong: true },
    )
    this.#keys.delete(id)
  }

  async record(id: string, batch: RunBatch): Promise<void> {
    const keys = await this.keysOf(id)
    const { samples = [], scores = [], badRows = [], warnings = [], finishedSegments = [] } = batch
    const keyed = scores.map((one) => ({ ...one, key: this.#rewardKey(id, keys, one.reward) }))
    const segments = finishedSegments.flatMap(({ segment, rewards }) =>
      rewards.map((reward) => ({ segment, key: this.#rewardKey(id, keys, reward) })),
    )
    const added = await this.#postgres.transaction(async (sql) => {
      await insertSamples(sql, keys.run, samples)
      await insertScores(sql, keyed)
      const notes = {
        bad_rows: await insertNotes(sql, 'bad_rows', keys.run, badRows, keys.messagesLeft.bad_rows),
        row_warnings: await insertNotes(
          sql,
          'row_warnings',
          keys.run,
          warnings,
          keys.messagesLeft.row_warnings,
        ),
      }
      await insertSegments(sql, segments)
      return notes
    })
    keys.messagesLeft.bad_rows -= added.bad_rows
    keys.messagesLeft.row_warnings -= added.row_warnings
  }

  async stretch(id: string, first: number, last: number): Promise<StoredStretch> {
    const { run, rewards } = await this.keysOf(id)
    const rows = await this.#postgres.all<{ key: number; position: number }>(
      `SELECT -1 AS key, position FROM samples WHERE run = $1 AND position BETWEEN $2 AND $3
       UNION ALL SELECT -2, position FROM bad_rows
       WHERE run = $1 AND position BETWEEN $2 AND $3 AND kind = 'duplicate-id'
       UNION ALL SELECT reward, position FROM scores
       WHERE reward = ANY($4::int[]) AND position BETWEEN $2 AND $3
         AND (code IS NULL OR code NOT IN (${retryableList}))`,
      run,
      first,
      last,
      numbersArray([...rewards.values()]),
    )
    const sets = new Map<number, Set<number>>([-1, -2, ...rewards.values()].map((key) => [key, new Set()]))
    for (const { key, position } of rows) sets.get(key)!.add(position)
    return {
      samples: sets.get(-1)!,
      settled: Object.fromEntries([...rewards].map(([name, key]) => [name, sets.get(key)!])),
      duplicates: sets.get(-2)!,
    }
  }

  async samples(id: string, first: number, last: number): Promise<PlacedSample[]> {
    const { run } = await this.keysOf(id)
    return this.#samples('run = $1 AND position BETWEEN $2 AND $3 ORDER BY position', run, first, last)
  }

  async page(id: string, { after, limit }: { after: number; limit: number }): Promise<PlacedScores[]> {
    const keys = await this.keysOf(id)
    const samples = await this.#samples(
      'run = $1 AND position > $2 ORDER BY position LIMIT $3',
      keys.run,
      after,
      limit,
    )
    if (samples.length === 0) return []
    const scores = await scoresAt(this.#postgres, keys, [samples[0]!.position, samples.at(-1)!.position])
    return samples.map((placed) => ({ ...placed, scores: scores.get(placed.position) ?? {} }))
  }

  async progress(id: string) {
    const { rewards } = await this.keysOf(id)
    const keys = numbersArray([...rewards.values()])
    const segments = await this.#postgres.all<{ reward: number; segment: number }>(
      'SELECT reward, segment FROM segments WHERE reward = ANY($1::int[])',
      keys,
    )
    const failures = await this.#postgres.all<{ reward: number; position: number }>(
      `SELECT reward, position FROM scores WHERE reward = ANY($1::int[]) AND code IN (${retryableList})
       ORDER BY position`,
      keys,
    )
    return Object.fromEntries(
      [...rewards].map(([name, key]) => [
        name,
        {
          segments: new Set(segments.filter(({ reward }) => reward === key).map(({ segment }) => segment)),
          retryable: failures.filter(({ reward }) => reward === key).map(({ position }) => position),
        },
      ]),
    )
  }

  /**
   * Cuts a run into stretches of about `size` samples, in order, each of which can be judged by itself.
   *
   * @param keepsGroups no group has samples in two stretches; where groups are mixed, stretches are larger
   */
  async stretches(
    id: string,
    size: number,
    keepsGroups: boolean,
  ): Promise<{ readonly first: number; readonly last: number; readonly rows: number }[]> {
    const { run } = await this.keysOf(id)
    // An island is a sample, or groups that are mixed with each other and no other.
    const islands = keepsGroups
      ? `SELECT min(low) AS first, max(high) AS last, sum(rows) AS rows FROM (
           SELECT *, count(*) FILTER (WHERE before IS NULL OR low > before) OVER (ORDER BY low) AS island FROM (
             SELECT low, high, rows,
               max(high) OVER (ORDER BY low ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM (
               SELECT min(position) AS low, max(position) AS high, count(*) AS rows FROM samples
               WHERE run = $1 GROUP BY group_hash) AS groups) AS ordered) AS numbered
         GROUP BY island`
      : 'SELECT position AS first, position AS last, 1 AS rows FROM samples WHERE run = $1'
    return this.#postgres.transaction(
      (sql) =>
        sql.all(
          `SELECT min(first) AS first, max(last) AS last, sum(rows) AS rows FROM (
             SELECT *, (sum(rows) OVER (ORDER BY first) - rows)::bigint / $2::bigint AS stretch FROM (${islands}) AS islands
           ) AS cut GROUP BY stretch ORDER BY stretch`,
          run,
          size,
        ),
      { isLong: true, isReading: true },
    )
  }

  async badRows(id: string, limit: number): Promise<BadRow[]> {
    return this.#notes('bad_rows', id, limit)
  }

  async warnings(id: string, limit: number): Promise<RowWarning[]> {
    return this.#notes('row_warnings', id, limit)
  }

  async #notes(table: NoteTable, id: string, limit: number): Promise<BadRow[]> {
    const rows = await this.#postgres.all<BadRow>(
      `SELECT position, kind, message FROM ${table} WHERE run = $1 AND message IS NOT NULL
       ORDER BY position LIMIT $2`,
      (await this.keysOf(id)).run,
      limit,
    )
    return rows.map((row) => ({ ...row, kind: restored(row.kind), message: restored(row.message) }))
  }

  async dropDuplicates(
    id: string,
    message: (sample: string, position: number, first: number) => string,
    among: readonly string[] | 'all',
  ): Promise<number> {
    const keys = await this.keysOf(id)
    const { run, rewards } = keys
    const { dropped, shown } = await this.#postgres.transaction(
      async (sql) => {
        await sql.run(
          'CREATE TEMP TABLE repeated (position bigint PRIMARY KEY, id text, first bigint) ON COMMIT DROP',
        )
        await sql.run(
          `INSERT INTO repeated SELECT position, id, first FROM
             (SELECT position, id, min(position) OVER (PARTITION BY id) AS first FROM samples
              WHERE run = $1 AND (id = ANY($2::text[]) OR $2 IS NULL)) AS placed
           WHERE position > first`,
          run,
          among === 'all' ? null : textsArray(among.map(storable)),
        )
        const rows = await sql.all<{ position: number; id: string; first: number }>(
          'SELECT * FROM repeated ORDER BY position LIMIT $1',
          Math.max(0, keys.messagesLeft.bad_rows),
        )
        const shown = await insertNotes(
          sql,
          'bad_rows',
          run,
          rows.map(({ position, id: sample, first }) => ({
            position,
            kind: 'duplicate-id',
            message: message(restored(sample), position, first),
          })),
          rows.length,
        )
        await sql.run(
          `INSERT INTO bad_rows (run, position, kind) SELECT $1, position, 'duplicate-id' FROM repeated
           ON CONFLICT DO NOTHING`,
          run,
        )
        await sql.run(
          'DELETE FROM scores USING repeated WHERE reward = ANY($1::int[]) AND scores.position = repeated.position',
          numbersArray([...rewards.values()]),
        )
        const dropped = await sql.run(
          'DELETE FROM samples USING repeated WHERE run = $1 AND samples.position = repeated.position',
          run,
        )
        return { dropped, shown }
      },
      { isLong: true },
    )
    keys.messagesLeft.bad_rows -= shown
    return dropped
  }

  async totals(id: string): Promise<RunTotals> {
    const { run, rewards } = await this.keysOf(id)
    return this.#postgres.transaction(
      async (sql) => {
        const { samples } = (await sql.get<{ samples: number }>(
          'SELECT count(*) AS samples FROM samples WHERE run = $1',
          run,
        ))!
        const badRowsBy = await noteCounts(sql, 'bad_rows', run)
        const warningsBy = await noteCounts(sql, 'row_warnings', run)
        return {
          samples,
          badRows: sumOf(badRowsBy),
          badRowsBy,
          warnings: sumOf(warningsBy),
          warningsBy,
          rewards: await rewardTotals(sql, run, rewards, samples),
        }
      },
      { isLong: true, isReading: true },
    )
  }

  async groupTotals(id: string): Promise<Record<string, GroupTotals>> {
    const { run, rewards } = await this.keysOf(id)
    return this.#postgres.transaction((sql) => groupTotals(sql, run, rewards), {
      isLong: true,
      isReading: true,
    })
  }

  async #samples(where: string, ...values: number[]): Promise<PlacedSample[]> {
    const rows = await this.#postgres.all<SampleRow>(
      `SELECT position, id, content FROM samples WHERE ${where}`,
      ...values,
    )
    return rows.map(placedSample)
  }

  #rewardKey(id: string, { rewards }: RunKeys, name: string): number {
    const key = rewards.get(name)
    if (key === undefined)
      throw new GuerdonError('unknown-reward', `run "${id}" has no reward of this name.`, {
        place: { reward: name },
      })
    return key
  }

  /** @throws GuerdonError `unknown-run` */
  async keysOf(id: string): Promise<RunKeys> {
    const known = this.#keys.get(id)
    if (known) return known
    const row = await this.#postgres.get<{ key: number; bad_rows: number; row_warnings: number }>(
      `SELECT key, (SELECT count(message) FROM bad_rows WHERE run = key) AS bad_rows,
         (SELECT count(message) FROM row_warnings WHERE run = key) AS row_warnings FROM runs WHERE id = $1`,
      storable(id),
    )
    if (row === undefined)
      throw new GuerdonError('unknown-run', `there is no run "${id}" in the store.`, {
        place: { file: this.#postgres.location },
      })
    const rewards = await this.#postgres.all<{ name: string; key: number }>(
      'SELECT name, key FROM rewards WHERE run = $1 ORDER BY key',
      row.key,
    )
    const keys = {
      run: row.key,
      rewards: new Map(rewards.map(({ name, key }) => [restored(name), key])),
      messagesLeft: {
        bad_rows: messagesKept - row.bad_rows,
        row_warnings: messagesKept - row.row_warnings,
      },
    }
    this.#keys.set(id, keys)
    return keys
  }
}

export interface SampleRow {
  readonly position: number
  readonly id: string
  readonly content: string
}

export function placedSample({ position, id, content }: SampleRow): PlacedSample {
  return { position, sample: readSampleText(restored(id), restoredJsonText(content)) }
}

/** The scores of a run at a stretch of positions (both ends included) or at some positions, by position. */
export async function scoresAt(
  sql: Sql,
  { rewards }: Pick<RunKeys, 'rewards'>,
  where: readonly [first: number, last: number] | { readonly positions: readonly number[] },
): Promise<ReadonlyMap<number, Record<string, Score>>> {
  const names = new Map([...rewards].map(([name, key]) => [key, name]))
  const keys = numbersArray([...rewards.values()])
  const rows =
    'positions' in where
      ? await sql.all<PostgresScoreRow>(
          'SELECT * FROM scores WHERE reward = ANY($1::int[]) AND position = ANY($2::bigint[]) ORDER BY reward',
          keys,
          numbersArray(where.positions),
        )
      : await sql.all<PostgresScoreRow>(
          'SELECT * FROM scores WHERE reward = ANY($1::int[]) AND position BETWEEN $2 AND $3 ORDER BY reward',
          keys,
          ...where,
        )
  const found = new Map<number, Record<string, Score>>()
  for (const row of rows) {
    const entry = found.get(row.position) ?? {}
    entry[names.get(row.reward)!] = scoreOfRow(row)
    found.set(row.position, entry)
  }
  return found
}

async function noteCounts(sql: Sql, table: NoteTable, run: number): Promise<Record<string, number>> {
  const kinds = await sql.all<{ kind: string; count: number }>(
    `SELECT kind, count(*) AS count FROM ${table} WHERE run = $1 GROUP BY kind ORDER BY kind`,
    run,
  )
  return Object.fromEntries(kinds.map(({ kind, count }) => [restored(kind), count]))
}

function storedRun(row: RunRow): StoredRun {
  return {
    id: restored(row.id),
    created: row.created,
    status: row.status,
    ...(row.source === null ? {} : { source: restored(row.source) }),
    ...(row.data_hash === null ? {} : { dataHash: row.data_hash }),
    config: restoredJson(row.config) as JsonObject,
    rewards: row.rewards.map(({ name, identity, head }): StoredReward => {
      const { range, ...rest } = restoredJson(head)
      const [low, high] = range // JSON turned infinite bounds into null
      return {
        name: restored(name),
        identity,
        ...rest,
        range: [low ?? Number.NEGATIVE_INFINITY, high ?? Number.POSITIVE_INFINITY],
      }
    }),
  }
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}
