import { expect, test } from 'vitest'
import { scriptedModel } from '../../tests/judges.ts'
import { testVectors } from '../../tests/vectors.ts'
import type { Sample } from '../core/index.ts'
import { evaluated, evaluatedGradient, groupedAdvantages, grpoLoss, klEstimates } from '../learn/index.ts'
import { thoughtTrace, unifiedRewardThinkJudge, unifiedRewardThinkVerdict } from './unifiedreward-think.ts'

const sample = (id: string, output: string): Sample => ({ id, prompt: 'Describe.', output, meta: {} })
const parts = async (variant: any, reply: string) =>
  (
    await unifiedRewardThinkVerdict({ variant }).score([
      { ...sample('a', reply), reference: 'Image 1 is better' },
    ])
  )[0]!.parts

testVectors('unifiedreward-think', {
  verdict: (reply, { variant }) => parts(variant, reply),
  advantages: (rewards) => groupedAdvantages([rewards])[0],
  kl: ({ ref, lp }) =>
    (
      evaluated((x: any) => klEstimates(x, { estimator: 'k3' }), { logp: [lp], logpRef: [ref] }) as number[]
    )[0],
  // One update on the policy's own samples: the old log-probabilities are the current ones, so that nothing is clipped.
  loss: ({ logp, logpRef, advantages, mask, beta }) => {
    const loss = (x: any) =>
      grpoLoss({ ...x, logpRef: x.logpRef, logpOld: x.logpOld }, { beta, over: 'sequence' }).loss
    const inputs = { logp, logpOld: logp, logpRef, advantages, mask }
    const { value, gradient } = evaluatedGradient(loss as any, inputs) as any
    return { loss: value, derivative: gradient.logp }
  },
})

test('thoughts do not count when guarded, and two answers are none', async () => {
  const thought = '<think><answer>Image 1 is better</answer></think><answer>Image 2 is better</answer>'
  expect(await parts('released', thought)).toMatchObject({ accuracy: 1 })
  expect(await parts('guarded', thought)).toMatchObject({ accuracy: 0 })
  expect(await parts('guarded', '<think>t</think><answer>image 1 is better.</answer>')).toEqual({
    accuracy: 1,
    format: 1,
  })
})

const reply = (answer: number, total = 24) => `<think>
semantic accuracy: Answer 1 (8/10) - right; Answer 2 (3/10) - wrong
correctness: Answer 1 (9/10) - right; Answer 2 (2/10) - wrong
clarity: Answer 1 (7/10) - short; Answer 2 (7/10) - short
Answer 1: 8 + 9 + 7 = ${total}
Answer 2: 3 + 2 + 7 = 12
</think><answer>Answer ${answer} is better</answer>`

test('a trace says whether sums and answer agree with the scores', () => {
  expect(thoughtTrace(reply(1))).toEqual({
    scores: [
      [8, 3],
      [9, 2],
      [7, 7],
    ],
    totals: [24, 12],
    sumConsistent: true,
    answerConsistent: true,
  })
  expect(thoughtTrace(reply(2, 25))).toMatchObject({ sumConsistent: false, answerConsistent: false })
  expect(thoughtTrace('<answer>Answer 1 is better</answer>')).toEqual({
    scores: [],
    totals: undefined,
    sumConsistent: undefined,
    answerConsistent: undefined,
  })
})

test('a pair is asked in both orders', async () => {
  const { model, seen } = scriptedModel(() => reply(2))
  const [comparison] = await unifiedRewardThinkJudge({}, model).compare([
    { id: 'p', a: sample('a', 'one'), b: sample('b', 'two') },
  ])
  expect(seen).toHaveLength(2)
  expect(comparison).toMatchObject({ value: 0.5, orders: [0, 1] })
})
