import type { JsonObject, Rng } from '../../core/index.ts'
import type { PolicyRow } from '../../learn/policies/language-policy.ts'
import { type PlayingPolicy, playingPolicy } from '../../learn/policies/playing-policy.ts'
import type { PlayedEpisode } from '../../learn/trainers/episodes.ts'
import type { Game } from '../../worlds/control/game.ts'
import { type OneRoomState, oneRoom, roomActions, roomSide } from '../../worlds/control/one-room.ts'
import { ezPoints, type PointsState } from '../../worlds/control/points.ts'

export interface PlayedWorldSettings {
  readonly size: {
    readonly width: number
    readonly heads: number
    readonly eyes: number
    readonly depth: number
    readonly patch: number
  }
  /** Steps after which an episode of the room is cut off. */
  readonly roomSteps: number
  /** Shares of the start's actions that are the best one for sure; the others are any admissible ones. */
  readonly bestActions: Readonly<Record<'room' | 'cards', number>>
}

/** A game as a policy plays it, with what the common start is taught. */
export interface PlayedWorld<Task extends JsonObject = JsonObject, State = unknown> {
  readonly player: PlayingPolicy<Task, State>
  /** A task of training, and the rewards that training sees, at most about 1 in size. */
  trainingTask(rng: Rng): Task
  rewards(episode: PlayedEpisode<State>): number[]
  /** A right thought and an action, or a question about the picture. */
  lesson(rng: Rng): PolicyRow
  /** A question about a picture of a held-out task, answered. */
  question(rng: Rng): PolicyRow
  readonly gamma: number
}

/** What nothing readable, or an illegal action, is paid; it changes nothing and takes a step. */
const illegalReward = -0.1

interface Parts<Task extends JsonObject, State> {
  readonly player: PlayingPolicy<Task, State>
  /** A state of a task of the split, as an episode may meet it. */
  stateOf(split: string, rng: Rng): State
  thought(state: State): string[]
  answer(state: State): string[]
  readonly goalReward: number
  readonly gamma: number
  readonly bestActions: number
}

function playedWorld<Task extends JsonObject, State>(parts: Parts<Task, State>): PlayedWorld<Task, State> {
  const { player, stateOf, thought, answer, goalReward, gamma } = parts
  const { game } = player.language
  const question = (split: string, rng: Rng): PolicyRow => {
    const state = stateOf(split, rng)
    const { tokens, image } = player.promptOf(state, [])
    return {
      tokens: [...tokens, ...player.wordsOf(['what'])],
      ...(image && { image }),
      response: [...player.wordsOf(answer(state)), player.policy.end],
    }
  }
  return {
    player,
    gamma,
    trainingTask: (rng) => game.task('train', rng.int(0, 100_000)),
    rewards: ({ moves }) =>
      moves.map(({ isLegal, reward }) => (isLegal ? reward / goalReward : illegalReward)),
    question: (rng) => question('test', rng),
    lesson(rng) {
      if (rng.chance(1 / 3)) return question('train', rng)
      const state = stateOf('train', rng)
      const action = rng.chance(parts.bestActions) ? game.bestAction(state) : rng.pick(game.actions(state))
      return {
        ...player.promptOf(state, []),
        response: player.responseOf(thought(state), action),
      }
    },
  }
}

/** The game with episodes that are cut off sooner. */
function shortened<Task extends JsonObject, State>(
  game: Game<Task, State>,
  steps: number,
): Game<Task, State> {
  return { ...game, stepLimit: () => steps }
}

const compass = ['north', 'east', 'south', 'west'] as const
const upTo = (count: number) => Array.from({ length: count }, (_, index) => String(index))

/**
 * Is told where it looks; thinks how far the goal is in both directions, and where it looks; is asked where the goal is,
 * and where it is itself.
 */
export function playedRoom(settings: PlayedWorldSettings): PlayedWorld {
  const game = shortened(oneRoom(), settings.roomSteps)
  const player = playingPolicy(
    {
      game,
      actions: roomActions,
      words: ['what', ...compass, ...upTo(roomSide)],
      told: ({ facing }) => [compass[facing]!],
      longestThought: 5,
    },
    { threads: 1, size: settings.size, seed: 'vl-dac' },
  )
  return playedWorld<Parameters<typeof game.start>[0], OneRoomState>({
    player,
    goalReward: 1,
    bestActions: settings.bestActions.room,
    gamma: 0.9,
    stateOf(split, rng) {
      const task = game.task(split, rng.int(0, 10_000))
      const at = rng.pick(task.walls.flatMap((wall, cell) => (wall || cell === task.goal ? [] : [cell])))
      return { ...game.start(task, rng), at, facing: rng.int(0, 4) }
    },
    thought({ at, goal, facing }) {
      const [down, right] = [rowOf(goal) - rowOf(at), columnOf(goal) - columnOf(at)]
      return [
        down < 0 ? 'north' : 'south',
        String(Math.abs(down)),
        right < 0 ? 'west' : 'east',
        String(Math.abs(right)),
        compass[facing]!,
      ]
    },
    answer: ({ goal, at }) => [rowOf(goal), columnOf(goal), rowOf(at), columnOf(at)].map(String),
  }) as unknown as PlayedWorld
}

function rowOf(cell: number): number {
  return Math.floor(cell / roomSide)
}

function columnOf(cell: number): number {
  return cell % roomSide
}

/** Thinks which cards there are and whether their sum or product makes 12; is asked what is written. */
export function playedCards(settings: PlayedWorldSettings): PlayedWorld {
  const game = ezPoints()
  const player = playingPolicy(
    {
      game,
      actions: [...upTo(11).slice(2), '+', '*', '='],
      words: ['what', 'have', 'make', 'sum', 'product', 'nothing'],
      longestThought: 5,
    },
    { threads: 1, size: settings.size, seed: 'vl-dac' },
  )
  return playedWorld<Parameters<typeof game.start>[0], PointsState>({
    player,
    goalReward: 10,
    bestActions: settings.bestActions.cards,
    gamma: 0.99,
    stateOf(split, rng) {
      let state = game.start(game.task(split, rng.int(0, 10_000)), rng)
      for (let signs = rng.int(0, 4); signs > 0; signs--)
        state = game.step(
          state,
          rng.chance(0.7) ? game.bestAction(state) : rng.pick(openActions(game, state)),
          rng,
        ).state
      return state
    },
    thought({ cards }) {
      const [first, second] = cards as [number, number]
      return ['have', String(first), String(second), 'make', first + second === 12 ? 'sum' : 'product']
    },
    answer: ({ formula }) => (formula.length === 0 ? ['nothing'] : [...formula]),
  }) as unknown as PlayedWorld
}

/** Actions that do not end the game. */
function openActions(
  game: Game<JsonObject, PointsState> | ReturnType<typeof ezPoints>,
  state: PointsState,
): readonly string[] {
  const open = game.actions(state).filter((action) => action !== '=')
  return open.length === 0 ? game.actions(state) : open
}
