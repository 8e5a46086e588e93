import fc from 'fast-check'
import { expect, test } from 'vitest'
import { picture, stubEmbedder } from '../../tests/stub-embedder.ts'
import { testVectors } from '../../tests/vectors.ts'
import type { Sample } from '../core/index.ts'
import { goalBaseline } from '../rewards/embedding/goal-baseline.ts'
import { dotProduct, unitVector } from '../rewards/embedding/vectors.ts'
import { epicDistance } from '../stats/epic-distance.ts'
import { vlmRm } from './vlm-rm.ts'

const sample = (...numbers: number[]): Sample => ({
  id: `frame ${numbers}`,
  prompt: 'goal',
  output: numbers.map(picture),
  meta: {},
})

testVectors('vlm-rm', {
  'vlm_rm.goal_baseline': async ({ targets, baselines, alpha, images }) => {
    const names = (kind: string, list: readonly unknown[]) => list.map((_, index) => `${kind} ${index}`)
    const sentences = { targets: names('target', targets), baselines: names('baseline', baselines) }
    const known = [...sentences.targets, ...sentences.baselines].map((name, index) => [
      name,
      [...targets, ...baselines][index],
    ])
    const reward = vlmRm(
      { variant: 'released', alpha, ...sentences },
      stubEmbedder(Object.fromEntries(known), images),
    )
    const scores = await reward.score((images as number[][]).map((_, index) => sample(index)))
    return scores.map(({ value }) => value)
  },
  'stats.epic_distance': ({ rewards, labels }) => epicDistance(rewards, labels),
})

const vector = fc
  .array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 })
  .filter((values) => Math.hypot(...values) > 0.1)

test('of one target, alpha 0 is the cosine; any alpha stays in [-1, 1]; alpha 1 sees the direction alone', () => {
  fc.assert(
    fc.property(
      vector,
      vector,
      vector,
      fc.double({ min: 0, max: 1, noNaN: true }),
      (target, baseline, image, alpha) => {
        const cosine = dotProduct(unitVector(image), unitVector(target))
        expect(goalBaseline({ targets: [target], alpha: 0 })(image)).toBeCloseTo(cosine, 9)
        const reward = goalBaseline({ targets: [target], baselines: [baseline], alpha })(image)
        if (reward === null) return
        expect(Math.abs(reward)).toBeLessThanOrEqual(1 + 1e-9)
      },
    ),
  )
  const along = goalBaseline({ targets: [[1, 0, 0]], baselines: [[0, 1, 0]], alpha: 1 })
  expect(along([0.6, 0.6, Math.sqrt(0.28)])).toBeCloseTo(along([0.7, 0.7, Math.sqrt(0.02)])!, 9)
})

test('several targets: only guarded is alpha 0 the cosine to their common direction', async () => {
  const embedder = stubEmbedder({ a: [1, 0], b: [0, 1] }, [[1, 1]])
  const of = async (variant: 'paper' | 'guarded') =>
    (await vlmRm({ variant, targets: ['a', 'b'], alpha: 0 }, embedder).score([sample(0)]))[0]!.value
  expect(await of('guarded')).toBeCloseTo(1)
  expect(await of('paper')).toBeCloseTo(1 - 0.5 * (1 - Math.SQRT1_2) ** 2)
})

test('the prompt is the goal where none is given; a clip is worth the mean of its frames', async () => {
  const embedder = stubEmbedder({ goal: [1, 0] }, [
    [1, 0],
    [0, 1],
  ])
  const reward = vlmRm({ alpha: 0 }, embedder)
  expect((await reward.score([sample(0), sample(1), sample(0, 1)])).map(({ value }) => value)).toEqual([
    1, 0, 0.5,
  ])
})

test('a goal that the encoder cannot tell from its baseline is unscored, never NaN', async () => {
  const embedder = stubEmbedder({ goal: [1, 0], same: [2, 0] }, [[1, 0]])
  const [score] = await vlmRm({ baselines: ['same'] }, embedder).score([sample(0)])
  expect(score).toMatchObject({ value: null, code: 'not-applicable' })
})

test('bad options are refused with what to do', () => {
  const embedder = stubEmbedder({})
  expect(() => vlmRm({}, embedder)).toThrow(/needs a baseline/)
  expect(() => vlmRm({ alpha: 0 })).toThrow(/needs an embedder/)
  expect(() => vlmRm({ variant: 'released', targets: ['a', 'b'], baselines: ['c'] }, embedder)).toThrow(
    /as many/,
  )
  expect(() => vlmRm({ targets: ['a', 'b'], baselines: ['c'] }, embedder)).not.toThrow()
})

test('epic distance: nothing in common is near 0.707, a constant reward has none', () => {
  expect(epicDistance([1, -1, 1, -1], [1, 1, -1, -1])).toBeCloseTo(Math.SQRT1_2)
  expect(epicDistance([1, 1, 1], [0, 1, 0])).toBeNull()
})
