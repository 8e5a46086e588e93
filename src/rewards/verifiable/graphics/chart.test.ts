import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { testOnData } from '../../../../tests/shared-data.ts'
import type { Json, JsonObject, Sample, Score } from '../../../core/index.ts'
import type { Raster } from '../../../models/embedder.ts'
import { chart, chartLikeness } from './chart.ts'
import { seriesScore, structureTerms, valuesScore } from './chart-agreement.ts'
import { type ChartRecord, chartRecord } from './chart-record.ts'
import { loadChartRenderer } from './chart-render.ts'
import { whyChartUnsafe } from './chart-safety.ts'
import { type RasterTarget, rasterTarget, withoutMargins } from './raster.ts'
import { isRendered, loadSvgRenderer } from './svg-render.ts'

const record = (spec: Json): ChartRecord => {
  const read = chartRecord(spec)
  if (typeof read === 'string') throw new Error(read)
  return read
}
const values: Json = [
  { year: '2021', sales: 10, kind: 'a' },
  { year: '2022', sales: '20', kind: 'a' },
  { year: '2021', sales: 5, kind: 'b' },
]
const bars: JsonObject = {
  data: { values },
  mark: 'bar',
  encoding: { x: { field: 'year', type: 'nominal' }, y: { field: 'sales', type: 'quantitative' } },
}
const grouped: JsonObject = {
  ...bars,
  encoding: { ...(bars.encoding as JsonObject), color: { field: 'kind' } },
}
const judge = async (
  output: Json,
  reference: Json,
  settings: Parameters<typeof chart>[0] = {},
): Promise<Score> => {
  const sample: Sample = {
    id: 's',
    prompt: 'p',
    output: [{ type: 'json', json: output }],
    reference,
    meta: {},
  }
  return (await chart(settings).score([sample]))[0]!
}
const render = await loadChartRenderer()

describe('records', () => {
  test('one record for every spelling', () => {
    const long: JsonObject = {
      datasets: { d: values },
      encoding: { y: { type: 'quantitative', field: 'sales' } },
      data: { name: 'd' },
      layer: [{ mark: { type: 'bar', tooltip: true }, encoding: { x: { field: 'year' } } }],
    }
    expect(record(long)).toEqual(record(bars))
  })
  test('series by colour, values of numeric text as numbers, categories', () => {
    const { series, categories, xLabel, yLabel, type } = record(grouped)
    expect([...series]).toEqual([
      ['a', [10, 20]],
      ['b', [5]],
    ])
    expect([...categories]).toEqual([
      ['a', [2021, 2022]],
      ['b', [2021]],
    ])
    expect({ xLabel, yLabel, type }).toEqual({ xLabel: 'year', yLabel: 'sales', type: 'bar' })
  })
  test.each<[string, JsonObject, [number, number]]>([
    ['beside each other', { hconcat: [bars, bars, bars] }, [1, 3]],
    ['below each other', { vconcat: [bars, bars] }, [2, 1]],
    ['wrapped', { concat: [bars, bars, bars], columns: 2 }, [2, 2]],
    [
      'rows of a field',
      { ...bars, encoding: { ...(bars.encoding as JsonObject), row: { field: 'kind' } } },
      [2, 1],
    ],
    [
      'a wrapped facet',
      { data: { values }, facet: { field: 'kind' }, columns: 1, spec: { mark: 'bar' } },
      [2, 1],
    ],
    ['repeated', { repeat: { row: ['a', 'b'], column: ['c'] }, spec: bars }, [2, 1]],
    ['one', bars, [1, 1]],
  ])('layout: %s', (_, spec, layout) => expect(record(spec).layout).toEqual(layout))
  test('titles: lines, objects, defaults, none', () => {
    const titled = (title: Json, y: JsonObject) =>
      record({ ...bars, title, encoding: { y: { field: 'sales', ...y } } })
    expect(titled({ text: ['a', 'b'], subtitle: 'c' }, {})).toMatchObject({ title: 'a\nb', subtitle: 'c' })
    expect(titled('t', { aggregate: 'mean' }).yLabel).toBe('Mean of sales')
    expect(titled('t', { bin: true }).yLabel).toBe('sales (binned)')
    expect(titled('t', { timeUnit: 'year' }).yLabel).toBe('sales (year)')
    expect(titled('t', { title: 'x', axis: { title: 'y' } }).yLabel).toBe('y')
    expect(titled('t', { title: null }).yLabel).toBe('')
    expect(titled('t', { axis: null }).yLabel).toBe('')
  })
  test('what is no chart', () => {
    let deep: JsonObject = bars
    for (let i = 0; i < 50; i++) deep = { hconcat: [deep] }
    for (const spec of [
      null,
      [],
      3,
      {},
      { mark: '' },
      { mark: 3 },
      { layer: [] },
      { layer: 'x' },
      { hconcat: [{}] },
      deep,
    ] as Json[])
      expect(chartRecord(spec), JSON.stringify(spec)).toBeTypeOf('string')
  })
})

