import { type Array as JaxArray, lax, numpy as np, tree } from '@jax-js/jax'
import { type JsonObject, Rng } from '../../core/index.ts'
import {
  initialPerceptron,
  type Perceptron,
  type PerceptronConfig,
  perceptron,
} from '../../nets/perceptron.ts'
import { compileByShape } from '../../tensor/compile-by-shape.ts'
import { evaluated } from '../../tensor/evaluated.ts'
import { adamW } from '../../tensor/optimiser.ts'
import { type Tensor, type Tree, tensor } from '../../tensor/tree.ts'
import { whitened } from '../objectives/averages.ts'
import { generalisedAdvantages } from '../objectives/generalised-advantages.ts'
import { groupedAdvantages } from '../objectives/grouped-advantages.ts'
import { ppoValueLoss } from '../objectives/ppo.ts'
import { type StepPolicyOptions, stepPolicyLoss } from '../objectives/step-policy.ts'
import type { PolicyBatch } from '../policies/language-policy.ts'
import type { PlayingPolicy } from '../policies/playing-policy.ts'
import {
  type EpisodeMove,
  type EpisodesRecord,
  episodesRecord,
  type PlayedEpisode,
  playEpisodes,
} from './episodes.ts'
import { filledParts, type Weighted } from './objective.ts'
import { type LoopOptions, type TrainingResult, trainingLoop } from './training-loop.ts'
import { alignedRows, weightedRows } from './update-rows.ts'

export interface StepActorCriticOptions<Task extends JsonObject, State>
  extends LoopOptions<EpisodesRecord, PlayedEpisode<State>> {
  readonly player: PlayingPolicy<Task, State>
  /** Where training starts, and the reference of the KL. @default the policy's own */
  readonly parameters?: Tree<Tensor>
  /** The tasks of an iteration; must depend on its arguments alone. */
  readonly tasks: (iteration: number, rng: Rng) => readonly Task[]
  /** Episodes of each task. @default 1 */
  readonly group?: number
  /** What each move of an episode is paid. @default the game's rewards */
  readonly rewards?: (episode: PlayedEpisode<State>) => readonly number[]
  /**
   * What a move is compared with: a value for each step, or the mean total of the other episodes of its task, for all its
   * steps alike (LOOP). @default 'critic'
   */
  readonly baseline?: 'critic' | 'leave-one-out'
  readonly objective?: StepPolicyOptions
  /** Discount a step. @default 0.99 */
  readonly gamma?: number
  /** @default 0.95 */
  readonly lambda?: number
  /** @default 0.5 */
  readonly valueWeight?: number
  /** @default 0.1 */
  readonly valueClip?: number
  /** Whether the value's loss trains the critic's own layers alone, and not the policy's network. @default true */
  readonly detachedCritic?: boolean
  /** First iterations that train the critic alone: with a detached critic the policy does not change in them. @default 2 */
  readonly warmUp?: number
  /** Times that each move is learnt from. @default 2 */
  readonly epochs?: number
  /** Moves of an update. @default 64 */
  readonly batch?: number
}

type Actor<Leaf> = { readonly policy: Tree<Leaf>; readonly critic: Perceptron<Leaf> }

/**
 * PPO of a policy that thinks and acts: a critic for each step of the game, which reads the network before the first
 * token of the response, and a policy loss for each token (VL-DAC) or each step (RL4VLM), by `objective`. An episode
 * that was cut off has no credit for its last move, and bootstraps the one before on it. The default optimiser is AdamW
 * without decay. Throws as `trainingLoop`.
 *
 * @source VL-DAC, arXiv 2508.04280
 */
