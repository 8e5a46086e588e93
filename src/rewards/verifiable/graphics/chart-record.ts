import { canonicalJson, isObject, type Json, type JsonObject } from '../../../core/index.ts'

export type ChartValue = number | string | boolean | null

/** One field on one channel of one view. */
export interface ChartEncoding {
  readonly channel: string
  /** Empty for a count or a constant. */
  readonly field: string
  /** quantitative, temporal, ordinal, nominal or geojson; guessed as Vega-Lite guesses when left out. */
  readonly type: string
  /** Everything else that changes what is drawn (aggregate, bin, timeUnit, stack, sort, scale type), canonical. */
  readonly details: string
}

/** What a chart says, whatever its specification's spelling. */
export interface ChartRecord {
  /** The mark; of several, their sorted names joined by "+". */
  readonly type: string
  /** The mark of every view and layer, in order. */
  readonly marks: readonly string[]
  readonly layout: readonly [rows: number, columns: number]
  /** Values of each series' measure, in the order of the rows. One series without a name is `''`. */
  readonly series: ReadonlyMap<string, readonly ChartValue[]>
  /** Values of each series' dimension (what the measure is drawn against), where there is one. */
  readonly categories: ReadonlyMap<string, readonly ChartValue[]>
  /** Addresses or names of data that the specification does not hold itself. */
  readonly sources: readonly string[]
  readonly encodings: readonly ChartEncoding[]
  /** Canonical texts of all transforms, in order. */
  readonly transforms: readonly string[]
  readonly title: string
  readonly subtitle: string
  readonly xLabel: string
  readonly yLabel: string
}

/** Views nested deeper than this are not read. */
const deepest = 12
/** Rows read of each data source. */
const mostRows = 20_000

interface View {
  readonly spec: JsonObject
  readonly data: Json | undefined
  readonly encoding: JsonObject
  readonly path: string
}

/**
 * The record of a Vega-Lite specification, or a sentence on why it is none. Short and long spellings give one record:
 * a mark by name or by object, encodings shared by layers or repeated, data inline or by name in `datasets`, titles
 * as text, as lines or by object, axis titles left to their default. Values of numeric text are numbers.
 */
export function chartRecord(spec: Json | undefined): ChartRecord | string {
  if (!isObject(spec)) return 'a chart must be an object'
  const views: View[] = []
  const transforms: string[] = []
  const layout = readViews(
    spec as JsonObject,
    { data: undefined, encoding: {}, path: '', depth: 0 },
    views,
    transforms,
  )
  if (typeof layout === 'string') return layout
  if (views.length === 0) return 'the chart has no mark'
  const datasets = isObject(spec.datasets) ? (spec.datasets as JsonObject) : {}

  const series = new Map<string, ChartValue[]>()
  const categories = new Map<string, ChartValue[]>()
  const sources: string[] = []
  const encodings: ChartEncoding[] = []
  const labels: { x: string[]; y: string[] } = { x: [], y: [] }
  const panels = new Set(views.map(({ path }) => path))
  const taken = new Set<string>()
  for (const view of views) {
    const channels = readEncodings(view.encoding)
    encodings.push(...channels.map(({ definition: _, ...encoding }) => encoding))
    for (const axis of ['x', 'y'] as const) {
      const channel = channels.find((each) => each.channel === axis)
      const label = channel ? axisLabel(channel.definition) : ''
      if (label !== '' && !labels[axis].includes(label)) labels[axis].push(label)
    }
    const rows = readRows(view.data, datasets)
    if (typeof rows === 'string') {
      if (!sources.includes(rows)) sources.push(rows)
      continue
    }
    readSeries(rows, channels, panels.size > 1 ? `${view.path} ` : '', taken, series, categories)
  }
  const marks = views.map(({ spec: unit }) => markOf(unit)!)
  const [title, subtitle] = titleOf(spec.title as Json | undefined)
  return {
    type: [...new Set(marks)].sort().join('+'),
    marks,
    layout: layout,
    series,
    categories,
    sources,
    encodings,
    transforms,
    title,
    subtitle,
    xLabel: labels.x.join('\n'),
    yLabel: labels.y.join('\n'),
  }
}

type Layout = readonly [rows: number, columns: number]

