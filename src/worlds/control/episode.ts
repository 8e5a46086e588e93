import { GuerdonError, type Json, type JsonObject, Rng } from '../../core/index.ts'
import type { Pixels } from '../scenes/raster.ts'
import type { Game } from './game.ts'

export interface EpisodeOptions {
  /** Of all chance. @default 0 */
  readonly seed?: string | number
  /** What an action that is not legal costs; it changes nothing but takes a step. @default -1 */
  readonly illegalReward?: number
  /** Steps at most. @default the game's own limit */
  readonly stepLimit?: number
}

export interface EpisodeStep {
  readonly reward: number
  readonly terminated: boolean
  /** Cut off by the limit of steps. */
  readonly truncated: boolean
  readonly legal: boolean
}

/** One play of a game, step by step. */
export class Episode<Task extends JsonObject = JsonObject, State = unknown> {
  readonly game: Game<Task, State>
  readonly task: Task
  readonly #rng: Rng
  readonly #illegalReward: number
  readonly #stepLimit: number
  /** Everything, hidden things included: for oracles and tests. */
  state: State
  steps = 0
  /** Sum of the rewards so far. */
  total = 0
  terminated = false
  truncated = false

  constructor(game: Game<Task, State>, task: Task, options: EpisodeOptions = {}) {
    this.game = game
    this.task = task
    this.#rng = new Rng(`episode/${options.seed ?? 0}`)
    this.#illegalReward = options.illegalReward ?? -1
    this.#stepLimit = options.stepLimit ?? game.stepLimit(task)
    this.state = game.start(task, this.#rng)
  }

  get isOver(): boolean {
    return this.terminated || this.truncated
  }

  get isWon(): boolean {
    return this.terminated && this.game.isWon(this.state)
  }

  /** The legal actions; none when the episode is over. */
  actions(): readonly string[] {
    return this.isOver ? [] : this.game.actions(this.state)
  }

  /** Throws a `GuerdonError` when the episode is over. */
  step(action: string): EpisodeStep {
    if (this.isOver)
      throw new GuerdonError('episode-over', `the episode of "${this.game.name}" is over.`, {
        fix: 'Start another one.',
      })
    const legal = this.game.actions(this.state).includes(action)
    let reward = this.#illegalReward
    if (legal) {
      const next = this.game.step(this.state, action, this.#rng)
      this.state = next.state
      this.terminated = next.terminated
      reward = next.reward
    }
    this.total += reward
    this.truncated = ++this.steps >= this.#stepLimit && !this.terminated
    return { reward, terminated: this.terminated, truncated: this.truncated, legal }
  }

  symbols(): Json {
    return this.game.symbols(this.state)
  }

  text(): string {
    return this.game.text(this.state)
  }

  /** undefined for a game without pictures. */
  picture(): Pixels | undefined {
    return this.game.picture?.(this.state)
  }
}

/** An episode played to its end by the oracle. */
export function playBest<Task extends JsonObject, State>(
  game: Game<Task, State>,
  task: Task,
  options?: EpisodeOptions,
): { readonly episode: Episode<Task, State>; readonly actions: readonly string[] } {
  const episode = new Episode(game, task, options)
  const actions: string[] = []
  while (!episode.isOver) {
    const action = game.bestAction(episode.state)
    actions.push(action)
    episode.step(action)
  }
  return { episode, actions }
}
