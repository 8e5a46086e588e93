import { z } from 'zod'
import type { Turns } from '../../core/index.ts'
import type { ServedReward } from '../scoring/scoring-service.ts'
import type { ServeContext } from '../serve-context.ts'
import { turnsOf } from './content.ts'

/** Fields that every request of the family may have. */
export const commonFields = {
  model: z.string().nullish(),
  use_activation: z.boolean().nullish().describe('true: on a scale from 0 to 1; else the reward as it is'),
  activation: z.boolean().nullish().describe('The older name of use_activation'),
}

/** Text, or content parts under `content`. */
export const side = z.union([z.string(), z.looseObject({ content: z.array(z.unknown()) })])

/**
 * The reward that is asked: that of the path, else the one that `model` names (also as `guerdon/NAME`), else the only one.
 */
export function rewardAsked(
  { scoring }: ServeContext,
  name: string | undefined,
  model: string | null | undefined,
): ServedReward {
  if (name !== undefined) return scoring.rewardNamed(name)
  const served = scoring.rewards()
  const wanted = model?.replace(/^guerdon\//, '')
  const found = served.find((each) => each.name === wanted)
  if (found !== undefined) return found
  return served.length > 1 && wanted ? scoring.rewardNamed(wanted) : scoring.rewardNamed()
}

/** Content in any spelling as a prompt or output. */
export function contentFrom(value: z.output<typeof side>, field: string): Turns {
  return typeof value === 'string' ? value : turnsOf(value.content, `${field}.content`)
}

/** Rewards as they are, or where activation is asked for on a scale from 0 to 1: by their range, or the logistic function. */
export function activated(
  values: readonly number[],
  [low, high]: readonly [number, number],
  {
    use_activation,
    activation,
  }: { use_activation?: boolean | null | undefined; activation?: boolean | null | undefined },
): number[] {
  if ((use_activation ?? activation) !== true) return [...values]
  return Number.isFinite(high - low) && high > low
    ? values.map((value) => (value - low) / (high - low))
    : values.map((value) => 1 / (1 + Math.exp(-value)))
}

/** What the answer says of tokens: guerdon counts none. */
export const usage = {
  prompt_tokens: 0,
  total_tokens: 0,
  completion_tokens: 0,
  prompt_tokens_details: null,
} as const

export const usageSchema = z.looseObject({ prompt_tokens: z.number(), total_tokens: z.number() })

/** Seconds since 1970. */
export function created(): number {
  return Math.floor(Date.now() / 1000)
}
