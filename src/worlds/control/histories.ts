import { type JsonObject, Rng } from '../../core/index.ts'
import type { Game } from './game.ts'
import { stopAction } from './number-line.ts'

/** One node of a game's tree: the actions that lead there, and the state. */
export interface History<State> {
  readonly actions: readonly string[]
  readonly state: State
  readonly isOver: boolean
}

/**
 * Every history of a game without chance, the empty one first, down to `depth` actions (the stop action aside): what
 * exact distributions are computed over. Grows as the number of actions to the power of `depth`.
 */
export function histories<Task extends JsonObject, State>(
  game: Game<Task, State>,
  task: Task,
  depth: number,
): History<State>[] {
  const rng = new Rng('no chance')
  const found: History<State>[] = []
  const visit = (actions: readonly string[], state: State) => {
    const next = game.actions(state)
    found.push({ actions, state, isOver: next.length === 0 })
    if (actions.length >= depth) return
    for (const action of next)
      if (action !== stopAction) visit([...actions, action], game.step(state, action, rng).state)
  }
  visit([], game.start(task, rng))
  return found
}

/**
 * How likely each history is the one that an episode ends with, when episodes end in proportion to `terminalReward`:
 * what flow matching aims at. Of a game with a stop action every history may be the last; otherwise those that are over.
 */
export function rewardProportional<Task extends JsonObject, State>(
  game: Game<Task, State>,
  nodes: readonly History<State>[],
): { readonly history: History<State>; readonly probability: number }[] {
  const mayStop = nodes.some(({ state }) => game.actions(state).includes(stopAction))
  const ends = nodes.filter(({ isOver }) => mayStop || isOver)
  const weights = ends.map(({ state }) => game.terminalReward(state))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return ends.map((history, index) => ({ history, probability: weights[index]! / total }))
}
