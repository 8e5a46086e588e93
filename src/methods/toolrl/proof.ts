import { defineReward, type Reward, type Rng, rewardIdentity, textOf } from '../../core/index.ts'
import { textPolicyTask } from '../../learn/tasks/text-tasks.ts'
import { policyGradient } from '../../learn/trainers/policy-gradient.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'
import { drawTask, type Split, type TextTask, textTasks } from '../../worlds/text/task.ts'
import { goldTools, type ToolRequest } from '../../worlds/text/tools.ts'
import type { ArmOptions, ArmResult, Prepare, Reproduction, RunArm } from '../reproduce/reproduction.ts'
import {
  answersTo,
  meanPart,
  promptText,
  startingPolicy,
  textStart,
  trainedOnText,
} from '../reproduce/text-world.ts'
import { thoughtShare, toolrl } from '../toolrl.ts'

/** Requests of one to three calls of six tools with none to three parameters. */
const requests = (split: Split) => ({ kinds: { tools: 1 }, split }) as const
const drawRequest = (rng: Rng) => drawTask(rng, requests('train')) as ToolRequest

/** Share of the start's training that answers the request asked; the rest answers another one: syntax without skill. */
const skill = 0.15

/** Equal for all arms: responses sampled, or examples read. */
const budget = { iterations: 80, tasks: 8, group: 8 } as const
const learningRate = 1e-3
/** Words of thought that the length term pays for in full; thoughts of this world have about six. */
const lengthTarget = 24

const rewards: Readonly<Record<string, () => Reward>> = {
  coarse: () => toolrl({ granularity: 'coarse' }),
  intermediate: () => toolrl({ granularity: 'intermediate' }),
  refined: () => toolrl({ granularity: 'refined' }),
  fine: () => toolrl({}),
  'fine + length': () => withLength(toolrl({})),
  'SFT, then fine': () => toolrl({}),
}

export const toolrlProof: Reproduction = {
  id: 'toolrl',
  claim:
    'A fine-grained reward of tool calls teaches a policy more exact calls than a coarse one, generalises to unseen ' +
    'combinations of tools better than supervised fine-tuning, and gains nothing from paying for length.',
  module: import.meta.url,
  arms: {
    fine: 'GRPO, names, parameter names and values each count',
    refined: 'GRPO, lists of names and of parameter names count as wholes',
    intermediate: 'GRPO, each call counts as a whole',
    coarse: 'GRPO, all calls right or nothing',
    'fine + length': `GRPO, fine, and up to 1 for ${lengthTarget} words of thought`,
    SFT: 'maximum likelihood of gold responses, as many as the others sample',
    'SFT, then fine': 'half of the budget each',
    start: 'the common start, untrained',
  },
  seeds: 5,
  prepared: true,
  quickArms: ['fine', 'coarse', 'start'],
  notes: [
    `Start: a decoder of 2 layers and width 64 trained on tool syntax; ${skill * 100} % of its examples answer the request that is asked, the others another one.`,
    `Every arm: ${budget.iterations} iterations of ${budget.tasks} requests with ${budget.group} responses (SFT: as many gold responses), one learning rate for GRPO, no KL term.`,
    'Learning rates are not tuned yet, of no arm.',
    'Measured greedily on 256 held-out requests whose combination of tools was in training (exact) and 256 whose combination was not (unseen).',
  ],
  criteria: (results) => {
    const fine = results.difference('fine', 'coarse', 'exact')
    const uniform = results.difference('coarse', 'fine', 'uniform groups')
    const unseen = results.difference('fine', 'SFT', 'unseen')
    const length = results.difference('fine + length', 'fine', 'exact')
    const learnt = results.difference('fine', 'start', 'exact')
    return [
      {
        name: 'the reward teaches: fine is above the start by 10 points',
        kind: 'validity',
        holds: learnt.mean > 0.1,
        measured: learnt.text,
      },
      {
        name: 'fine beats coarse on average and in at least four of five seeds',
        kind: 'claim',
        holds: fine.mean > 0 && fine.above >= Math.ceil(0.8 * results.seeds.length),
        measured: fine.text,
      },
      {
        name: 'fine has fewer groups of equal rewards than coarse',
        kind: 'claim',
        holds: uniform.mean > 0,
        measured: uniform.text,
      },
      {
        name: 'fine beats SFT on unseen combinations',
        kind: 'claim',
        holds: unseen.mean > 0,
        measured: unseen.text,
      },
      {
        name: 'paying for length adds no more than a point',
        kind: 'control',
        holds: length.mean <= 0.01,
        measured: length.text,
      },
    ]
  },
}

