import { describe, expect, test } from 'vitest'
import { scriptedModel, textOfConversation } from '../../tests/judges.ts'
import { picture } from '../../tests/stub-embedder.ts'
import { testVectors } from '../../tests/vectors.ts'
import type { ImageSource, Sample } from '../core/index.ts'
import type { ChatMessage } from '../models/chat-model.ts'
import type { Raster } from '../models/index.ts'
import { uniformIndices } from '../rewards/judge/frame-sampling.ts'
import { inOrderOfTime, percentageReader } from '../rewards/judge/progress-judge.ts'
import { voc } from '../stats/voc.ts'
import { gvl, gvlFrames, gvlJudge, progressWeights } from './gvl.ts'

const frames = (count: number): ImageSource[] =>
  Array.from({ length: count }, (_, index) => picture(index).image!)
const episode = (count: number, id = 'e'): Sample => ({
  id,
  prompt: 'move the circle left',
  output: [{ type: 'video', frames: frames(count) }],
  meta: {},
})
/** The numbers of the frames in the order shown, the anchor first; `picture` says them. */
const numbersIn = (messages: readonly ChatMessage[]) =>
  messages.flatMap(({ images = [] }) => images.map((image) => (image as Raster).data[0]!))
/** Says of each frame what a function of its number says. */
const judging = (percentage: (number: number, place: number) => number | string) =>
  scriptedModel((messages) =>
    numbersIn(messages)
      .slice(1)
      .map((number, place) => `frame ${place + 1}: a circle, ${percentage(number, place)} percent`)
      .join('\n'),
  )

testVectors('gvl', {
  'gvl.voc': voc,
  'gvl.shuffled': ({ predictions, frames: order }) => {
    // Here the anchor is one of the frames: all five are compared.
    const given = (predictions as number[]).map((percentage, index) => ({ frame: index + 1, percentage }))
    const chronological = inOrderOfTime(given, order)!
    return { chronological, voc: voc(chronological).voc }
  },
  'gvl.weights': ({ percentages, ...rest }) =>
    progressWeights(
      (percentages as number[]).map((percentage) => percentage / 100),
      rest,
    ),
})

