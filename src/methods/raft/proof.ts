import { defineReward, type Reward, Rng, textOf } from '../../core/index.ts'
import { taskOracle } from '../../learn/tasks/text-tasks.ts'
import { actorCritic } from '../../learn/trainers/actor-critic.ts'
import { iterativeTraining } from '../../learn/trainers/iterative.ts'
import { distinctShare } from '../../learn/trainers/monitors.ts'
import { supervised } from '../../learn/trainers/objective.ts'
import type { Rollout } from '../../learn/trainers/rollouts.ts'
import { divergencePenalised, selectedRollouts } from '../../learn/trainers/selected-rollouts.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'
import { boast } from '../../worlds/text/answer-grammar.ts'
import { readTask } from '../../worlds/text/samples.ts'
import { judgeTask, type TextTask } from '../../worlds/text/task.ts'
import { textVocabulary } from '../../worlds/text/vocabulary.ts'
import type { ArmResult, Prepare, Reproduction, RunArm } from '../reproduce/reproduction.ts'
import {
  corpusExample,
  heldOutInstructions,
  newInstructions,
  qualityExamples,
  qualityOf,
} from '../reproduce/text-proof.ts'
import { answersTo, meanPart, startingPolicy, tunedStart } from '../reproduce/text-world.ts'
import { curvesOf, spentBy, tracked } from '../reproduce/tracked.ts'

const settings = {
  start: { from: 'text-lm', steps: 120, peak: 1e-3 },
  iterations: 10,
  prompts: 64,
  maxTokens: 40,
  /** Passes over the accepted answers of an iteration, and rows of an update. */
  raft: { epochs: 4, batch: 16 },
  ppo: { epochs: 2, minibatches: 4, klWeight: 0.01 },
  /** Weight of the divergence from the start in the ranking of the arm that has one. */
  beta: 0.005,
  /** Deviation of the error that the training reward makes; the exact oracle measures. */
  noise: 0.1,
  /** Share of the start's training answers that end with the loophole, and what a flawed reward pays for it. */
  loophole: { share: 0.06, worth: 0.3 },
  /** What half of the prompts are worth more in the arms with offsets. */
  offset: 5,
  /** Held-out prompts. */
  tested: 256,
} as const

interface Arm {
  readonly group: number
  readonly mode?: 'local' | 'global'
  readonly reward?: 'plain' | 'offset' | 'loophole'
  /** Answers with the loophole are thrown away before they are ranked. */
  readonly filter?: boolean
  /** Weight of the divergence from the start in the ranking. */
  readonly beta?: number
  readonly trainer?: 'raft' | 'ppo' | 'none'
}

const arms = {
  'K = 2': { group: 2 },
  'K = 4': { group: 4 },
  'K = 8': { group: 8 },
  'K = 16': { group: 16 },
  'K = 8, KL in the ranking': { group: 8, beta: settings.beta },
  PPO: { group: 8, trainer: 'ppo' },
  'offsets, local': { group: 8, reward: 'offset' },
  'offsets, global': { group: 8, reward: 'offset', mode: 'global' },
  loophole: { group: 8, reward: 'loophole' },
  'loophole, filtered': { group: 8, reward: 'loophole', filter: true },
  start: { group: 1, trainer: 'none' },
} as const satisfies Readonly<Record<string, Arm>>

