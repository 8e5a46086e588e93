import { expect, test } from 'vitest'
import { picture, stubEmbedder } from '../../../tests/stub-embedder.ts'
import type { Sample } from '../../core/index.ts'
import { rescale } from '../combine/threshold.ts'
import { calibrate } from './calibrate.ts'
import { similarity } from './similarity.ts'

const sample = (given: Partial<Sample>): Sample => ({
  id: 's',
  prompt: 'cat',
  output: 'dog',
  meta: {},
  ...given,
})
const embedder = () =>
  stubEmbedder({ cat: [1, 0], dog: [0.6, 0.8], 'a cat': [0, 1] }, [
    [1, 0],
    [0, 1],
  ])
const cosine = async (settings: Parameters<typeof similarity>[0], given: Partial<Sample>) =>
  (await similarity({ rescaled: false, ...settings }, embedder()).score([sample(given)]))[0]!

test('texts and images on either side, several images as their mean', async () => {
  expect((await cosine({}, {})).value).toBeCloseTo(0.6)
  expect((await cosine({ to: 'reference' }, { reference: 'dog' })).value).toBeCloseTo(1)
  expect((await cosine({}, { output: [picture(0)] })).value).toBeCloseTo(1)
  expect((await cosine({}, { output: [picture(0), picture(1)] })).value).toBeCloseTo(0.5)
  const asked = { prompt: [picture(1), { type: 'text' as const, text: 'what is it?' }] }
  expect((await cosine({ to: 'prompt images' }, asked)).value).toBeCloseTo(0.8)
  expect((await cosine({ text: 'a cat' }, {})).value).toBeCloseTo(0.8)
  expect((await cosine({ text: 'the cat', without: ['the'] }, {})).value).toBeCloseTo(0.6)
  expect((await cosine({ field: 'caption' }, { meta: { caption: 'a cat' } })).value).toBeCloseTo(0.8)
  expect((await cosine({ rescaled: true }, {})).value).toBeCloseTo(0.8)
})

test('what is missing is unscored and says what, what the embedder cannot do does not cost the others', async () => {
  expect(await cosine({ to: 'reference' }, {})).toMatchObject({
    code: 'bad-input',
    reason: expect.stringContaining('reference'),
  })
  expect(await cosine({ field: 'caption' }, {})).toMatchObject({
    code: 'bad-input',
    reason: expect.stringContaining('meta.caption'),
  })
  expect(await cosine({ to: 'prompt images' }, {})).toMatchObject({
    code: 'bad-input',
    reason: expect.stringContaining('no image'),
  })
  expect(await cosine({}, { output: ' ' })).toMatchObject({ code: 'not-applicable' })
  const scores = await similarity({}, embedder()).score([sample({ output: 'unknown' }), sample({})])
  expect(scores.map(({ value }) => value)).toEqual([null, expect.closeTo(0.8)])
  expect(scores[0]).toMatchObject({ code: 'outage', reason: 'not known to the stub' })
})

test('an embedder of texts alone cannot judge images; one that breaks is an outage', async () => {
  const { embedImage: _, ...textsAlone } = embedder()
  const [image] = await similarity({}, textsAlone).score([sample({ output: [picture(0)] })])
  expect(image).toMatchObject({ code: 'not-applicable', reason: expect.stringContaining('images') })
  const broken = { ...embedder(), embedText: () => Promise.reject(new Error('down')) }
  const [text] = await similarity({}, broken).score([sample({})])
  expect(text).toMatchObject({ code: 'outage', reason: expect.stringContaining('down') })
})

test('without an embedder it says what to do', async () => {
  expect(() => similarity()).toThrow(/embedded:scenes-clip/)
})

test('bounds from quantiles put most values inside of [0, 1]', () => {
  const values = Array.from({ length: 101 }, (_, index) => 0.2 + index / 10_000)
  const bounds = calibrate(values)
  expect(bounds[0]).toBeCloseTo(0.2005)
  expect(bounds[1]).toBeCloseTo(0.2095)
  expect(rescale(0.205, bounds)).toBeCloseTo(0.5)
  expect(calibrate(values, 0, 1)).toEqual([0.2, values[100]])
  expect(() => calibrate([0.3, 0.3])).toThrow(/no interval/)
  expect(() => calibrate([])).toThrow(RangeError)
})
