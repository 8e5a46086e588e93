import { join } from 'node:path'
import type { Json, Rng } from '../../core/index.ts'
import type { PolicyRow } from '../../learn/policies/language-policy.ts'
import { type PlayingPolicy, playingPolicy } from '../../learn/policies/playing-policy.ts'
import {
  differentSolutions,
  type EpisodesRecord,
  type PlayedEpisode,
  playEpisodes,
  solutionDiversity,
} from '../../learn/trainers/episodes.ts'
import { flowMatching } from '../../learn/trainers/flow-matching.ts'
import type { LoopRecord } from '../../learn/trainers/monitors.ts'
import { supervised } from '../../learn/trainers/objective.ts'
import { offlineTraining } from '../../learn/trainers/offline.ts'
import { stepActorCritic } from '../../learn/trainers/step-actor-critic.ts'
import { mean } from '../../stats/moments.ts'
import { loadCheckpoint, restored, saveCheckpoint } from '../../tensor/checkpoint.ts'
import { warmupCosine } from '../../tensor/optimiser.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'
import { stopAction } from '../../worlds/control/number-line.ts'
import {
  type NumberRoutesState,
  type NumberRoutesTask,
  numberRoutes,
  routeMoves,
} from '../../worlds/control/number-routes.ts'
import type { Criterion, Prepare, Reproduction, RunArm } from '../reproduce/reproduction.ts'
import { tracked } from '../reproduce/tracked.ts'
import { type TabularLoss, tabularVariation } from './tabular.ts'

const settings = {
  /** Of the enumerated game: 341 histories. */
  exact: { moves: 4, start: 1, target: 6, steps: 800, group: 16, learningRate: 0.1 },
  moves: 6,
  /**
   * The reward is (10 / (distance + 1))^5: with the smallest whole power by which a perfect sampler of the training tasks
   * ends at the target in 95 % of its episodes, from the enumerated trees.
   */
  power: 5,
  size: { width: 48, heads: 4, eyes: 2, depth: 2, patch: 16 },
  start: { iterations: 60, updates: 10, batch: 64, peak: 3e-3, stopping: 16 },
  iterations: 60,
  /** Of the arms that balance prefixes, which read each step twice. */
  prefixIterations: 30,
  tasks: 4,
  group: 16,
  /** Updates from the episodes of an iteration, of flow matching and of PPO alike. */
  passes: 4,
  /** Groups of 16 episodes that each task is measured by. */
  measured: 4,
} as const

const exactArms: Readonly<Record<string, TabularLoss>> = {
  'exact: Var-TB': 'variance-trajectory',
  'exact: SubTB': 'sub-trajectory',
  'exact: DB': 'detailed',
  'exact: SubTB as printed': 'as-printed',
  'exact: PPO': 'policy-gradient',
}

/** Which start and game an arm has: with the action [DONE], or ending at the target by itself. */
const seeingArms = {
  'Var-TB': { start: 'plain', stop: false },
  PPO: { start: 'plain', stop: false },
  SFT: { start: 'plain', stop: false },
  SubTB: { start: 'stopping', stop: true },
  'SubTB, [DONE] not taught': { start: 'plain', stop: true },
} as const

