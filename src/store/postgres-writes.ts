import { retryableCodes } from '../core/index.ts'
import type { Sql } from './postgres.ts'
import { numbersArray, scoreColumns, storable, storableJsonText, textsArray } from './postgres-values.ts'
import { groupHash, sampleText } from './sample-text.ts'
import type { BadRow, PlacedSample, RewardScores } from './store.ts'

// Rows go to the server by columns, one array each: one statement for thousands of rows.

/** The codes of failures that may pass, as a list of SQL. */
export const retryableList = [...retryableCodes].map((code) => `'${code}'`).join(', ')

const replaceScore = `DO UPDATE SET value = excluded.value, abstained = excluded.abstained, code = excluded.code,
  parts = excluded.parts, usage = excluded.usage, details = excluded.details`
const replaceFailure = `${replaceScore} WHERE scores.code IN (${retryableList})`

/** A statement carries about this many characters at most, so that samples with images do not make one of gigabytes. */
const charactersPerStatement = 8_000_000

export async function insertSamples(sql: Sql, run: number, samples: readonly PlacedSample[]): Promise<void> {
  for (let from = 0; from < samples.length; ) {
    const positions: number[] = []
    const groups: number[] = []
    const ids: string[] = []
    const contents: string[] = []
    for (let size = 0; from < samples.length && size < charactersPerStatement; from++) {
      const { position, sample } = samples[from]!
      const content = storableJsonText(sampleText(sample))
      size += content.length
      positions.push(position)
      groups.push(groupHash(sample))
      ids.push(storable(sample.id))
      contents.push(content)
    }
    await sql.run(
      `INSERT INTO samples (run, position, group_hash, id, content)
       SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[]) ON CONFLICT DO NOTHING`,
      run,
      numbersArray(positions),
      numbersArray(groups),
      textsArray(ids),
      textsArray(contents),
    )
  }
}

/** Scores of one reward that one statement can take: no position twice. */
interface ScoreColumns {
  readonly key: number
  readonly replace: boolean
  readonly seen: Set<number>
  readonly rows: (ReturnType<typeof scoreColumns> & { readonly position: number })[]
}

export async function insertScores(
  sql: Sql,
  scores: readonly (RewardScores & { readonly key: number })[],
): Promise<void> {
  const open = new Map<number, ScoreColumns>()
  const all: ScoreColumns[] = []
  for (const { key, positions, scores: given, replace = false } of scores)
    positions.forEach((position, index) => {
      let columns = open.get(key)
      if (columns === undefined || columns.replace !== replace || columns.seen.has(position)) {
        columns = { key, replace, seen: new Set(), rows: [] }
        open.set(key, columns)
        all.push(columns)
      }
      columns.seen.add(position)
      columns.rows.push({ position, ...scoreColumns(given[index]!) })
    })
  // In one order for all who write, so that two who write the same rows wait for each other and not crosswise.
  all.sort((a, b) => a.key - b.key)
  for (const columns of all) await insertScoreColumns(sql, columns)
}

async function insertScoreColumns(sql: Sql, { key, replace, rows }: ScoreColumns): Promise<void> {
  rows.sort((a, b) => a.position - b.position)
  const conflict = `ON CONFLICT (reward, position) ${replace ? replaceScore : replaceFailure}`
  const positions = numbersArray(rows.map(({ position }) => position))
  const values = numbersArray(rows.map(({ value }) => value))
  const arePlain = rows.every(
    ({ code, parts, usage, details }) =>
      code === null && parts === null && usage === null && details === null,
  )
  if (arePlain)
    await sql.run(
      `INSERT INTO scores (reward, position, value)
       SELECT $1, * FROM unnest($2::bigint[], $3::float8[]) ${conflict}`,
      key,
      positions,
      values,
    )
  else
    await sql.run(
      `INSERT INTO scores (reward, position, value, abstained, code, parts, usage, details)
       SELECT $1, * FROM
         unnest($2::bigint[], $3::float8[], $4::bool[], $5::text[], $6::text[], $7::jsonb[], $8::text[])
       ${conflict}`,
      key,
      positions,
      values,
      numbersArray(rows.map(({ abstained }) => abstained)),
      textsArray(rows.map(({ code }) => code)),
      textsArray(rows.map(({ parts }) => parts)),
      textsArray(rows.map(({ usage }) => usage)),
      textsArray(rows.map(({ details }) => details)),
    )
}

/** Returns how many messages were kept. */
export async function insertNotes(
  sql: Sql,
  table: 'bad_rows' | 'row_warnings',
  run: number,
  rows: readonly BadRow[],
  messages: number,
): Promise<number> {
  if (rows.length === 0) return 0
  const shown = Math.max(0, Math.min(messages, rows.length))
  await sql.run(
    `INSERT INTO ${table} (run, position, kind, message)
     SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[]) ON CONFLICT DO NOTHING`,
    run,
    numbersArray(rows.map(({ position }) => position)),
    textsArray(rows.map(({ kind }) => storable(kind))),
    textsArray(rows.map(({ message }, index) => (index < shown ? storable(message) : null))),
  )
  return shown
}

export async function insertSegments(
  sql: Sql,
  segments: readonly { readonly key: number; readonly segment: number }[],
): Promise<void> {
  if (segments.length > 0)
    await sql.run(
      `INSERT INTO segments (reward, segment) SELECT * FROM unnest($1::int[], $2::int[]) ON CONFLICT DO NOTHING`,
      numbersArray(segments.map(({ key }) => key)),
      numbersArray(segments.map(({ segment }) => segment)),
    )
}