export async function stepActorCritic<Task extends JsonObject, State>(
  options: StepActorCriticOptions<Task, State>,
): Promise<TrainingResult<EpisodesRecord>> {
  const { player, group = 1, baseline = 'critic', epochs = 2, batch: size = 64, seed = 0 } = options
  const { gamma = 0.99, lambda = 0.95, valueWeight = 0.5, valueClip = 0.1, warmUp = 2 } = options
  const { policy } = player
  const start = options.parameters ?? policy.initial
  const config: PerceptronConfig = { sizes: [policy.width, 64, 64, 1], activation: 'relu', outputGain: 0.1 }
  const hasCritic = baseline === 'critic'
  const valuesOf = ({ policy: parameters, critic }: Actor<JaxArray>, rows: PolicyBatch<JaxArray>) => {
    const first = firstTokens(rows.mask.ref)
    const hidden = policy.hidden(parameters, rows)
    const read = np.sum(hidden.mul(np.expandDims(first, 2)), 1)
    const given = (options.detachedCritic ?? true) ? lax.stopGradient(read) : read
    return perceptron(critic, config, given).reshape([given.shape[0]!])
  }
  const values = compileByShape<readonly Tree<Tensor>[], Tensor>(
    ((actor: Actor<JaxArray>, rows: PolicyBatch<JaxArray>) =>
      lax.stopGradient(valuesOf(actor, rows))) as never,
    options,
  )
  // Decay would move a policy that is not trained yet.
  const optimiser = options.optimiser ?? adamW({ weightDecay: 0 })
  const trainer = trainingLoop<EpisodesRecord, PlayedEpisode<State>>(
    { ...options, optimiser },
    {
      name: `step-actor-critic, ${baseline}`,
      parameters: {
        policy: start,
        critic: initialPerceptron(new Rng(seed).fork('critic'), config),
      } satisfies Actor<Tensor> as Tree<Tensor>,
      policyOf: (actor) => (actor as Actor<Tensor>).policy,
      loss(parameters: Actor<JaxArray>, { rows, step, policyWeight, ...given }: StepBatch<JaxArray>) {
        const mask = rows.mask.ref
        const advantages = step.ref.slice([], [0, 1]).reshape([step.shape[0]!])
        const column = (index: number) => step.ref.slice([], [index, index + 1])
        const { loss, metrics } = stepPolicyLoss(
          { ...given, logp: policy.logp(parameters.policy, tree.ref(rows)), mask, advantages },
          options.objective,
        )
        const weighted = loss.mul(policyWeight.reshape([]))
        if (!hasCritic) {
          for (const unused of [step, ...Object.values(rows)]) (unused as JaxArray).dispose()
          return { loss: weighted, metrics }
        }
        const value = ppoValueLoss(
          {
            values: np.expandDims(valuesOf(parameters, rows), 1),
            valuesOld: column(1),
            returns: column(2),
            mask: column(3),
          },
          { clip: valueClip },
        ).mul(2)
        step.dispose()
        return { loss: weighted.add(value.ref.mul(valueWeight)), metrics: { ...metrics, value } }
      },
      async iterate({ iteration, rng, checkpoints, training, advance, signal }) {
        const tasks = options.tasks(iteration, rng.fork('tasks'))
        const episodes = await playEpisodes({
          player,
          parameters: checkpoints.current,
          tasks,
          group,
          seed: `${seed}/${iteration}`,
          ...(signal === undefined ? {} : { signal }),
        })
        const moves = episodes.flatMap((episode) => episode.moves)
        const logpRef = await policy.score(start, moves)
        const judged = hasCritic
          ? stepAdvantages(episodes, await valuesBefore(training.parameters, moves), {
              gamma,
              lambda,
              rewards: options.rewards ?? gameRewards,
            })
          : leaveOneOut(episodes, tasks.length, options.rewards ?? gameRewards)
        const rows = standardised(
          moves.map((move, index) => ({ move, logpRef: logpRef[index]!, ...judged[index]! })),
        )
        const policyWeight = tensor([Number(!hasCritic || iteration >= warmUp)], [1])
        for (let epoch = 0; epoch < epochs; epoch++)
          for (const part of filledParts(rng.fork(`epoch ${epoch}`).shuffled(rows), size))
            await advance({ ...stepBatch(player, part), policyWeight } as Tree<Tensor>)
        return { record: episodesRecord(episodes), written: episodes }
      },
    },
  )
  return trainer.finally(() => values.dispose())

  async function valuesBefore(actor: Tree<Tensor>, moves: readonly EpisodeMove[]): Promise<number[]> {
    const found: number[] = []
    for (const part of filledParts(moves, 64)) {
      const rows = policy.batchOf(part.map(({ item }) => item))
      const { data } = await values.run(actor, rows as Tree<Tensor>)
      found.push(...(data as Float32Array))
    }
    return found.slice(0, moves.length)
  }
}

/** What is known of a move: `counts` is 0 for the last one of an episode that was cut off. */
interface JudgedMove {
  readonly advantage: number
  readonly value: number
  readonly returns: number
  readonly counts: number
}

interface StepRow extends JudgedMove {
  readonly move: EpisodeMove
  readonly logpRef: Float32Array
}

type StepBatch<Leaf> = {
  readonly rows: PolicyBatch<Leaf>
  readonly logpOld: Leaf
  readonly logpRef: Leaf
  readonly thoughts: Leaf
  /** Float[B, 4]: advantage, old value, return, and whether the row counts. */
  readonly step: Leaf
  /** Float[1] */
  readonly policyWeight: Leaf
}

