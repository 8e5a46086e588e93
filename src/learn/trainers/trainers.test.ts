import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { letterReward, letterTasks, tinyPolicy } from '../../../tests/tiny-policy.ts'
import { defineReward, GuerdonError, unscored } from '../../core/index.ts'
import { leavesOf, type Tensor, type Tree } from '../../tensor/tree.ts'
import { dpoLosses } from '../objectives/dpo.ts'
import type { LanguagePolicy } from '../policies/language-policy.ts'
import { actorCritic } from './actor-critic.ts'
import { iterativeTraining } from './iterative.ts'
import { distinctShare, type IterationRecord } from './monitors.ts'
import { preferred, supervised } from './objective.ts'
import { policyGradient } from './policy-gradient.ts'
import { judgeBy, type Rollout, rollouts } from './rollouts.ts'
import { selectedRollouts } from './selected-rollouts.ts'

let tiny: ReturnType<typeof tinyPolicy>
let policy: LanguagePolicy
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trainers-'))
  tiny = tinyPolicy()
  policy = tiny.policy
})
afterAll(async () => {
  await tiny.dispose()
  await rm(folder, { recursive: true, force: true })
})

const reward = letterReward
const tasks = () => letterTasks()
const common = { tasks, reward, maxTokens: 4, threads: 1, seed: 3 }
const settings = { ...common, group: 8, learningRate: 0.01 }
const numbersOf = (parameters: Tree<Tensor>) =>
  leavesOf(parameters).map(({ leaf }) => Array.from(leaf.data as Float32Array))
const rewardsOf = (records: readonly IterationRecord[]) => records.map(({ reward }) => reward)

test('policy gradients raise the reward, and the records are of all rollouts', async () => {
  const oracle = defineReward({ name: 'always', judge: () => 0.25 })
  const { records } = await policyGradient({
    ...settings,
    policy,
    oracle,
    iterations: 20,
    minibatches: 2,
    objective: { beta: 0.01 },
  })
  const all = rewardsOf(records) as number[]
  expect(all[0]).toBeLessThan(0.5)
  expect(all.at(-1)).toBeGreaterThan(all[0]! + 0.3)
  expect(records.map(({ iteration }) => iteration)).toEqual(all.map((_, index) => index))
  for (const { oracle: judged, updates, distinct2, length } of records) {
    expect(judged).toBe(0.25)
    expect(updates.kl).toBeGreaterThanOrEqual(0)
    expect(distinct2).toBeLessThanOrEqual(1)
    expect(length).toBeLessThanOrEqual(4)
  }
  expect(records.at(-1)!.updates.kl!).toBeGreaterThan(0.01)
})

test('actor and critic raise the reward, and the critic comes to know it', async () => {
  const { records } = await actorCritic({
    ...settings,
    policy,
    group: 4,
    iterations: 12,
    minibatches: 2,
    epochs: 2,
    kl: { beta: 0.01 },
  })
  const all = rewardsOf(records) as number[]
  expect(all.at(-1)).toBeGreaterThan(all[0]! + 0.2)
  expect(records.at(-1)!.updates.value!).toBeLessThan(0.1)
})

test('interrupted and resumed, it goes on bit for bit, and the log has each iteration once', async () => {
  const path = join(folder, 'policy.safetensors')
  const log = join(folder, 'policy.jsonl')
  const whole = await policyGradient({ ...settings, policy, iterations: 4 })
  const kept = { ...settings, policy, checkpoint: { path, every: 1 }, log }
  await policyGradient({ ...kept, iterations: 2 })
  const resumed = await policyGradient({ ...kept, iterations: 4 })
  expect(numbersOf(resumed.parameters)).toEqual(numbersOf(whole.parameters))
  const lines = (await readFile(log, 'utf8')).trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line).reward)).toEqual(rewardsOf(whole.records))
})

