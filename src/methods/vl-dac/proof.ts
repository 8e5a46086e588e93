import { join } from 'node:path'
import { type Json, type JsonObject, Rng } from '../../core/index.ts'
import type { StepPolicyOptions } from '../../learn/objectives/step-policy.ts'
import { type EpisodesRecord, episodesRecord, playEpisodes } from '../../learn/trainers/episodes.ts'
import type { LoopRecord } from '../../learn/trainers/monitors.ts'
import { supervised } from '../../learn/trainers/objective.ts'
import { offlineTraining } from '../../learn/trainers/offline.ts'
import { type StepActorCriticOptions, stepActorCritic } from '../../learn/trainers/step-actor-critic.ts'
import { figure } from '../../stats/figure.ts'
import { mean, standardDeviation } from '../../stats/moments.ts'
import { loadCheckpoint, restored, saveCheckpoint } from '../../tensor/checkpoint.ts'
import { warmupCosine } from '../../tensor/optimiser.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'
import type { Criterion, Prepare, Reproduction, RunArm } from '../reproduce/reproduction.ts'
import type { SeedResults } from '../reproduce/results.ts'
import { tracked } from '../reproduce/tracked.ts'
import { type PlayedWorld, playedCards, playedRoom } from './played-worlds.ts'

const settings = {
  size: { width: 48, heads: 4, eyes: 1, depth: 2, patch: 8 },
  bestActions: { room: 0.6, cards: 0.2 },
  start: { updates: { room: 450, cards: 200 }, batch: 64, peak: 3e-3 },
  roomSteps: 16,
  /** Episodes of an iteration; of LOOP, four of each of a quarter as many tasks. */
  episodes: { room: 16, cards: 48 },
  rollouts: 4,
  /** Steps of the environment that every arm learns from. */
  steps: { room: 6000, cards: 1500 },
  tested: 256,
  asked: 256,
} as const

const lambdas = [0, 0.1, 0.3, 0.5, 1] as const

/** What sets an arm apart. */
type Variant = Partial<
  Pick<StepActorCriticOptions<JsonObject, unknown>, 'baseline' | 'detachedCritic' | 'warmUp'>
> & {
  readonly objective?: StepPolicyOptions
}

const variants: Readonly<Record<string, Variant | null>> = {
  start: null,
  'VL-DAC': {},
  ...Object.fromEntries(
    lambdas.map((thoughtWeight) => [`RL4VLM ${thoughtWeight}`, { objective: { ratio: { thoughtWeight } } }]),
  ),
  LOOP: { baseline: 'leave-one-out' },
  'no KL': { objective: { klWeight: 0 } },
  'no warm-up': { warmUp: 0 },
  'no stop-gradient': { detachedCritic: false },
}
const inCards = ['start', 'VL-DAC', ...lambdas.map((lambda) => `RL4VLM ${lambda}`)]

const described = (variant: string): string => {
  if (variant === 'start') return 'the common start, untrained'
  if (variant === 'VL-DAC') return 'a ratio for each token, a critic for each step'
  if (variant === 'LOOP') return 'the same ratios, compared with three other episodes of the task, no critic'
  if (variant.startsWith('RL4VLM')) return `one ratio for each step, a thought counting ${variant.slice(7)}`
  return `VL-DAC with ${variant}`
}

const arms = [
  ...Object.keys(variants).map((variant) => `room: ${variant}`),
  ...inCards.map((variant) => `cards: ${variant}`),
]
const others = (world: string) => lambdas.slice(1).map((lambda) => `${world}: RL4VLM ${lambda}`)

