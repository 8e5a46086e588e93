import { isObject, Rng } from '../../core/index.ts'
import type { Environment, EnvironmentTask } from '../../worlds/environment.ts'
import { RequestProblem } from '../request-problem.ts'
import type { Acted } from './live-session.ts'
import { LiveSession } from './live-session.ts'
import {
  actionOf,
  type OpenEnvObservation,
  observationOf,
  promptObservation,
  toolList,
} from './openenv-forms.ts'
import { seedIn, taskNamed } from './served-environments.ts'

/** What a socket of OpenEnv holds: an episode that is reset, stepped and asked for its state. */
export class OpenEnvEpisode {
  readonly #environment: Environment
  readonly #next: () => number
  #session: LiveSession | undefined
  #episodeId: string | null = null

  /** @param next a number for an episode that names neither task nor seed */
  constructor(environment: Environment, next: () => number) {
    this.#environment = environment
    this.#next = next
  }

  /** Throws a `RequestProblem` (422) for what is no seed, episode id or task. */
  async reset(given: unknown): Promise<OpenEnvObservation> {
    if (!isObject(given)) throw new RequestProblem(422, 'bad-body', 'the data of a reset is not an object.')
    const { episode_id: id } = given
    if (id !== undefined && id !== null && typeof id !== 'string')
      throw new RequestProblem(422, 'bad-body', '"episode_id" is not text.', { field: 'episode_id' })
    await this.close()
    this.#session = await LiveSession.open(this.#environment, this.#taskOf(given), seedIn(given))
    this.#episodeId = id ?? null
    return promptObservation(await this.#session.prompt(), this.#environment)
  }

  /** Throws a `RequestProblem`: 422 for what is no action, 400 before a reset. */
  async step(given: unknown): Promise<OpenEnvObservation> {
    const action = actionOf(given)
    if (action.kind === 'list')
      return { observation: { tools: toolList(this.#environment) }, reward: null, done: false }
    const acted = await this.act(action)
    return observationOf(this.#opened(), acted, action)
  }

  /** A use of a tool, or text. Throws a `RequestProblem` before a reset. */
  act(
    action: { readonly text: string } | { readonly tool: string; readonly input: unknown },
  ): Promise<Acted> {
    const session = this.#opened()
    return 'text' in action ? session.say(action.text) : session.act(action.tool, action.input)
  }

  state(): object {
    const session = this.#session
    return {
      episode_id: this.#episodeId,
      step_count: session?.steps ?? 0,
      task: session === undefined ? null : { split: session.task.split, index: session.task.index },
      episode_reward: session?.reward ?? null,
    }
  }

  get session(): LiveSession | undefined {
    return this.#session
  }

  async close(): Promise<void> {
    await this.#session?.close()
    this.#session = undefined
  }

  #opened(): LiveSession {
    if (this.#session !== undefined) return this.#session
    throw new RequestProblem(400, 'no-episode', 'there is no episode yet.', { fix: 'Send a reset first.' })
  }

  /** The task that is named, else the seed's, else the next of the first split. */
  #taskOf(given: Readonly<Record<string, unknown>>): EnvironmentTask {
    const { name, tasks } = this.#environment.splits[0]!
    const { seed, split = name } = given
    if (given.index !== undefined && given.index !== null)
      return taskNamed(this.#environment, { split, index: given.index })
    const size = this.#environment.splits.find((each) => each.name === split)?.tasks ?? tasks
    const index =
      typeof seed === 'number' || typeof seed === 'string'
        ? new Rng(`openenv/${seed}`).int(0, size)
        : this.#next() % size
    return taskNamed(this.#environment, { split, index })
  }
}
