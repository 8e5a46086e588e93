import { describe, expect, test } from 'vitest'
import { testVectors } from '../../tests/vectors.ts'
import type { Json, Sample } from '../core/index.ts'
import type { Box } from '../rewards/verifiable/boxes/boxes.ts'
import { matchDetections } from '../rewards/verifiable/boxes/detection.ts'
import { lookReward, occupancyUncertainty } from './dip-r1/look.ts'
import { dipR1, weightedPrecisionRecall } from './dip-r1.ts'

type Settings = NonNullable<Parameters<typeof dipR1>[0]>

const labelled = (boxes: readonly Box[]) => boxes.map((box) => ({ box }))

testVectors('dip-r1', {
  'dip_r1.weighted_pr': ({ predicted, gold, alpha }: { predicted: Box[]; gold: Box[]; alpha: number }) =>
    weightedPrecisionRecall(matchDetections(labelled(predicted), labelled(gold), { threshold: 0.5 }), alpha),
  'dip_r1.look_reward': ({ answers, look, size, cells, tau }) => {
    const grid = { size: { width: size, height: size }, cells }
    const uncertain = occupancyUncertainty(answers, grid, tau)
    return {
      value: lookReward(look, uncertain.cells, grid),
      uncertain: uncertain.cells.reduce((sum, cell) => sum + cell, 0),
      maxVariance: uncertain.maxVariance,
    }
  },
})

const here: Box = [0, 0, 16, 16]
const there: Box = [40, 40, 64, 64]
const output = (look: Json, answer: Json) =>
  `<think>t</think> <look>${JSON.stringify(look)}</look>\n<answer>${JSON.stringify(answer)}</answer>`

async function judgeGroup(
  outputs: readonly string[],
  reference: Json = [here, there],
  settings: Settings = {},
  meta: Sample['meta'] = {},
) {
  const samples = outputs.map((output, index) => ({
    id: String(index),
    prompt: 'p',
    output,
    reference,
    meta: { width: 64, height: 64, ...meta },
  }))
  return dipR1({ cells: 8, ...settings }).score(samples)
}
const looks = async (...args: Parameters<typeof judgeGroup>) =>
  (await judgeGroup(...args)).map(({ parts }) => parts?.look)

describe('looking', () => {
  test('is rewarded where the answers of the group disagree, not where the look boxes do', async () => {
    const group = [output([there], [here, there]), output([here], [here]), output([], [here, there])]
    expect(await looks(group)).toEqual([1, 0, 0])
  })

  test('looking at everything is not looking', async () => {
    const group = [output([[0, 0, 64, 64]], [here, there]), output([there], [here])]
    expect(await looks(group)).toEqual([9 / 64, 1])
  })

  test('where all agree, right or wrong, looking nowhere is right', async () => {
    expect(await looks([output([], [here]), output([there], [here])])).toEqual([1, 0])
    expect(await looks([output([], [here])])).toEqual([1])
  })

  test('samples of another prompt are another group', async () => {
    const sample = (id: string, prompt: string, answer: Json) => ({
      ...{
        id,
        prompt,
        output: output([], answer),
        reference: [here] as unknown as Json,
        meta: { width: 64, height: 64 },
      },
    })
    const apart = await dipR1().score([sample('a', 'p', [here]), sample('b', 'q', [there])])
    expect(apart.map(({ parts }) => parts!.look)).toEqual([1, 1])
    const together = await dipR1().score([sample('a', 'p', [here]), sample('b', 'p', [there])])
    expect(together.map(({ parts }) => parts!.look)).toEqual([0, 0])
  })

  test('uncertain objects, and regions that the row gives', async () => {
    const group = [output([there], [here, there]), output([here], [here])]
    expect(await looks(group, [here, there], { uncertainty: 'objects' })).toEqual([1, 0])
    const given = { uncertain_regions: [here] as unknown as Json }
    expect(await looks(group, [here, there], { uncertainty: 'given' }, given)).toEqual([0, 1])
    expect((await judgeGroup(group, [here, there], { uncertainty: 'given' }))[0]).toMatchObject({
      code: 'bad-input',
    })
  })

  test('the guard: no look block or no answer, no reward; an unreadable answer creates no uncertainty', async () => {
    const noLook = '<think>t</think><answer>[[0,0,16,16]]</answer>'
    const noAnswer = '<think>t</think><look>[]</look><answer>many people</answer>'
    expect(await looks([noLook, noLook])).toEqual([0, 0])
    expect(await looks([noLook, noLook], [here], { variant: 'paper' })).toEqual([1, 1])
    const disturbed = [noAnswer, output([], [here])]
    expect(await looks(disturbed, [here])).toEqual([0, 1])
    expect(await looks(disturbed, [here], { variant: 'paper' })).toEqual([0, 0])
  })

  test('tau leaves out what is less uncertain than the most uncertain', async () => {
    // one of four finds `there` (variance 3/16), two of four find `here` (1/4)
    const group = [[here, there], [here], [], []].map((answer) => output([here], answer))
    expect(await looks(group, [here], { tau: 0.8 })).toEqual([1, 1, 1, 1])
    expect((await looks(group, [here], { tau: 0.7 }))[0]).toBeCloseTo(4 / 13, 12)
  })

  test('mean variance is kept for watching', async () => {
    const [score] = await judgeGroup([output([], [here]), output([], [])])
    expect(score!.parts!.mean_variance).toBeCloseTo((0.25 * 4) / 64, 12)
  })
})