function readViews(
  spec: JsonObject,
  inherited: { data: Json | undefined; encoding: JsonObject; path: string; depth: number },
  views: View[],
  transforms: string[],
): Layout | string {
  if (inherited.depth > deepest) return 'the views are nested too deeply'
  const data = spec.data === undefined ? inherited.data : spec.data
  const encoding = {
    ...inherited.encoding,
    ...(isObject(spec.encoding) ? (spec.encoding as JsonObject) : {}),
  }
  const depth = inherited.depth + 1
  if (Array.isArray(spec.transform))
    for (const transform of spec.transform) transforms.push(canonicalJson(transform))
  const children = (key: string): JsonObject[] =>
    Array.isArray(spec[key])
      ? (spec[key] as Json[]).filter((child): child is JsonObject => isObject(child))
      : []
  const read = (child: JsonObject, path: string, shared = encoding) =>
    readViews(child, { data, encoding: shared, path, depth }, views, transforms)

  if (markOf(spec) !== undefined) {
    views.push({ spec, data, encoding, path: inherited.path })
    return facetLayout(encoding, data)
  }
  if (Array.isArray(spec.layer)) {
    for (const child of children('layer')) {
      const layout = read(child, inherited.path)
      if (typeof layout === 'string') return layout
    }
    return facetLayout(encoding, data)
  }
  for (const key of ['hconcat', 'vconcat', 'concat']) {
    const parts = children(key)
    if (parts.length === 0) continue
    for (const [index, child] of parts.entries()) {
      const layout = read(child, `${inherited.path}${index + 1}`, {})
      if (typeof layout === 'string') return layout
    }
    const columns = key === 'hconcat' ? parts.length : key === 'vconcat' ? 1 : columnsOf(spec, parts.length)
    return [Math.ceil(parts.length / columns), columns]
  }
  if (isObject(spec.spec)) {
    const layout = read(spec.spec as JsonObject, inherited.path)
    if (typeof layout === 'string') return layout
    return isObject(spec.facet) || Array.isArray(spec.repeat) || isObject(spec.repeat)
      ? gridOf(spec, data)
      : layout
  }
  return 'the chart has no mark'
}

function columnsOf(spec: JsonObject, count: number): number {
  const { columns } = spec
  return typeof columns === 'number' && columns >= 1
    ? Math.min(count, Math.floor(columns))
    : Math.max(1, count)
}

function gridOf(spec: JsonObject, data: Json | undefined): Layout {
  const { repeat, facet } = spec
  if (Array.isArray(repeat)) {
    const columns = columnsOf(spec, repeat.length)
    return [Math.ceil(repeat.length / columns), columns]
  }
  if (isObject(repeat)) {
    const size = (key: string) => (Array.isArray(repeat[key]) ? (repeat[key] as Json[]).length : 1)
    return [size('row'), size('column')]
  }
  const encoding = facet as JsonObject
  if (typeof encoding.field === 'string') {
    const count = distinct(encoding, data)
    const columns = columnsOf(spec, count)
    return [Math.ceil(count / columns), columns]
  }
  return facetLayout(encoding, data)
}

function facetLayout(encoding: JsonObject, data: Json | undefined): Layout {
  const facet = encoding.facet
  if (isObject(facet)) {
    const count = distinct(facet as JsonObject, data)
    const columns = columnsOf(facet as JsonObject, count)
    return [Math.ceil(count / columns), columns]
  }
  const size = (channel: Json | undefined) => (isObject(channel) ? distinct(channel as JsonObject, data) : 1)
  return [size(encoding.row), size(encoding.column)]
}

/** How many values a field has in inline data; 1 where the data is elsewhere. */
function distinct(definition: JsonObject, data: Json | undefined): number {
  const values = isObject(data) && Array.isArray(data.values) ? data.values : []
  const found = new Set<unknown>()
  for (const row of values.slice(0, mostRows))
    if (isObject(row) && typeof definition.field === 'string') found.add(row[definition.field])
  return Math.max(1, found.size)
}

function markOf({ mark }: JsonObject): string | undefined {
  const name = isObject(mark) ? mark.type : mark
  return typeof name === 'string' && name !== '' ? name : undefined
}

interface ReadEncoding extends ChartEncoding {
  readonly definition: JsonObject
}

function readEncodings(encoding: JsonObject): ReadEncoding[] {
  const found: ReadEncoding[] = []
  for (const channel of Object.keys(encoding).sort()) {
    const definitions = Array.isArray(encoding[channel]) ? encoding[channel] : [encoding[channel]]
    for (const definition of definitions as (Json | undefined)[]) {
      if (!isObject(definition)) continue
      const { field, type, aggregate, bin, timeUnit, stack, sort, scale } = definition as JsonObject
      const details = {
        aggregate,
        bin: bin || undefined,
        timeUnit,
        stack,
        sort,
        scale: isObject(scale) ? scale.type : undefined,
      }
      found.push({
        channel,
        field: typeof field === 'string' ? field : isObject(field) ? canonicalJson(field) : '',
        type: typeof type === 'string' ? type : guessedType(channel, definition as JsonObject),
        details: canonicalJson(details),
        definition: definition as JsonObject,
      })
    }
  }
  return found
}

