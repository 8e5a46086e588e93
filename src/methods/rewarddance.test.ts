import { expect, test } from 'vitest'
import { scriptedChoices, textOfConversation } from '../../tests/judges.ts'
import { testVectors } from '../../tests/vectors.ts'
import type { Sample } from '../core/index.ts'
import { evaluated, pointwiseYesLosses } from '../learn/index.ts'
import { type ChoiceModel, choiceProbabilities, logSoftmax } from '../models/token-model.ts'
import {
  goodSameBad,
  referenceCandidates,
  rewardDance,
  rewardDanceJudge,
  rewardSpread,
  winCounts,
} from './rewarddance.ts'

const sample = (id: string, output: string): Sample => ({
  id,
  prompt: 'draw',
  output,
  reference: 'theirs',
  meta: {},
})

testVectors('rewarddance', {
  p_yes: async ({ logits: { yes, no, other } }) => {
    const [logYes, logNo] = logSoftmax(Float32Array.of(yes, no, ...other))
    const model: ChoiceModel = {
      id: 'logits',
      choices: async (conversations) =>
        conversations.map(() => choiceProbabilities({ yes: [logYes!], no: [logNo!] }) as never),
    }
    const score = async (normalise: 'full' | 'two-way') =>
      (await rewardDance({ form: 'point', normalise }, model).score([sample('a', 'x')]))[0]!.value
    return { full: await score('full'), 'two-way': await score('two-way') }
  },
  pointwise_loss: ({ winner, loser, alpha }) =>
    evaluated((x: any) => pointwiseYesLosses(x, { alpha }), { winner, loser }),
  gsb: goodSameBad,
  wins: (preferred) => ({ wins: winCounts(preferred), reference: referenceCandidates(preferred)[0] }),
})

test('the candidate is the second sample', async () => {
  const { model, seen } = scriptedChoices((messages) => {
    const text = textOfConversation(messages)
    return text.indexOf('ours') > text.indexOf('theirs') ? 0.9 : 0.2 // yes: the second is better, and it is ours
  })
  const [paper] = await rewardDance({ variant: 'paper' }, model).score([sample('a', 'ours')])
  expect(paper!.value).toBeCloseTo(0.9, 9)
  expect(seen).toHaveLength(1)
  const [comparison] = await rewardDanceJudge({}, model).compare([
    { id: 'p', a: sample('a', 'ours'), b: sample('b', 'theirs') },
  ])
  expect(comparison).toMatchObject({
    value: expect.closeTo(0.85, 9),
    orders: [expect.closeTo(0.8, 9), expect.closeTo(0.9, 9)],
  })
})

test('yes among all words is less than yes against no, and a bound is said to be one', async () => {
  const { model } = scriptedChoices(() => [0.2, 0.22])
  const [score] = await rewardDance({ form: 'point', variant: 'paper' }, model).score([sample('a', 'x')])
  expect(score).toMatchObject({ value: expect.closeTo(0.21, 9), parts: { yesLeast: 0.2, yesMost: 0.22 } })
  const wide = scriptedChoices(() => [0, 0.3])
  expect(await rewardDance({ form: 'point' }, wide.model).score([sample('a', 'x')])).toMatchObject([
    { value: null, code: 'unparsable' },
  ])
})

test('the loss between probabilities is bounded, between log-odds it is not', () => {
  const sure = { winner: [1 - 1e-9], loser: [1e-9] }
  const loss = (space: 'probability' | 'logit') =>
    (evaluated((x: any) => pointwiseYesLosses(x, { alpha: 0, space }), sure) as number[])[0]!
  expect(loss('probability')).toBeCloseTo(0.313262, 5)
  expect(loss('logit')).toBeLessThan(1e-6)
})

test('references of several, and what could not be judged', () => {
  expect(
    referenceCandidates(
      [
        [0, 0.6, null],
        [0.2, 0, 0.6],
        [null, 0.5, 0],
      ],
      2,
    ),
  ).toEqual([1, 2])
  expect(goodSameBad({ good: 0, same: 0, bad: 0 })).toBeNull()
})

test('the spread of the last steps', () => {
  const spread = rewardSpread({ window: 2 })
  expect([0, 2, 2, 4].map((reward) => spread.add(reward))).toEqual([null, 1, 0, 1])
})
