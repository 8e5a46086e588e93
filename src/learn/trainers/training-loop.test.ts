import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { letterReward, letterTasks, tinyPolicy } from '../../../tests/tiny-policy.ts'
import { defineReward, GuerdonError } from '../../core/index.ts'
import { ask } from '../../models/chat-model.ts'
import { leavesOf, type Tensor, type Tree } from '../../tensor/tree.ts'
import { consistencyLosses, rankingConsistency } from '../objectives/consistency.ts'
import { dpoLosses } from '../objectives/dpo.ts'
import { selfExplorationTerms } from '../objectives/self-exploration.ts'
import type { LanguagePolicy } from '../policies/language-policy.ts'
import type { CheckpointSet } from './checkpoint-set.ts'
import { curriculum, stageAt } from './curriculum.ts'
import { type IterativeOptions, iterativeTraining } from './iterative.ts'
import type { IterationRecord } from './monitors.ts'
import { type PolicyPair, preferred, supervised } from './objective.ts'
import { offlineTraining } from './offline.ts'
import { policyGradient } from './policy-gradient.ts'
import { judgeBy, type Rollout, rollouts } from './rollouts.ts'
import { selectedRollouts } from './selected-rollouts.ts'
import { likelihoodJudge, selfJudge } from './self-judges.ts'
import { progressText, trainingProgress } from './training-progress.ts'

let tiny: ReturnType<typeof tinyPolicy>
let policy: LanguagePolicy
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'training-loop-'))
  tiny = tinyPolicy()
  policy = tiny.policy
})
afterAll(async () => {
  await tiny.dispose()
  await rm(folder, { recursive: true, force: true })
})

const common = {
  reward: letterReward,
  tasks: () => letterTasks(),
  group: 4,
  maxTokens: 4,
  threads: 1,
  seed: 5,
  learningRate: 0.02,
}
const numbersOf = (parameters: Tree<Tensor>) =>
  leavesOf(parameters).map(({ leaf }) => Array.from(leaf.data as Float32Array))

function bestAndWorst(groups: readonly (readonly Rollout[])[]): PolicyPair[] {
  return groups.flatMap((group) => {
    const ranked = group.toSorted((a, b) => b.score.value! - a.score.value!)
    const [chosen, rejected] = [ranked[0]!, ranked.at(-1)!]
    return chosen.score.value === rejected.score.value ? [] : [{ chosen, rejected }]
  })
}
const pairObjective = () =>
  preferred(policy, {
    losses: ({ margins }) => dpoLosses({ margins }, { beta: 0.5 }),
  })
/** Everything that has to come back: four roles, a past iteration, a training aside, a reference that moves. */
const everything = (): IterativeOptions<PolicyPair> => ({
  ...common,
  policy,
  iterations: 5,
  batch: 4,
  objective: pairObjective(),
  reference: 'previous',
  past: { earlier: { back: 3 }, second: { before: 1 } },
  build: async (groups, { trained, write, checkpoints }) => {
    const future = await trained(bestAndWorst(groups), { reference: 'best' })
    const [written, earlier] = [
      await write({ name: 'future', parameters: future }, { group: 2 }),
      await write('earlier', { group: 2 }),
    ]
    expect(checkpoints.named('second')).toBeDefined()
    return bestAndWorst(groups.map((group, task) => [...group, ...written[task]!, ...earlier[task]!]))
  },
})

test('an iterative training that crashes is gone on with to the bit, whatever its roles', async () => {
  const whole = await iterativeTraining(everything())
  const checkpoint = { path: join(folder, 'iterative.safetensors'), every: 2 }
  const log = join(folder, 'iterative.jsonl')
  const crashing = iterativeTraining({
    ...everything(),
    checkpoint,
    log,
    onIteration: ({ iteration }) => {
      if (iteration === 4) throw new Error('out of power')
    },
  })
  await expect(crashing).rejects.toThrow('out of power')
  const seen: number[] = []
  const resumed = await iterativeTraining({
    ...everything(),
    checkpoint,
    log,
    onIteration: ({ iteration }) => {
      seen.push(iteration)
    },
  })
  expect(seen).toEqual([4])
  expect(resumed.records).toEqual(whole.records)
  expect(numbersOf(resumed.parameters)).toEqual(numbersOf(whole.parameters))
  const beside = (await readdir(folder)).filter((file) => file.startsWith('iterative.safetensors.before-'))
  expect(beside.length).toBeLessThanOrEqual(4)
})