export const prepare: Prepare = ({ seed, quick, folder }) =>
  textStart(folder, {
    seed,
    steps: quick ? 120 : 700,
    example: (rng) => {
      const task = drawRequest(rng)
      return { task, answer: goldTools(rng.chance(skill) ? task : drawRequest(rng.fork('other'))) }
    },
  })

export const runArm: RunArm = async ({ arm, seed, quick, start }: ArmOptions): Promise<ArmResult> => {
  const policy = await startingPolicy(start)
  const iterations = quick ? 6 : budget.iterations
  const perIteration = budget.tasks * budget.group
  const uniform: number[] = []
  const curves: Record<string, number[]> = { reward: [], exact: [] }

  const withReward = async (parameters: Tree<Tensor>, reward: Reward, rounds: number) => {
    const trained = await policyGradient({
      policy,
      parameters,
      reward,
      group: budget.group,
      iterations: rounds,
      minibatches: 2,
      learningRate,
      maxTokens: 64,
      seed,
      reference: 'none',
      tasks: (iteration, rng) =>
        Array.from({ length: budget.tasks }, (_, index) =>
          textPolicyTask(`${iteration}-${index}`, drawRequest(rng.fork(index)), 'gold'),
        ),
      onIteration: (record) => {
        uniform.push(record.uniformGroups)
        curves.reward!.push(record.reward ?? Number.NaN)
        curves.exact!.push(record.parts.exact ?? Number.NaN)
      },
    })
    return trained.parameters
  }
  const onGold = (rounds: number) =>
    trainedOnText(policy, {
      seed,
      steps: (2 * rounds * perIteration) / 64,
      example: (rng) => {
        const task = drawRequest(rng)
        return { task, answer: goldTools(task) }
      },
      peak: learningRate,
    })

  const parameters =
    arm === 'start'
      ? policy.initial
      : arm === 'SFT'
        ? await onGold(iterations)
        : arm === 'SFT, then fine'
          ? await withReward(await onGold(iterations / 2), rewards[arm]!(), iterations / 2)
          : await withReward(policy.initial, rewards[arm]!(), iterations)

  const count = quick ? 32 : 256
  const tested = async (split: Split): Promise<Awaited<ReturnType<typeof answersTo>>> =>
    answersTo(policy, parameters, textTasks(`toolrl/${split}`, count, requests(split)) as TextTask[])
  const [seen, unseen] = [await tested('test'), await tested('unseen')]
  return {
    metrics: {
      exact: meanPart(seen, 'exact'),
      unseen: meanPart(unseen, 'exact'),
      'well-formed': meanPart(seen, 'format'),
      tokens: seen.reduce((sum, { tokens }) => sum + tokens, 0) / seen.length,
      ...(uniform.length === 0
        ? {}
        : { 'uniform groups': uniform.reduce((a, b) => a + b, 0) / uniform.length }),
    },
    ...(curves.reward!.length === 0 ? {} : { curves }),
    examples: [...seen.slice(0, 2), ...unseen.slice(0, 1)].map(({ task, text, verdict }) => ({
      prompt: promptText(task),
      output: text,
      note: verdict.parts.exact === 1 ? 'right' : 'wrong',
    })),
    samples: arm === 'start' ? 0 : iterations * perIteration,
    rewardCalls: arm === 'start' || arm === 'SFT' ? 0 : uniform.length * perIteration,
  }
}

function withLength(inner: Reward): Reward {
  return defineReward({
    name: 'toolrl-with-length',
    params: { inner: rewardIdentity(inner), lengthTarget },
    range: [inner.range[0], inner.range[1] + 1],
    judge: async (sample, context) => {
      const [score] = await inner.score([sample], context)
      if (score!.value === null) return score!
      return { ...score!, value: score!.value + thoughtShare(textOf(sample.output), lengthTarget) }
    },
  })
}
