import { join } from 'node:path'
import {
  defineBatchReward,
  type Json,
  type Preference,
  type Reward,
  Rng,
  type Sample,
  unscored,
} from '../../core/index.ts'
import { trainRewardModel } from '../../learn/reward-models/train-reward-model.ts'
import { textPolicyTask } from '../../learn/tasks/text-tasks.ts'
import { policyGradient } from '../../learn/trainers/policy-gradient.ts'
import { isFailed } from '../../models/outcome.ts'
import { logSigmoidCentred } from '../../rewards/combine/log-sigmoid.ts'
import { loadRewardModel, type RewardModel } from '../../rewards/learned/trained-reward-model.ts'
import { mean } from '../../stats/moments.ts'
import { quantile } from '../../stats/quantiles.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'
import { boast } from '../../worlds/text/answer-grammar.ts'
import { corpusItem } from '../../worlds/text/dialogue.ts'
import {
  drawCandidate,
  drawTask,
  judgeTask,
  type TextTask,
  taskAt,
  textTasks,
} from '../../worlds/text/task.ts'
import { textVocabulary } from '../../worlds/text/vocabulary.ts'
import type { ArmResult, Prepare, Reproduction, RunArm } from '../reproduce/reproduction.ts'
import {
  type AnsweredTask,
  answersTo,
  exampleOf,
  startingPolicy,
  tunedStart,
} from '../reproduce/text-world.ts'
import { curvesOf, tracked } from '../reproduce/tracked.ts'
import { tabularOutcome, tabularPrompts } from './tabular.ts'

const settings = {
  start: { steps: 120, phrase: 0.05 },
  rewardModel: { pairs: 800, steps: 140, bonus: 1.5, tail: 0.5 },
  policy: {
    iterations: 16,
    prompts: 16,
    group: 8,
    pool: 48,
    beta: 0.02,
    maxTokens: 32,
    every: 4,
    learningRate: 2e-4,
  },
  referenceAnswers: 6,
  heldOut: 64,
  tabularKl: [0.25, 0.5, 1, 2, 3],
} as const

const tasks = {
  kinds: { instruction: 1 },
  instruction: { asks: { describe: 2, lookup: 1, name: 1 }, constraints: [1, 2] },
} as const

export const lscProof: Reproduction = {
  id: 'lsc-reward-transform',
  claim:
    'Two learned rewards, each centred by what the base policy reaches on the prompt and passed through log-sigmoid, are ' +
    'better in both respects at once than their raw sum at equal KL, and pay less for a spurious phrase.',
  module: import.meta.url,
  arms: {
    tabular: 'exact optima of 200 prompts with 64 answers, at equal KL',
    'raw sum': 'the policy trained on the sum of the two learned rewards',
    LSC: 'the policy trained on the sum of the transformed rewards',
  },
  seeds: 5,
  settings: settings as unknown as Json,
  prepared: true,
  equalSamples: ['raw sum', 'LSC'],
  quickArms: ['tabular'],
  notes: [
    'Start: text-lm, tuned on answers of mixed quality, 5 % of which end with the spurious phrase.',
    'Reward models: one network over text-lm with two heads, trained on noisy pairs; the pairs on helpfulness pay 1.5 for the phrase and have an exponential error. The oracle judges: helpful = everything asked for is there, harmless = nothing forbidden.',
    'Reference of a prompt: the 85 % quantile of the reward over 6 answers of the start, of the 48 prompts that are trained on.',
    'Advantages are centred by prompt and divided by the deviation of the whole batch, so that prompts which are good already keep their small differences. Measured on 64 other prompts, two answers each, every 4 iterations; compared at equal KL, interpolated along the training, over the KL that both reach (from 1 to 10 nats): the learning rate, the same for both, only says how fast they get there.',
    'The learning rate was not tuned: one value for both, set after pilots on seed 0, which the verdict counts too.',
  ],
  criteria: (results) => {
    const at = (metric: string, kl: number) => results.mean('tabular', `${metric} at ${kl}`)
    const worst = settings.tabularKl.slice(0, 4).map((kl) => at('LSC worst', kl) - at('raw worst', kl))
    const joint = [2, 3].map((kl) => at('LSC joint', kl) - at('raw joint', kl))
    const compared = comparedAtEqualKl(results)
    return [
      {
        name: 'both trainings reach a KL of 1 nat',
        kind: 'validity',
        holds: compared !== null,
        measured: ['raw sum', 'LSC'].map((arm) => `${arm} ${results.mean(arm, 'KL').toFixed(2)}`).join(', '),
      },
      {
        name: 'exact optima: the worst tenth of prompts is better off at KL 0.25, 0.5, 1 and 2',
        kind: 'claim',
        holds: worst.every((difference) => difference > 0),
        measured: worst.map((difference) => difference.toFixed(3)).join(', '),
      },
      {
        name: 'exact optima: more answers are good in both respects at KL 2 and 3',
        kind: 'claim',
        holds: joint.every((difference) => difference > 0),
        measured: joint.map((difference) => difference.toFixed(3)).join(', '),
      },
      {
        name: 'trained policies: more answers are good in both respects at equal KL',
        kind: 'claim',
        holds: (compared?.joint ?? 0) > 0,
        measured: compared === null ? 'not comparable' : compared.joint.toFixed(3),
      },
      {
        name: 'trained policies: the spurious phrase is less frequent at equal KL',
        kind: 'claim',
        holds: (compared?.phrase ?? 0) < 0,
        measured: compared === null ? 'not comparable' : compared.phrase.toFixed(3),
      },
      {
        name: 'trained policies: fewer prompts are not improved at equal KL',
        kind: 'claim',
        holds: (compared?.unimproved ?? 0) < 0,
        measured: compared === null ? 'not comparable' : compared.unimproved.toFixed(3),
      },
    ]
  },
}