test('roles stand for the parameters they say', async () => {
  const starts: Tree<Tensor>[] = []
  const sets: CheckpointSet[] = []
  const { records } = await iterativeTraining({
    ...common,
    policy,
    iterations: 5,
    objective: supervised(policy),
    past: { 'two back': { back: 2 }, 'the first': { before: 1 } },
    build: (groups, { checkpoints }) => {
      sets.push(checkpoints)
      starts.push(checkpoints.current)
      return selectedRollouts(groups, { mode: 'local' })
    },
  })
  const same = (given: Tree<Tensor>, iteration: number) =>
    expect(numbersOf(given)).toEqual(numbersOf(starts[Math.max(0, iteration)]!))
  sets.forEach((set, iteration) => {
    same(set.initial, 0)
    same(set.previous, iteration - 1)
    same(set.named('two back'), iteration - 2)
    same(set.named('the first'), Math.min(iteration, 1))
    const before = records.slice(0, iteration).map(({ reward }) => reward!)
    same(set.best, before.indexOf(Math.max(...before)))
  })
  expect(() => sets[0]!.named('future')).toThrow('There are initial, previous, current, best, two back')
})

test('an iteration can begin from other parameters, with moments of its own', async () => {
  const settings = { ...common, policy, iterations: 2, objective: supervised(policy) }
  const build = (groups: readonly (readonly Rollout[])[]) => selectedRollouts(groups, { mode: 'local' })
  const kept = await iterativeTraining({ ...settings, build })
  const fresh = await iterativeTraining({ ...settings, build, moments: 'fresh' })
  expect(numbersOf(fresh.parameters)).not.toEqual(numbersOf(kept.parameters))
  const nothing = await iterativeTraining({
    ...settings,
    start: 'initial',
    build: (groups, { iteration }) => (iteration === 0 ? build(groups) : []),
  })
  expect(numbersOf(nothing.parameters)).toEqual(numbersOf(policy.initial))
})

test('a diverging training ends at what its iteration began with, or says where the last checkpoint is', async () => {
  const settings = {
    ...common,
    policy,
    iterations: 4,
    checkpoint: { path: join(folder, 'diverging.safetensors'), every: 1 },
    learningRate: (_: number, iteration: number) => (iteration < 2 ? 0.01 : Number.NaN),
    minibatches: 2,
  }
  const good: Tree<Tensor>[] = []
  const stopped = await policyGradient({
    ...settings,
    onDivergence: 'stop',
    evaluate: {
      measure: async (parameters) => {
        good.push(parameters)
        return { leaves: leavesOf(parameters).length }
      },
    },
  })
  expect(stopped.diverged).toMatchObject({ code: 'diverged' })
  expect(stopped.records.map(({ evaluation }) => evaluation!.leaves! > 0)).toEqual([true, true])
  expect(numbersOf(stopped.parameters)).toEqual(numbersOf(good[1]!))
  const thrown = await policyGradient(settings).catch((error: unknown) => error)
  expect(thrown).toBeInstanceOf(GuerdonError)
  expect((thrown as GuerdonError).message).toMatch(/diverged.*Last good: .*diverging.safetensors, step 4/s)
  const other = iterativeTraining({ ...settings, objective: supervised(policy), build: () => [] })
  await expect(other).rejects.toThrow('of policy-gradient trainer, not of iterative')
})

test('aborted between updates, a training is saved and gone on with exactly', async () => {
  const checkpoint = { path: join(folder, 'aborted.safetensors'), every: 100 }
  const settings = { ...common, policy, iterations: 3 }
  const whole = await policyGradient(settings)
  const stop = new AbortController()
  const aborted = policyGradient({
    ...settings,
    checkpoint,
    signal: stop.signal,
    onIteration: ({ iteration }) => {
      if (iteration === 1) stop.abort(new Error('enough'))
    },
  })
  await expect(aborted).rejects.toThrow('enough')
  const seen: number[] = []
  const resumed = await policyGradient({
    ...settings,
    checkpoint,
    onIteration: ({ iteration }) => {
      seen.push(iteration)
    },
  })
  expect(seen).toEqual([2])
  expect(numbersOf(resumed.parameters)).toEqual(numbersOf(whole.parameters))
})