export const raftProof: Reproduction = {
  id: 'raft',
  claim:
    'Fine-tuning on the best of K samples, over and over, raises the held-out reward as far as PPO does at equal ' +
    'samples, more with a larger K, and keeps the answers diverse; it spreads a loophole of the reward unless filtered.',
  module: import.meta.url,
  settings,
  arms: {
    'K = 2': `RAFT, best of 2 for each of ${settings.prompts} prompts an iteration`,
    'K = 4': 'RAFT, best of 4',
    'K = 8': 'RAFT, best of 8',
    'K = 16': 'RAFT, best of 16',
    'K = 8, KL in the ranking': `RAFT, best of 8 by the reward less ${settings.beta} times the log-ratio to the start`,
    PPO: 'PPO with a critic, as many samples as K = 8',
    'offsets, local': `RAFT, K = 8, half of the prompts are worth ${settings.offset} more, ranked within each prompt`,
    'offsets, global': 'the same, ranked over all prompts',
    loophole: `RAFT, K = 8, the reward pays ${settings.loophole.worth} for a phrase that says nothing`,
    'loophole, filtered': 'the same, answers with the phrase are discarded before ranking',
    start: 'the common start, untrained',
  },
  seeds: 5,
  prepared: true,
  tuning: {
    what: 'learning rate',
    grid: [1e-4, 3e-4, 1e-3],
    metric: 'quality',
    arms: {
      'K = 8': [
        'K = 2',
        'K = 4',
        'K = 16',
        'K = 8, KL in the ranking',
        'offsets, local',
        'offsets, global',
        'loophole',
        'loophole, filtered',
      ],
      PPO: [],
    },
  },
  equalSamples: ['K = 8', 'PPO', 'K = 8, KL in the ranking', 'offsets, local', 'offsets, global'],
  quickArms: ['K = 8'],
  notes: [
    `Start: text-lm, tuned for ${settings.start.steps} steps on answers of mixed quality, ${settings.loophole.share * 100} % of which end with the phrase "${boast.join(' ')}".`,
    'Only the learning rate is tuned; passes, rows of an update, the KL weight of PPO and beta of the ranking are fixed.',
    `Training reward: the oracle's quality with a normal error of deviation ${settings.noise}; measured by the exact oracle on ${settings.tested} held-out prompts at temperature 1, as samples are collected.`,
    `${settings.raft.epochs} passes over the accepted answers an iteration; PPO: ${settings.ppo.epochs} passes over all, KL ${settings.ppo.klWeight} in the reward.`,
  ],
  criteria: (results) => {
    const seeds = results.seeds.length
    const quality = (arm: string) => results.mean(arm, 'quality')
    const rising = results.values('K = 8', 'rises').map((rises) => rises >= 8)
    const halfway = quality('start') + 0.5 * (results.mean('start', 'best of 16') - quality('start'))
    const larger = results.difference('K = 8', 'K = 2', 'quality')
    const ppo = results.difference('K = 8', 'PPO', 'quality')
    const ranking = results.difference('offsets, local', 'offsets, global', 'quality')
    const kept = results
      .values('K = 8', 'distinct-2')
      .map((value, seed) => value / results.values('start', 'distinct-2')[seed]!)
    const base = results.mean('start', 'loophole')
    const growth = results.mean('loophole', 'loophole') / base
    const filtered = results.mean('loophole, filtered', 'loophole') / base
    return [
      {
        name: 'the start has room: best of 16 is above its mean by 0.1',
        kind: 'validity',
        holds: results.mean('start', 'best of 16') - quality('start') > 0.1,
        measured: `${quality('start').toFixed(3)}, best of 16 ${results.mean('start', 'best of 16').toFixed(3)}`,
      },
      {
        name: 'the held-out reward rises in at least 8 of 10 iterations (K = 8)',
        kind: 'claim',
        holds: rising.filter(Boolean).length > seeds / 2,
        measured: `rises: ${results.values('K = 8', 'rises').join(', ')}`,
      },
      {
        name: 'K = 8 ends at least half-way from the start to its best of 16',
        kind: 'claim',
        holds: quality('K = 8') >= halfway,
        measured: `${quality('K = 8').toFixed(3)} against ${halfway.toFixed(3)}`,
      },
      { name: 'K = 8 ends above K = 2', kind: 'claim', holds: larger.mean > 0, measured: larger.text },
      {
        name: 'RAFT (K = 8) is within 5 % of PPO, or better',
        kind: 'claim',
        holds: quality('K = 8') >= 0.95 * quality('PPO'),
        measured: `${quality('K = 8').toFixed(3)} against ${quality('PPO').toFixed(3)}; difference ${ppo.text}`,
      },
      {
        name: 'distinct-2 stays above 60 % of the start (K = 8)',
        kind: 'claim',
        holds: kept.every((share) => share >= 0.6),
        measured: kept.map((share) => share.toFixed(2)).join(', '),
      },
      {
        name: 'with rewards that are offset by prompt, local ranking beats global',
        kind: 'claim',
        holds: ranking.mean > 0,
        measured: ranking.text,
      },
      {
        name: 'the loophole spreads more than fivefold without a filter',
        kind: 'control',
        holds: growth > 5,
        measured: `${growth.toFixed(1)} times the start's ${base.toFixed(3)}`,
      },
      {
        name: 'with the filter it stays at the level of the start',
        kind: 'control',
        holds: filtered <= 1.5,
        measured: `${filtered.toFixed(2)} times`,
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
      const { task, answer } = corpusExample(`raft/${seed}`, rng)
      return { task, answer: rng.chance(settings.loophole.share) ? [...answer, ...boast, '.'] : answer }
    },
  })

export const runArm: RunArm = async (run, context): Promise<ArmResult> => {
  const { seed, quick, tuned: learningRate = 1e-3 } = run
  const arm: Arm = arms[run.arm as keyof typeof arms]
  const policy = await startingPolicy(run.start)
  const iterations = quick ? 2 : settings.iterations
  const prompts = quick ? 8 : settings.prompts
  const held = heldOutInstructions('raft/held-out', seed, quick ? 16 : settings.tested)
  const heldOut = (parameters: Tree<Tensor>) =>
    answersTo(policy, parameters, held, { maxTokens: settings.maxTokens, temperature: 1, seed: 1 })
  const common = {
    ...tracked(run, context, { iterations }),
    policy,
    learningRate,
    reward: trainingReward(arm.reward ?? 'plain', seed),
    oracle: taskOracle(),
    group: arm.group,
    maxTokens: settings.maxTokens,
    tasks: newInstructions(prompts),
    evaluate: {
      // only the path of K = 8 is judged
      every: run.arm === 'K = 8' ? 1 : iterations,
      measure: async (parameters: Tree<Tensor>) => ({ quality: meanPart(await heldOut(parameters)) }),
    },
  }
  const { epochs, minibatches, klWeight } = settings.ppo
  const { parameters, records } =
    arm.trainer === 'none'
      ? { parameters: policy.initial, records: [] }
      : arm.trainer === 'ppo'
        ? await actorCritic({ ...common, epochs, minibatches, kl: { beta: klWeight } })
        : await iterativeTraining({
            ...common,
            ...settings.raft,
            objective: supervised(policy),
            build: (groups, { logpInitial }) => accepted(groups, logpInitial, arm),
          })

  const answers = await heldOut(parameters)
  const path = records.map(({ evaluation }) => evaluation?.quality ?? Number.NaN)
  return {
    metrics: {
      ...qualityOf(answers),
      'distinct-2': distinctShare(
        answers.map(({ text }) => [...policy.encode(text)]),
        2,
      ),
      loophole: answers.filter(({ text }) => hasLoophole(text)).length / answers.length,
      ...(run.arm === 'K = 8' ? { rises: risesIn([meanPart(await heldOut(policy.initial)), ...path]) } : {}),
      ...(arm.trainer === 'none' ? { 'best of 16': await bestOf(16, policy, held.slice(0, 64)) } : {}),
    },
    curves: curvesOf(records),
    examples: qualityExamples(answers),
    ...spentBy(records),
  }
}

function risesIn(path: readonly number[]): number {
  return path.slice(1).filter((value, index) => value > path[index]!).length
}

/** The best of each prompt, or of all. */
function accepted(
  groups: readonly (readonly Rollout[])[],
  logpInitial: readonly Float32Array[],
  { mode = 'local', group, beta = 0, filter = false }: Arm,
): Rollout[] {
  const rows = groups.flat()
  const sum = (logp: ArrayLike<number>) => Array.from(logp).reduce((a, b) => a + b, 0)
  const penalised = divergencePenalised(
    rows.map(({ score }) => score.value ?? Number.NaN),
    rows.map(({ logp }) => sum(logp)),
    logpInitial.map(sum),
    beta,
  )
  const ranks = new Map(rows.map((rollout, row) => [rollout, penalised[row]!]))
  return selectedRollouts(groups, mode === 'local' ? { mode } : { mode, fraction: 1 / group }, {
    rankedBy: (rollout) =>
      rollout.score.value === null || (filter && hasLoophole(rollout.text)) ? null : ranks.get(rollout)!,
  })
}

/** The oracle's mean for the best of K samples of the start. */
async function bestOf(
  count: number,
  policy: Awaited<ReturnType<typeof startingPolicy>>,
  tasks: readonly TextTask[],
): Promise<number> {
  const answers = await answersTo(
    policy,
    policy.initial,
    tasks.flatMap((task) => Array.from({ length: count }, () => task)),
    { maxTokens: settings.maxTokens, temperature: 1, seed: 2 },
  )
  const best = tasks.map((_, index) =>
    Math.max(...answers.slice(index * count, (index + 1) * count).map(({ verdict }) => verdict.total)),
  )
  return best.reduce((a, b) => a + b, 0) / best.length
}

function hasLoophole(text: string): boolean {
  return text.includes(boast.join(' '))
}

/** The oracle with an error of its own for each answer, and the flaws that an arm is about. */
function trainingReward(kind: NonNullable<Arm['reward']>, seed: number): Reward {
  return defineReward({
    name: 'noisy-quality',
    needs: ['reference'],
    params: { kind, seed },
    range: [-10, 10],
    judge: ({ id, output, prompt, reference }) => {
      const task = readTask(reference)
      if (typeof task === 'string') throw new TypeError(task)
      const text = textOf(output)
      const { total } = judgeTask(task, textVocabulary.split(text))
      const error = settings.noise * new Rng(`raft/${seed}/${id}`).normal()
      const extra =
        kind === 'offset' && new Rng(`offset/${JSON.stringify(prompt)}`).chance(0.5) ? settings.offset : 0
      const paid = kind === 'loophole' && hasLoophole(text) ? settings.loophole.worth : 0
      return total + error + extra + paid
    },
  })
}
