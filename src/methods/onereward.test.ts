import { expect, test } from 'vitest'
import { scriptedChoices, textOfConversation } from '../../tests/judges.ts'
import { testVectors } from '../../tests/vectors.ts'
import type { Sample } from '../core/index.ts'
import { bothOrdersLosses, cappedLosses, evaluated, evaluatedGradient, meanOf } from '../learn/index.ts'
import { slotReport } from '../rewards/judge/order.ts'
import { oneReward, oneRewardJudge } from './onereward.ts'

testVectors('onereward', {
  judge_loss: (input) => evaluated((x: any) => bothOrdersLosses(x), input),
  policy_loss: ({ yes, cap }) => {
    const loss = ({ yes }: any) => meanOf(cappedLosses({ yes }, { cap }))
    const { value, gradient } = evaluatedGradient(loss as any, { yes }) as any
    return { loss: value, derivative: gradient.yes }
  },
})

test('a dimension at its cap pushes no more, not even exactly there', () => {
  const loss = ({ yes }: any) => meanOf(cappedLosses({ yes }, { cap: 0.5 }))
  const { gradient } = evaluatedGradient(loss as any, { yes: [0.5, 0.25] }) as any
  expect(gradient.yes).toEqual([0, -0.5])
})

const sample = (id: string, output: string, meta: Sample['meta'] = { task: 'fill' }): Sample => ({
  id,
  prompt: [
    { type: 'text', text: 'put a red circle here' },
    { type: 'json', json: 'mask' },
  ],
  output,
  meta,
})
const pair = { id: 'p', a: sample('a', 'ours'), b: sample('b', 'theirs') }

test('the first is the one asked about, and the instruction stands in the question of text alignment only', async () => {
  const { model, seen } = scriptedChoices((messages) => {
    const text = textOfConversation(messages)
    return text.indexOf('ours') < text.indexOf('theirs') ? 0.9 : 0.2
  })
  const [comparison] = await oneRewardJudge({}, model).compare([pair])
  expect(comparison).toMatchObject({
    value: expect.closeTo(0.85, 9),
    orders: [expect.closeTo(0.9, 9), expect.closeTo(0.8, 9)],
    parts: { parsed: 1, aesthetics: expect.closeTo(0.85, 9), 'text alignment': expect.closeTo(0.85, 9) },
  })
  expect(slotReport([comparison!]).slotBias).toBeCloseTo(0.9 + 0.2 - 1, 9)
  const questions = seen.map(textOfConversation)
  expect(questions).toHaveLength(8)
  for (const question of questions)
    expect(question.includes('put a red circle here')).toBe(
      question.includes('one side alone, text alignment'),
    )
})

test('a conflict stays: an output may win one dimension and lose another', async () => {
  const { model } = scriptedChoices((messages) =>
    textOfConversation(messages).includes('alone, structure') ? 0.1 : 0.9,
  )
  const [comparison] = await oneRewardJudge(
    { variant: 'paper', dimensions: ['structure', 'aesthetics'] },
    model,
  ).compare([pair])
  expect(comparison!.parts).toMatchObject({
    structure: expect.closeTo(0.1, 9),
    aesthetics: expect.closeTo(0.9, 9),
  })
  expect(comparison!.value).toBeCloseTo(0.5, 9)
})

test('removal has one dimension; a task that is not known is unscored; an outage names its dimension', async () => {
  const { model, seen } = scriptedChoices((messages) =>
    textOfConversation(messages).includes('aesthetics') ? null : 0.9,
  )
  const judge = oneRewardJudge({}, model)
  const withTask = (task: string) => ({
    ...pair,
    a: sample('a', 'ours', { task }),
  })
  const [removal, unknown, outage] = await judge.compare([withTask('remove'), withTask('sharpen'), pair])
  expect(Object.keys(removal!.parts!)).toEqual(['removal quality', 'parsed'])
  expect(unknown).toMatchObject({ value: null, code: 'bad-input' })
  expect(outage).toMatchObject({
    value: null,
    code: 'outage',
    reason: expect.stringContaining('aesthetics'),
    parts: { structure: 0.5, aesthetics: null },
  })
  expect(seen).toHaveLength(10)
})

test('against the group', async () => {
  const { model } = scriptedChoices((messages) => {
    const text = textOfConversation(messages)
    const [first, second] = [...text.matchAll(/\n(\d)\n/g)].map(([, digit]) => Number(digit))
    return first! > second! ? 0.9 : 0.1
  })
  const group = ['1', '3', '2'].map((output) => sample(output, output, { task: 'remove' }))
  const scores = await oneReward({ against: 'group' }, model).score(group)
  const values = scores.map(({ value }) => value!)
  expect(values[1]!).toBeGreaterThan(values[2]!)
  expect(values[2]!).toBeGreaterThan(values[0]!)
})