export const gflowvlmProof: Reproduction = {
  id: 'gflowvlm',
  claim:
    'Flow matching samples solutions in proportion to their reward, exactly where that can be checked, and finds more ' +
    'different solutions than PPO from the same episodes without losing success; its balance over prefixes needs a ' +
    'policy that was taught when to stop.',
  module: import.meta.url,
  settings,
  arms: {
    'exact: Var-TB': 'a table over 341 histories, variance trajectory balance',
    'exact: SubTB': 'the same table, sub-trajectory balance',
    'exact: DB': 'the same table, detailed balance',
    'exact: SubTB as printed': 'the same table, with the typo of the paper',
    'exact: PPO': 'the same table, clipped policy gradient on the same reward and episodes',
    'Var-TB': 'a policy that sees, variance trajectory balance',
    PPO: 'the same policy, reward and episodes; a critic for each step',
    SFT: 'the common start: one solution of each training task',
    SubTB: 'a start that was taught to say [DONE], sub-trajectory balance',
    'SubTB, [DONE] not taught': 'the same from the common start, which never saw [DONE]',
  },
  seeds: 5,
  prepared: true,
  quickArms: ['exact: Var-TB', 'exact: SubTB as printed', 'Var-TB'],
  tuning: {
    what: 'learning rate',
    grid: [1e-4, 3e-4, 1e-3],
    metric: 'training solutions',
    arms: { 'Var-TB': [], PPO: [], SubTB: ['SubTB, [DONE] not taught'] },
  },
  equalSamples: ['Var-TB', 'PPO'],
  notes: [
    'Game: reach a number with +1, -1, +2 and x2 in 6 moves, seen as a picture; a task has about 160 solutions. Held-out tasks are other pairs of start and target, far ones have targets 13 to 24 instead of 2 to 12.',
    'The policy sees a picture and its own moves so far, and chooses among the admissible actions, with probabilities normalised over them. It acts without a thought: with thoughts (lambda 0.4) all thoughts that lead to one end are worth the same, so the flow spreads over nonsense and reading is lost. Where it could write anything, rare illegal moves made the largest errors, and success fell from 0.53 to 0.27.',
    'Var-TB, PPO and SFT play the game that ends at the target; SubTB plays the one that ends with [DONE], where every prefix has a reward.',
    'The variation of the exact arms is computed over the whole tree. Learning rates are tuned by the different solutions of 16 episodes of the training tasks, unsolved tasks counting 0.',
    'The start was taught to read the numbers of pictures aloud when asked, to say how far apart they are, and the shortest way to the target from wherever some moves of a training task lead; the one that says [DONE] learnt for a quarter longer, in the game that ends with it.',
    'Each takes four passes over its episodes, PPO in updates of 64 moves, flow matching of one task; learning rates fall to nothing along a cosine. Balance of prefixes has half as many iterations, with and without having been taught.',
  ],
  criteria: (results) => {
    const criteria: Criterion[] = []
    const variation = (arm: string) => results.mean(arm, 'variation')
    const printed = results.values('exact: SubTB as printed', 'variation')
    criteria.push({
      name: 'SubTB as printed does not pass the test of exactness',
      kind: 'validity',
      holds: printed.every((value) => value > 0.1),
      measured: printed.map((value) => value.toFixed(3)).join(', '),
    })
    for (const arm of ['exact: Var-TB', 'exact: SubTB', 'exact: DB'])
      criteria.push({
        name: `${arm}: total variation to the reward at most 0.10, PPO's larger by 0.15`,
        kind: 'claim',
        holds:
          results.values(arm, 'variation').every((value) => value <= 0.1) &&
          variation('exact: PPO') - variation(arm) >= 0.15,
        measured: `${variation(arm).toFixed(3)} against ${variation('exact: PPO').toFixed(3)}`,
      })
    const diversity = results.difference('Var-TB', 'PPO', 'Div@16')
    const success = results.difference('Var-TB', 'PPO', 'success')
    criteria.push({
      name: 'Div@16 of Var-TB above PPO in every seed',
      kind: 'claim',
      holds: diversity.above === results.seeds.length,
      measured: diversity.text,
    })
    criteria.push({
      name: 'success of Var-TB at most 3 points below PPO',
      kind: 'claim',
      holds: success.mean >= -0.03,
      measured: success.text,
    })
    const far = results.difference('Var-TB', 'PPO', 'far success')
    criteria.push({
      name: 'success on far targets at least that of PPO',
      kind: 'claim',
      holds: far.mean >= 0,
      measured: far.text,
    })
    const taught = results.difference('SubTB', 'SubTB, [DONE] not taught', 'success')
    criteria.push({
      name: 'SubTB is worse without having been taught [DONE]',
      kind: 'control',
      holds: taught.mean > 0,
      measured: taught.text,
    })
    return criteria
  },
}

const digits = [...'0123456789']

function player(stop: boolean): Player {
  return playingPolicy(
    {
      game: numberRoutes({ moves: settings.moves, stop }),
      actions: [...Object.keys(routeMoves), stopAction],
      words: [...digits, 'minus', 'to', 'read', 'compare'],
      remembered: settings.moves,
      acts: 'chosen',
    },
    {
      threads: 1,
      size: settings.size,
      seed: 'gflowvlm',
    },
  )
}
type Player = PlayingPolicy<NumberRoutesTask, NumberRoutesState>

