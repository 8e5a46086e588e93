import { defineReward, type Reward, Rng, rewardIdentity, textOf } from '../../core/index.ts'
import { type PolicyRow, policyRow } from '../../learn/policies/language-policy.ts'
import { textPolicyTask } from '../../learn/tasks/text-tasks.ts'
import { supervised } from '../../learn/trainers/objective.ts'
import { offlineTraining } from '../../learn/trainers/offline.ts'
import { policyGradient } from '../../learn/trainers/policy-gradient.ts'
import { mean } from '../../stats/moments.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'
import { drawTask, type Split, type TextTask, textTasks } from '../../worlds/text/task.ts'
import { goldTools, type ToolRequest } from '../../worlds/text/tools.ts'
import { textVocabulary } from '../../worlds/text/vocabulary.ts'
import type { Prepare, Reproduction, RunArm } from '../reproduce/reproduction.ts'
import { heldOutName } from '../reproduce/text-proof.ts'
import {
  answersTo,
  exampleOf,
  meanPart,
  startingPolicy,
  tokensOf,
  tunedStart,
} from '../reproduce/text-world.ts'
import { curvesOf, spentBy, tracked } from '../reproduce/tracked.ts'
import { thoughtShare, toolrl } from '../toolrl.ts'

/** Requests of one to three calls of six tools with none to three parameters. */
const requests = (split: Split) => ({ kinds: { tools: 1 }, split }) as const
const drawRequest = (rng: Rng) => drawTask(rng, requests('train')) as ToolRequest