test('responses that cannot be judged are masked and counted, or end the training', async () => {
  const sometimes = defineReward({
    name: 'sometimes',
    judge: (sample) =>
      sample.id.endsWith('#0')
        ? unscored('outage', 'no answer')
        : reward.score([sample]).then(([score]) => score!),
  })
  const { records } = await policyGradient({ ...settings, policy, reward: sometimes, iterations: 1 })
  expect(records[0]!.unscored).toEqual({ outage: 6 })
  expect(records[0]!.reward).not.toBeNull()
  const stop = policyGradient({ ...settings, policy, reward: sometimes, iterations: 1, onNull: 'stop' })
  await expect(stop).rejects.toThrow(
    /6 of 48 responses of iteration 0 could not be judged: outage, no answer/,
  )
  const never = defineReward({ name: 'never', judge: () => Number.NaN })
  await expect(policyGradient({ ...settings, policy, reward: never, iterations: 1 })).rejects.toThrow(
    GuerdonError,
  )
})

test('masks cover the responses, and their probabilities are those they were drawn with', async () => {
  const drawn = await rollouts({
    ...common,
    judge: judgeBy(reward),
    policy,
    parameters: policy.initial,
    tasks: tasks(),
    group: 2,
    seed: 'x',
  })
  const batch = policy.batchOf(drawn)
  const mask = batch.mask.data as Float32Array
  const columns = batch.mask.shape[1]!
  drawn.forEach(({ response }, row) => {
    const own = mask.subarray(row * columns, (row + 1) * columns)
    expect(own.reduce((a, b) => a + b, 0)).toBe(response.length)
  })
  const scored = await policy.score(policy.initial, drawn)
  drawn.forEach(({ logp }, row) => {
    logp.forEach((value, index) => {
      expect(scored[row]![index]!).toBeCloseTo(value, 4)
    })
  })
})

test('rejection sampling: the best of each group are learnt', async () => {
  const { records } = await iterativeTraining({
    ...settings,
    policy,
    iterations: 8,
    epochs: 2,
    batch: 6,
    objective: supervised(policy),
    build: (groups) => selectedRollouts(groups, { mode: 'local' }),
  })
  expect(records.map(({ updates }) => updates.items)).toEqual(records.map(() => 6))
  expect(records.at(-1)!.reward!).toBeGreaterThan(records[0]!.reward! + 0.2)
})

test('iterated preference optimisation: best against worst', async () => {
  const pairsOf = (groups: readonly (readonly Rollout[])[]) =>
    groups.flatMap((group) => {
      const ranked = group.toSorted((a, b) => b.score.value! - a.score.value!)
      const [chosen, rejected] = [ranked[0]!, ranked.at(-1)!]
      return chosen.score.value === rejected.score.value ? [] : [{ chosen, rejected }]
    })
  const { records } = await iterativeTraining({
    ...settings,
    policy,
    iterations: 8,
    epochs: 2,
    batch: 4,
    objective: preferred(policy, {
      losses: ({ margins }) => dpoLosses({ margins }, { beta: 0.5 }),
    }),
    build: pairsOf,
  })
  expect(records.at(-1)!.reward!).toBeGreaterThan(records[0]!.reward! + 0.2)
  expect(records[0]!.updates.accuracy).toBeGreaterThan(0.5)
})

test('items of weight 0 change no loss', async () => {
  const drawn = await rollouts({
    ...common,
    judge: judgeBy(reward),
    policy,
    parameters: policy.initial,
    tasks: tasks(),
    group: 1,
    seed: 'y',
  })
  const objective = supervised(policy)
  const masks = async (weights: readonly number[]) => {
    const items = weights.map((weight, index) => ({ item: drawn[index]!, weight }))
    const { mask } = (await objective.batchOf(items, policy.initial)) as { mask: Tensor }
    return Array.from({ length: weights.length }, (_, row) =>
      (mask.data as Float32Array).slice(row * mask.shape[1]!, (row + 1) * mask.shape[1]!).some(Boolean),
    )
  }
  expect(await masks([1, 0, 1])).toEqual([true, false, true])
})

test('distinct pairs', () => {
  expect(distinctShare([[1, 2, 1, 2], [3]], 2)).toBeCloseTo(2 / 3, 12)
  expect(distinctShare([[1]], 2)).toBe(1)
})