test('responses are judged while the next ones are written', async () => {
  const events: string[] = []
  let judged = 0
  const slow = defineReward({
    name: 'slow',
    judge: async () => {
      events.push('judge')
      if (++judged < 12) await new Promise<void>((resolve) => setTimeout(resolve, 5))
      return 1
    },
  })
  const watching: LanguagePolicy = {
    ...policy,
    sample: async (...given) => {
      events.push('write')
      return policy.sample(...given)
    },
  }
  const written = await rollouts({
    policy: watching,
    parameters: policy.initial,
    tasks: letterTasks(),
    group: 2,
    judge: judgeBy(slow),
    maxTokens: 2,
    seed: 'overlap',
    batch: 4,
  })
  expect(written.map(({ sample }) => sample.id)).toEqual(
    letterTasks().flatMap(({ sample }) => [`${sample.id}#0`, `${sample.id}#1`]),
  )
  expect(events.indexOf('judge')).toBeLessThan(events.lastIndexOf('write'))
})

test('supervised learning of given responses, resumed to the bit', async () => {
  const items = letterTasks(3).map(({ sample }) => ({
    tokens: [...policy.encode(String(sample.prompt)), ...policy.encode('<bos>')],
    response: [...policy.encode(String(sample.reference)), policy.end],
  }))
  const settings = { policy, items, objective: supervised(policy), batch: 3, learningRate: 0.02, seed: 1 }
  const { parameters, records } = await offlineTraining({ ...settings, iterations: 20 })
  expect(records.at(-1)!.updates.loss!).toBeLessThan(0.5 * records[0]!.updates.loss!)
  expect(records.map(({ samples }) => samples)).toEqual(Array(20).fill(3))
  const checkpoint = { path: join(folder, 'offline.safetensors'), every: 5 }
  await offlineTraining({ ...settings, iterations: 5, checkpoint })
  const resumed = await offlineTraining({ ...settings, iterations: 20, checkpoint })
  expect(numbersOf(resumed.parameters)).toEqual(numbersOf(parameters))
  expect(resumed.records).toEqual(records)
})

test('the policy as its own judge: by likelihood, and by the worth of its replies', async () => {
  const drafts = await rollouts({
    policy,
    parameters: policy.initial,
    tasks: letterTasks(2),
    group: 2,
    judge: judgeBy(letterReward),
    maxTokens: 3,
    seed: 'own',
  })
  const other = await offlineTraining({
    policy,
    items: drafts.slice(0, 1),
    objective: supervised(policy),
    batch: 1,
    iterations: 5,
    learningRate: 0.02,
  })
  const roles: Readonly<Record<string, Tree<Tensor>>> = { initial: policy.initial, current: other.parameters }
  const checkpoints = { ...roles, named: (role: string) => roles[role]! } as unknown as CheckpointSet
  const context = { policy, checkpoints, iteration: 0 }
  const values = async (judge: { at(given: typeof context): ReturnType<typeof judgeBy> }) =>
    (await judge.at(context)(drafts)).map(({ value }) => value!)
  const ratios = await values(likelihoodJudge())
  expect(ratios.indexOf(Math.max(...ratios))).toBe(0)
  expect(await values(likelihoodJudge({ of: 'initial' }))).toEqual([0, 0, 0, 0])
  const means = await values(likelihoodJudge({ of: 'initial', over: 'none', tokens: 'mean' }))
  drafts.forEach(({ logp }, row) => {
    expect(means[row]).toBeCloseTo(logp.reduce((a, b) => a + b, 0) / logp.length, 4)
  })
  const worth = await values(selfJudge({ conversation: ({ text }) => ask(text), worth: { a: 0, b: 1 } }))
  for (const value of worth) expect(value > 0 && value < 1).toBe(true)
  const same = await values(selfJudge({ conversation: ({ text }) => ask(text), worth: { a: 3, b: 3 } }))
  for (const value of same) expect(value).toBeCloseTo(3, 6)
})

test('a curriculum moves on after so many iterations, or when it is time', () => {
  const stages = [
    {
      tasks: () => letterTasks(1),
      until: (records: readonly IterationRecord[]) => records.at(-1)!.reward! > 0.8,
    },
    { tasks: () => letterTasks(2), iterations: 2 },
    { tasks: () => letterTasks(3), iterations: 1 },
  ]
  const records = [0.1, 0.9, 0.2, 0.95, 0.3, 0.4].map((reward) => ({ reward }) as IterationRecord)
  const reached = records.map((_, index) => stageAt(stages, records.slice(0, index)))
  expect(reached).toEqual([0, 0, 1, 1, 2, 2])
  expect(curriculum(stages)(2, undefined as never, records.slice(0, 2))).toHaveLength(2)
})

