import type { Score } from '../core/index.ts'
import type { Postgres, SqlValue } from './postgres.ts'
import { type PostgresRuns, placedSample, type SampleRow, scoresAt } from './postgres-runs.ts'
import { restored, storable, storableJsonText, textsArray } from './postgres-values.ts'
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
import { sampleSays, textHash } from './sample-text.ts'
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

type FoundRow = SampleRow & { readonly key: number; readonly other: number | null }

/** Candidates that are read at a time where the texts of samples are looked into. */
const candidates = 500

export class PostgresSamples implements Samples {
  readonly #postgres: Postgres
  readonly #runs: PostgresRuns

  constructor(postgres: Postgres, runs: PostgresRuns) {
    this.#postgres = postgres
    this.#runs = runs
  }

  async page(id: string, query: SampleQuery = {}): Promise<SamplePage> {
    const { filter = {}, order = { by: 'position' }, descending = false, limit = 50 } = query
    const keys = await this.#runs.keysOf(id)
    const there =
      isGap(order) && order.second.run !== undefined ? await this.#runs.keysOf(order.second.run) : keys
    const of = textHash(JSON.stringify([id, order, descending]))
    let cursor = query.after === undefined ? undefined : readCursor(query.after, of)
    const scale = isGap(order) ? (cursor?.scale ?? (await this.#gapScale(keys, there, order))) : undefined
    const cursorAt = ({ key, position }: FoundRow): Cursor => ({
      of,
      key: Number(key),
      position,
      ...(scale ? { scale } : {}),
    })
    // What the text of a sample's JSON holds may be a key or the bytes of an image: the sample itself is asked.
    const says = saysText(filter)
    const atATime = says === undefined ? limit + 1 : Math.max(candidates, limit + 1)
    const rows: FoundRow[] = []
    for (;;) {
      const source = sourceOf(keys, there, filter, order, scale)
      const more = await this.#postgres.all<FoundRow>(
        source.page(descending, cursor, atATime),
        ...source.values,
      )
      rows.push(...(says === undefined ? more : more.filter(says)))
      if (rows.length > limit || more.length < atATime) break
      cursor = cursorAt(more.at(-1)!)
    }
    const shown = rows.slice(0, limit)
    const last = shown.at(-1)
    return {
      samples: await this.#found(keys, there, shown, order),
      next: last === undefined || rows.length <= limit ? null : writeCursor(cursorAt(last)),
    }
  }

  async count(id: string, filter: SampleFilter = {}): Promise<number> {
    const keys = await this.#runs.keysOf(id)
    const says = saysText(filter)
    let count = 0
    for (let after: Cursor | undefined; ; ) {
      const source = sourceOf(keys, keys, filter, { by: 'position' }, undefined)
      if (says === undefined)
        return (await this.#postgres.get<{ count: number }>(source.count, ...source.values))!.count
      const rows = await this.#postgres.all<FoundRow>(source.page(false, after, candidates), ...source.values)
      count += rows.filter(says).length
      if (rows.length < candidates) return count
      after = { of: 0, key: 0, position: rows.at(-1)!.position }
    }
  }

  async histogram(
    id: string,
    { reward, part, bins = 30 }: { reward: string; part?: string; bins?: number },
  ): Promise<Histogram> {
    const key = rewardKey(await this.#runs.keysOf(id), reward, id)
    // Materialised, so that parts are read out of their JSON once.
    const found = `WITH found AS MATERIALIZED
      (SELECT ${part === undefined ? 'value' : '(parts::json ->> $2)::float8 AS value'} FROM scores WHERE reward = $1)`
    const values = part === undefined ? [key] : [key, storable(part)]
    const { asked, scored, low, high } = (await this.#postgres.get<{
      asked: number
      scored: number
      low: number | null
      high: number
    }>(
      `${found} SELECT count(*) AS asked, count(value) AS scored, min(value) AS low, max(value) AS high FROM found`,
      ...values,
    ))!
    const unscored = asked - scored
    if (low === null) return { low: null, high: null, counts: [], unscored }
    const counts = new Array<number>(low === high ? 1 : Math.max(1, bins)).fill(0)
    const width = (high - low) / counts.length || 1
    const place = values.length
    const rows = await this.#postgres.all<{ bin: number; count: number }>(
      `${found} SELECT least(trunc((value - $${place + 1}::float8) / $${place + 2}::float8)::int, $${place + 3}::int) AS bin,
         count(*) AS count FROM found WHERE value IS NOT NULL GROUP BY bin`,
      ...values,
      low,
      width,
      counts.length - 1,
    )
    for (const { bin, count } of rows) counts[bin] = count
    return { low, high, counts, unscored }
  }

  async parts(id: string, reward: string): Promise<string[]> {
    const rows = await this.#postgres.all<{ name: string }>(
      `SELECT name FROM (SELECT position, parts FROM scores WHERE reward = $1 ORDER BY position LIMIT 1000) AS first,
         json_object_keys(first.parts::json) WITH ORDINALITY AS keys (name, place)
       GROUP BY name ORDER BY min(position), min(place)`,
      rewardKey(await this.#runs.keysOf(id), reward, id),
    )
    return rows.map(({ name }) => restored(name))
  }

  async metaValues(id: string, field: string, limit = 50) {
    const { run } = await this.#runs.keysOf(id)
    const rows = await this.#postgres.all<{ value: string; count: number }>(
      `SELECT value, count(*) AS count FROM
         (SELECT ${metaValue('s.content', '$2')} COLLATE "C" AS value FROM samples AS s WHERE s.run = $1) AS found
       WHERE value IS NOT NULL GROUP BY value ORDER BY count DESC, value LIMIT $3`,
      run,
      storable(field),
      limit,
    )
    return rows.map(({ value, count }) => ({ value: restored(value), count }))
  }

