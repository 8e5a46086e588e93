import { GuerdonError, isObject, messageOf, nearest, type Reward } from '../../core/index.ts'
import type { LoadMessage } from './protocol.ts'

/** The reward that a reference names, in this process. Throws when the module, its export or a name is amiss. */
export async function loadReward({
  reference,
  lookup,
}: Pick<LoadMessage, 'reference' | 'lookup'>): Promise<Reward> {
  if (typeof reference === 'string') {
    const find = await exportOf(lookup.module, lookup.export)
    if (typeof find !== 'function')
      throw new GuerdonError('bad-lookup', `"${lookup.export}" of ${lookup.module} is not a function.`)
    const { parseRewardExpression } = await import('../expression.ts') // only now: starting must be quick
    return parseRewardExpression(reference, (name, options) => find(name, options))
  }
  const { module, export: name = 'default', options } = reference
  const found = await exportOf(module, name)
  const reward = isCreator(found)
    ? found.create((options ?? {}) as never)
    : typeof found === 'function'
      ? await found(options)
      : found
  if (!isReward(reward))
    throw new GuerdonError('not-a-reward', `"${name}" of ${module} is not a reward.`, {
      fix: 'Export a reward, a reward type, or a function that returns a reward.',
    })
  return reward
}

async function exportOf(module: string, name: string): Promise<unknown> {
  let exported: Record<string, unknown>
  try {
    exported = await import(module)
  } catch (error) {
    throw new GuerdonError('bad-module', `${module} cannot be loaded: ${messageOf(error)}`, { cause: error })
  }
  if (name in exported) return exported[name]
  const guess = nearest(name, Object.keys(exported))
  throw new GuerdonError('no-export', `${module} exports no "${name}".`, {
    fix: guess ? `Did you mean "${guess}"?` : `It exports ${Object.keys(exported).join(', ') || 'nothing'}.`,
  })
}

function isCreator(value: unknown): value is { create(options: never): unknown } {
  return isObject(value) && typeof value.create === 'function'
}

function isReward(value: unknown): value is Reward {
  return (
    isObject(value) &&
    typeof value.score === 'function' &&
    typeof value.name === 'string' &&
    Array.isArray(value.range)
  )
}