export const vlDacProof: Reproduction = {
  id: 'vl-dac',
  claim:
    'A ratio for each token and a critic for each step learn to think and act without a weight of thoughts to tune: as ' +
    'well as the best weight of a ratio for each step, better than a weight at random, and better than no critic where ' +
    'reward is sparse.',
  module: import.meta.url,
  settings,
  arms: Object.fromEntries(
    arms.map((arm) => [arm, `${arm.split(': ')[0]}, ${described(arm.split(': ')[1]!)}`]),
  ),
  seeds: 4,
  prepared: true,
  quickArms: ['room: VL-DAC'],
  tuning: {
    what: 'learning rate',
    grid: [3e-5, 1e-4, 3e-4],
    metric: 'success',
    arms: {
      'room: VL-DAC': ['room: no KL', 'room: no warm-up', 'room: no stop-gradient'],
      'room: RL4VLM 0': others('room'),
      'room: LOOP': [],
      'cards: VL-DAC': [],
      'cards: RL4VLM 0': others('cards'),
    },
  },
  notes: [
    'Room: seen from above, 7 by 7 cells, turn or go forward, 1 at the goal and nothing before, at most 16 steps. Cards: EZPoints, two cards make 12, one sign at a time, rewards a tenth. What is no action changes nothing, takes a step and is paid -0.1. The household is not part of it.',
    'The start writes a thought of five words and an action: the best one in 0.6 (room) and 0.2 (cards) of its lessons, any admissible one otherwise. In the room it is told where it looks. A third of its lessons ask about the picture (where the goal and oneself are; what is written): they stand in the place of W1 questions.',
    'Every arm learns from 6,000 steps of the room or 1,500 of the cards, the iteration that begins below it included. Learning rates are tuned by success on held-out tasks of the trials; RL4VLM at lambda 0 and LOOP over the same grid, the other lambdas take over.',
  ],
  criteria: (results) => [
    {
      name: 'the starts have room',
      kind: 'validity',
      holds: ['room', 'cards'].every((world) => results.mean(`${world}: start`, 'success') < 0.7),
      measured: ['room', 'cards']
        .map((world) => `${world} ${figure(results.mean(`${world}: start`, 'success'))}`)
        .join(', '),
    },
    {
      name: 'VL-DAC learns in both worlds',
      kind: 'validity',
      holds: ['room', 'cards'].every(
        (world) => results.difference(`${world}: VL-DAC`, `${world}: start`, 'success').mean > 0.05,
      ),
      measured: ['room', 'cards']
        .map(
          (world) => `${world} ${results.difference(`${world}: VL-DAC`, `${world}: start`, 'success').text}`,
        )
        .join('; '),
    },
    {
      name: 'the critic without stop-gradient changes something',
      kind: 'validity',
      ...changed(results, 'room: no stop-gradient', 'room: VL-DAC'),
    },
    ...againstWeights(results, 'room'),
    ...againstWeights(results, 'cards'),
    {
      name: 'the best weight differs between the worlds, or VL-DAC is above the mean weight in one',
      kind: 'control',
      holds:
        bestWeight(results, 'room') !== bestWeight(results, 'cards') ||
        ['room', 'cards'].some(
          (world) => results.mean(`${world}: VL-DAC`, 'success') > mean(weightMeans(results, world))!,
        ),
      measured: `best weights ${bestWeight(results, 'room')} and ${bestWeight(results, 'cards')}`,
    },
    ...compared(results, 'success above LOOP where reward is sparse', 'room: LOOP', 'success', 0),
    ...compared(results, 'unseen layout: above the start', 'room: start', 'pillars', 0),
    ...compared(
      results,
      'questions about pictures: within 2 points of the start',
      'room: start',
      'answers',
      -0.02,
    ),
  ],
}

/** Whether VL-DAC's metric in the room is above another arm's by more than `margin`. */
function compared(
  results: SeedResults,
  name: string,
  other: string,
  metric: string,
  margin: number,
): Criterion[] {
  const difference = results.difference('room: VL-DAC', other, metric)
  return [{ name, kind: 'claim', holds: difference.mean > margin, measured: difference.text }]
}

/** Different by more than chance: the interval of the difference leaves out 0, or the spread doubles. */
function changed(results: SeedResults, one: string, other: string): Pick<Criterion, 'holds' | 'measured'> {
  const { mean: average, interval, text } = results.difference(one, other, 'success')
  const [spread, usual] = [one, other].map((arm) => spreadOf(results, arm))
  const isOff = interval !== null && (interval.low > 0 || interval.high < 0)
  return {
    holds: isOff || Math.abs(average) > 0.05 || spread! > 2 * usual!,
    measured: `${text}; standard deviations ${figure(spread!)} and ${figure(usual!)}`,
  }
}

/** Standard deviation over the seeds. */
function spreadOf(results: SeedResults, arm: string): number {
  return standardDeviation(results.values(arm, 'success'), { ddof: 1 }) ?? 0
}

function weightMeans(results: SeedResults, world: string): number[] {
  return lambdas.map((lambda) => results.mean(`${world}: RL4VLM ${lambda}`, 'success'))
}

function bestWeight(results: SeedResults, world: string): number {
  const means = weightMeans(results, world)
  return lambdas[means.indexOf(Math.max(...means))]!
}

function againstWeights(results: SeedResults, world: string): Criterion[] {
  const own = results.mean(`${world}: VL-DAC`, 'success')
  const means = weightMeans(results, world)
  const spreads = lambdas
    .map((lambda) => spreadOf(results, `${world}: RL4VLM ${lambda}`))
    .sort((a, b) => a - b)
  const spread = spreadOf(results, `${world}: VL-DAC`)
  const shown = lambdas.map((lambda, index) => `${lambda}: ${figure(means[index]!)}`).join(', ')
  return [
    {
      name: `${world}: success at most 3 points below RL4VLM with its best weight`,
      kind: 'claim',
      holds: own >= Math.max(...means) - 0.03,
      measured: `${figure(own)} against ${shown}`,
    },
    {
      name: `${world}: success at least 5 points above the mean over the weights`,
      kind: 'claim',
      holds: own >= mean(means)! + 0.05,
      measured: `${figure(own)} against ${figure(mean(means)!)}`,
    },
    {
      name: `${world}: smaller spread over seeds than the median weight`,
      kind: 'claim',
      holds: spread < spreads[2]!,
      measured: `${figure(spread)} against ${figure(spreads[2]!)}`,
    },
  ]
}

