import { type Array as JaxArray, numpy as np } from '@jax-js/jax'
import type { JsonObject, Rng } from '../../core/index.ts'
import { type Tensor, type Tree, tensor } from '../../tensor/tree.ts'
import {
  detailedBalanceLosses,
  forwardLogp,
  subTrajectoryBalanceLosses,
  varianceTrajectoryBalance,
} from '../objectives/gflownet.ts'
import type { PolicyBatch, PolicyRow } from '../policies/language-policy.ts'
import type { PlayingPolicy } from '../policies/playing-policy.ts'
import { type EpisodesRecord, episodesRecord, type PlayedEpisode, playEpisodes } from './episodes.ts'
import { type LoopOptions, type TrainingResult, trainingLoop } from './training-loop.ts'
import { partsOf, weightedRows } from './update-rows.ts'

export interface FlowMatchingOptions<Task extends JsonObject, State>
  extends LoopOptions<EpisodesRecord, PlayedEpisode<State>> {
  readonly player: PlayingPolicy<Task, State>
  /** Where training starts. @default the policy's own */
  readonly parameters?: Tree<Tensor>
  /** The tasks of an iteration; must depend on its arguments alone. Equally many in every iteration. */
  readonly tasks: (iteration: number, rng: Rng) => readonly Task[]
  /** Episodes of each task, which share one normaliser; at least 2. @default 16 */
  readonly group?: number
  /**
   * `variance-trajectory` looks at whole episodes. `sub-trajectory` and `detailed` balance every prefix that may end, so
   * the game needs the action `stop`. @default 'variance-trajectory'
   */
  readonly balance?:
    | 'variance-trajectory'
    | { readonly kind: 'sub-trajectory' | 'detailed'; readonly stop: string }
  /** Natural logarithm of the positive reward of ending in a state. @default of the game's `terminalReward` */
  readonly logReward?: (state: State) => number
  /**
   * The same of an episode with an illegal move, wherever it ended: there are so many ways to write nonsense that nothing
   * but a floor keeps the flow out of them. @default ln 1e-10
   */
  readonly illegalLogReward?: number
  /** The paper's lambda: how much a thought's log-probability counts. @default 0.4 */
  readonly thoughtWeight?: number
  /** Times that the episodes of an iteration are learnt from; balance holds for whoever played them. @default 1 */
  readonly passes?: number
  /** Tasks of an update; a divisor of the tasks of an iteration. @default all */
  readonly tasksOfUpdate?: number
}

/**
 * Trains a policy to play episodes in proportion to the reward of where they end: many solutions instead of one.
 * Balance is over the player's choices alone. Throws as `trainingLoop`.
 *
 * @source GFlowVLM, arXiv 2503.06514
 */
export function flowMatching<Task extends JsonObject, State>(
  options: FlowMatchingOptions<Task, State>,
): Promise<TrainingResult<EpisodesRecord>> {
  const { player, group = 16, balance = 'variance-trajectory', thoughtWeight = 0.4, passes = 1 } = options
  const { policy, language } = player
  const logReward = options.logReward ?? ((state: State) => Math.log(language.game.terminalReward(state)))
  const { illegalLogReward = Math.log(1e-10) } = options
  const kind = balance === 'variance-trajectory' ? balance : balance.kind
  return trainingLoop<EpisodesRecord, PlayedEpisode<State>>(options, {
    name: `flow-matching, ${kind}`,
    parameters: options.parameters ?? policy.initial,
    loss(parameters, { rows, thoughts, actions, ...given }: FlowBatch<JaxArray>) {
      const logps = policy.logp(parameters, rows)
      const logp = forwardLogp(
        { actionLogp: logps.ref, actionMask: actions, thoughtLogp: logps, thoughtMask: thoughts },
        { thoughtWeight },
      )
      if ('tasks' in given) {
        const whole = np.matmul(given.members, np.expandDims(logp, 1)).reshape([given.logReward.shape[0]!])
        const { losses, zeta } = varianceTrajectoryBalance({ ...given, logp: whole })
        zeta.dispose()
        return { loss: np.mean(losses), metrics: {} }
      }
      const [episodes, prefixes] = given.mask.shape as [number, number]
      const placed = (places: JaxArray, columns: number) =>
        np.matmul(places, np.expandDims(logp.ref, 1)).reshape([episodes, columns])
      const inputs = {
        logp: placed(given.steps, prefixes - 1),
        stopLogp: placed(given.stops, prefixes),
        logReward: given.logReward,
        mask: given.mask,
      }
      logp.dispose()
      const losses =
        kind === 'detailed'
          ? np.sum(detailedBalanceLosses(inputs), -1)
          : subTrajectoryBalanceLosses(inputs, { over: 'mean' })
      return { loss: np.mean(losses), metrics: {} }
    },
    async iterate({ iteration, rng, checkpoints, advance, signal }) {
      const tasks = options.tasks(iteration, rng.fork('tasks'))
      const episodes = await playEpisodes({
        player,
        parameters: checkpoints.current,
        tasks,
        group,
        seed: `${options.seed ?? 0}/${iteration}`,
        ...(signal === undefined ? {} : { signal }),
      })
      const { tasksOfUpdate = tasks.length } = options
      for (let pass = 0; pass < passes; pass++)
        for (const some of partsOf(tasks.length, tasks.length / tasksOfUpdate, rng.fork(`pass ${pass}`))) {
          const own = episodes.filter(({ task }) => some.includes(task))
          const batch =
            balance === 'variance-trajectory'
              ? wholeEpisodes(player, own, some, ({ moves, end }) =>
                  moves.every(({ isLegal }) => isLegal) ? logReward(end) : illegalLogReward,
                )
              : prefixesOf(player, own, tasks, balance.stop, logReward, illegalLogReward)
          await advance(batch as Tree<Tensor>)
        }
      return { record: episodesRecord(episodes), written: episodes }
    },
  })
}

