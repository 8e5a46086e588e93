import { join } from 'node:path'
import { defineReward, type Json, type Reward, Rng, textOf } from '../../core/index.ts'
import { textPolicyTask } from '../../learn/tasks/text-tasks.ts'
import { actorCritic } from '../../learn/trainers/actor-critic.ts'
import { type BuildContext, iterativeTraining } from '../../learn/trainers/iterative.ts'
import { distinctShare, type IterationRecord } from '../../learn/trainers/monitors.ts'
import { supervised } from '../../learn/trainers/objective.ts'
import type { Rollout } from '../../learn/trainers/rollouts.ts'
import { divergencePenalised, selectedRollouts } from '../../learn/trainers/selected-rollouts.ts'
import { manifestMetadata } from '../../nets/embedded/manifest.ts'
import { saveCheckpoint } from '../../tensor/checkpoint.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'
import { boast } from '../../worlds/text/answer-grammar.ts'
import { corpusItem } from '../../worlds/text/dialogue.ts'
import { readTask } from '../../worlds/text/samples.ts'
import { drawTask, judgeTask, type TextTask, textTasks } from '../../worlds/text/task.ts'
import { textVocabulary } from '../../worlds/text/vocabulary.ts'
import type { ArmResult, Prepare, Reproduction, RunArm } from '../reproduce/reproduction.ts'
import { answersTo, meanPart, promptText, startingPolicy, trainedOnText } from '../reproduce/text-world.ts'

const instructions = { kinds: { instruction: 1 }, split: 'train' } as const
const budget = { iterations: 10, prompts: 16 } as const
const maxTokens = 40
const learningRate = 1e-3
/** Deviation of the error that the training reward makes; the exact oracle measures. */
const noise = 0.1
/** Share of the start's training answers that end with the loophole, and what a flawed reward pays for it. */
const loophole = { share: 0.03, worth: 0.3 } as const
const offset = 5

interface Settings {
  readonly group: number
  readonly mode?: 'local' | 'global'
  readonly reward?: 'plain' | 'offset' | 'loophole'
  /** Answers with the loophole are thrown away before they are ranked. */
  readonly filter?: boolean
  /** Weight of the divergence from the start in the ranking. */
  readonly beta?: number
  readonly trainer?: 'raft' | 'ppo' | 'none'
}

const settings = {
  'K = 2': { group: 2 },
  'K = 4': { group: 4 },
  'K = 8': { group: 8 },
  'K = 16': { group: 16 },
  'K = 8, KL in the ranking': { group: 8, beta: 0.005 },
  PPO: { group: 8, trainer: 'ppo' },
  'offsets, local': { group: 8, reward: 'offset' },
  'offsets, global': { group: 8, reward: 'offset', mode: 'global' },
  loophole: { group: 8, reward: 'loophole' },
  'loophole, filtered': { group: 8, reward: 'loophole', filter: true },
  start: { group: 1, trainer: 'none' },
} as const satisfies Readonly<Record<string, Settings>>