test('published schemes of iterated preferences are settings: SELM, CREAM, Temporal Self-Rewarding', async () => {
  const base = { ...common, policy, iterations: 2, batch: 4, moments: 'fresh' as const }
  const selm = await iterativeTraining({
    ...base,
    reference: 'current',
    objective: preferred(policy, {
      losses: ({ margins, others }) =>
        dpoLosses({ margins }, { beta: 0.1 }).add(
          selfExplorationTerms(others.explored!, { beta: 0.1, alpha: 0.5 }),
        ),
    }),
    build: (groups) =>
      bestAndWorst(groups).map((pair, index) => ({ ...pair, others: { explored: groups[index]![0]! } })),
  })
  const plain = await iterativeTraining({
    ...base,
    reference: 'current',
    objective: preferred(policy, { losses: ({ margins }) => dpoLosses({ margins }, { beta: 0.1 }) }),
    build: bestAndWorst,
  })
  expect(selm.records[0]!.updates['logp explored']).toBeLessThan(0)
  expect(numbersOf(selm.parameters)).not.toEqual(numbersOf(plain.parameters))

  const consistencies: number[] = []
  await iterativeTraining({
    ...base,
    reward: likelihoodJudge({ over: 'none', tokens: 'mean' }),
    oracle: letterReward,
    reference: 'current',
    objective: preferred(policy, {
      losses: ({ margins, values }) => consistencyLosses({ margins, consistency: values.consistency! }),
    }),
    async build(groups, { policy: own, checkpoints }) {
      const before = await own.score(checkpoints.previous, groups.flat())
      const means = before.map((logp) => logp.reduce((a, b) => a + b, 0) / logp.length)
      return groups.flatMap((group, task) => {
        const scores = group.map(({ score }) => score.value!)
        const consistency = rankingConsistency(scores, means.slice(task * 4, task * 4 + 4))!
        consistencies.push(consistency)
        return bestAndWorst([group]).map((pair) => ({ ...pair, values: { consistency } }))
      })
    },
  })
  expect(consistencies.slice(0, 6).every((value) => value > 0.99)).toBe(true)
  expect(consistencies.slice(6).some((value) => value < 1)).toBe(true)

  // what is rejected comes from the past, what is chosen from a future that is trained for one iteration's use
  const temporal = await iterativeTraining({
    ...base,
    reference: 'current',
    objective: pairObjective(),
    async build(groups, { trained, write }) {
      const past = await write('initial')
      const more = (await write('current')).flat().map(({ text }) => text)
      expect(more).not.toEqual(groups.flat().map(({ text }) => text))
      const anchored = groups.map((group, task) => [
        ...bestAndWorst([group]).map(({ chosen }) => chosen as Rollout),
        ...past[task]!,
      ])
      const future = await write({ name: 'future', parameters: await trained(bestAndWorst(anchored)) })
      expect(future.flat().map(({ sample }) => sample.id)).toContain('task-0#future-0')
      return bestAndWorst(anchored.map((group, task) => [...group, ...future[task]!]))
    },
  })
  expect(temporal.records).toHaveLength(2)
})

test('progress is one line rewritten on a terminal, plain lines elsewhere', () => {
  const written: string[] = []
  const record = (iteration: number) => ({ iteration, reward: 0.5, updates: { loss: 2, gradientNorm: 0.25 } })
  const show = trainingProgress({
    iterations: 2,
    stream: { isTTY: true, write: (text) => written.push(text) },
  })
  show(record(0))
  show(record(1))
  expect(written).toEqual([
    '\r\u001b[Ktraining  1/2  reward 0.500, gradient 0.250',
    '\r\u001b[Ktraining  2/2  reward 0.500, gradient 0.250',
    '\r\u001b[K',
  ])
  const logged: string[] = []
  const log = trainingProgress({ iterations: 2, stream: { write: (text) => logged.push(text) } })
  log(record(0))
  expect(logged).toEqual([])
  expect(progressText({ iteration: 0, updates: { loss: 2 } })).toBe('loss 2')
})

test('a budget of another kind ends training after the iteration that spends it, also once it is gone on with', async () => {
  const checkpoint = { path: join(folder, 'budget.safetensors'), every: 1 }
  const read = (samples: number) =>
    offlineTraining({
      policy,
      items: [{ tokens: [0], response: [1, policy.end] }],
      objective: supervised(policy),
      batch: 1,
      iterations: 6,
      until: (records) => records.reduce((sum, record) => sum + record.samples, 0) >= samples,
      learningRate: 0.01,
      checkpoint,
      threads: 1,
    })
  expect((await read(3)).records).toHaveLength(3)
  expect((await read(3)).records).toHaveLength(3)
  expect((await read(4)).records).toHaveLength(4)
  expect((await read(99)).records).toHaveLength(6)
})
