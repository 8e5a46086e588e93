import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { GuerdonError, isObject, type Json, messageOf, nearest, type Reward } from '../core/index.ts'

/** An export of a module. */
export interface ModuleExport {
  /** A `file:` URL, or a path relative to the working directory. TypeScript or JavaScript, as Node runs it. */
  readonly module: string | URL
  /** @default 'default' */
  readonly export?: string
}

/** A reward exported by a module: a reward, a reward type, or a function of `options` that returns a reward. */
export interface ModuleReward extends ModuleExport {
  readonly options?: Json
}

/** A reward by expression (`0.7*math + 0.3*format`) or by module: what a process or thread can make again. */
export type RewardReference = string | ModuleReward

/** A reference with everything that it takes to load it, as data: modules by URL, and where names are looked up. */
export interface PortableReference {
  readonly reference: string | (Omit<ModuleReward, 'module'> & { readonly module: string })
  /** Exports a function `(name, options) => Reward`. */
  readonly lookup: { readonly module: string; readonly export: string }
}

export function isRewardReference(reward: Reward | RewardReference): reward is RewardReference {
  return typeof reward === 'string' || !('score' in reward)
}

/** @param lookup where the names of an expression are looked up. @default the plain rewards (`namedReward`) */
export function portableReference(reference: RewardReference, lookup?: ModuleExport): PortableReference {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
  return {
    reference:
      typeof reference === 'string' ? reference : { ...reference, module: moduleUrl(reference.module) },
    lookup: {
      module: lookup ? moduleUrl(lookup.module) : new URL(`./named-reward${extension}`, import.meta.url).href,
      export: lookup ? (lookup.export ?? 'default') : 'namedReward',
    },
  }
}

/** The reward that a reference names, in this thread. Throws when the module, its export or a name is amiss. */
export async function loadReward({ reference, lookup }: PortableReference): Promise<Reward> {
  if (typeof reference === 'string') {
    const find = await exportOf(lookup.module, lookup.export)
    if (typeof find !== 'function')
      throw new GuerdonError('bad-lookup', `"${lookup.export}" of ${lookup.module} is not a function.`)
    const { parseRewardExpression } = await import('./expression.ts') // only now: starting must be quick
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

function moduleUrl(module: string | URL): string {
  if (module instanceof URL) return module.href
  return module.startsWith('file:') ? module : pathToFileURL(resolve(module)).href
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
  return (
    (isObject(value) || typeof value === 'function') &&
    'create' in value &&
    typeof value.create === 'function'
  )
}

function isReward(value: unknown): value is Reward {
  return (
    isObject(value) &&
    typeof value.score === 'function' &&
    typeof value.name === 'string' &&
    Array.isArray(value.range)
  )
}