function stepBatch<Task extends JsonObject, State>(
  { policy }: PlayingPolicy<Task, State>,
  part: readonly Weighted<StepRow>[],
): Omit<StepBatch<Tensor>, 'policyWeight'> {
  const moves = part.map(({ item }) => item.move)
  const plain = policy.batchOf(moves)
  const rows = weightedRows(
    plain,
    part.map(({ weight, item }) => weight * item.counts),
  )
  return {
    rows,
    logpOld: alignedRows(policy, plain, moves, ({ logp }) => logp),
    logpRef: alignedRows(policy, plain, moves, (_, row) => part[row]!.item.logpRef),
    thoughts: alignedRows(policy, plain, moves, ({ thought }) => new Float32Array(thought).fill(1)),
    step: tensor(
      part.flatMap(({ weight, item: { advantage, value, returns, counts } }) => [
        advantage,
        value,
        returns,
        weight * counts,
      ]),
      [part.length, 4],
    ),
  }
}

function gameRewards({ moves }: PlayedEpisode): number[] {
  return moves.map(({ reward }) => reward)
}

interface StepAdvantageOptions<State> {
  readonly gamma: number
  readonly lambda: number
  readonly rewards: (episode: PlayedEpisode<State>) => readonly number[]
}

/** Generalised advantages over the moves of each episode, one for each move in order. */
function stepAdvantages<State>(
  episodes: readonly PlayedEpisode<State>[],
  values: readonly number[],
  { gamma, lambda, rewards: rewardsOf }: StepAdvantageOptions<State>,
): JudgedMove[] {
  const longest = Math.max(...episodes.map(({ moves }) => moves.length))
  let at = 0
  const rows = episodes.map((episode) => {
    const { length } = episode.moves
    const own = values.slice(at, at + length)
    at += length
    // the last move of an episode that was cut off is what the one before it bootstraps on
    const counting = episode.isCut ? length - 1 : length
    return { own, rewards: rewardsOf(episode), counting, bootstrap: episode.isCut ? own.at(-1)! : 0, length }
  })
  const padded = (numbers: readonly number[]) =>
    Array.from({ length: longest }, (_, index) => numbers[index] ?? 0)
  const { advantages, returns } = evaluated((given: any) => generalisedAdvantages(given, { gamma, lambda }), {
    rewards: rows.map(({ rewards }) => padded(rewards)),
    values: rows.map(({ own }) => padded(own)),
    done: rows.map(({ counting, length }) =>
      padded(Array.from({ length }, (_, index) => Number(index === length - 1 && counting === length))),
    ),
    mask: rows.map(({ counting }) => padded(new Array<number>(counting).fill(1))),
    bootstrap: rows.map(({ bootstrap }) => bootstrap),
  }) as unknown as { readonly advantages: number[][]; readonly returns: number[][] }
  return rows.flatMap(({ own, counting }, row) =>
    own.map((value, index) => ({
      advantage: index < counting ? advantages[row]![index]! : 0,
      value,
      returns: index < counting ? returns[row]![index]! : value,
      counts: Number(index < counting),
    })),
  )
}

/** Each episode's total less the mean of the others of its task, for all its moves. */
function leaveOneOut<State>(
  episodes: readonly PlayedEpisode<State>[],
  tasks: number,
  rewardsOf: (episode: PlayedEpisode<State>) => readonly number[],
): JudgedMove[] {
  const groups = Array.from({ length: tasks }, () => [] as number[])
  for (const episode of episodes)
    groups[episode.task]!.push(rewardsOf(episode).reduce((sum, reward) => sum + reward, 0))
  const advantages = groupedAdvantages(groups, { scale: 'none' }).flatMap((own) =>
    // less the others' mean: less the group's, times n / (n - 1)
    own.map((advantage) => (advantage! * own.length) / Math.max(1, own.length - 1)),
  )
  return episodes.flatMap(({ moves }, index) =>
    moves.map(() => ({ advantage: advantages[index]!, value: 0, returns: 0, counts: 1 })),
  )
}

/** Advantages centred and scaled over the moves that count. */
function standardised(rows: readonly StepRow[]): StepRow[] {
  const advantages = evaluated((given: any) => whitened(given.raw, given.counts), {
    raw: rows.map(({ advantage }) => advantage),
    counts: rows.map(({ counts }) => counts),
  }) as unknown as readonly number[]
  return rows.map((row, index) => ({ ...row, advantage: advantages[index]! }))
}

/** 1 at the first token of each response, Float[B, C]. Consumes the mask. */
function firstTokens(mask: JaxArray): JaxArray {
  const [rows, columns] = mask.shape as [number, number]
  const before = np.concatenate([np.zeros([rows, 1]), mask.ref.slice([], [0, columns - 1])], 1)
  return mask.mul(np.subtract(1, before))
}