describe('agreement', () => {
  test('a missing series counts 0, an only series needs no name', () => {
    const gold = new Map([
      ['a', [1]],
      ['b', [2]],
    ])
    expect(seriesScore(new Map([['a', [1]]]), gold)).toBe(0.5)
    expect(seriesScore(new Map([['z', [1]]]), new Map([['a', [1]]]))).toBe(1)
    expect(seriesScore(gold, new Map())).toBeNull()
  })
  test('in [0, 1]; text and numbers are different values', () => {
    const value = fc.oneof(fc.double({ noNaN: true }), fc.string(), fc.boolean(), fc.constant(null))
    fc.assert(
      fc.property(fc.array(value), fc.array(value), (a, b) => {
        const score = valuesScore(a, b)
        expect(score >= 0 && score <= 1).toBe(true)
        expect(valuesScore(a, a)).toBe(1)
      }),
    )
    expect(valuesScore(['1'], [1])).toBe(0)
    expect(valuesScore([3], [Number.POSITIVE_INFINITY])).toBe(0)
    expect(valuesScore([-104, 96], [-100, 100])).toBe(1)
  })
})

describe('what is refused before it is drawn', () => {
  const big = Array.from({ length: 6000 }, (_, i) => ({ a: i }))
  const nested = (depth: number): Json => (depth === 0 ? 1 : [nested(depth - 1)])
  test.each<[string, JsonObject, RegExp]>([
    ['remote data', { ...bars, data: { url: 'http://example.com/a.json' } }, /outside/],
    ['a local file', { ...bars, data: { url: 'file:///etc/passwd' } }, /outside/],
    [
      'remote data to look up',
      { ...bars, transform: [{ lookup: 'a', from: { data: { url: '/a.csv' }, key: 'a', fields: ['b'] } }] },
      /outside/,
    ],
    [
      'images',
      {
        data: { values: [{ a: 'http://example.com/a.png' }] },
        mark: { type: 'image', width: 9 },
        encoding: { url: { field: 'a' } },
      },
      /images/,
    ],
    ['links', { ...bars, encoding: { href: { field: 'year' } } }, /links/],
    ['too many rows', { ...bars, data: { values: big } }, /rows/],
    ['too many rows by name', { ...bars, datasets: { d: big }, data: { name: 'd' } }, /rows/],
    ['a generated sequence', { ...bars, data: { sequence: { start: 0, stop: 1e9 } } }, /generates/],
    ['a sequence of no step', { ...bars, data: { sequence: { start: 0, stop: 10, step: 0 } } }, /generates/],
    [
      'imputed keys',
      { ...bars, transform: [{ impute: 'a', key: 'b', keyvals: { stop: 1e8 } }] },
      /generates/,
    ],
    [
      'a sequence in an expression',
      { ...bars, transform: [{ calculate: 'sequence(0, 1e9)', as: 'a' }] },
      /expression/,
    ],
    [
      'a pattern in a filter',
      { ...bars, transform: [{ filter: 'test(/(a+)+$/, datum.kind)' }] },
      /expression/,
    ],
    [
      'an expression in a mark',
      { ...bars, mark: { type: 'bar', opacity: { expr: 'length(pad("", 1e9, "x"))' } } },
      /expression/,
    ],
    ['fine bins', { ...bars, encoding: { x: { field: 'sales', bin: { step: 1e-9 } } } }, /bins/],
    ['many bins', { ...bars, encoding: { x: { field: 'sales', bin: { maxbins: 1e9 } } } }, /maxbins/],
    ['many ticks', { ...bars, encoding: { x: { field: 'sales', axis: { tickCount: 1e9 } } } }, /tickCount/],
    [
      'a tick a second',
      { ...bars, encoding: { x: { field: 'sales', axis: { tickCount: { interval: 'second', step: 1 } } } } },
      /tick every/,
    ],
    ['many quantiles', { ...bars, transform: [{ quantile: 'sales', step: 1e-9 }] }, /quantiles/],
    ['many steps', { ...bars, transform: [{ density: 'sales', steps: 1e9 }] }, /steps/],
    ['a huge canvas', { ...bars, width: 1e9 }, /wide/],
    ['huge steps', { ...bars, width: { step: 1e7 } }, /steps/],
    ['many views', { hconcat: Array(100).fill(bars) }, /views/],
    [
      'many repeats',
      { repeat: { row: Array(30).fill('a'), column: Array(30).fill('b') }, spec: bars },
      /views/,
    ],
    [
      'a panel for every row',
      { data: { values: big.slice(0, 400) }, mark: 'point', encoding: { row: { field: 'a' } } },
      /panels/,
    ],
    ['deep nesting', { ...bars, config: { x: nested(200) } }, /nested/],
    ['too large', { ...bars, config: { x: Array(200_000).fill(0) } }, /large/],
    [
      'a Vega specification',
      { $schema: 'https://vega.github.io/schema/vega/v5.json', mark: 'bar' },
      /not Vega-Lite/,
    ],
  ])('%s', async (_, spec, problem) => {
    const started = performance.now()
    const rendered = await render(spec)
    expect(rendered).toMatchObject({ problem: expect.stringMatching(problem), unsafe: true })
    expect(performance.now() - started).toBeLessThan(500)
  })
  test('expressions are interpreted: they cannot reach the program', async () => {
    for (const calculate of [
      'this.constructor.constructor("return process")()',
      'datum.constructor.constructor("return 1")()',
      'window',
      'process.exit(1)',
    ])
      expect(isRendered(await render({ ...bars, transform: [{ calculate, as: 'sales' }] }))).toBe(false)
  })
  test('a specification that Vega-Lite cannot compile is not drawn', async () => {
    expect(await render({ mark: 'no such mark', data: { values } })).toMatchObject({ unsafe: false })
  })
})

