import { expect, test } from 'vitest'
import { lscRewardTransform } from './lsc-reward-transform.ts'

const sample = (output: string) => ({ id: output, prompt: 'p', output, reference: 'please', meta: {} })

test('a plain reward can be a term, with a fixed response as its reference', async () => {
  const reward = lscRewardTransform({ terms: [{ reward: 'contains', reference: { response: 'no' } }] })
  const scores = await reward.score([sample('please'), sample('now')])
  expect(scores[0]!.value).toBeCloseTo(Math.log(1 / (1 + Math.exp(-1))), 9)
  expect(scores[1]!.value).toBeCloseTo(Math.log(0.5), 9)
})

test('a term is a reward or a field, with a reference', () => {
  const create = (term: object) => () => lscRewardTransform.create({ terms: [term] })
  expect(create({ reference: 0 })).toThrow(/exactly one of "reward" and "field"/)
  expect(create({ field: 'a', reward: 'math', reference: 0 })).toThrow(/exactly one/)
  expect(create({ field: 'a' })).toThrow()
  expect(() => lscRewardTransform.create({ terms: [] })).toThrow()
})
