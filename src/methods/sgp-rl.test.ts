import { describe, expect, test } from 'vitest'
import { testVectors } from '../../tests/vectors.ts'
import { compBenchAverage, numeracyScore, readAnchorScore } from '../audit/benchmarks/sgp-genbench.ts'
import type { Json, Sample, Score } from '../core/index.ts'
import type { Embedder, Raster } from '../models/embedder.ts'
import { groupAdvantages } from '../stats/group-advantage.ts'
import { sgpRl } from './sgp-rl.ts'

const filled = (colour: string) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8" fill="${colour}"/></svg>`
const answered = (svg: string) => `<think>t</think> <answer>${svg}</answer>`
const sample = (output: string, reference?: Json): Sample => ({
  id: output,
  prompt: 'caption',
  output,
  meta: {},
  ...(reference === undefined ? {} : { reference }),
})
const score = async (
  output: string,
  settings: Parameters<typeof sgpRl>[0],
  reference?: Json,
): Promise<Score> =>
  (await sgpRl(settings, { caption: stub(redOrBlue(0.3, -0.1)) }).score([sample(output, reference)]))[0]!

/** An embedder whose cosine to every caption, and to a grey picture, depends on the colour of a picture alone. */
function stub(cosineOf: (raster: Raster) => number): Embedder {
  const vector = (cosine: number) => Float32Array.of(cosine, Math.sqrt(1 - cosine * cosine))
  return {
    id: 'stub',
    dimensions: 2,
    embedText: async (texts) => texts.map(() => vector(1)),
    embedImage: async (images) => images.map((image) => vector(cosineOf(image as Raster))),
  }
}
const redOrBlue =
  (red: number, blue: number) =>
  ({ data }: Raster) =>
    data[0]! > 200 ? red : data[2]! > 200 ? blue : 1

// Item 0 and 1 are right, 2 is formatted and cannot be rendered, 3 has no tags, 4 holds text, 5 a newline between tags.
const responses = [
  answered(filled('red')),
  answered(filled('blue')),
  answered('no drawing'),
  filled('red'),
  answered(filled('red').replace('</svg>', '<text>red</text></svg>')),
  answered(filled('red')).replace('</think> ', '</think>\n'),
]

testVectors('sgp-rl', {
  'sgp_rl.reward': async (
    { offset, imageWeight, references }: { offset: number; imageWeight: number; references: boolean[] },
    { variant },
  ) => {
    const reward = sgpRl(
      { variant: variant as 'released', offset, imageWeight },
      { caption: stub(redOrBlue(0.3, -0.1)), picture: stub(redOrBlue(0.8, 0.2)) },
    )
    const scores = await reward.score(
      responses.map((response, index) => sample(response, references[index] ? filled('gray') : undefined)),
    )
    return scores.map(({ value }) => value)
  },
  'sgp_rl.numeracy': ([total, item, counts]: [number, number, number[]]) =>
    numeracyScore(total, item, counts),
  'sgp_rl.advantages': (rewards: number[]) => groupAdvantages(rewards, { epsilon: 1e-8 }),
  'sgp_rl.average': compBenchAverage,
})

describe('variants', () => {
  test('any white space between the tags passes except as released', async () => {
    for (const between of ['', '\n', '  ']) {
      const response = answered(filled('red')).replace('> <answer>', `>${between}<answer>`)
      expect((await score(response, { variant: 'released' })).value).toBe(0)
      for (const variant of ['paper', 'guarded'] as const)
        expect((await score(response, { variant })).value).toBeCloseTo(0.65)
    }
  })
  test('released reads only the end of the response', async () => {
    const response = `no thought </think> <answer>${filled('red')}</answer>`
    expect((await score(response, { variant: 'released' })).value).toBeCloseTo(0.65)
    expect((await score(response, { variant: 'paper' })).value).toBe(0)
  })
  test('text that closes itself passes the released ban and no other', async () => {
    const response = answered(filled('red').replace('</svg>', '<text x="1"/></svg>'))
    expect((await score(response, { variant: 'released' })).value).toBeCloseTo(0.65)
    for (const variant of ['paper', 'guarded'] as const)
      expect((await score(response, { variant })).value).toBe(0)
  })
  test('an empty picture is paid except guarded', async () => {
    const response = answered('<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>')
    expect((await score(response, { variant: 'paper' })).value).toBeGreaterThan(0)
    expect((await score(response, {})).value).toBe(0)
  })
  test('what is not safe to render is unscored as released, and worth nothing otherwise', async () => {
    const response = answered(filled('red').replace('<rect', '<image href="http://example.com/a.png"/><rect'))
    expect(await score(response, { variant: 'released' })).toMatchObject({
      value: null,
      code: 'not-applicable',
    })
    for (const variant of ['paper', 'guarded'] as const)
      expect(await score(response, { variant })).toMatchObject({
        value: 0,
        rationale: expect.stringContaining('image'),
      })
  })
})