function guessedType(channel: string, { aggregate, bin, timeUnit, sort }: JsonObject): string {
  if (timeUnit) return 'temporal'
  if (bin || (typeof aggregate === 'string' && !aggregate.startsWith('arg'))) return 'quantitative'
  if (Array.isArray(sort)) return 'ordinal'
  return ['latitude', 'longitude', 'theta', 'radius'].includes(channel) ? 'quantitative' : 'nominal'
}

/** Rows of inline data; or the address or name of data elsewhere (or its text, where it is inline text). */
function readRows(data: Json | undefined, datasets: JsonObject): readonly Json[] | string {
  if (!isObject(data)) return []
  let { values } = data
  if (values === undefined && typeof data.name === 'string' && Object.hasOwn(datasets, data.name))
    values = datasets[data.name]
  if (Array.isArray(values)) return values.slice(0, mostRows) as Json[]
  if (isObject(values)) return [values as Json]
  if (typeof values === 'string') return values
  if (typeof data.url === 'string') return data.url
  return typeof data.name === 'string' ? data.name : canonicalJson(data)
}

const measures = ['y', 'x', 'theta', 'radius', 'size', 'color', 'text']
const seriesChannels = [
  'color',
  'fill',
  'stroke',
  'shape',
  'strokeDash',
  'detail',
  'xOffset',
  'yOffset',
  'row',
  'column',
  'facet',
]

function readSeries(
  rows: readonly Json[],
  channels: readonly ReadEncoding[],
  prefix: string,
  taken: Set<string>,
  series: Map<string, ChartValue[]>,
  categories: Map<string, ChartValue[]>,
): void {
  const byChannel = (names: readonly string[], test: (encoding: ReadEncoding) => boolean) =>
    names.flatMap((name) =>
      channels.filter((each) => each.channel === name && each.field !== '' && test(each)),
    )[0]
  const measure = byChannel(measures, ({ type }) => type === 'quantitative')
  const dimension = byChannel(
    ['x', 'y', 'theta', 'color', 'row'],
    (each) => each !== measure && each.channel !== measure?.channel,
  )
  const shown = measure ?? dimension
  if (!shown) return
  const split = byChannel(
    seriesChannels,
    (each) => each !== measure && each.field !== dimension?.field && each.type !== 'quantitative',
  )
  // A layer that draws the same field again adds nothing.
  const key = canonicalJson([prefix, shown.field, dimension?.field ?? '', split?.field ?? ''])
  if (taken.has(key)) return
  taken.add(key)
  const named = taken.size > 1 || series.size > 0 ? `${prefix}${shown.field} ` : prefix
  for (const row of rows) {
    const name = split ? `${named}${String(valueAt(row, split.field))}` : named.trim()
    append(series, name, valueAt(row, shown.field))
    if (dimension && dimension !== shown) append(categories, name, valueAt(row, dimension.field))
  }
}

function append(lists: Map<string, ChartValue[]>, name: string, value: ChartValue): void {
  const list = lists.get(name)
  if (list) list.push(value)
  else lists.set(name, [value])
}

function valueAt(row: Json, field: string): ChartValue {
  const value =
    isObject(row) && Object.hasOwn(row, field)
      ? row[field]
      : field === 'data' && !isObject(row)
        ? row
        : undefined
  if (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))) return Number(value)
  if (value === null || value === undefined) return null
  return typeof value === 'object' ? canonicalJson(value) : (value as ChartValue)
}

function titleOf(title: Json | undefined): [title: string, subtitle: string] {
  if (isObject(title)) return [linesOf(title.text as Json), linesOf(title.subtitle as Json)]
  return [linesOf(title), '']
}

function linesOf(text: Json | undefined): string {
  if (typeof text === 'string') return text
  return Array.isArray(text) ? text.filter((line) => typeof line === 'string').join('\n') : ''
}

/** The axis title: given, or as Vega-Lite makes it up; '' where it is switched off. */
function axisLabel(definition: JsonObject): string {
  const axis = isObject(definition.axis) ? definition.axis : {}
  if (definition.axis === null || definition.title === null || axis.title === null) return ''
  const given = axis.title ?? definition.title
  if (given !== undefined) return linesOf(given as Json)
  const { field, aggregate, bin, timeUnit } = definition
  const name = typeof field === 'string' ? field : ''
  if (aggregate === 'count') return 'Count of Records'
  if (typeof aggregate === 'string' && name !== '')
    return `${aggregate[0]!.toUpperCase()}${aggregate.slice(1)} of ${name}`
  if (bin) return `${name} (binned)`
  return typeof timeUnit === 'string' ? `${name} (${timeUnit})` : name
}
