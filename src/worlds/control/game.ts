import type { Json, JsonObject, Range, Rng } from '../../core/index.ts'
import type { Split, Tool } from '../environment.ts'
import type { Pixels } from '../scenes/raster.ts'

/** What follows a legal action. */
export interface Transition<State> {
  readonly state: State
  readonly reward: number
  /** Whether the game is over; then there are no actions. */
  readonly terminated: boolean
}

/** A tool for some of a game's actions, beside the one that plays any. */
export interface GameTool extends Tool {
  /** The action's text. */
  action(input: JsonObject): string
}

/**
 * A decision process whose actions are words. States are values that never change, so that a game can be searched,
 * enumerated and continued from anywhere; chance comes from the generator that is given. `symbols`, `text` and
 * `picture` show what the policy may see; the state itself may hold more.
 */
export interface Game<Task extends JsonObject = JsonObject, State = unknown> {
  /** kebab-case. */
  readonly name: string
  readonly summary: string
  readonly version: string
  readonly splits: readonly Split[]
  /** Of an episode's sum of rewards. */
  readonly rewardRange: Range
  readonly tools?: readonly GameTool[]
  task(split: string, index: number): Task
  start(task: Task, rng: Rng): State
  /** Steps after which an episode is cut off. */
  stepLimit(task: Task): number
  /** The legal actions in a fixed order; none exactly when the game is over. */
  actions(state: State): readonly string[]
  /** Throws a `GuerdonError` for an illegal action (`Episode` has a rule for those). */
  step(state: State, action: string, rng: Rng): Transition<State>
  /** Over, and as it should be. */
  isWon(state: State): boolean
  /** The goal and what the actions do. */
  rules(task: Task): string
  symbols(state: State): Json
  text(state: State): string
  picture?(state: State): Pixels
  /** An optimal action: the oracle. It may look at everything. */
  bestAction(state: State): string
  /** Positive reward of an episode that ends here, for flow matching (never 0, so that its logarithm exists). */
  terminalReward(state: State): number
}