  async differences(
    id: string,
    { reward, run, filter = {} }: { reward: string; run: string; filter?: SampleFilter },
  ): Promise<Differences> {
    const keys = await this.#runs.keysOf(id)
    const there = await this.#runs.keysOf(run)
    const order: SampleOrder = { by: 'gap', first: reward, second: { reward, run } }
    const says = saysText(filter)
    if (says !== undefined) {
      // Which samples say the text is not for SQL to tell.
      const ids: string[] = []
      for (let after: string | undefined; ; ) {
        const page = await this.page(id, {
          filter,
          limit: candidates,
          ...(after === undefined ? {} : { after }),
        })
        ids.push(...page.samples.map(({ sample }) => sample.id))
        if (page.next === null) break
        after = page.next
      }
      return this.differences(id, { reward, run, filter: { ids } })
    }
    const source = sourceOf(keys, there, filter, order, unscaled)
    return differencesOf((await this.#postgres.get<DifferenceRow>(source.differences, ...source.values))!)
  }

  async #gapScale(
    keys: RunRewards,
    there: RunRewards,
    order: Extract<SampleOrder, { first: string }>,
  ): Promise<GapScale> {
    if (isOneReward(order)) return unscaled
    const { first, second } = order
    return [
      ...(await this.#spread(rewardKey(keys, first))),
      ...(await this.#spread(rewardKey(there, second.reward, second.run))),
    ]
  }

  /** Mean and standard deviation of a reward's values; of equal values the deviation is given as 1. */
  async #spread(reward: number): Promise<[mean: number, deviation: number]> {
    const { low, high, mean, deviation } = (await this.#postgres.get<
      Record<'low' | 'high' | 'mean' | 'deviation', number | null>
    >(
      `SELECT min(value) AS low, max(value) AS high, avg(value) AS mean, stddev_pop(value) AS deviation
       FROM scores WHERE reward = $1 AND value IS NOT NULL`,
      reward,
    ))!
    return low === high ? [low ?? 0, 1] : [mean!, deviation || 1]
  }

  async #found(
    keys: RunRewards,
    there: RunRewards,
    rows: readonly FoundRow[],
    order: SampleOrder,
  ): Promise<FoundSample[]> {
    const scores = await scoresAt(this.#postgres, keys, { positions: rows.map(({ position }) => position) })
    const others: ReadonlyMap<number, Record<string, Score>> = isGap(order) && order.second.run !== undefined
      ? await scoresAt(this.#postgres, there, { positions: rows.map(({ other }) => other!) })
      : new Map()
    return rows.map(({ key, other, ...row }) => ({
      ...placedSample(row),
      scores: scores.get(row.position) ?? {},
      ...(order.by === 'position' ? {} : { key }),
      ...(other === null
        ? {}
        : { other: others.get(other)![(order as { second: { reward: string } }).second.reward]! }),
    }))
  }
}

/** Whether a row says the text of the filter; undefined where there is none. */
function saysText({ text }: SampleFilter): ((row: FoundRow) => boolean) | undefined {
  if (text === undefined || text === '') return undefined
  const lower = text.toLowerCase()
  return (row) => sampleSays(placedSample(row).sample, lower)
}

/** The statements of a filter and an order, with the values of their places, which grow as they are written. */
function sourceOf(
  keys: RunRewards,
  there: RunRewards,
  filter: SampleFilter,
  order: SampleOrder,
  scale: GapScale | undefined,
) {
  const values: SqlValue[] = []
  const bind = (value: SqlValue, type: string) => `$${values.push(value)}::${type}`
  const from = ['samples AS s']
  const where = [`s.run = ${bind(keys.run, 'int')}`]
  const join = (name: string, at: string, key: number, condition: string) => {
    from.push(`JOIN scores AS ${name} ON ${name}.reward = ${bind(key, 'int')} AND ${name}.position = ${at}`)
    where.push(`${name}.${condition}`)
  }
  let key = 's.position'
  let other = 'NULL::bigint'
  if (order.by === 'value') {
    join('o', 's.position', rewardKey(keys, order.reward), 'value IS NOT NULL')
    key = 'o.value'
  } else if (isGap(order)) {
    join('o', 's.position', rewardKey(keys, order.first), 'value IS NOT NULL')
    if (order.second.run !== undefined) {
      from.push(`JOIN samples AS t ON t.run = ${bind(there.run, 'int')} AND t.id = s.id`)
      other = 't.position'
    }
    join(
      'p',
      order.second.run === undefined ? 's.position' : 't.position',
      rewardKey(there, order.second.reward, order.second.run),
      'value IS NOT NULL',
    )
    const [mean1, deviation1, mean2, deviation2] = scale!.map((number) => bind(number, 'float8'))
    const gap = `((o.value - ${mean1}) / ${deviation1} - (p.value - ${mean2}) / ${deviation2})`
    key = order.by === 'gap' ? gap : `abs(${gap})`
  }
  if (filter.unscored !== undefined) {
    const { reward, code } = filter.unscored
    join('u', 's.position', rewardKey(keys, reward), 'code IS NOT NULL')
    if (code !== undefined) where.push(`u.code = ${bind(code, 'text')}`)
  }
  filter.values?.forEach(({ reward, low, high }, index) => {
    join(`v${index}`, 's.position', rewardKey(keys, reward), 'value IS NOT NULL')
    if (low !== undefined) where.push(`v${index}.value >= ${bind(low, 'float8')}`)
    if (high !== undefined) where.push(`v${index}.value <= ${bind(high, 'float8')}`)
  })
  if (filter.groupOf !== undefined)
    where.push(
      `s.group_hash = (SELECT group_hash FROM samples WHERE run = ${bind(keys.run, 'int')} AND position = ${bind(filter.groupOf, 'bigint')})`,
    )
  if (filter.ids !== undefined)
    where.push(`s.id = ANY(${bind(textsArray(filter.ids.map(storable)), 'text[]')})`)
  if (filter.meta !== undefined) {
    const value = metaValue('s.content', bind(storable(filter.meta.field), 'text'))
    where.push(
      `${value} IN (${bind(storable(filter.meta.value), 'text')}, ${bind(storableJsonText(filter.meta.value), 'text')})`,
    )
  }
  if (filter.text !== undefined && filter.text !== '') {
    const inJson = storableJsonText(JSON.stringify(filter.text).slice(1, -1))
    where.push(
      `(s.id ILIKE ${bind(likePattern(storable(filter.text)), 'text')} OR s.content ILIKE ${bind(likePattern(inJson), 'text')})`,
    )
  }
  const body = () => `FROM ${from.join(' ')} WHERE ${where.join(' AND ')}`
  return {
    values,
    count: `SELECT count(*) AS count ${body()}`,
    /** The gap itself is asked for too: PostgreSQL wants every place to be used. */
    differences: `SELECT ${differenceColumns}, avg(${key}) AS gap ${body()}`,
    page(descending: boolean, after: Cursor | undefined, limit: number): string {
      const [direction, beyond] = descending ? ['DESC', '<'] : ['ASC', '>']
      const isByPosition = order.by === 'position'
      const condition =
        after === undefined
          ? 'true'
          : isByPosition
            ? `position ${beyond} ${bind(after.position, 'bigint')}`
            : `(key, position) ${beyond} (${bind(after.key, 'float8')}, ${bind(after.position, 'bigint')})`
      // The content comes last: it is long, and only what is shown has it.
      return `SELECT page.*, samples.id, samples.content FROM
          (SELECT * FROM (SELECT s.position, ${key} AS key, ${other} AS other ${body()}) AS found WHERE ${condition}
           ORDER BY ${isByPosition ? '' : `key ${direction},`} position ${direction} LIMIT ${bind(limit, 'bigint')}) AS page
        JOIN samples ON samples.run = ${bind(keys.run, 'int')} AND samples.position = page.position
        ORDER BY ${isByPosition ? '' : `key ${direction},`} page.position ${direction}`
    },
  }
}

/** SQL of a field of `meta`: a text as it is, any other value as JSON; null where the field is absent. */
function metaValue(content: string, field: string): string {
  const value = `(${content}::json -> 'meta' -> ${field})`
  return `CASE json_typeof(${value}) WHEN 'string' THEN ${value} #>> '{}' ELSE ${value}::text END`
}
