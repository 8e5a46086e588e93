import { expect, test } from 'vitest'
import { defineReward, type Range, rewardIdentity, type Sample, unscored } from '../../core/index.ts'
import { fixedResponse, gaussianReference, quantileReference } from './reference.ts'
import { linear, schedule } from './schedule.ts'
import { raisedAfter } from './threshold.ts'
import {
  clipTo,
  distanceFrom,
  rescaleFrom,
  rewardTransform,
  saturateAt,
  squashAt,
  standardise,
  standardisedInGroup,
  toLogProbability,
  toLogSigmoid,
} from './transform.ts'

const numeric = (range: Range = [-Infinity, Infinity]) =>
  defineReward({
    name: 'numeric',
    range,
    judge: ({ output }) => (output === '?' ? unscored('outage', 'down') : Number(output)),
  })
const sample = (output: string, rest: Partial<Sample> = {}): Sample => ({
  id: output,
  prompt: 'p',
  output,
  meta: {},
  ...rest,
})

test('centred by the prompt’s own reference, then squashed; the raw value stays a part', async () => {
  const reward = rewardTransform(numeric(), {
    reference: quantileReference({ table: { easy: [4, 5, 6], hard: [0] } }, 0.5),
    transforms: [toLogSigmoid()],
  })
  expect(reward).toMatchObject({ name: 'logSigmoid(centred(numeric))', range: [-Infinity, 0] })
  const scores = await reward.score([
    sample('5', { group: 'easy' }),
    sample('0', { group: 'hard' }),
    sample('5', { group: 'hard' }),
    sample('5', { group: 'unknown' }),
    sample('?', { group: 'easy' }),
  ])
  expect(scores[0]!.value).toBeCloseTo(Math.log(0.5), 12)
  expect(scores[1]!.value).toBe(scores[0]!.value)
  expect(scores[2]!.value).toBeGreaterThan(-0.01)
  expect(scores[2]!.parts).toEqual({ raw: 5, reference: 0 })
  expect(scores[3]).toMatchObject({ value: null, code: 'bad-input', parts: { raw: 5, reference: null } })
  expect(scores[4]).toMatchObject({ value: null, code: 'outage' })
})

test('a fixed response is judged once per prompt, by the same reward', async () => {
  let judged = 0
  const counted = defineReward({
    name: 'counted',
    range: [-Infinity, Infinity],
    judge: ({ output, prompt }) => {
      judged += 1
      return Number(output) * (prompt === 'double' ? 2 : 1)
    },
  })
  const reward = rewardTransform(counted, { reference: fixedResponse('3') })
  const scores = await reward.score([sample('5'), sample('6'), sample('5', { prompt: 'double' })])
  expect(scores.map(({ value }) => value)).toEqual([2, 3, 4])
  expect(judged).toBe(5)
  expect(rewardIdentity(reward)).not.toBe(
    rewardIdentity(rewardTransform(counted, { reference: fixedResponse('4') })),
  )
})

test('references that cannot be read are said, not guessed', async () => {
  const reward = rewardTransform(numeric(), { reference: gaussianReference({ meta: 'base' }) })
  const bad = [undefined, [], ['1'], [null], 'x', { mean: 1 }, { mean: 0, standardDeviation: -1 }, null, 3]
  const scores = await reward.score(bad.map((base) => sample('1', { meta: { base: base as never } })))
  for (const score of scores) expect(score).toMatchObject({ value: null, code: 'bad-input' })
  const [good] = await reward.score([sample('1', { meta: { base: { mean: 1, standardDeviation: 0 } } })])
  expect(good!.value).toBe(0)
})

test.each([
  [clipTo(-1, 1), [-5, 0.5, 5], [-1, 0.5, 1], [-1, 1]],
  [rescaleFrom([2, 4]), [1, 3, 9], [0, 0.5, 1], [0, 1]],
  [squashAt([0.5, 0.75]), [0.4, 0.6, 0.8], [0, 0.6, 1], [0, 1]],
  [squashAt([-1, 2]), [-2, -0.5, 3], [0, -0.5, 1], [-1, 2]],
  [standardise(10, 5), [0, 10, 15], [-2, 0, 1], [-Infinity, Infinity]],
  [saturateAt(3), [1, 9], [1, 3], [-Infinity, 3]],
  [distanceFrom(2), [0, 2, 3], [-4, 0, -1], [-Infinity, 0]],
] as const)('%o', async (transform, raw, expected, range) => {
  const reward = rewardTransform(numeric(), { transforms: [transform] })
  const scores = await reward.score(raw.map((value) => sample(String(value))))
  expect(scores.map(({ value }) => value)).toEqual(expected)
  expect(reward.range).toEqual(range)
})

test('log of a probability: zero is finite only with an epsilon', async () => {
  const unit = numeric([0, 1])
  const floored = await rewardTransform(unit, { transforms: [toLogProbability(0.01)] }).score([sample('0')])
  expect(floored[0]!.value).toBeCloseTo(Math.log(0.01), 12)
  const bare = await rewardTransform(unit, { transforms: [toLogProbability(0)] }).score([
    sample('0'),
    sample('1'),
  ])
  expect(bare.map(({ value }) => value)).toEqual([null, 0])
})

test('a scheduled threshold needs the step', async () => {
  const reward = rewardTransform(numeric([0, 1]), {
    transforms: [squashAt(raisedAfter(1500, [0.5, 0.75], [0.75, 0.9]))],
  })
  expect(reward.needs).toEqual(['step'])
  const at = async (step?: number) =>
    (await reward.score([sample('0.6')], step === undefined ? {} : { step }))[0]!.value
  expect([await at(1499), await at(1500), await at()]).toEqual([0.6, 0, null])
  const ramp = linear({ from: 0, to: 1, end: 10 })
  const gradual = squashAt(
    schedule((step) => [ramp(step), 1], ramp.params, [
      [0, 1],
      [1, 1],
    ]),
  )
  expect(gradual.apply(0.4, 5)).toBe(0)
})

test('standardised in its group: unscored samples enter nothing', async () => {
  const reward = standardisedInGroup(numeric(), { epsilon: 1, ddof: 0 })
  const scores = await reward.score([
    sample('1', { group: 'a' }),
    sample('3', { group: 'a' }),
    sample('?', { group: 'a' }),
    sample('7', { group: 'b' }),
    sample('7', { group: 'b' }),
    sample('7', { group: 'c' }),
  ])
  expect(scores.map(({ value }) => value)).toEqual([-0.5, 0.5, null, 0, 0, null])
  expect(scores[2]).toMatchObject({ code: 'outage' })
  expect(scores[5]).toMatchObject({ code: 'not-applicable', parts: { raw: 7 } })
})
