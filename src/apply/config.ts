import { existsSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { GuerdonError, messageOf, type Reward, type StepReward } from '../core/index.ts'
import { isModelSettings, type OwnModel } from '../models/model-settings.ts'

/** What `guerdon.config.ts` says; every field may be left out. */
export interface GuerdonConfig {
  /**
   * Rewards under the names that commands and expressions will know: a reward of your own, or an expression over
   * names that are known already (`'0.7*math + 0.3*format'`).
   */
  readonly rewards?: Readonly<Record<string, Reward | string>>
  /**
   * Models under the names that rewards will know: a name with its price and limits
   * (`{ model: 'openai:gpt-5-mini', price: { input: 0.25, output: 2 } }`), or a model made in code. Keys are not written
   * here: they come from the environment.
   */
  readonly models?: Readonly<Record<string, OwnModel>>
  /** Process rewards, which `guerdon serve` answers with where a protocol asks for steps. */
  readonly steps?: Readonly<Record<string, StepReward>>
  /** File of the store, relative to the config's folder. @default '.guerdon/store.db' */
  readonly store?: string
  /** Rewards that `guerdon score` uses when the command line names none. */
  readonly score?: readonly string[]
}

/** Types the configuration, as in `export default defineConfig({ ... })`. */
export function defineConfig(config: GuerdonConfig): GuerdonConfig {
  return config
}

const configNames = ['guerdon.config.ts', 'guerdon.config.mts', 'guerdon.config.js', 'guerdon.config.mjs']

/** The configuration file of a folder, or the given one; null when there is none. Throws `config-missing`. */
export function configFile(folder: string, file?: string): string | null {
  if (file === undefined) return configNames.map((name) => join(folder, name)).find(existsSync) ?? null
  const path = resolve(folder, file)
  if (existsSync(path)) return path
  throw new GuerdonError('config-missing', 'there is no such configuration file.', { place: { file: path } })
}

/** Loads a configuration file. Throws `config-failed` and `config-invalid`. */
export async function loadConfigFile(path: string): Promise<GuerdonConfig> {
  let module: { default?: unknown }
  resolveOurselves()
  try {
    module = await import(pathToFileURL(path).href)
  } catch (error) {
    throw new GuerdonError('config-failed', `the configuration could not be loaded: ${messageOf(error)}`, {
      place: { file: path },
      cause: error,
    })
  }
  return checked(module.default, path)
}

let hooked = false

/**
 * A configuration may import `guerdon` wherever it stands: where no package of that name is installed beside it (a
 * guerdon installed for the machine, a checkout), it gets the one that is running.
 */
function resolveOurselves(): void {
  if (hooked) return
  hooked = true
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier !== 'guerdon' && !specifier.startsWith('guerdon/')) return next(specifier, context)
      try {
        return next(specifier, context)
      } catch {
        return next(specifier, { ...context, parentURL: import.meta.url })
      }
    },
  })
}

function checked(value: unknown, file: string): GuerdonConfig {
  const fail = (what: string, field?: string): never => {
    throw new GuerdonError('config-invalid', what, {
      place: { file, ...(field === undefined ? {} : { field }) },
      fix: 'See "Configuration" in the README.',
    })
  }
  if (typeof value !== 'object' || value === null)
    return fail('the configuration must be the default export: export default defineConfig({ ... }).')
  const known = ['rewards', 'models', 'steps', 'store', 'score']
  for (const key of Object.keys(value))
    if (!known.includes(key)) fail(`is not a setting; known are ${known.join(', ')}.`, key)
  const config = value as GuerdonConfig
  for (const [name, reward] of Object.entries(config.rewards ?? {})) {
    if (!/^[A-Za-z][\w-]*$/.test(name))
      fail('a name is a letter, then letters, digits, _ and -.', `rewards.${name}`)
    if (typeof reward !== 'string' && typeof reward?.score !== 'function')
      fail('is neither a reward (defineReward) nor an expression.', `rewards.${name}`)
  }
  for (const [name, steps] of Object.entries(config.steps ?? {}))
    if (typeof steps?.scoreSteps !== 'function') fail('is no process reward.', `steps.${name}`)
  for (const [name, model] of Object.entries(config.models ?? {})) {
    if (!/^[A-Za-z][\w-]*$/.test(name))
      fail('a name is a letter, then letters, digits, _ and -.', `models.${name}`)
    if (
      typeof model !== 'object' ||
      model === null ||
      !(isModelSettings(model) || typeof model.id === 'string')
    )
      fail('is neither a model nor settings with the name of one (`model`).', `models.${name}`)
  }
  return config
}