const settings = {
  /** `skill`: share of the start's training that answers the request asked; the rest answers another. */
  start: { from: 'text-lm', steps: 120, peak: 1e-3, skill: 0.3 },
  /** All that any arm trains on: SFT reads each ten times, GRPO samples 8 responses to most of them. */
  pool: 256,
  iterations: 40,
  tasks: 8,
  group: 8,
  minibatches: 2,
  /** Of SFT: rows of a step. */
  batch: 32,
  /** Words of thought that the length term pays for in full; thoughts of this world have about six. */
  lengthTarget: 24,
  tested: 128,
} as const
const perIteration = settings.tasks * settings.group

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
  settings,
  arms: {
    fine: 'GRPO, names, parameter names and values each count',
    refined: 'GRPO, lists of names and of parameter names count as wholes',
    intermediate: 'GRPO, each call counts as a whole',
    coarse: 'GRPO, all calls right or nothing',
    'fine + length': `GRPO, fine, and up to 1 for ${settings.lengthTarget} words of thought`,
    SFT: 'maximum likelihood of the gold responses to the same requests',
    'SFT, then fine': 'half of the budget each',
    start: 'the common start, untrained',
  },
  seeds: 5,
  prepared: true,
  tuning: {
    what: 'learning rate',
    grid: [1e-4, 3e-4, 1e-3],
    metric: 'exact',
    arms: {
      fine: ['refined', 'intermediate', 'fine + length', 'SFT, then fine'],
      coarse: [],
      SFT: [],
    },
  },
  equalSamples: ['fine', 'refined', 'intermediate', 'coarse', 'fine + length', 'SFT', 'SFT, then fine'],
  quickArms: ['fine', 'SFT'],
  notes: [
    `Start: ${settings.start.from}, tuned for ${settings.start.steps} steps on responses ${settings.start.skill * 100} % of which answer the request that is asked, the others another one: it knows the form, and what to call is one habit among others.`,
    `Every arm trains on the same ${settings.pool} requests: ${settings.iterations} iterations of ${settings.tasks} requests with ${settings.group} responses each, or as many gold responses read. No KL term.`,
    'Only the learning rate is tuned; group, minibatches and rows of an update are fixed.',
    'From an easier start (a share of 0.5: 12 % of its calls right) fine and coarse came to the same, 0.67 each at their best learning rate (one seed, 24 iterations): the difference is one of starts at which right calls are rare.',
    `Measured on responses sampled at temperature 1, as the arms write them: ${settings.tested} held-out requests whose combination of tools was in training (exact) and ${settings.tested} whose combination was not (unseen).`,
  ],
  criteria: (results) => {
    const fine = results.difference('fine', 'coarse', 'exact')
    const uniform = results.difference('coarse', 'fine', 'groups of equal rewards')
    const unseen = results.difference('fine', 'SFT', 'unseen')
    const length = results.difference('fine + length', 'fine', 'exact')
    const learnt = results.difference('fine', 'start', 'exact')
    return [
      {
        name: 'the start has room and some skill: 1 to 30 % of its calls are right',
        kind: 'validity',
        holds: results.mean('start', 'exact') >= 0.01 && results.mean('start', 'exact') <= 0.3,
        measured: results
          .values('start', 'exact')
          .map((share) => share.toFixed(2))
          .join(', '),
      },
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
  tunedStart(folder, {
    ...settings.start,
    seed,
    steps: quick ? 6 : settings.start.steps,
    example: (rng) => {
      const task = drawRequest(rng)
      const answered = rng.chance(settings.start.skill) ? task : drawRequest(rng.fork('other'))
      return { task, answer: goldTools(answered) }
    },
  })

export const runArm: RunArm = async (run, context) => {
  const { arm, seed, quick, tuned: learningRate = 1e-3 } = run
  const policy = await startingPolicy(run.start)
  const iterations = quick ? 2 : settings.iterations
  const pool = Array.from({ length: settings.pool }, (_, index) =>
    drawRequest(new Rng(`toolrl/${seed}/pool/${index}`)),
  )

  const byReward = (parameters: Tree<Tensor>, reward: Reward, rounds: number) =>
    policyGradient({
      ...tracked(run, context, { iterations: rounds }),
      policy,
      parameters,
      reward,
      group: settings.group,
      minibatches: settings.minibatches,
      learningRate,
      maxTokens: 64,
      tasks: (iteration, rng) =>
        Array.from({ length: settings.tasks }, (_, index) =>
          textPolicyTask(`${iteration}-${index}`, rng.fork(index).pick(pool), 'gold'),
        ),
    })
  const byGold = async (rounds: number) => {
    const rows = await Promise.all(
      pool.map((request) =>
        policyRow(policy, textPolicyTask('', request).conversation, textVocabulary.join(goldTools(request))),
      ),
    )
    return offlineTraining<PolicyRow>({
      ...tracked(run, context, { iterations: rounds, part: 'gold' }),
      policy,
      items: (iteration) => partOf(rows, iteration, perIteration, seed),
      objective: supervised(policy),
      batch: settings.batch,
      learningRate,
    })
  }
  const trained = async () => {
    if (arm === 'start')
      return { parameters: policy.initial, records: [], spent: { samples: 0, rewardCalls: 0 } }
    if (arm === 'SFT') {
      const { parameters, records } = await byGold(iterations)
      return { parameters, records: [], spent: spentBy(records) }
    }
    const gold = arm === 'SFT, then fine' ? await byGold(iterations / 2) : undefined
    const { parameters, records } = await byReward(
      gold?.parameters ?? policy.initial,
      rewards[arm]!(),
      gold ? iterations / 2 : iterations,
    )
    return { parameters, records, spent: spentBy([...(gold?.records ?? []), ...records]) }
  }
  const { parameters, records, spent } = await trained()

  const count = quick ? 16 : settings.tested
  const tested = (split: Split) =>
    answersTo(
      policy,
      parameters,
      textTasks(heldOutName(`toolrl/${split}`, seed), count, requests(split)) as TextTask[],
      { temperature: 1 },
    )
  const [seen, unseen] = [await tested('test'), await tested('unseen')]
  const uniform = mean(records.map(({ uniformGroups }) => uniformGroups))
  return {
    metrics: {
      exact: meanPart(seen, 'exact'),
      unseen: meanPart(unseen, 'exact'),
      'well-formed': meanPart(seen, 'format'),
      tokens: tokensOf(seen),
      ...(uniform === null ? {} : { 'groups of equal rewards': uniform }),
    },
    curves: curvesOf(records),
    examples: [...seen.slice(0, 2), ...unseen.slice(0, 1)].map((answer) =>
      exampleOf(answer, answer.verdict.parts.exact === 1 ? 'right' : 'wrong'),
    ),
    ...spent,
  }
}

/** Passes over all rows, each in an order of its own, cut into parts of one size. */
function partOf<Row>(rows: readonly Row[], part: number, size: number, seed: number): readonly Row[] {
  const parts = rows.length / size
  const order = new Rng(`toolrl/${seed}/gold/${Math.floor(part / parts)}`).shuffled(rows)
  const first = (part % parts) * size
  return order.slice(first, first + size)
}

function withLength(inner: Reward): Reward {
  return defineReward({
    name: 'toolrl-with-length',
    params: { inner: rewardIdentity(inner), lengthTarget: settings.lengthTarget },
    range: [inner.range[0], inner.range[1] + 1],
    judge: async (sample, context) => {
      const [score] = await inner.score([sample], context)
      if (score!.value === null) return score!
      return { ...score!, value: score!.value + thoughtShare(textOf(sample.output), settings.lengthTarget) }
    },
  })
}