function tasksOf({ language: { game } }: Player, split: string): NumberRoutesTask[] {
  const { tasks } = game.splits.find(({ name }) => name === split)!
  return Array.from({ length: tasks }, (_, index) => game.task(split, index))
}

interface Starts {
  readonly plain: string
  readonly stopping: string
}

/** First the common start, then one of it that learns a little longer, in the game that ends with [DONE]. */
export const prepare: Prepare = async ({ seed, quick, folder }): Promise<Json> => {
  const { iterations, updates, batch, peak, stopping } = settings.start
  const taught = async (name: string, stop: boolean, count: number, parameters?: Tree<Tensor>) => {
    const own = player(stop)
    const training = tasksOf(own, 'train')
    const total = count * updates
    try {
      const result = await offlineTraining({
        policy: own.policy,
        ...(parameters && { parameters }),
        items: (_, rng) =>
          Array.from({ length: updates * batch }, (_, index) => lesson(own, training, rng.fork(index))),
        objective: supervised(own.policy),
        batch,
        iterations: count,
        learningRate: warmupCosine({ peak, warmup: Math.min(50, total / 4), total }),
        seed: `${seed}/${name}`,
        threads: 1,
      })
      const path = join(folder, `${name}.safetensors`)
      await saveCheckpoint(path, result.parameters)
      return { path, parameters: result.parameters }
    } finally {
      await own.policy.dispose()
    }
  }
  const plain = await taught('plain', false, quick ? 1 : iterations)
  const stopped = await taught('stopping', true, quick ? 1 : stopping, plain.parameters)
  return { plain: plain.path, stopping: stopped.path } satisfies Starts
}

/**
 * What a policy must know of numbers before it plays: what the picture says, and how far apart the two are; and a step of
 * the one known solution of a training task.
 */
function lesson(own: Player, training: readonly NumberRoutesTask[], rng: Rng): PolicyRow {
  const { game } = own.language
  const kind = rng.pick(['read', 'compare', 'play', 'play'] as const)
  if (kind !== 'play') {
    const state = { ...game.start(rng.pick(training), rng), current: rng.int(-3, 40), target: rng.int(2, 27) }
    const { tokens, image } = own.promptOf({ ...state, left: rng.int(0, settings.moves + 1) }, [])
    return {
      tokens: [...tokens, ...own.wordsOf([kind])],
      ...(image && { image }),
      response: [...own.wordsOf(kind === 'read' ? aloud(state) : apart(state)), own.policy.end],
    }
  }
  let state = game.start(rng.pick(training), rng)
  const taken: string[] = []
  for (let left = rng.int(0, settings.moves + 1); left > 0; left--) {
    const action = rng.chance(0.3) ? rng.pick(game.actions(state)) : game.bestAction(state)
    const next = game.step(state, action, rng).state
    if (game.actions(next).length === 0) break
    taken.push(action)
    state = next
  }
  return { ...own.promptOf(state, taken), response: own.responseOf([], game.bestAction(state)) }
}

function aloud({ current, target }: NumberRoutesState): string[] {
  return [...spelt(current), 'to', ...spelt(target)]
}

function apart({ current, target }: NumberRoutesState): string[] {
  return spelt(target - current)
}

function spelt(value: number): string[] {
  return [...(value < 0 ? ['minus'] : []), ...String(Math.abs(value))]
}