describe('accuracy', () => {
  const accuracy = async (answer: Json, reference: Json, settings: Settings = {}) =>
    (await judgeGroup([output([], answer)], reference, settings))[0]!.parts!.accuracy

  test('both extremes of alpha', async () => {
    const everything = [here, there, [20, 0, 30, 10], [0, 50, 10, 60]] as unknown as Json
    expect(await accuracy(everything, [here, there], { alpha: 1 })).toBe(0.5)
    expect(await accuracy(everything, [here, there], { alpha: 0 })).toBe(1)
  })

  test('a duplicate is a false positive', async () => {
    expect(await accuracy([here, here], [here, there])).toBe(0.5)
  })

  test('nothing to find: a stated empty list is right, an absent answer only unguarded', async () => {
    expect(await accuracy([], [])).toBe(1)
    expect(await accuracy([here], [])).toBe(0)
    const absent = '<think>t</think><look>[]</look><answer></answer>'
    expect((await judgeGroup([absent], []))[0]!.parts!.accuracy).toBe(0)
    expect((await judgeGroup([absent], [], { variant: 'paper' }))[0]!.parts!.accuracy).toBe(1)
  })

  test('regions and boxes may stand in words', async () => {
    const words =
      '<think>t</think><look>the dark corner [0, 0, 16, 16]</look><answer>one at [0, 0, 16, 16].</answer>'
    expect((await judgeGroup([words], [here]))[0]!.parts).toMatchObject({ accuracy: 1, format: 1, look: 0 })
  })
})

test('format: three blocks, once each, in their order', async () => {
  const format = async (text: string, variant: 'paper' | 'guarded' = 'paper') =>
    (await judgeGroup([text], [here], { variant }))[0]!.parts!.format
  expect(await format(output([], [here]))).toBe(1)
  expect(await format('<look>[]</look><think>t</think><answer>[]</answer>')).toBe(0)
  expect(await format(`${output([], [here])}<answer>[]</answer>`)).toBe(0)
  expect(await format('<think>t</think><look></look><answer>[]</answer>')).toBe(1)
  expect(await format('<think>t</think><look></look><answer>[]</answer>', 'guarded')).toBe(0)
})

test('a missing size or reference is unscored, and leaves the others of the group', async () => {
  const base = { prompt: 'p', output: output([], [here]), meta: { width: 64, height: 64 } }
  const scores = await dipR1().score([
    { ...base, id: 'a', reference: [here] as unknown as Json },
    { ...base, id: 'b' },
    { ...base, id: 'c', reference: [here] as unknown as Json, meta: {} },
  ])
  expect(scores.map(({ value }) => value)).toEqual([3, null, null])
})