type RowsBatch<Leaf> = {
  readonly rows: PolicyBatch<Leaf>
  /** 1 at the tokens of thoughts, and at those of actions and ends: Float[B, C] each. */
  readonly thoughts: Leaf
  readonly actions: Leaf
}

type WholeBatch<Leaf> = RowsBatch<Leaf> & {
  /** Float[episodes, B]: 1 where a row is a move of an episode. */
  readonly members: Leaf
  /** Float[episodes, tasks] */
  readonly tasks: Leaf
  /** Float[episodes] */
  readonly logReward: Leaf
}

type PrefixBatch<Leaf> = RowsBatch<Leaf> & {
  /** Float[episodes * M, B] and Float[episodes * (M + 1), B]: 1 where a row is a step, or stops a prefix. */
  readonly steps: Leaf
  readonly stops: Leaf
  /** Float[episodes, M + 1] */
  readonly logReward: Leaf
  readonly mask: Leaf
}

type FlowBatch<Leaf> = WholeBatch<Leaf> | PrefixBatch<Leaf>

/** Batches hold a multiple of so many rows, so that few graphs are compiled. */
const rowStep = 32

interface FlowRow extends PolicyRow {
  readonly thought: number
}

function batchOfRows<Task extends JsonObject, State>(
  { policy }: PlayingPolicy<Task, State>,
  moves: readonly FlowRow[],
): RowsBatch<Tensor> {
  const count = Math.ceil(moves.length / rowStep) * rowStep
  const filled = Array.from({ length: count }, (_, index) => moves[index % moves.length]!)
  const rows = weightedRows(
    policy.batchOf(filled),
    filled.map((_, index) => Number(index < moves.length)),
  )
  const shape = rows.mask.shape as [number, number]
  const thoughts = new Float32Array(shape[0] * shape[1])
  const actions = (rows.mask.data as Float32Array).slice()
  moves.forEach(({ tokens, thought }, index) => {
    const start = index * shape[1] + tokens.length - policy.firstColumn
    thoughts.fill(1, start, start + thought)
    actions.fill(0, start, start + thought)
  })
  return { rows, thoughts: tensor(thoughts, shape), actions: tensor(actions, shape) }
}

function wholeEpisodes<Task extends JsonObject, State>(
  player: PlayingPolicy<Task, State>,
  episodes: readonly PlayedEpisode<State>[],
  tasks: readonly number[],
  logReward: (episode: PlayedEpisode<State>) => number,
): WholeBatch<Tensor> {
  const batch = batchOfRows(
    player,
    episodes.flatMap(({ moves }) => moves),
  )
  const columns = batch.rows.mask.shape[0]!
  const members = new Float32Array(episodes.length * columns)
  let row = 0
  episodes.forEach(({ moves }, index) => {
    members.fill(1, index * columns + row, index * columns + row + moves.length)
    row += moves.length
  })
  return {
    ...batch,
    members: tensor(members, [episodes.length, columns]),
    tasks: tensor(
      episodes.flatMap(({ task }) => tasks.map((other) => Number(other === task))),
      [episodes.length, tasks.length],
    ),
    logReward: tensor(episodes.map(logReward), [episodes.length]),
  }
}

/**
 * Prefixes of legal moves, and where a move is illegal the end that it is: of the floor's reward, with nothing left to
 * choose. What is played after it is passed over. The thought that led to a move is also that of stopping instead.
 */
function prefixesOf<Task extends JsonObject, State>(
  player: PlayingPolicy<Task, State>,
  episodes: readonly PlayedEpisode<State>[],
  tasks: readonly Task[],
  stop: string,
  logReward: (state: State) => number,
  illegalLogReward: number,
): PrefixBatch<Tensor> {
  const { game } = player.language
  const most = Math.max(...tasks.map((task) => game.stepLimit(task)))
  const rows: FlowRow[] = []
  const steps: number[] = []
  const stops: number[] = []
  const rewards = new Float32Array(episodes.length * (most + 1))
  const mask = new Float32Array(episodes.length * (most + 1))
  const stopTokens = player.responseOf([], stop)
  episodes.forEach(({ moves, states, end }, index) => {
    const firstIllegal = moves.findIndex(({ isLegal }) => !isLegal)
    const own = firstIllegal < 0 ? moves : moves.slice(0, firstIllegal + 1)
    const last = own.length - 1
    own.forEach((move, at) => {
      const { response, thought, ...prompt } = move
      const place = index * (most + 1) + at
      mask[place] = 1
      rewards[place] = logReward(states[at] ?? end)
      stops.push(place, rows.length)
      rows.push({ ...prompt, thought, response: [...response.slice(0, thought), ...stopTokens] })
      if (move.action === stop || (at === last && move.isLegal)) return
      steps.push(index * most + at, rows.length)
      rows.push(move)
      if (at < last) return
      mask[place + 1] = 1
      rewards[place + 1] = illegalLogReward
    })
  })
  const batch = batchOfRows(player, rows)
  const columns = batch.rows.mask.shape[0]!
  const placed = (pairs: readonly number[], height: number) => {
    const data = new Float32Array(height * columns)
    for (let pair = 0; pair < pairs.length; pair += 2) data[pairs[pair]! * columns + pairs[pair + 1]!] = 1
    return tensor(data, [height, columns])
  }
  return {
    ...batch,
    steps: placed(steps, episodes.length * most),
    stops: placed(stops, episodes.length * (most + 1)),
    logReward: tensor(rewards, [episodes.length, most + 1]),
    mask: tensor(mask, [episodes.length, most + 1]),
  }
}