describe('chart', () => {
  test('perturbed charts are worth less, term by term', async () => {
    const cases: [keyof ReturnType<typeof structureTerms> | 'picture', JsonObject][] = [
      ['marks', { ...grouped, mark: 'line' }],
      [
        'encodings',
        { ...grouped, encoding: { ...(grouped.encoding as JsonObject), color: { field: 'year' } } },
      ],
      ['data', { ...grouped, data: { values: [{ year: '2021', sales: 99, kind: 'a' }] } }],
      ['texts', { ...grouped, title: 'No such title' }],
      ['transforms', { ...grouped, transform: [{ filter: 'datum.sales > 5' }] }],
      ['layout', { hconcat: [grouped, grouped] }],
      [
        'picture',
        {
          ...grouped,
          encoding: {
            ...(grouped.encoding as JsonObject),
            color: { field: 'kind', scale: { range: ['red', 'gold'] } },
          },
        },
      ],
    ]
    expect((await judge(grouped, grouped)).value).toBe(1)
    for (const [term, spec] of cases) {
      const { value, parts } = await judge(spec, grouped)
      expect(parts![term], term).toBeLessThan(1)
      expect(value, term).toBeLessThan(1)
    }
  })
  test('a chart that cannot be drawn, or shows none of its data, earns nothing', async () => {
    const { value, parts, rationale } = await judge({ ...bars, width: 1e9 }, bars)
    expect(parts).toMatchObject({ structure: 1, drawn: 0, picture: 0 })
    expect(value).toBe(0)
    expect(rationale).toContain('not drawn')
    for (const empty of [
      { ...bars, data: { values: [] } },
      { ...bars, data: { url: 'https://example.com/table.csv' } },
      { ...bars, transform: [{ filter: 'false' }] },
      { ...bars, mark: { type: 'bar', opacity: 0 } },
      { ...bars, mark: { type: 'bar', color: '#ffffff' } },
    ])
      expect((await judge(empty, bars)).value).toBe(0)
  })
  test('read from a fence, from prose, from a JSON part; a reference as text', async () => {
    const sample = (output: string): Sample => ({
      id: 's',
      prompt: 'p',
      output,
      reference: JSON.stringify(bars),
      meta: {},
    })
    const scores = await chart({ evidence: false }).score([
      sample(`\`\`\`json\n${JSON.stringify(bars)}\n\`\`\``),
      sample(`It is ${JSON.stringify(bars)}. Done.`),
    ])
    expect(scores.map(({ value }) => value)).toEqual([1, 1])
  })
})