describe('easily got wrong', () => {
  test('values are in the order of time, whatever order was shown; the first frame is shown first', async () => {
    const { model, seen } = judging((number) => number * 10)
    const values = await gvlJudge({}, model).values(frames(7), 'task', { shuffles: 3, seed: 5 })
    expect(values).toMatchObject({
      values: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6].map((value) => expect.closeTo(value, 9)),
      parsed: 1,
    })
    const orders = seen.map(numbersIn)
    expect(orders).toHaveLength(3)
    for (const order of orders) expect(order[0]).toBe(0)
    expect(new Set(orders.map(String)).size).toBe(3)
    expect(orders.some((order) => String(order) === '0,1,2,3,4,5,6')).toBe(false)
  })
  test('a judge that counts up is caught by shuffling and not by showing frames in order', async () => {
    const { model } = judging((_, place) => 10 * (place + 1))
    const of = async (order: 'shuffled' | 'chronological') =>
      (await gvl({ order, shuffles: 4 }, { model }).score([episode(9)]))[0]!
    expect((await of('chronological')).value).toBe(1)
    expect(Math.abs((await of('shuffled')).value!)).toBeLessThan(0.6)
    expect((await of('shuffled')).parts!.spread).toBeGreaterThan(0.1)
  })
  test('a reversed episode has a negative VOC; creeping has VOC 1 and a low last value', async () => {
    const undone = judging((number) => 100 - number * 10).model
    expect((await gvl({}, { model: undone }).score([episode(6)]))[0]!.value).toBeCloseTo(-1, 9)
    const creeping = judging((number) => number).model
    expect((await gvl({}, { model: creeping }).score([episode(6)]))[0]).toMatchObject({
      value: expect.closeTo(1, 9),
      parts: { last: 0.05 },
    })
    expect((await gvl({ output: 'last' }, { model: creeping }).score([episode(6)]))[0]!.value).toBe(0.05)
  })
  test('constant values are VOC 0 with a note', async () => {
    const { model } = judging(() => 50)
    expect((await gvl({}, { model }).score([episode(4)]))[0]).toMatchObject({
      value: 0,
      parts: { constant: 1 },
    })
  })
  test('a frame too few, too many, twice or beyond 100 is asked again in another order, then unscored', async () => {
    for (const reply of [
      'frame 1: 10 percent',
      'frame 1: 10%\nframe 2: 20%\nframe 3: 30%\nframe 4: 40%',
      'frame 1: 10%\nframe 2: 20%\nframe 2: 30%',
      'frame 1: 10%\nframe 2: 20%\nframe 3: 130%',
      'all done',
    ]) {
      const { model, seen } = scriptedModel(() => reply)
      const [score] = await gvl({}, { model }).score([episode(4)])
      expect(score, reply).toMatchObject({ value: null, code: 'unparsable', parts: { parsed: 0 } })
      expect(seen).toHaveLength(2)
    }
    let first = true
    const { model } = scriptedModel((messages) => {
      if (first) {
        first = false
        return 'I need a moment.'
      }
      return numbersIn(messages)
        .slice(1)
        .map((number, place) => `Frame ${place + 1}: 1% of them, so ${number}%`)
        .join('\n')
    })
    expect((await gvl({}, { model }).score([episode(4)]))[0]).toMatchObject({
      value: expect.closeTo(1, 9),
      parts: { parsed: 0.5 },
    })
  })
  test('an outage is not asked again within the call', async () => {
    const { model, seen } = scriptedModel(() => null)
    expect((await gvl({}, { model }).score([episode(4)]))[0]).toMatchObject({ value: null, code: 'outage' })
    expect(seen).toHaveLength(1)
  })
})

test('examples in context are shuffled too and say their percentages', async () => {
  const { model, seen } = judging((number) => number)
  await gvlJudge({}, model).values(frames(3), 'task', {
    context: [{ frames: frames(5), task: 'another task' }],
  })
  const text = textOfConversation(seen[0]!)
  const shown = [...text.matchAll(/<<<example 1 \(another task\), frame \d: (\d+) percent/g)].map(
    ([, percent]) => Number(percent),
  )
  expect(shown.toSorted((a, b) => a - b)).toEqual([0, 25, 50, 75, 100])
  expect(shown).not.toEqual([0, 25, 50, 75, 100])
})

test('the same seed shows the same orders, in any batch', async () => {
  const orders = async (samples: Sample[]) => {
    const { model, seen } = judging((number) => number)
    await gvl({}, { model }).score(samples)
    return seen.map(numbersIn)
  }
  const [alone] = await orders([episode(8, 'b')])
  const together = await orders([episode(8, 'a'), episode(8, 'b')])
  expect(together[1]).toEqual(alone)
  expect(together[0]).not.toEqual(alone)
})

test('frames are spread evenly, and those left out have no value', async () => {
  expect(uniformIndices(14, 4)).toEqual([0, 4, 9, 13])
  const { model } = judging((number) => number * 10)
  const [steps] = await gvlFrames({ frames: 3 }, { model }).scoreSteps([episode(5)])
  expect((steps as { value: number | null }[]).map(({ value }) => value)).toEqual([0, null, 0.2, null, 0.4])
})

test('the last percentage of a line counts, thoughts do not', () => {
  expect(
    percentageReader.read(
      '<think>frame 1: 90%</think>frame 1: 20% lifted, 25 percent\nframe 2 - 7.5 per cent',
    ),
  ).toEqual([
    { frame: 1, percentage: 25 },
    { frame: 2, percentage: 7.5 },
  ])
  expect(percentageReader.read('nothing')).toBe(undefined)
})
