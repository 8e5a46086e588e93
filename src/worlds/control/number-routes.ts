import { GuerdonError } from '../../core/index.ts'
import { checkIndex, type Split, splitNamed } from '../environment.ts'
import type { Game } from './game.ts'
import { illegalAction } from './illegal-action.ts'
import { closeness, stopAction } from './number-line.ts'
import { PixelCanvas, textWidth } from './pixel-canvas.ts'

export type NumberRoutesTask = { readonly start: number; readonly target: number; readonly moves: number }

export interface NumberRoutesState extends NumberRoutesTask {
  readonly current: number
  readonly left: number
  readonly stopped: boolean
}

export const routeMoves = {
  '+1': (value: number) => value + 1,
  '-1': (value: number) => value - 1,
  '+2': (value: number) => value + 2,
  x2: (value: number) => value * 2,
} as const
export type RouteMove = keyof typeof routeMoves
const moveNames = Object.keys(routeMoves) as RouteMove[]

export interface NumberRoutesOptions {
  /** Moves at most, 1 to 8. @default 6 */
  readonly moves?: number
  /** Whether an episode may end anywhere, with "[DONE]"; otherwise it ends at the target or when no move is left. @default true */
  readonly stop?: boolean
  /** c of the terminal reward c / (distance + 1). @default 10 */
  readonly scale?: number
}

/**
 * Reaches a target with +1, -1, +2 and x2 in a few moves: most targets have many routes, and the tree of all of them is
 * small enough to enumerate (`histories`). Pays 1 for ending at the target, 0 for anything else. Splits: `train` and
 * `test` have targets 2 to 12 (other pairs of start and target each), `far` 13 to 24.
 *
 * @source GFlowVLM, arXiv 2503.06514: the task of its small-scale proof, made for this toolkit
 */
export function numberRoutes(options: NumberRoutesOptions = {}): Game<NumberRoutesTask, NumberRoutesState> {
  const { moves = 6, stop = true, scale = 10 } = options
  if (!(Number.isInteger(moves) && moves >= 1 && moves <= 8))
    throw new GuerdonError('bad-option', `moves is ${moves}.`, { fix: 'Give a whole number from 1 to 8.' })
  const tasksOf = (low: number, high: number, keep: (start: number, target: number) => boolean) =>
    [1, 2, 3, 4, 5, 6].flatMap((start) =>
      Array.from({ length: high - low + 1 }, (_, index) => ({ start, target: low + index, moves })).filter(
        (task) =>
          task.target !== start &&
          keep(start, task.target) &&
          distanceInMoves(start, task.target, moves) <= moves,
      ),
    )
  const isTest = (start: number, target: number) => (start * 5 + target) % 4 === 0
  const tasks = {
    train: tasksOf(2, 12, (start, target) => !isTest(start, target)),
    test: tasksOf(2, 12, isTest),
    far: tasksOf(13, 24, () => true),
  }
  const splits: readonly Split[] = [
    { name: 'train', type: 'train', tasks: tasks.train.length },
    { name: 'test', type: 'test', tasks: tasks.test.length },
    { name: 'far', type: 'test', tasks: tasks.far.length },
  ]
  const isOver = ({ current, target, left, stopped }: NumberRoutesState) =>
    stopped || (!stop && (current === target || left === 0))
  return {
    name: 'number-routes',
    summary: 'Reach a target number with +1, -1, +2 and x2 in a few moves.',
    version: '1',
    splits,
    rewardRange: [-(moves + 1), 1],
    task: (split, index) => {
      checkIndex(splitNamed(splits, split), index)
      return tasks[split as keyof typeof tasks][index]!
    },
    start: (task) => ({ ...task, current: task.start, left: task.moves, stopped: false }),
    stepLimit: (task) => task.moves + 1,
    actions: (state) => {
      if (isOver(state)) return []
      return [...(state.left > 0 ? moveNames : []), ...(stop ? [stopAction] : [])]
    },
    step: (state, action) => {
      if (action === stopAction && stop)
        return {
          state: { ...state, stopped: true },
          reward: Number(state.current === state.target),
          terminated: true,
        }
      if (!Object.hasOwn(routeMoves, action) || state.left === 0) throw illegalAction('number-routes', action)
      const next = {
        ...state,
        current: routeMoves[action as RouteMove](state.current),
        left: state.left - 1,
      }
      const terminated = isOver(next)
      return { state: next, reward: Number(terminated && next.current === next.target), terminated }
    },
    isWon: ({ current, target }) => current === target,
    rules: ({ target, moves: limit }) =>
      `Turn the current number into ${target} with at most ${limit} moves: ${moveNames.join(', ')}.` +
      (stop ? ` Say "${stopAction}" when you are there.` : ''),
    symbols: ({ target, current, left }) => ({ target, current, left }),
    text: ({ target, current, left }) => `target: ${target} current: ${current} moves left: ${left}`,
    picture: ({ target, current, left }) => {
      const canvas = new PixelCanvas(32, 32, [250, 250, 250])
      canvas.write(String(target), 2, 2, [200, 40, 40], 2)
      canvas.fill(0, 14, 32, 1, [160, 160, 160])
      const scale = textWidth(String(current), 2) <= 28 ? 2 : 1
      canvas.write(String(current), 2, 17, [20, 20, 20], scale)
      canvas.fill(0, 30, left * 4, 2, [60, 90, 200])
      return canvas
    },
    bestAction: ({ current, target, left }) => {
      if (current === target && stop) return stopAction
      const best = moveNames
        .map((move) => ({ move, rest: distanceInMoves(routeMoves[move](current), target, left - 1) }))
        .sort((a, b) => a.rest - b.rest)[0]!
      return left > 0 && best.rest < left ? best.move : stop ? stopAction : moveNames[0]!
    },
    terminalReward: ({ current, target }) => closeness(Math.abs(target - current), scale),
  }
}

/** Fewest moves from one number to another; `limit + 1` when more than `limit` are needed. */
export function distanceInMoves(from: number, to: number, limit: number): number {
  let reached = new Set([from])
  for (let moves = 0; moves <= limit; moves++) {
    if (reached.has(to)) return moves
    reached = new Set([...reached].flatMap((value) => moveNames.map((move) => routeMoves[move](value))))
  }
  return limit + 1
}