export const raftProof: Reproduction = {
  id: 'raft',
  claim:
    'Fine-tuning on the best of K samples, over and over, raises the held-out reward as far as PPO does at equal ' +
    'samples, more with a larger K, and keeps the answers diverse; it spreads a loophole of the reward unless filtered.',
  module: import.meta.url,
  arms: {
    'K = 2': 'RAFT, best of 2 for each of 16 prompts an iteration',
    'K = 4': 'RAFT, best of 4',
    'K = 8': 'RAFT, best of 8',
    'K = 16': 'RAFT, best of 16',
    'K = 8, KL in the ranking': 'RAFT, best of 8 by the reward less 0.005 times the log-ratio to the start',
    PPO: 'PPO with a critic, as many samples as K = 8',
    'offsets, local': 'RAFT, K = 8, half of the prompts are worth 5 more, ranked within each prompt',
    'offsets, global': 'the same, ranked over all prompts',
    loophole: 'RAFT, K = 8, the reward pays 0.3 for a phrase that says nothing',
    'loophole, filtered': 'the same, answers with the phrase are discarded before ranking',
    start: 'the common start, untrained',
  },
  seeds: 5,
  prepared: true,
  quickArms: ['K = 8', 'start'],
  notes: [
    `Start: text-lm, tuned for 120 steps on answers of mixed quality, ${loophole.share * 100} % of which end with the phrase "${boast.join(' ')}".`,
    `Training reward: the oracle's quality with a normal error of deviation ${noise}; measured by the exact oracle on 192 held-out prompts at temperature 1.`,
    'Learning rates are not tuned yet, of no arm.',
    'Two passes over the accepted answers an iteration, one learning rate for all RAFT arms; PPO: four passes, KL 0.01 in the reward, a learning rate of its own.',
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

export const prepare: Prepare = async ({ seed, quick, folder }): Promise<Json> => {
  const policy = await startingPolicy('text-lm')
  const parameters = await trainedOnText(policy, {
    seed,
    steps: quick ? 20 : 120,
    peak: 1e-3,
    example: (rng) => {
      const item = corpusItem(`raft/${seed}`, rng.int(0, 2 ** 31), { kinds: { instruction: 1 } })
      const answer = rng.chance(loophole.share) ? [...item.answer.tokens, ...boast, '.'] : item.answer.tokens
      return { task: item.task, answer }
    },
  })
  const path = join(folder, 'start.safetensors')
  await saveCheckpoint(path, parameters, { metadata: manifestMetadata(policy.model.manifest) })
  return path
}

export const runArm: RunArm = async ({ arm, seed, quick, start }): Promise<ArmResult> => {
  const {
    group,
    mode = 'local',
    reward: kind = 'plain',
    filter = false,
    beta = 0,
    trainer = 'raft',
  } = settings[arm as keyof typeof settings] as Settings
  const policy = await startingPolicy(start)
  const iterations = quick ? 2 : budget.iterations
  const prompts = quick ? 8 : budget.prompts
  const held = textTasks('raft/held-out', quick ? 32 : 192, { ...instructions, split: 'test' })
  const heldOut = (parameters: Tree<Tensor>) =>
    answersTo(policy, parameters, held, { maxTokens, temperature: 1, seed: 1 })
  const reward = trainingReward(kind, seed)
  const curves: Record<string, number[]> = { reward: [], quality: [], 'distinct-2': [] }
  const qualities: Promise<number>[] = []

  const common = {
    policy,
    reward,
    group,
    iterations,
    maxTokens,
    seed,
    tasks: (iteration: number, rng: Rng) =>
      Array.from({ length: prompts }, (_, index) =>
        textPolicyTask(`${iteration}-${index}`, drawTask(rng.fork(index), instructions)),
      ),
    onIteration: (record: IterationRecord) => {
      curves.reward!.push(record.reward ?? Number.NaN)
      curves['distinct-2']!.push(record.distinct2)
    },
  }
  const build = async (groups: readonly (readonly Rollout[])[], context: BuildContext) => {
    // measured before the update: the policy that wrote these
    if (context.iteration > 0)
      qualities.push(heldOut(context.checkpoints.current).then((own) => meanPart(own)))
    const sums = beta === 0 ? undefined : await penalties(groups.flat(), context, beta)
    return selectedRollouts(groups, mode === 'local' ? { mode } : { mode, fraction: 1 / group }, {
      rankedBy: (rollout) =>
        filter && hasLoophole(rollout.text) ? null : (sums?.get(rollout) ?? rollout.score.value),
    })
  }
  const trained =
    trainer === 'none'
      ? policy.initial
      : trainer === 'ppo'
        ? (
            await actorCritic({
              ...common,
              learningRate: 3e-4,
              kl: { beta: 0.01 },
              epochs: 4,
              minibatches: 2,
            })
          ).parameters
        : (
            await iterativeTraining({
              ...common,
              learningRate,
              epochs: 2,
              batch: 16,
              objective: supervised(policy),
              build,
            })
          ).parameters

  const answers = await heldOut(trained)
  const first = await heldOut(policy.initial)
  const path = [meanPart(first), ...(await Promise.all(qualities)), meanPart(answers)]
  const rises = path.slice(1).filter((value, index) => value > path[index]!).length
  if (trainer === 'raft') curves.quality!.push(...path)
  return {
    metrics: {
      quality: meanPart(answers),
      'distinct-2': distinctShare(
        answers.map(({ text }) => [...policy.encode(text)]),
        2,
      ),
      loophole: answers.filter(({ text }) => hasLoophole(text)).length / answers.length,
      tokens: answers.reduce((sum, { tokens }) => sum + tokens, 0) / answers.length,
      rises,
      ...(trainer === 'none' ? { 'best of 16': await bestOf(16, policy, held.slice(0, 64)) } : {}),
    },
    curves: Object.fromEntries(Object.entries(curves).filter(([, values]) => values.length > 0)),
    examples: answers.slice(0, 3).map(({ task, text, verdict }) => ({
      prompt: promptText(task),
      output: text,
      note: `quality ${verdict.total.toFixed(2)}`,
    })),
    samples: trainer === 'none' ? 0 : iterations * prompts * group,
    rewardCalls: trainer === 'none' ? 0 : iterations * prompts * group,
  }
}

/** Rewards less beta times the log-ratio to the start, of each rollout. */
async function penalties(
  rows: readonly Rollout[],
  { policy, checkpoints }: BuildContext,
  beta: number,
): Promise<Map<Rollout, number>> {
  const judged = rows.filter(({ score }) => score.value !== null)
  const initial = await policy.score(checkpoints.initial, judged)
  const sum = (logp: ArrayLike<number>) => Array.from(logp).reduce((a, b) => a + b, 0)
  const values = divergencePenalised(
    judged.map(({ score }) => score.value!),
    judged.map(({ logp }) => sum(logp)),
    initial.map(sum),
    beta,
  )
  return new Map(judged.map((rollout, index) => [rollout, values[index]!]))
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
    { maxTokens, temperature: 1, seed: 2 },
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
function trainingReward(kind: NonNullable<Settings['reward']>, seed: number): Reward {
  return defineReward({
    name: 'noisy-quality',
    needs: ['reference'],
    params: { kind, seed, noise },
    range: [-10, 10],
    judge: ({ id, output, prompt, reference }) => {
      const task = readTask(reference)
      if (typeof task === 'string') throw new TypeError(task)
      const text = textOf(output)
      const { total } = judgeTask(task, textVocabulary.split(text))
      const error = noise * new Rng(`raft/${seed}/${id}`).normal()
      const extra = kind === 'offset' && new Rng(`offset/${JSON.stringify(prompt)}`).chance(0.5) ? offset : 0
      const paid = kind === 'loophole' && hasLoophole(text) ? loophole.worth : 0
      return total + error + extra + paid
    },
  })
}
