import { GuerdonError, nearest, type Reward } from '../core/index.ts'
import { rewardTypes } from './registry.ts'

/**
 * The reward that goes by a plain name, with options as a user writes them. Throws a `GuerdonError` for any other;
 * names of published systems are looked up one floor above (`methods/resolve.ts`).
 */
export function namedReward(name: string, options: Readonly<Record<string, unknown>> = {}): Reward {
  const type = rewardTypes.find((candidate) => candidate.name === name)
  if (type !== undefined) return type.create(options)
  const names = rewardTypes.map((candidate) => candidate.name)
  const guess = nearest(name, names)
  throw new GuerdonError('unknown-reward', `there is no plain reward "${name}".`, {
    fix: guess ? `Did you mean "${guess}"?` : `There are ${names.join(', ')}.`,
  })
}