describe('options', () => {
  test('with a format bonus there is no gate and no offset', async () => {
    const settings = { formatBonus: 0.5, offset: 1 }
    expect((await score(filled('red'), settings)).value).toBeCloseTo(0.65)
    expect((await score(answered(filled('red')), settings)).value).toBeCloseTo(1.15)
    expect((await score(answered('<svg'), settings)).value).toBe(0)
  })
  test('the length term counts no white space and no comments, and pays only for pictures', async () => {
    const settings = { lengthWeight: 1, textWeight: 0 }
    const svg = filled('red')
    const characters = svg.replace(/\s/g, '').length
    expect(
      (await score(answered(svg.replace('<rect', '<!-- a comment -->\n\n<rect')), settings)).value,
    ).toBeCloseTo(1 - characters / 6000)
    expect((await score(answered('<svg'), settings)).value).toBe(0)
  })
  test('pixels stand in for an embedder of pictures', async () => {
    const settings = { textWeight: 0, imageWeight: 1, likeness: 'pixels' } as const
    const [same] = await sgpRl(settings).score([sample(answered(filled('red')), filled('red'))])
    expect(same!.value).toBe(1)
    const [other] = await sgpRl(settings).score([sample(answered(filled('blue')), filled('red'))])
    expect(other!.value).toBeLessThan(0.5)
  })
  test('an image of zeros means that there is no reference', async () => {
    const { PNG } = {
      PNG: 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAAC0lEQVR4nGNgAAIAAAUAAXpeqz8AAAAASUVORK5CYII=',
    }
    expect((await score(answered(filled('red')), { imageWeight: 1 }, PNG)).parts?.image).toBeNull()
  })
  test('without an embedder: unscored, never 0; an embedder that fails: an outage', async () => {
    expect((await sgpRl().score([sample(responses[0]!)]))[0]).toMatchObject({
      value: null,
      code: 'not-applicable',
    })
    const failing: Embedder = { ...stub(() => 1), embedImage: async () => Promise.reject(new Error('down')) }
    const scores = await sgpRl({}, { caption: failing }).score([sample(responses[0]!), sample(responses[2]!)])
    expect(scores).toMatchObject([
      { value: null, code: 'outage', reason: expect.stringContaining('down') },
      { value: 0 },
    ])
  })
})

test('a judge says its score after "SCORE:", or last, or not at all', () => {
  expect(readAnchorScore('First 100, then SCORE: 50. Not 30.')).toEqual({ score: 50, read: true })
  expect(readAnchorScore('SCORE: 70; rather 30')).toEqual({ score: 30, read: true })
  expect(readAnchorScore('I see 5 items')).toEqual({ score: 0, read: false })
  expect(readAnchorScore('SCORE: 0')).toEqual({ score: 0, read: true })
})

test('comments that are never closed are counted in linear time', async () => {
  const svg = filled('red').replace('</svg>', `<desc>${'/*'.repeat(90_000)}</desc></svg>`)
  const started = performance.now()
  expect((await score(answered(svg), { lengthWeight: 1, textWeight: 0 })).value).toBe(0)
  expect(performance.now() - started).toBeLessThan(5000)
})
