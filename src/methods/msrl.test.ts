import { describe, expect, test } from 'vitest'
import { testVectors } from '../../tests/vectors.ts'
import type { Json, JsonObject, Sample, Score } from '../core/index.ts'
import { valuesScore } from '../rewards/verifiable/graphics/chart-agreement.ts'
import { type ChartJudge, msrl, msrlTotal, textReward } from './msrl.ts'

interface Described {
  type: string
  layout: [number, number]
  title: string
  x: string
  y: string
  data: number[]
}
const described = ({ type, layout, title, x, y, data }: Described) => ({
  type,
  layout,
  title,
  subtitle: '',
  xLabel: x,
  yLabel: y,
  series: new Map([['', data]]),
})

testVectors('msrl', {
  'msrl.text_reward': ({ gold, predicted }: { gold: Described; predicted: Described }) => {
    const { terms, text } = textReward(described(predicted), described(gold))
    return { ...terms, total: text }
  },
  'msrl.data_score': ({ gold, predicted }: { gold: number[]; predicted: number[] }) =>
    valuesScore(predicted, gold),
  'msrl.total': ({
    weights,
    rewards,
  }: {
    weights: Parameters<typeof msrlTotal>[0]
    rewards: Parameters<typeof msrlTotal>[1]
  }) => msrlTotal(weights, rewards),
})

const spec = (units: number[], rest: JsonObject = {}): JsonObject => ({
  title: 'Sales by year',
  mark: 'bar',
  data: { values: units.map((value, index) => ({ year: `y${index}`, units: value })) },
  encoding: { x: { field: 'year' }, y: { field: 'units', type: 'quantitative' } },
  ...rest,
})
const gold = spec([10, 20, 40, 0])
const judge = async (
  output: JsonObject | string,
  settings: Parameters<typeof msrl>[0] = {},
  reference: Json = gold,
  models: Parameters<typeof msrl>[1] = {},
): Promise<Score> => {
  const sample: Sample = {
    id: 's',
    prompt: 'p',
    output: typeof output === 'string' ? output : JSON.stringify(output),
    reference,
    meta: {},
  }
  return (await msrl(settings, models).score([sample]))[0]!
}

test("the card's first chart, written as specifications", async () => {
  const predicted = spec([10.4, 21.5, 40, 0], {
    title: { text: ['Sales per year'] },
    encoding: { x: { field: 'year' }, y: { field: 'units', type: 'quantitative', title: 'unit' } },
  })
  const { value, parts } = await judge(predicted)
  expect(parts).toMatchObject({ data: 0.75, type: 1, layout: 1, execution: 1, visual: null })
  expect(parts?.text).toBeCloseTo(0.887143, 6)
  expect(value).toBeCloseTo(0.8 * 0.887143 + 0.2, 6)
})

describe('guarded', () => {
  const trivial: JsonObject = { data: { values: [{}] }, mark: 'point' }
  test('a trivial chart that runs earns nothing for running', async () => {
    expect((await judge(trivial, { variant: 'paper' })).parts?.execution).toBe(1)
    expect((await judge(trivial)).parts?.execution).toBe(0)
  })
  test('nothing is not paid for being equal to nothing', async () => {
    const bare: JsonObject = {
      mark: 'bar',
      data: { values: [{ a: 1 }] },
      encoding: { y: { field: 'a', type: 'quantitative', title: null } },
    }
    expect((await judge({ mark: 'line' }, { variant: 'paper' }, bare)).parts).toMatchObject({
      title: 1,
      labels: 1,
    })
    expect((await judge({ mark: 'line' }, {}, bare)).parts).toMatchObject({ title: null, labels: null })
    expect((await judge(bare, {}, bare)).value).toBe(1)
  })
})

describe('stages and judges', () => {
  const rater = (rating: number | null): ChartJudge => ({
    id: 'rater',
    rate: async (pairs) =>
      pairs.map(() => (rating === null ? null : { 'chart type': rating, data: rating / 2 })),
  })
  test('stage 2 weighs the mean rating; aspects are kept apart', async () => {
    const { value, parts } = await judge(gold, { stage: 2 }, gold, { judge: rater(0.8) })
    expect(parts).toMatchObject({ visual: 0.6000000000000001, 'chart type': 0.8, data: 0.4 })
    expect(value).toBeCloseTo(0.5 + 0.3 * 0.6 + 0.2)
  })
  test('a chart that cannot be drawn is not shown to the judge: visual 0, text still counts', async () => {
    const broken = spec([10, 20, 40, 0], { width: 1e9 })
    const { value, parts, rationale } = await judge(broken, { stage: 2 }, gold, { judge: rater(1) })
    expect(parts).toMatchObject({ visual: 0, execution: 0, text: 1 })
    expect(value).toBe(0.5)
    expect(rationale).toContain('not drawn')
  })
  test('no judge, a judge that cannot be read, a judge that fails', async () => {
    expect(await judge(gold, { stage: 2 })).toMatchObject({ value: null, code: 'not-applicable' })
    expect(await judge(gold, { stage: 2 }, gold, { judge: rater(null) })).toMatchObject({
      value: null,
      code: 'unparsable',
    })
    const down: ChartJudge = { id: 'down', rate: async () => Promise.reject(new Error('down')) }
    expect(await judge(gold, { stage: 2 }, gold, { judge: down })).toMatchObject({
      value: null,
      code: 'outage',
    })
  })
  test('pixels can stand in', async () => {
    const same = await judge(gold, { stage: 2, visual: 'pixels' })
    const other = await judge(spec([40, 10, 0, 20]), { stage: 2, visual: 'pixels' })
    expect(same.value).toBe(1)
    expect(other.parts!.visual).toBeLessThan(0.7)
  })
})

test('data elsewhere: the text is judged, and whether it runs cannot be told', async () => {
  const remote = spec([], { data: { url: 'data/cars.json' } })
  expect(await judge(remote, {}, remote)).toMatchObject({ value: null, code: 'not-applicable' })
  expect(await judge(gold, { stage: 2, visual: 'pixels' }, remote)).toMatchObject({
    value: null,
    code: 'bad-input',
  })
  // The gold needs nothing from outside, so a chart that does is at fault.
  expect((await judge(remote)).parts).toMatchObject({ execution: 0 })
})
