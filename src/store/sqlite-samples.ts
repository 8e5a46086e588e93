import type { SQLInputValue } from 'node:sqlite'
import { GuerdonError, type Score } from '../core/index.ts'
import { type ScoreRow, scoreOf } from './rows.ts'
import {
  type Cursor,
  type DifferenceRow,
  differenceColumns,
  differencesOf,
  type GapScale,
  isGap,
  isOneReward,
  likePattern,
  type RunRewards,
  readCursor,
  rewardKey,
  unscaled,
  writeCursor,
} from './sample-pages.ts'
import { readSampleText, sampleSays, textHash } from './sample-text.ts'
import type { Sqlite } from './sqlite.ts'
import type {
  Differences,
  FoundSample,
  Histogram,
  SampleFilter,
  SampleOrder,
  SamplePage,
  SampleQuery,
  Samples,
} from './store.ts'

/** A piece of SQL with the values of its places, in order. */
interface Sql {
  readonly text: string
  readonly values: readonly SQLInputValue[]
}

export class SqliteSamples implements Samples {
  readonly #sqlite: Sqlite

  constructor(sqlite: Sqlite) {
    this.#sqlite = sqlite
    sqlite.define('sample_says', (id: string, content: string, lower: string) =>
      sampleSays(readSampleText(id, content), lower) ? 1 : 0,
    )
  }

  async page(id: string, query: SampleQuery = {}): Promise<SamplePage> {
    const { filter = {}, order = { by: 'position' }, descending = false, limit = 50 } = query
    const keys = this.#keysOf(id)
    const of = textHash(JSON.stringify([id, order, descending]))
    const cursor = query.after === undefined ? undefined : readCursor(query.after, of)
    const scale = isGap(order) ? (cursor?.scale ?? this.#gapScale(keys, order)) : undefined
    const source = this.#source(keys, filter, order, scale)
    const after: Sql =
      cursor === undefined
        ? { text: 'true', values: [] }
        : { text: source.after(descending), values: source.afterValues(cursor) }
    const direction = descending ? 'DESC' : 'ASC'
    const found = `SELECT s.position AS position, s.id AS id, ${source.key.text} AS key, ${source.other} AS other
      FROM ${source.from.text} WHERE ${source.where.text}`
    // A gap is computed once for each sample; the other orders stop where the page is full.
    const rows = this.#sqlite.all<{ position: number; id: string; key: number; other: number | null }>(
      `${isGap(order) ? `WITH found AS MATERIALIZED (${found}) SELECT * FROM found WHERE` : `${found} AND`}
         ${after.text}
       ORDER BY ${source.isByPosition ? '' : `key ${direction},`} position ${direction} LIMIT ?`,
      ...source.key.values,
      ...source.from.values,
      ...source.where.values,
      ...after.values,
      limit + 1,
    )
    const shown = rows.slice(0, limit)
    const last = shown.at(-1)
    return {
      samples: this.#found(keys, shown, order),
      next:
        last === undefined || rows.length <= limit
          ? null
          : writeCursor({ of, key: last.key, position: last.position, ...(scale ? { scale } : {}) }),
    }
  }

