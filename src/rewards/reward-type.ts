import type { z } from 'zod'
import type { Reward, Sample, Score } from '../core/index.ts'
import type { JudgePrompt } from './judge/judge-prompt.ts'

/** A sample with the value that the reward gives it: documentation that the contract test runs. */
export interface RewardExample {
  readonly sample: Sample
  /** Options other than the defaults, as a user would write them. */
  readonly options?: Readonly<Record<string, unknown>>
  /** Checked to 1e-6; null = must be unscored. */
  readonly value: Score['value']
}

/**
 * A reward under a name, as the command line, the server and the documentation see it: what it does, its options
 * with their defaults and bounds, and examples. Joining a registry means inheriting the contract test
 * (`tests/contract.test.ts`).
 */
export interface RewardType {
  /** kebab-case; a published system's is its method id. */
  readonly name: string
  /** One line: what is rewarded. */
  readonly summary: string
  /** Paper or standard, for published rewards. */
  readonly source?: string
  readonly options: z.ZodObject
  create(options: Readonly<Record<string, unknown>>): Reward
  readonly examples: readonly RewardExample[]
  /** Of a judge: the words that it asks its model with, under a name for each use. */
  readonly prompts?: Readonly<Record<string, JudgePrompt>>
}

/**
 * Ties an options schema to the function that takes those options. The result is the reward's one export: it is
 * called with options as a user writes them, `math({ relativeTolerance: 0.01 })`, and carries what a registry wants to
 * know. Options are validated and defaults filled in. What cannot be written as an option (an embedder, a judge) follows
 * as further arguments, `sgpRl({}, { text: embedder })`; a reward made by name goes without.
 */
export function defineRewardType<Schema extends z.ZodObject, Dependencies extends unknown[]>(type: {
  readonly name: string
  readonly summary: string
  readonly source?: string
  readonly options: Schema
  readonly create: (options: z.output<Schema>, ...dependencies: Dependencies) => Reward
  readonly examples: readonly RewardExample[]
  readonly prompts?: Readonly<Record<string, JudgePrompt>>
}): RewardType & ((options?: z.input<Schema>, ...dependencies: Dependencies) => Reward) {
  const { name, ...rest } = type
  const call = (options?: unknown, ...dependencies: Dependencies) =>
    type.create(type.options.parse(options ?? {}), ...dependencies)
  Object.defineProperty(call, 'name', { value: name })
  return Object.assign(call, { ...rest, create: call }) as never
}