testOnData(
  'vega-lite-examples',
  '219 charts equal themselves, differ when perturbed, and look like their published SVG',
  async (folder) => {
    const rows: { name: string; spec: JsonObject; svg: string }[] = gunzipSync(
      readFileSync(join(folder, 'examples.jsonl.gz')),
    )
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(rows).toHaveLength(219)
    const renderSvg = await loadSvgRenderer()
    const pictures: { drawn: Raster; target: RasterTarget }[] = []
    const refused: Record<string, number> = {}
    let drawable = 0
    for (const { name, spec, svg } of rows) {
      const own = record(spec)
      const terms = structureTerms(own, own)
      expect(
        Object.values(terms).filter((term) => term !== 1 && term !== null),
        name,
      ).toEqual([])
      const perturbed = { ...own, marks: ['other', ...own.marks.slice(1)], title: `${own.title} changed` }
      expect(structureTerms(perturbed, own), name).not.toEqual(terms)
      const unsafe = whyChartUnsafe(spec)
      if (unsafe !== undefined) {
        refused[unsafe] = (refused[unsafe] ?? 0) + 1
        continue
      }
      if (drawable++ % 2 === 1) continue
      const drawn = await render(spec, { pixels: 288 })
      const limits = { maxCharacters: 2e6, maxElements: 50_000, maxCost: 60_000, pixels: 288 }
      const published = renderSvg(svg, limits)
      if (!isRendered(drawn) || !isRendered(published)) throw new Error(`${name} is not drawn`)
      // Texts are not drawn, which leaves nothing of a chart of texts.
      const target = rasterTarget(withoutMargins(published.raster))
      if (target) pictures.push({ drawn: drawn.raster, target })
    }
    expect(drawable).toBe(89)
    expect(refused).toEqual({
      'loads data from outside of itself': 128,
      'draws images': 1,
      'generates data': 1,
    })
    // The published pictures were laid out with other widths of texts; still each is nearer to its own drawing.
    const own = pictures.map(({ drawn, target }) => chartLikeness(drawn, target))
    const nearer = pictures.filter(({ target }, index) =>
      Array.from({ length: 10 }, (_, step) => pictures[(index + step + 1) % pictures.length]!).every(
        ({ drawn }) => chartLikeness(drawn, target) < own[index]!,
      ),
    )
    expect(nearer.length).toBe(pictures.length)
    expect(own.sort((a, b) => a - b)[own.length >> 1]).toBeGreaterThan(0.9)
  },
)