export const runArm: RunArm = async (run, context) => {
  const { arm, seed, quick, start, tuned: rate = 1e-3 } = run
  const exact = exactArms[arm]
  if (exact !== undefined) {
    const { variation, curve } = await tabularVariation({
      ...settings.exact,
      ...(quick ? { steps: 100 } : {}),
      loss: exact,
      seed,
    })
    const samples = settings.exact.group * settings.exact.steps
    return { metrics: { variation }, curves: { variation: curve }, samples, rewardCalls: samples }
  }
  const { stop, start: from } = seeingArms[arm as keyof typeof seeingArms]
  const own = player(stop)
  const parameters = restored(
    own.policy.initial,
    await loadCheckpoint((start as unknown as Starts)[from]),
  ) as Tree<Tensor>
  const training = tasksOf(own, 'train')
  const iterations = quick ? 1 : stop ? settings.prefixIterations : settings.iterations
  const logReward = (state: NumberRoutesState) =>
    settings.power * Math.log(own.language.game.terminalReward(state))
  const common = {
    ...tracked(run, context, { iterations }),
    player: own,
    parameters,
    // down to nothing, as in the paper; of an iteration, since PPO has more updates in one
    learningRate: (_: number, iteration: number) =>
      (rate * (1 + Math.cos((Math.PI * iteration) / iterations))) / 2,
    group: settings.group,
    threads: 1,
    tasks: (_: number, rng: Rng) => rng.sample(training, settings.tasks),
  }
  let records: readonly LoopRecord<EpisodesRecord>[] = []
  let trained = parameters
  if (arm !== 'SFT') {
    const result =
      arm === 'PPO'
        ? await stepActorCritic({
            ...common,
            // of the same reward, scaled to 1 at the target, with the last move
            rewards: ({ moves, end }) =>
              moves.map((_, index) =>
                index === moves.length - 1 ? Math.exp(logReward(end) - settings.power * Math.log(10)) : 0,
              ),
            objective: { klWeight: 0 },
            epochs: settings.passes,
          })
        : await flowMatching({
            ...common,
            logReward,
            passes: settings.passes,
            // one task's episodes at a time, as in the paper
            tasksOfUpdate: 1,
            balance: stop ? { kind: 'sub-trajectory', stop: stopAction } : 'variance-trajectory',
          })
    trained = result.parameters
    records = result.records
  }
  const measure = async (split: string, groups: number) => {
    const tasks = tasksOf(own, split).slice(0, quick ? 4 : undefined)
    const found: Measured[] = []
    for (let group = 0; group < (quick ? 1 : groups); group++)
      found.push(
        measured(
          await playEpisodes({
            player: own,
            parameters: trained,
            tasks,
            group: 16,
            seed: `gflowvlm/${split}/${group}`,
          }),
          tasks.length,
        ),
      )
    return {
      success: mean(found.map(({ success }) => success))!,
      diversity: mean(found.flatMap(({ diversity }) => diversity ?? [])),
      solutions: mean(found.map(({ solutions }) => solutions))!,
    }
  }
  const [seen, held, far] = [
    await measure('train', 1),
    await measure('test', settings.measured),
    await measure('far', 1),
  ]
  const shown = await playEpisodes({
    player: own,
    parameters: trained,
    tasks: tasksOf(own, 'test').slice(0, 2),
    group: 2,
    seed: 'shown',
  })
  await own.policy.dispose()
  const samples = records.length * settings.tasks * settings.group
  return {
    metrics: {
      success: held.success,
      'Div@16': held.diversity,
      solutions: held.solutions,
      'training success': seen.success,
      'training solutions': seen.solutions,
      'far success': far.success,
      'far Div@16': far.diversity,
    },
    curves: {
      success: records.map(({ won }) => won),
      entropy: records.map(({ entropy }) => entropy),
      moves: records.map(({ moves }) => moves),
      loss: records.map(({ updates }) => updates.loss ?? null),
      'gradient norm': records.map(({ updates }) => updates.gradientNorm ?? null),
    },
    examples: shown.map(({ moves, actions, end, isWon }) => ({
      prompt: `from ${end.start} to ${end.target} in ${end.moves} moves`,
      output: `${own.policy.decode(moves[0]!.response)} ... ${actions.join(' ')}`,
      note: isWon ? 'there' : `ended at ${end.current}`,
    })),
    samples,
    rewardCalls: samples,
  }
}

interface Measured {
  readonly success: number
  /** Over the solved tasks; null where none was. */
  readonly diversity: number | null
  /** Over all tasks. */
  readonly solutions: number
}

function measured(episodes: readonly PlayedEpisode[], tasks: number): Measured {
  const solutions = differentSolutions(episodes, tasks)
  return {
    success: mean(episodes.map(({ isWon }) => Number(isWon)))!,
    diversity: solutionDiversity(solutions),
    solutions: mean(solutions)!,
  }
}
