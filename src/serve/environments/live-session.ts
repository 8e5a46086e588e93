import { isObject, type Json, type JsonObject, type Part } from '../../core/index.ts'
import { compileSchema, type SchemaValidator } from '../../rewards/verifiable/code/json-schema-validator.ts'
import {
  type Environment,
  type EnvironmentStep,
  type EnvironmentTask,
  episodeReward,
  type OpenOptions,
  type Session,
} from '../../worlds/environment.ts'

/** Why a use of a tool was not carried out at all. */
export type Refusal = 'not-found' | 'input-validation' | 'bad-input-shape' | 'finished'

/** What came of one act: a step, or nothing and why, in words for the policy. */
export type Acted =
  | { readonly ok: true; readonly step: EnvironmentStep }
  | { readonly ok: false; readonly reason: Refusal; readonly message: string }

const validators = new WeakMap<JsonObject, Promise<SchemaValidator>>()

function validatorOf(schema: JsonObject): Promise<SchemaValidator> {
  let validator = validators.get(schema)
  if (validator === undefined) {
    validator = compileSchema(schema)
    validators.set(schema, validator)
  }
  return validator
}

/**
 * An episode as protocols use it: acts one after another in the order in which they come, arguments checked, nothing done
 * after the end, and the rewards counted.
 */
export class LiveSession {
  readonly environment: Environment
  readonly task: EnvironmentTask
  readonly #session: Session
  readonly #rewards: (number | null)[] = []
  #last: Promise<unknown> = Promise.resolve()
  #parts: Record<string, number | null>
  /** Acts that were carried out. */
  steps = 0
  terminated = false
  truncated = false

  constructor(environment: Environment, session: Session) {
    this.environment = environment
    this.task = session.task
    this.#session = session
    this.#parts = Object.fromEntries(environment.rewardParts.map((part) => [part, null]))
  }

  static async open(
    environment: Environment,
    task: EnvironmentTask,
    options?: OpenOptions,
  ): Promise<LiveSession> {
    return new LiveSession(environment, await environment.open(task, options))
  }

  get isFinished(): boolean {
    return this.terminated || this.truncated
  }

  /** The episode's reward so far, by the environment's rule; null while nothing was paid. */
  get reward(): number | null {
    return episodeReward(this.#rewards, this.environment.finalReward)
  }

  /** Every part's latest value: of a part that steps do not speak of any more, what the last step said that did. */
  get parts(): Readonly<Record<string, number | null>> {
    return this.#parts
  }

  prompt(): Promise<readonly Part[]> {
    return this.#session.prompt()
  }

  act(tool: string, input: unknown): Promise<Acted> {
    const act = this.#last.then(() => this.#act(tool, input))
    this.#last = act.catch(() => {})
    return act
  }

  /** Plain text of the policy, for the tool that takes text. */
  say(text: string): Promise<Acted> {
    const { tool, argument } = this.environment.textTool
    return this.act(tool, { [argument]: text })
  }

  close(): Promise<void> {
    return this.#session.close()
  }

  async #act(name: string, input: unknown): Promise<Acted> {
    const { tools } = this.environment
    const tool = tools.find((each) => each.name === name)
    if (tool === undefined)
      return {
        ok: false,
        reason: 'not-found',
        message: `"${name.slice(0, 100)}" is not a valid tool. Tools: ${tools.map((each) => each.name).join(', ')}.`,
      }
    if (!isObject(input))
      return {
        ok: false,
        reason: 'bad-input-shape',
        message: 'Tool input must be an object with named arguments.',
      }
    const [violation] = (await validatorOf(tool.input))(input as Json)
    if (violation !== undefined)
      return {
        ok: false,
        reason: 'input-validation',
        message: `Tool input validation error: ${violation.at === '' ? 'the input' : violation.at} ${violation.message}.`,
      }
    if (this.isFinished) return { ok: false, reason: 'finished', message: 'The episode is over.' }
    const step = await this.#session.act({ tool: name, input: input as JsonObject })
    this.steps++
    this.#rewards.push(step.reward)
    this.terminated = step.terminated
    this.truncated = step.truncated
    for (const [part, value] of Object.entries(step.parts)) if (value !== null) this.#parts[part] = value
    return { ok: true, step }
  }
}
