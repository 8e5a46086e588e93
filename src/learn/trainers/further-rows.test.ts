import { afterAll, expect, test } from 'vitest'
import { letterTasks, tinyPolicy } from '../../../tests/tiny-policy.ts'
import { defineReward } from '../../core/index.ts'
import { policyGradient } from './policy-gradient.ts'

const { policy, dispose } = tinyPolicy()
afterAll(dispose)

/** Rewards are all equal: what changes is learnt from the further rows. */
const nothing = defineReward({ name: 'nothing', judge: () => 0 })
const common = {
  ...{ policy, reward: nothing, tasks: () => letterTasks(), group: 2, maxTokens: 4, threads: 1, seed: 1 },
  ...{ iterations: 3, learningRate: 0.01 },
}

const rises = async (advantage: number | null, reference?: 'none') => {
  const [task] = letterTasks()
  const row = {
    ...(await policy.promptOf(task!.conversation)),
    response: [...policy.encode('b'), policy.end],
  }
  const logp = async (parameters: typeof policy.initial) =>
    (await policy.score(parameters, [row]))[0]!.reduce((a, b) => a + b, 0)
  const before = Array.from((await policy.score(policy.initial, [row]))[0]!)
  const { parameters } = await policyGradient({
    ...common,
    ...(reference === undefined ? { objective: { beta: 0.01 } } : { reference }),
    further: async (rows) => rows.map(() => ({ ...row, logp: before, advantage })),
  })
  return (await logp(parameters)) - (await logp(policy.initial))
}

test('further rows are learnt from by advantages of their own', async () => {
  expect(await rises(1)).toBeGreaterThan(0.05)
  expect(await rises(-1)).toBeLessThan(-0.05)
  expect(await rises(1, 'none')).toBeGreaterThan(0.05)
})

test('a further row without an advantage teaches nothing: weights decay, no more', async () => {
  expect(Math.abs(await rises(null, 'none'))).toBeLessThan(0.005)
})