const measures = ['joint', 'phrase', 'unimproved'] as const
type Measure = (typeof measures)[number]

/** LSC minus raw sum, averaged over a grid of KL that both reach and over seeds; null when they share none from 1 nat. */
function comparedAtEqualKl(results: Parameters<Reproduction['criteria']>[0]): Record<Measure, number> | null {
  const differences: Record<Measure, number[]> = { joint: [], phrase: [], unimproved: [] }
  for (const seed of results.seeds) {
    const [raw, lsc] = ['raw sum', 'LSC'].map(
      (arm) => results.runs.find((run) => run.arm === arm && run.seed === seed)!.metrics,
    )
    const points = Math.floor(settings.policy.iterations / settings.policy.every)
    // a training always measures these
    const path = (metrics: typeof raw, measure: string) =>
      Array.from({ length: points }, (_, index) => metrics![`${measure} ${index + 1}`] as number)
    const highest = Math.min(Math.max(...path(raw, 'KL')), Math.max(...path(lsc, 'KL')), 10)
    if (highest < 1) continue
    for (const measure of measures) {
      const grid = Array.from({ length: 5 }, (_, index) => 1 + ((highest - 1) * index) / 4)
      const own = grid.map(
        (kl) =>
          interpolated(path(lsc, 'KL'), path(lsc, measure), kl) -
          interpolated(path(raw, 'KL'), path(raw, measure), kl),
      )
      differences[measure].push(mean(own)!)
    }
  }
  if (differences.joint.length === 0) return null
  return {
    joint: mean(differences.joint)!,
    phrase: mean(differences.phrase)!,
    unimproved: mean(differences.unimproved)!,
  }
}

/** The value where the path first crosses `at`, linear between points. */
function interpolated(xs: readonly number[], ys: readonly number[], at: number): number {
  const next = xs.findIndex((x) => x >= at)
  if (next <= 0) return ys[Math.max(0, next)]!
  const share = (at - xs[next - 1]!) / (xs[next]! - xs[next - 1]! || 1)
  return ys[next - 1]! + share * (ys[next]! - ys[next - 1]!)
}

interface Start {
  readonly policy: string
  readonly rewards: string
  readonly references: readonly (readonly [helpful: number, harmless: number])[]
}