  async count(id: string, filter: SampleFilter = {}): Promise<number> {
    const { from, where } = this.#source(this.#keysOf(id), filter, { by: 'position' }, undefined)
    return this.#sqlite.get<{ count: number }>(
      `SELECT count(*) AS count FROM ${from.text} WHERE ${where.text}`,
      ...from.values,
      ...where.values,
    )!.count
  }

  async histogram(
    id: string,
    { reward, part, bins = 30 }: { reward: string; part?: string; bins?: number },
  ): Promise<Histogram> {
    const key = rewardKey(this.#keysOf(id), reward, id)
    const value: Sql =
      part === undefined
        ? { text: 'value', values: [] }
        : { text: 'json_extract(parts, ?)', values: [jsonPath(part)] }
    // Materialised, so that parts are read out of their JSON once.
    const values = `WITH found AS MATERIALIZED (SELECT ${value.text} AS value FROM scores WHERE reward = ?)`
    const range = this.#sqlite.get<{ asked: number; scored: number; low: number | null; high: number }>(
      `${values} SELECT count(*) AS asked, count(value) AS scored, min(value) AS low, max(value) AS high FROM found`,
      ...value.values,
      key,
    )!
    const { low, high } = range
    const unscored = range.asked - range.scored
    if (low === null) return { low: null, high: null, counts: [], unscored }
    const counts = new Array<number>(low === high ? 1 : Math.max(1, bins)).fill(0)
    const width = (high - low) / counts.length || 1
    const rows = this.#sqlite.all<{ bin: number; count: number }>(
      `${values} SELECT min(CAST((value - ?) / ? AS INTEGER), ?) AS bin, count(*) AS count FROM found
       WHERE value IS NOT NULL GROUP BY bin`,
      ...value.values,
      key,
      low,
      width,
      counts.length - 1,
    )
    for (const { bin, count } of rows) counts[bin] = count
    return { low, high, counts, unscored }
  }

  async parts(id: string, reward: string): Promise<string[]> {
    return this.#sqlite
      .all<{ name: string }>(
        `SELECT key AS name FROM (SELECT position, parts FROM scores WHERE reward = ? ORDER BY position LIMIT 1000)
           AS first, json_each(first.parts)
         GROUP BY key ORDER BY min(first.position), min(json_each.id)`,
        rewardKey(this.#keysOf(id), reward, id),
      )
      .map(({ name }) => name)
  }

  async metaValues(id: string, field: string, limit = 50) {
    const { run } = this.#keysOf(id)
    return this.#sqlite
      .all<{ value: string; count: number }>(
        `SELECT ${metaValue} AS value, count(*) AS count FROM contents AS c WHERE c.run = ?
         GROUP BY value HAVING value IS NOT NULL ORDER BY count DESC, value LIMIT ?`,
        ...metaPaths(field),
        run,
        limit,
      )
      .map((row) => ({ ...row }))
  }

  async differences(
    id: string,
    { reward, run, filter = {} }: { reward: string; run: string; filter?: SampleFilter },
  ): Promise<Differences> {
    const order: SampleOrder = { by: 'gap', first: reward, second: { reward, run } }
    const { from, where } = this.#source(this.#keysOf(id), filter, order, unscaled)
    return differencesOf(
      this.#sqlite.get<DifferenceRow>(
        `SELECT ${differenceColumns} FROM ${from.text} WHERE ${where.text}`,
        ...from.values,
        ...where.values,
      )!,
    )
  }

  /** The tables to look in and what must hold, the driving table first: SQLite keeps the order of CROSS JOIN. */
  #source(keys: RunRewards, filter: SampleFilter, order: SampleOrder, scale: GapScale | undefined) {
    const from: Sql[] = []
    const where: Sql[] = []
    const join = (table: string, condition = '', ...values: SQLInputValue[]) => {
      from.push({ text: table, values: [] })
      if (condition) where.push({ text: condition, values })
    }
    const samples = () => join('samples AS s', 's.run = ?', keys.run)
    let key: Sql = { text: 's.position', values: [] }
    let other = 'NULL'
    const { unscored } = filter
    if (order.by === 'value') {
      join('scores AS o', 'o.reward = ? AND o.value IS NOT NULL', rewardKey(keys, order.reward))
      samples()
      where.push({ text: 's.position = o.position', values: [] })
      key = { text: 'o.value', values: [] }
    } else if (isGap(order)) {
      join('scores AS o', 'o.reward = ? AND o.value IS NOT NULL', rewardKey(keys, order.first))
      if (order.second.run === undefined) {
        join(
          'scores AS p',
          'p.reward = ? AND p.position = o.position AND p.value IS NOT NULL',
          rewardKey(keys, order.second.reward),
        )
        samples()
        where.push({ text: 's.position = o.position', values: [] })
      } else {
        const there = this.#keysOf(order.second.run)
        samples()
        where.push({ text: 's.position = o.position', values: [] })
        // Of a subquery with a limit SQLite makes an index for the while; a million ids take a second.
        join(`(SELECT id, position FROM samples WHERE run = ${there.run} LIMIT -1) AS t`, 't.id = s.id')
        join(
          'scores AS p',
          'p.reward = ? AND p.position = t.position AND p.value IS NOT NULL',
          rewardKey(there, order.second.reward, order.second.run),
        )
        other = 't.position'
      }
      const gap = '(o.value - ?) / ? - (p.value - ?) / ?'
      key = { text: order.by === 'gap' ? gap : `abs(${gap})`, values: [...scale!] }
    } else if (unscored) {
      this.#joinUnscored(keys, unscored, join)
      samples()
      where.push({ text: 's.position = u.position', values: [] })
    } else samples()
    if (unscored && order.by !== 'position') {
      this.#joinUnscored(keys, unscored, join)
      where.push({ text: 'u.position = s.position', values: [] })
    }
    filter.values?.forEach(({ reward, low, high }, index) => {
      const name = `v${index}`
      join(
        `scores AS ${name}`,
        `${name}.reward = ? AND ${name}.position = s.position AND ${name}.value IS NOT NULL`,
        rewardKey(keys, reward),
      )
      if (low !== undefined) where.push({ text: `${name}.value >= ?`, values: [low] })
      if (high !== undefined) where.push({ text: `${name}.value <= ?`, values: [high] })
    })
    if (filter.groupOf !== undefined)
      where.push({
        text: 's.group_hash = (SELECT group_hash FROM samples WHERE run = ? AND position = ?)',
        values: [keys.run, filter.groupOf],
      })
    if (filter.ids !== undefined)
      where.push({ text: 's.id IN (SELECT value FROM json_each(?))', values: [JSON.stringify(filter.ids)] })
    if ((filter.text !== undefined && filter.text !== '') || filter.meta !== undefined)
      join('contents AS c', 'c.run = s.run AND c.position = s.position')
    if (filter.meta !== undefined)
      where.push({
        text: `${metaValue} = ?`,
        values: [...metaPaths(filter.meta.field), filter.meta.value],
      })
    if (filter.text !== undefined && filter.text !== '')
      where.push({
        // What the text of the JSON does not hold no string in it does.
        text: `CASE WHEN s.id LIKE ? ESCAPE '\\' OR c.content LIKE ? ESCAPE '\\'
          THEN sample_says(s.id, c.content, ?) ELSE 0 END`,
        values: [
          likePattern(filter.text),
          likePattern(JSON.stringify(filter.text).slice(1, -1)),
          filter.text.toLowerCase(),
        ],
      })
    const isByPosition = order.by === 'position'
    const place = isGap(order)
      ? ['key', 'position']
      : isByPosition
        ? ['s.position']
        : ['o.value', 'o.position']
    return {
      key,
      other,
      isByPosition,
      from: joined(from, ' CROSS JOIN '),
      where: joined(where, ' AND '),
      after: (descending: boolean) =>
        `(${place.join(', ')}) ${descending ? '<' : '>'} (${place.map(() => '?').join(', ')})`,
      afterValues: ({ key, position }: Cursor) => (isByPosition ? [position] : [key, position]),
    }
  }

  #joinUnscored(
    keys: RunRewards,
    { reward, code }: NonNullable<SampleFilter['unscored']>,
    join: (table: string, condition: string, ...values: SQLInputValue[]) => void,
  ): void {
    if (code === undefined)
      join('scores AS u', 'u.reward = ? AND u.code IS NOT NULL', rewardKey(keys, reward))
    else join('scores AS u', 'u.reward = ? AND u.code = ?', rewardKey(keys, reward), code)
  }

  #gapScale(keys: RunRewards, order: Extract<SampleOrder, { first: string }>): GapScale {
    if (isOneReward(order)) return unscaled
    const { first, second } = order
    const there = second.run === undefined ? keys : this.#keysOf(second.run)
    return [...this.#spread(rewardKey(keys, first)), ...this.#spread(rewardKey(there, second.reward))]
  }

  /** Mean and standard deviation of a reward's values; of equal values the deviation is given as 1. */
  #spread(reward: number): [mean: number, deviation: number] {
    const { mean } = this.#sqlite.get<{ mean: number | null }>(
      'SELECT avg(value) AS mean FROM scores WHERE reward = ? AND value IS NOT NULL',
      reward,
    )!
    const { square } = this.#sqlite.get<{ square: number | null }>(
      'SELECT avg((value - ?) * (value - ?)) AS square FROM scores WHERE reward = ? AND value IS NOT NULL',
      mean,
      mean,
      reward,
    )!
    return [mean ?? 0, Math.sqrt(square ?? 0) || 1]
  }

  #found(
    { run, rewards }: RunRewards,
    rows: readonly { position: number; id: string; key: number; other: number | null }[],
    order: SampleOrder,
  ): FoundSample[] {
    const positions = rows.map(({ position }) => position)
    const contents = new Map(
      this.#sqlite
        .all<{ position: number; content: string }>(
          `SELECT position, content FROM contents WHERE run = ? AND position IN (SELECT value FROM json_each(?))`,
          run,
          JSON.stringify(positions),
        )
        .map(({ position, content }) => [position, content]),
    )
    const scores = new Map<number, Record<string, Score>>(positions.map((position) => [position, {}]))
    for (const [name, reward] of rewards)
      for (const row of this.#scores(reward, positions)) scores.get(row.position)![name] = scoreOf(row)
    const others = new Map<number, Score>()
    if (isGap(order) && order.second.run !== undefined) {
      const there = rewardKey(this.#keysOf(order.second.run), order.second.reward)
      for (const row of this.#scores(
        there,
        rows.map(({ other }) => other!),
      ))
        others.set(row.position, scoreOf(row))
    }
    return rows.map(({ position, id, key, other }) => ({
      position,
      sample: readSampleText(id, contents.get(position)!),
      scores: scores.get(position)!,
      ...(order.by === 'position' ? {} : { key }),
      ...(other === null ? {} : { other: others.get(other)! }),
    }))
  }

  #scores(reward: number, positions: readonly number[]): ScoreRow[] {
    return this.#sqlite.all<ScoreRow>(
      'SELECT * FROM scores WHERE reward = ? AND position IN (SELECT value FROM json_each(?))',
      reward,
      JSON.stringify(positions),
    )
  }

  #keysOf(id: string): RunRewards {
    const row = this.#sqlite.get<{ key: number }>('SELECT key FROM runs WHERE id = ?', id)
    if (row === undefined)
      throw new GuerdonError('unknown-run', `there is no run "${id}" in the store.`, {
        place: { file: this.#sqlite.path },
      })
    const rewards = this.#sqlite.all<{ name: string; key: number }>(
      'SELECT name, key FROM rewards WHERE run = ? ORDER BY key',
      row.key,
    )
    return { run: row.key, rewards: new Map(rewards.map(({ name, key }) => [name, key])) }
  }
}

function joined(pieces: readonly Sql[], between: string): Sql {
  return {
    text: pieces.map(({ text }) => text).join(between),
    values: pieces.flatMap(({ values }) => [...values]),
  }
}

/** A text as it is, any other value as JSON; null where the field is absent. */
const metaValue = `CASE json_type(c.content, ?) WHEN 'text' THEN c.content ->> ? ELSE c.content -> ? END`

function metaPaths(field: string): string[] {
  return Array<string>(3).fill(`$.meta.${JSON.stringify(field)}`)
}

function jsonPath(name: string): string {
  return `$.${JSON.stringify(name)}`
}