/** Steps of the environment. */
function spent(records: readonly EpisodesRecord[]): number {
  return records.reduce((sum, { samples }) => sum + samples, 0)
}

type World = 'room' | 'cards'
const worlds: Readonly<Record<World, () => PlayedWorld>> = {
  room: () => playedRoom(settings),
  cards: () => playedCards(settings),
}

export const prepare: Prepare = async ({ seed, quick, folder }): Promise<Json> => {
  const made: Record<string, string> = {}
  const { updates, batch, peak } = settings.start
  for (const [name, open] of Object.entries(worlds)) {
    const total = quick ? 10 : updates[name as World]
    const { player, lesson } = open()
    try {
      const { parameters } = await offlineTraining({
        policy: player.policy,
        items: (_, rng) => Array.from({ length: 10 * batch }, (_, index) => lesson(rng.fork(index))),
        objective: supervised(player.policy),
        batch,
        iterations: total / 10,
        learningRate: warmupCosine({ peak, warmup: Math.min(40, total / 4), total }),
        seed: `${seed}/${name}`,
        threads: 1,
      })
      made[name] = join(folder, `${name}.safetensors`)
      await saveCheckpoint(made[name], parameters)
    } finally {
      await player.policy.dispose()
    }
  }
  return made
}

export const runArm: RunArm = async (run, context) => {
  const { arm, seed, quick, start, tuned = 1e-4 } = run
  const [world, name] = arm.split(': ') as [string, string]
  const variant = variants[name]!
  const { player, trainingTask, rewards, question, gamma } = worlds[world as World]()
  const { game } = player.language
  const initial = restored(
    player.policy.initial,
    await loadCheckpoint((start as Readonly<Record<string, string>>)[world]!),
  ) as Tree<Tensor>
  const episodes = settings.episodes[world as World]
  const budget = quick ? 100 : settings.steps[world as World]
  let records: readonly LoopRecord<EpisodesRecord>[] = []
  let parameters = initial
  if (variant !== null) {
    const group = variant.baseline === 'leave-one-out' ? settings.rollouts : 1
    ;({ records, parameters } = await stepActorCritic({
      // an episode has at least one step
      ...tracked(run, context, { iterations: Math.ceil(budget / episodes) }),
      until: (own) => spent(own) >= budget,
      player,
      parameters: initial,
      tasks: (_, rng) =>
        Array.from({ length: episodes / group }, (_, index) => trainingTask(rng.fork(index))),
      group,
      rewards,
      gamma,
      learningRate: tuned,
      threads: 1,
      ...variant,
    }))
  }
  const played = async (split: string) => {
    const tasks = Array.from({ length: quick ? 16 : settings.tested }, (_, index) =>
      // tasks of trials are others than those of the verdict
      game.task(split, seed < 1000 ? index : 5000 + index),
    )
    const episodes = await playEpisodes({ player, parameters, tasks, seed: `vl-dac/${split}` })
    return { ...episodesRecord(episodes), episodes }
  }
  const test = await played('test')
  const pillars = world === 'room' ? (await played('pillars')).won : null
  const asked = Array.from({ length: quick ? 16 : settings.asked }, (_, index) =>
    question(new Rng(`vl-dac/question/${index}`)),
  )
  const answers = await player.policy.sample(parameters, asked, {
    maxTokens: player.maxTokens,
    temperature: 0,
  })
  await player.policy.dispose()
  const samples = spent(records)
  return {
    metrics: {
      success: test.won,
      ...(pillars === null ? {} : { pillars }),
      answers: mean(
        answers.map(({ tokens }, index) => Number(tokens.join() === asked[index]!.response.join())),
      )!,
      legal: test.legal,
      moves: test.moves,
    },
    curves: {
      success: records.map(({ won }) => won),
      legal: records.map(({ legal }) => legal),
      entropy: records.map(({ entropy }) => entropy),
      'KL to the start': records.map(({ updates }) => updates.kl ?? null),
      'gradient norm': records.map(({ updates }) => updates.gradientNorm ?? null),
    },
    examples: test.episodes.slice(0, 3).map(({ moves, isWon, actions, states, end }) => ({
      prompt: game.text(states[0] ?? end),
      output: `${player.policy.decode(moves[0]!.response)} ... ${actions.join(' ')}`,
      note: isWon ? 'won' : 'not won',
    })),
    samples,
    rewardCalls: samples,
  }
}