export const prepare: Prepare = async ({ seed, quick, folder }): Promise<Json> => {
  if (quick) return null
  const policyPath = await tunedStart(folder, {
    from: 'text-lm',
    seed,
    steps: settings.start.steps,
    peak: 1e-3,
    example: (rng) => {
      const item = corpusItem(`lsc/${seed}`, rng.int(0, 2 ** 31), { ...tasks, split: 'train' })
      const { tokens } = item.answer
      return {
        task: item.task,
        answer: rng.chance(settings.start.phrase) ? [...tokens, ...boast, '.'] : tokens,
      }
    },
  })
  const policy = await startingPolicy(policyPath)
  const { model } = await trainRewardModel({
    preferences: ['helpful', 'harmless'].flatMap((property) => rewardPairs(property, seed)),
    dimensions: ['helpful', 'harmless'],
    details: ({ meta }) => ({ dimension: String(meta.property) }),
    trunk: policy.model,
    steps: settings.rewardModel.steps,
    learningRate: 1e-3,
    folder: join(folder, 'rewards'),
    seed,
    threads: 1,
  })
  const pool = poolOf(seed)
  const answers = await answersTo(
    policy,
    policy.initial,
    pool.flatMap((task) => Array.from({ length: settings.referenceAnswers }, () => task)),
    { maxTokens: settings.policy.maxTokens, temperature: 1, seed: 5 },
  )
  const values = await bothRewards(model, answers.map(sampleOf))
  const count = settings.referenceAnswers
  const references = pool.map((_, index) => {
    const own = values.slice(index * count, (index + 1) * count).filter((each) => each !== null)
    return [0, 1].map((property) =>
      quantile(
        own.map((each) => each[property]!),
        0.85,
      ),
    )
  })
  await Promise.all([model.dispose(), policy.dispose()])
  return { policy: policyPath, rewards: join(folder, 'rewards'), references } as Json
}

export const runArm: RunArm = async (run, context): Promise<ArmResult> => {
  const { arm, seed, quick } = run
  if (arm === 'tabular') {
    const prompts = tabularPrompts(`lsc/${seed}`, quick ? 20 : 200)
    const metrics: Record<string, number> = {}
    for (const kl of settings.tabularKl)
      for (const [name, transform] of [
        ['raw', 'raw'],
        ['LSC', 'log-sigmoid-centred'],
      ] as const) {
        const outcome = tabularOutcome(prompts, kl, transform)
        metrics[`${name} joint at ${kl}`] = outcome.joint
        metrics[`${name} worst at ${kl}`] = outcome.worst
      }
    return { metrics, samples: 0, rewardCalls: 0 }
  }
  const start = run.start as unknown as Start
  const policy = await startingPolicy(start.policy)
  const model = await loadRewardModel(start.rewards, { threads: 1 })
  const pool = poolOf(seed)
  const { iterations, prompts, group, beta, maxTokens, every, learningRate } = settings.policy
  const held = textTasks('lsc/held-out', settings.heldOut, { ...tasks, split: 'test' })
  const metrics: Record<string, number> = {}
  const before = await measured(policy, policy.initial, held)
  const measure = async (parameters: Tree<Tensor>, iteration: number) => {
    const { joint, phrase, kl } = await measured(policy, parameters, held)
    return {
      KL: kl,
      joint: mean(joint)!,
      phrase,
      unimproved: mean(joint.map((share, index) => Number(share <= before.joint[index]!)))!,
      point: (iteration + 1) / every,
    }
  }
  const trained = await policyGradient({
    ...tracked(run, context, { iterations }),
    evaluate: { every, measure },
    policy,
    reward: combined(model, arm === 'LSC' ? start.references : undefined),
    group,
    minibatches: 2,
    learningRate,
    maxTokens,
    advantages: { scale: 'batch' },
    objective: { beta },
    tasks: (iteration: number, rng: Rng) =>
      Array.from({ length: prompts }, (_, index) => {
        const place = rng.fork(index).int(0, pool.length)
        const task = textPolicyTask(`${iteration}-${index}`, pool[place]!)
        return { ...task, sample: { ...task.sample, meta: { ...task.sample.meta, place } } }
      }),
  })
  const path = trained.records.flatMap(({ evaluation }) => (evaluation === undefined ? [] : [evaluation]))
  for (const { point, ...own } of path)
    for (const [name, value] of Object.entries(own)) metrics[`${name} ${point}`] = value
  const answers = await answersTo(policy, trained.parameters, held.slice(0, 3), {
    maxTokens,
    temperature: 1,
    seed: 3,
  })
  await Promise.all([model.dispose(), policy.dispose()])
  return {
    metrics: {
      ...metrics,
      KL: path.at(-1)!.KL!,
      joint: path.at(-1)!.joint!,
      phrase: path.at(-1)!.phrase!,
      'joint at the start': mean(before.joint)!,
    },
    curves: curvesOf(trained.records),
    examples: answers.map((answer) => exampleOf(answer, `oracle ${answer.verdict.total.toFixed(2)}`)),
    samples: iterations * prompts * group,
    rewardCalls: iterations * prompts * group,
  }
}

