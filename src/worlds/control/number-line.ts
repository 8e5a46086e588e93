import { GuerdonError } from '../../core/index.ts'
import { checkIndex, type Split, splitNamed } from '../environment.ts'
import type { Game } from './game.ts'
import { illegalAction } from './illegal-action.ts'
import { PixelCanvas } from './pixel-canvas.ts'

export type NumberLineTask = { readonly largest: number; readonly start: number; readonly target: number }

export interface NumberLineState extends NumberLineTask {
  readonly current: number
  readonly stopped: boolean
}

export interface NumberLineOptions {
  /** Largest number of the tasks that are trained on. @default 5 */
  readonly largest?: number
  /** Whether the action "[DONE]" ends the episode; it may then end anywhere. @default false */
  readonly stop?: boolean
  /** c of the terminal reward c / (distance + 1). @default 100 */
  readonly scale?: number
}

export const stopAction = '[DONE]'

/** c / (distance + 1). */
export function closeness(distance: number, scale: number): number {
  return scale / (distance + 1)
}

/**
 * Walks a line of whole numbers from a start to a target, one step left or right at a time. Rewards as in Gym Cards: 1
 * at the target, 0 for a step towards it, -1 for any other (at either end of the line a step outwards is illegal here,
 * and stays where it is there). Splits: `train` and `test` on 0 to `largest` (the same pairs), `far` on 10 to 50,
 * where no training task is.
 *
 * @source GFlowVLM, arXiv 2503.06514 (tasks, R = c / (|target - current| + 1), at most 2 n_max steps)
 */
export function numberLine(options: NumberLineOptions = {}): Game<NumberLineTask, NumberLineState> {
  const { largest = 5, stop = false, scale = 100 } = options
  if (!(Number.isInteger(largest) && largest >= 1))
    throw new GuerdonError('bad-option', `largest is ${largest}.`, { fix: 'Give a whole number from 1.' })
  const splits: readonly (Split & { readonly low: number; readonly high: number })[] = [
    { name: 'train', type: 'train', low: 0, high: largest, tasks: pairs(0, largest) },
    { name: 'test', type: 'test', low: 0, high: largest, tasks: pairs(0, largest) },
    { name: 'far', type: 'test', low: 10, high: 50, tasks: pairs(10, 50) },
  ]
  return {
    name: 'number-line',
    summary: 'Walk from a number to a target, one step at a time.',
    version: '1',
    splits,
    rewardRange: [-2 * Math.max(largest, 50), 1],
    // Every pair of different numbers is one task, in an order that looks random.
    task: (split, index) => {
      const found = splitNamed(splits, split)
      checkIndex(found, index)
      const { low, high, tasks } = found
      const pair = (index * strideFor(tasks)) % tasks
      const width = high - low
      const start = low + Math.floor(pair / width)
      const other = low + (pair % width)
      return { largest: high, start, target: other >= start ? other + 1 : other }
    },
    start: (task) => ({ ...task, current: task.start, stopped: false }),
    stepLimit: (task) => 2 * task.largest,
    actions: ({ current, target, largest: end, stopped }) => {
      if (stopped || (current === target && !stop)) return []
      return [...(current > 0 ? ['-'] : []), ...(current < end ? ['+'] : []), ...(stop ? [stopAction] : [])]
    },
    step: (state, action) => {
      if (action === stopAction && stop)
        return {
          state: { ...state, stopped: true },
          reward: state.current === state.target ? 1 : -1,
          terminated: true,
        }
      const current = state.current + (action === '+' ? 1 : action === '-' ? -1 : Number.NaN)
      if (!(current >= 0 && current <= state.largest)) throw illegalAction('number-line', action)
      const isCloser = Math.abs(current - state.target) < Math.abs(state.current - state.target)
      const isThere = current === state.target
      return {
        state: { ...state, current },
        reward: isThere && !stop ? 1 : isCloser ? 0 : -1,
        terminated: isThere && !stop,
      }
    },
    isWon: ({ current, target, stopped }) => current === target && (stopped || !stop),
    rules: ({ largest: end }) =>
      `Walk along the whole numbers from 0 to ${end} until the current number is the target. ` +
      `"+" goes one up, "-" one down.${stop ? ` Say "${stopAction}" when you are there.` : ''}`,
    symbols: ({ target, current }) => ({ target, current }),
    text: ({ target, current }) => `target: ${target} current: ${current}`,
    picture: ({ target, current }) => {
      const canvas = new PixelCanvas(32, 32, white)
      canvas.write(String(target), 4, 3, targetColour, 2)
      canvas.fill(2, 15, 28, 1, grey)
      canvas.write(String(current), 4, 19, black, 2)
      return canvas
    },
    bestAction: ({ current, target }) => (current < target ? '+' : current > target ? '-' : stopAction),
    terminalReward: ({ current, target }) => closeness(Math.abs(target - current), scale),
  }
}

const white = [250, 250, 250] as const
const grey = [160, 160, 160] as const
const black = [20, 20, 20] as const
const targetColour = [200, 40, 40] as const

/** Ordered pairs of different numbers. */
function pairs(low: number, high: number): number {
  return (high - low + 1) * (high - low)
}

/** A stride that visits every task once: no divisor in common with their number. */
function strideFor(tasks: number): number {
  let stride = Math.max(1, Math.round(tasks * 0.618))
  while (divisor(stride, tasks) !== 1) stride++
  return stride
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b)
}
