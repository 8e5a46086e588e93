import { GuerdonError } from '../core/index.ts'
import type { RewardType } from '../rewards/reward-type.ts'
import { type CatalogueEntry, entries } from './catalogue/entries.ts'

/**
 * A published system at work: its place in the catalogue and what it is made of. One file each, named by its id; the
 * mathematics lives in the concept folders and is composed there with the paper's values.
 */
export interface Method extends CatalogueEntry {
  readonly rewards: readonly RewardType[]
  /** Names of benchmarks with its scoring. */
  readonly benchmarks: readonly string[]
  /** Its other mathematics, each `guerdon/ENTRY#name`. */
  readonly parts: readonly string[]
}

/** @param definition the id is that of the catalogue, which has the title, the paper and the tags */
export function defineMethod({
  id,
  rewards = [],
  benchmarks = [],
  parts = [],
}: Pick<Method, 'id'> & Partial<Pick<Method, 'rewards' | 'benchmarks' | 'parts'>>): Method {
  const entry = entries.find((known) => known.id === id)
  if (entry === undefined)
    throw new GuerdonError('unknown-method', `the catalogue has no published system "${id}".`)
  return { ...entry, rewards, benchmarks, parts }
}