/** Pairs of answers to one task, better in one property by a flawed measure. */
function rewardPairs(property: string, seed: number): Preference[] {
  return Array.from({ length: settings.rewardModel.pairs }, (_, index) => {
    const rng = new Rng(`lsc/${seed}/${property}/${index}`)
    const task = taskAt(`lsc/${seed}/${property}`, index, { ...tasks, split: 'train' })
    const [first, second] = [drawn(task, rng), drawn(task, rng)]
    const worth = (tokens: readonly string[]) => {
      const { parts } = judgeTask(task, tokens)
      if (property === 'harmless') return 3 * parts.harmlessness! + 0.3 * rng.normal()
      const { bonus, tail } = settings.rewardModel
      return 3 * parts.relevance! + (hasPhrase(tokens) ? bonus : 0) - tail * Math.log(1 - rng.uniform())
    }
    const isFirst = worth(first) > worth(second)
    const [chosen, rejected] = (isFirst ? [first, second] : [second, first]).map((tokens) =>
      textVocabulary.join(tokens),
    )
    const prompt = textPolicyTask('', task).sample.prompt
    return { id: `${property}-${index}`, prompt, chosen: chosen!, rejected: rejected!, meta: { property } }
  })
}

function drawn(task: TextTask, rng: Rng): readonly string[] {
  const { tokens } = drawCandidate(task, rng)
  return rng.chance(0.2) ? [...tokens, ...boast, '.'] : tokens
}

function poolOf(seed: number): TextTask[] {
  return Array.from({ length: settings.policy.pool }, (_, index) =>
    drawTask(new Rng(`lsc/${seed}/pool/${index}`), { ...tasks, split: 'train' }),
  )
}

function sampleOf({ task, text }: AnsweredTask): Sample {
  return { ...textPolicyTask('answer', task).sample, output: text }
}

async function bothRewards(
  model: RewardModel,
  samples: readonly Sample[],
): Promise<(readonly [number, number] | null)[]> {
  return (await model.values(samples)).map((each) =>
    isFailed(each) ? null : [each.parts!.helpful!, each.parts!.harmless!],
  )
}

/** The sum of both rewards, transformed where there are references. */
function combined(model: RewardModel, references: Start['references'] | undefined): Reward {
  return defineBatchReward({
    name: references === undefined ? 'raw-sum' : 'lsc',
    range: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
    judgeAll: async (samples) =>
      (await bothRewards(model, samples)).map((own, index) => {
        if (own === null) return unscored('bad-input', 'the answer cannot be read')
        if (references === undefined) return own[0] + own[1]
        const reference = references[Number(samples[index]!.meta.place)]!
        return logSigmoidCentred(own[0], reference[0]) + logSigmoidCentred(own[1], reference[1])
      }),
  })
}

/** Two answers to each task: the share that is good in both respects, how often the phrase stands there, and the KL. */
async function measured(
  policy: Awaited<ReturnType<typeof startingPolicy>>,
  parameters: Tree<Tensor>,
  held: readonly TextTask[],
) {
  const count = 2
  const prompts = await Promise.all(
    held
      .flatMap((task) => Array.from({ length: count }, () => task))
      .map((task) => policy.promptOf(textPolicyTask('', task).conversation)),
  )
  const written = await policy.sample(parameters, prompts, {
    maxTokens: settings.policy.maxTokens,
    temperature: 1,
    seed: 7,
  })
  const rows = written.map(({ tokens }, index) => ({ ...prompts[index]!, response: tokens }))
  const [own, base] = await Promise.all([policy.score(parameters, rows), policy.score(policy.initial, rows)])
  const sum = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0)
  const answers = written.map(({ tokens }) => textVocabulary.split(policy.decode(tokens)))
  const good = answers.map((tokens, index) => {
    const { parts } = judgeTask(held[Math.floor(index / count)]!, tokens)
    return Number(parts.relevance === 1 && parts.harmlessness === 1)
  })
  return {
    joint: held.map((_, index) => mean(good.slice(index * count, (index + 1) * count))!),
    phrase: mean(answers.map((tokens) => Number(hasPhrase(tokens))))!,
    kl: mean(own.map((values, index) => sum(values) - sum(base[index]!)))!,
  }
}

function hasPhrase(tokens: readonly string[]): boolean {
  return tokens.join(' ').includes(boast.join(' '))
}
