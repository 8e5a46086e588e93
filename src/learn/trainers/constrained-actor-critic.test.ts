import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { letterReward, letterTasks, tinyPolicy } from '../../../tests/tiny-policy.ts'
import { defineReward, textOf } from '../../core/index.ts'
import { leavesOf, type Tensor, type Tree } from '../../tensor/tree.ts'
import { type ConstrainedActorCriticOptions, constrainedActorCritic } from './constrained-actor-critic.ts'
import type { IterationRecord } from './monitors.ts'

let tiny: ReturnType<typeof tinyPolicy>
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'constrained-'))
  tiny = tinyPolicy()
})
afterAll(async () => {
  await tiny.dispose()
  await rm(folder, { recursive: true, force: true })
})

const numbersOf = (parameters: Tree<Tensor>) =>
  leavesOf(parameters).map(({ leaf }) => Array.from(leaf.data as Float32Array))
const letters = defineReward({
  name: 'letters',
  needs: ['reference'],
  judge: async (sample) => {
    const [{ value }] = (await letterReward.score([sample])) as [{ value: number }]
    const words = textOf(sample.output).split(' ').filter(Boolean).length
    return { value, parts: { letter: value, words } }
  },
})
const common = {
  tasks: () => letterTasks(),
  maxTokens: 4,
  threads: 1,
  seed: 3,
  group: 8,
  reward: letters,
  learningRate: 0.003,
  minibatches: 2,
  epochs: 2,
  multipliers: { learningRate: 0.3 },
}
const train = (options: Partial<ConstrainedActorCriticOptions>) =>
  constrainedActorCritic({
    ...common,
    policy: tiny.policy,
    constraints: 'at least',
    thresholds: { letter: 0.6 },
    iterations: 30,
    ...options,
  })
const end = (records: readonly IterationRecord[], part: string) =>
  records.slice(-8).reduce((sum, { parts }) => sum + parts[part]! / 8, 0)

test('a component below its threshold is raised to it, and its multiplier falls again above it', async () => {
  const { records } = await train({})
  expect(records[0]!.parts.letter).toBeLessThan(0.3)
  expect(end(records, 'letter')).toBeGreaterThan(0.5)
  for (const [index, { updates }] of records.entries()) {
    const before = records[index - 1]?.updates['multiplier letter'] ?? 0.5
    const gap = records[index]!.parts.letter! - 0.6
    if (Math.abs(gap) > 0.2) expect(Math.sign(updates['multiplier letter']! - before)).toBe(-Math.sign(gap))
    expect(updates['multiplier letter']).toBeGreaterThan(0)
    expect(updates['threshold letter']).toBe(0.6)
  }
})

test('an equality lowers what is above it by a negative multiplier, an upper bound leaves what is below', async () => {
  const { records } = await train({ constraints: 'equal', thresholds: { words: 0.3 }, iterations: 12 })
  expect(records.at(-1)!.updates['multiplier words']).toBeLessThan(-0.3)
  expect(end(records, 'words')).toBeLessThan(records[0]!.parts.words!)
  const bounded = await train({ constraints: 'at most', thresholds: { words: 0.3 }, iterations: 3 })
  const weights = bounded.records.map(({ updates }) => updates['multiplier words']!)
  expect(weights[0]).toBeLessThan(0.5) // the words' weight is 1 - multiplier
  expect(weights.at(-1)).toBeLessThan(weights[0]!)
  expect(weights.at(-1)).toBeGreaterThan(0)
})

test('interrupted and resumed, multipliers and thresholds of a rule go on to the bit', async () => {
  const path = join(folder, 'constrained.safetensors')
  const thresholds = (records: readonly IterationRecord[]) => ({ letter: 0.5 + 0.1 * records.length })
  const options = { thresholds, iterations: 4 }
  const whole = await train(options)
  const kept = { ...options, checkpoint: { path, every: 1 } }
  await train({ ...kept, iterations: 2 })
  const resumed = await train(kept)
  expect(numbersOf(resumed.parameters)).toEqual(numbersOf(whole.parameters))
  expect(resumed.records.map(({ updates }) => updates)).toEqual(whole.records.map(({ updates }) => updates))
  expect(whole.records.at(-1)!.updates['threshold letter']).toBeCloseTo(0.8)
})

test('epochs end early by the KL', async () => {
  const free = await train({ iterations: 2 })
  const bound = await train({ iterations: 2, targetKl: 1e-9 })
  expect(bound.records[0]!.updates.klOld).toBeLessThan(free.records[0]!.updates.klOld!)
})

test('a response without a number for every component is masked; where none has one, it is an error', async () => {
  const sometimes = defineReward({
    name: 'sometimes',
    judge: (sample) => ({ value: 1, parts: sample.id.endsWith('#0') ? { letter: 0.5 } : {} }),
  })
  const { records } = await train({ reward: sometimes, iterations: 1 })
  expect(records[0]!.updates['multiplier letter']).toBeGreaterThan(0.5) // by those of 0.5 alone, which are below 0.6
  const missing = train({ thresholds: { letter: 0.5, style: 1 }, iterations: 1 })
  await expect(missing).rejects.toThrow(/no response of iteration 0 has a number for each of letter, style/)
  await expect(train({ thresholds: {} })).rejects.toThrow(/no threshold of any component/)
})
