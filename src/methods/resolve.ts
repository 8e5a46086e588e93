import { loadConfigFile } from '../apply/config.ts'
import { GuerdonError, nearest, type Reward } from '../core/index.ts'
import { provideModels } from '../models/calls/call-scope.ts'
import { type FindReward, parseRewardExpression } from '../rewards/expression.ts'
import { rewardTypes } from '../rewards/registry.ts'
import type { RewardType } from '../rewards/reward-type.ts'
import { methods } from './registry.ts'

/** Every reward there is: the plain ones, then those of the published systems, each under its name. */
export function allRewardTypes(): readonly RewardType[] {
  return [...rewardTypes, ...methods.flatMap((method) => method.rewards)]
}

/** The reward type of a name. Throws `unknown-reward` with the nearest name. */
export function rewardTypeNamed(name: string, others: readonly string[] = []): RewardType {
  const types = allRewardTypes()
  const found = types.find((type) => type.name === name)
  if (found !== undefined) return found
  const guess = nearest(name, [...others, ...types.map((type) => type.name)])
  throw new GuerdonError('unknown-reward', `there is no reward "${name}".`, {
    fix: `${guess ? `Did you mean "${guess}"? ` : ''}"guerdon rewards" lists them all.`,
  })
}

/** Rewards of a configuration by name: made already, or expressions over other names. */
export type OwnRewards = Readonly<Record<string, Reward | string>>

/**
 * The reward of an expression such as `0.7*math + 0.3*toolrl(variant=released)`. Names are those of `own` first,
 * then the registered ones. Throws a `GuerdonError` (see `parseRewardExpression`; `circular-reward` for expressions
 * that name each other).
 */
export function resolveReward(expression: string, own: OwnRewards = {}): Reward {
  const finder =
    (path: readonly string[]): FindReward =>
    (name, options) => {
      const mine = Object.hasOwn(own, name) ? own[name] : undefined
      if (mine === undefined) return rewardTypeNamed(name, Object.keys(own)).create(options)
      if (Object.keys(options).length > 0)
        throw new GuerdonError('bad-options', `"${name}" is a reward of your own and takes no options here.`)
      if (typeof mine !== 'string') return mine
      if (path.includes(name))
        throw new GuerdonError(
          'circular-reward',
          `"${name}" is defined by itself: ${[...path, name].join(' -> ')}.`,
        )
      return parseRewardExpression(mine, finder([...path, name]))
    }
  return parseRewardExpression(expression, finder([]))
}

/** The reward of an expression over the names of a configuration file: what another thread is asked to make. */
export async function resolveConfigured(options: {
  /** Path of the configuration file; null when there is none. */
  readonly config: string | null
  readonly expression: string
}): Promise<Reward> {
  const { rewards, models } = options.config === null ? {} : await loadConfigFile(options.config)
  if (models !== undefined) provideModels(models)
  return resolveReward(options.expression, rewards)
}
