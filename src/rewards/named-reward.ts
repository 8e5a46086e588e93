import { GuerdonError, nearest, type Reward } from '../core/index.ts'
import { rewardTypes } from './registry.ts'
import type { RewardType } from './reward-type.ts'

/** The reward that goes by a plain name, with options as a user writes them. Throws a `GuerdonError` for any other. */
export function namedReward(name: string, options: Readonly<Record<string, unknown>> = {}): Reward {
  return rewardNamedAmong(rewardTypes, name, options)
}

/** The same among any list of types, such as plain rewards and methods together. */
export function rewardNamedAmong(
  types: readonly RewardType[],
  name: string,
  options: Readonly<Record<string, unknown>> = {},
): Reward {
  const type = types.find((candidate) => candidate.name === name)
  if (type !== undefined) return type.create(options)
  const names = types.map((candidate) => candidate.name)
  const guess = nearest(name, names)
  throw new GuerdonError('unknown-reward', `there is no reward "${name}".`, {
    fix: guess ? `Did you mean "${guess}"?` : `There are ${names.join(', ')}.`,
  })
}
