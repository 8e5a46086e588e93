import { GuerdonError, isObject, type JsonObject, nearest } from '../../core/index.ts'
import type { Environment, EnvironmentTask } from '../../worlds/environment.ts'
import { RequestProblem } from '../request-problem.ts'

/** The environments of a server, by name in any case; the first one is meant where a request names none. */
export class ServedEnvironments {
  readonly #byName = new Map<string, Environment>()

  /** Throws a `GuerdonError` for a name that is given twice. */
  constructor(environments: readonly Environment[]) {
    for (const environment of environments) {
      const name = environment.name.toLowerCase()
      if (this.#byName.has(name))
        throw new GuerdonError('name-taken', `two environments are called "${name}".`, {
          fix: 'Give every environment a name of its own.',
        })
      this.#byName.set(name, environment)
    }
  }

  get names(): readonly string[] {
    return [...this.#byName.keys()]
  }

  has(name: string): boolean {
    return this.#byName.has(name.toLowerCase())
  }

  /** Throws a `RequestProblem` (404). */
  named(name: string | undefined): Environment {
    const found =
      name === undefined ? this.#byName.values().next().value : this.#byName.get(name.toLowerCase())
    if (found !== undefined) return found
    const guess = name === undefined ? undefined : nearest(name, this.names)
    throw new RequestProblem(
      404,
      'unknown-environment',
      `there is no environment "${(name ?? '').slice(0, 100)}".`,
      {
        fix: `${guess === undefined ? '' : `Did you mean "${guess}"? `}Environments: ${this.names.join(', ')}.`,
      },
    )
  }
}

/**
 * The task that a request names by split and index (beside other keys, which are not read). Throws a `RequestProblem`
 * (400) where there is none.
 */
export function taskNamed(environment: Environment, given: unknown): EnvironmentTask {
  if (!isObject(given) || typeof given.split !== 'string' || !Number.isInteger(given.index))
    throw new RequestProblem(400, 'bad-task', 'a task is named by its "split" and its "index".', {
      fix: `Splits: ${environment.splits.map(({ name, tasks }) => `${name} (${tasks} tasks)`).join(', ')}.`,
    })
  return environment.task(given.split, given.index as number)
}

/** The seed of an episode, where a request gives one. Throws a `RequestProblem` (400) for anything but a number or text. */
export function seedIn(given: unknown): { readonly seed?: string | number } {
  const seed = isObject(given) ? (given as JsonObject).seed : undefined
  if (seed === undefined || seed === null) return {}
  if (typeof seed === 'string' || typeof seed === 'number') return { seed }
  throw new RequestProblem(400, 'bad-seed', '"seed" is neither a number nor text.', { field: 'seed' })
}
