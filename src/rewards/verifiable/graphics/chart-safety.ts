import { isObject, type Json, type JsonObject } from '../../../core/index.ts'

/** Limits of what a specification may ask the renderer to do. */
const limits = {
  nodes: 100_000,
  depth: 64,
  rows: 5000,
  views: 36,
  panels: 100,
  pieces: 1000,
  side: 4000,
  expression: 2000,
}

/**
 * Functions of Vega's expressions that make long lists or long texts, or run patterns that may never end. (The
 * others are bounded by the length of the expression.)
 */
const heavyFunctions =
  /\b(?:sequence|range|pad|repeat|regexp|test|replace|split|treePath|treeAncestors|modify|geoShape|pathShape)\s*\(/
const frequentTicks = /^(?:millisecond|second|minute|hour)/

/**
 * Why a Vega-Lite specification is not to be rendered: it loads something, or may cost unbounded time or memory.
 * Undefined when it is safe as far as its text can tell: a chart within these limits is drawn in well under a second.
 */
export function whyChartUnsafe(spec: JsonObject): string | undefined {
  if (typeof spec.$schema === 'string' && !/vega-lite/.test(spec.$schema)) return 'is not Vega-Lite'
  const found = { nodes: 0, rows: 0, views: 0, largest: 1 }
  const distinct = new Map<string, Set<unknown>>()
  const problem = walk(spec, '', 0, false)
  if (problem) return problem
  const panels = panelFields(spec).reduce(
    (product, field) => product * Math.max(1, distinct.get(field)?.size ?? 1),
    1,
  )
  return panels > limits.panels ? `has ${panels} panels` : tooFine(spec, found.largest)

  function walk(value: Json | undefined, key: string, depth: number, isData: boolean): string | undefined {
    if (++found.nodes > limits.nodes) return 'is too large'
    if (depth > limits.depth) return 'is nested too deeply'
    if (typeof value === 'number' && isData) found.largest = Math.max(found.largest, Math.abs(value))
    if (typeof value === 'string') {
      if (isData) return undefined
      if (key === 'url') return 'loads data from outside of itself'
      if (value.length > limits.expression && key !== 'description') return 'has too long a text'
      return heavyFunctions.test(value) ? 'has an expression that may cost too much' : undefined
    }
    if (typeof value !== 'object' || value === null) return undefined
    if (Array.isArray(value)) {
      for (const item of value as Json[]) {
        const wrong = walk(item, key, depth + 1, isData)
        if (wrong) return wrong
      }
      return undefined
    }
    const object = value as JsonObject
    if (!isData) {
      const wrong = unsafeObject(object, key)
      if (wrong) return wrong
      if ('mark' in object && ++found.views > limits.views) return 'has too many views'
    }
    for (const [name, inner] of Object.entries(object)) {
      const data = isData || (name === 'values' && key === 'data') || key === 'datasets'
      if (data && !isData && Array.isArray(inner)) {
        found.rows += inner.length
        if (found.rows > limits.rows) return `has more than ${limits.rows} rows of data`
        for (const row of inner)
          if (isObject(row))
            for (const [field, cell] of Object.entries(row)) {
              const cells = distinct.get(field)
              if (cells) cells.add(cell)
              else distinct.set(field, new Set([cell]))
            }
      }
      const wrong = walk(inner, name, depth + 1, data)
      if (wrong) return wrong
    }
    return undefined
  }
}

function unsafeObject(object: JsonObject, key: string): string | undefined {
  const mark = isObject(object.mark) ? object.mark.type : object.mark
  if (mark === 'image') return 'draws images'
  if (isObject(object.encoding) && 'href' in object.encoding) return 'links to something outside of itself'
  if ('graticule' in object) return 'generates data'
  for (const side of ['width', 'height'] as const) {
    const size = object[side]
    if (typeof size === 'number' && !(size >= 0 && size <= limits.side)) return `is ${size} wide or high`
    if (isObject(size) && typeof size.step === 'number' && size.step > 200)
      return 'has steps that are too wide'
  }
  for (const count of ['maxbins', 'tickCount', 'steps', 'minsteps', 'maxsteps', 'columns'] as const) {
    const asked = object[count]
    if (typeof asked === 'number' && asked > limits.pieces) return `asks for ${asked} ${count}`
    const interval = isObject(asked) ? asked.interval : asked
    if (typeof interval === 'string' && frequentTicks.test(interval))
      return `asks for a tick every ${interval}`
  }
  const { start, stop, step } = object
  if (typeof stop === 'number') {
    const count = Math.abs(
      (stop - (typeof start === 'number' ? start : 0)) / (typeof step === 'number' ? step : 1),
    )
    if (!(count <= 10_000)) return 'generates too much data'
  }
  if ('quantile' in object && typeof step === 'number' && !(step >= 1 / limits.pieces))
    return 'asks for too many quantiles'
  for (const parts of ['hconcat', 'vconcat', 'concat', 'layer', 'repeat'] as const) {
    const list = object[parts]
    if (Array.isArray(list) && list.length > limits.views) return 'has too many views'
  }
  if (isObject(object.repeat)) {
    const sizes = Object.values(object.repeat).map((list) => (Array.isArray(list) ? list.length : 1))
    if (sizes.reduce((product, size) => product * size, 1) > limits.views) return 'has too many views'
  }
  return key === 'timer' ? 'runs by the clock' : undefined
}

/** Fields whose every value makes a panel. */
function panelFields(spec: JsonObject): string[] {
  const fields: string[] = []
  const fieldOf = (definition: Json | undefined) => {
    if (isObject(definition) && typeof definition.field === 'string') fields.push(definition.field)
  }
  const visit = (view: JsonObject, depth: number) => {
    if (depth > 12) return
    for (const holder of [view.encoding, view.facet])
      if (isObject(holder))
        for (const channel of ['row', 'column', 'facet']) fieldOf(holder[channel] as Json | undefined)
    fieldOf(view.facet)
    for (const key of ['hconcat', 'vconcat', 'concat', 'layer'])
      if (Array.isArray(view[key]))
        for (const child of view[key] as Json[]) if (isObject(child)) visit(child as JsonObject, depth + 1)
    if (isObject(view.spec)) visit(view.spec as JsonObject, depth + 1)
  }
  visit(spec, 0)
  return [...new Set(fields)]
}

/** Bins and ticks whose width is given: how many there are depends on the data. */
function tooFine(value: Json | undefined, largest: number, key = ''): string | undefined {
  if (Array.isArray(value)) {
    for (const item of value as Json[]) {
      const wrong = tooFine(item, largest, key)
      if (wrong) return wrong
    }
    return undefined
  }
  if (!isObject(value) || key === 'values' || key === 'datasets') return undefined
  const { step, extent } = value
  if (key === 'bin' && typeof step === 'number') {
    const reach = Array.isArray(extent)
      ? Math.max(largest, ...extent.map((end) => Math.abs(Number(end))))
      : largest
    if (!(reach / Math.abs(step) <= limits.pieces)) return 'has bins that are too fine'
  }
  for (const [name, inner] of Object.entries(value)) {
    const wrong = tooFine(inner as Json, largest, name)
    if (wrong) return wrong
  }
  return undefined
}
