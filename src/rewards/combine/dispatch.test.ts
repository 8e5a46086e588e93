import { expect, test } from 'vitest'
import { defineReward, type Sample } from '../../core/index.ts'
import { dispatch } from './dispatch.ts'

const sample = (id: string, meta: Sample['meta']): Sample => ({ id, prompt: '', output: id, meta })
const one = defineReward({ name: 'one', judge: () => 1 })
const wide = defineReward({ name: 'wide', range: [-3, 4], judge: () => 0.5 })

test('each row is judged by the reward it names; others are unscored and say why', async () => {
  const reward = dispatch({ one, wide })
  const scores = await reward.score([
    sample('a', { reward: 'wide' }),
    sample('b', { reward: 'one' }),
    sample('c', {}),
    sample('d', { reward: 'misspelt' }),
  ])
  expect(scores.map(({ value }) => value)).toEqual([0.5, 1, null, null])
  expect(scores[3]).toMatchObject({
    code: 'bad-input',
    reason: expect.stringContaining('known are one, wide'),
  })
  expect(reward.range).toEqual([-3, 4])
})

test('normalised values share one range', async () => {
  const reward = dispatch({ one, wide }, { normalise: true, field: 'kind' })
  const scores = await reward.score([sample('a', { kind: 'wide' }), sample('b', { kind: 'one' })])
  expect(scores.map(({ value }) => value)).toEqual([0.5, 1])
  expect(() =>
    dispatch({ log: { ...one, range: [Number.NEGATIVE_INFINITY, 0] } }, { normalise: true }),
  ).toThrow(/\[0, 1\]/)
  expect(() => dispatch({})).toThrow(/no reward/)
})
