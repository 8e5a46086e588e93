import type { RewardType } from '../rewards/reward-type.ts'

/**
 * A published system: what it is made of and where it comes from. One file each, named by its id; the mathematics
 * lives in the concept folders and is composed here with the paper's values.
 */
export interface Method {
  /** kebab-case; the file's name, the command-line argument and the vectors' file. */
  readonly id: string
  /** Its number among the 88 cards. */
  readonly number: number
  readonly title: string
  /** `arXiv 2504.13958` or the like. */
  readonly paper: string
  readonly verbs: readonly ('define' | 'audit' | 'use' | 'learn')[]
  readonly tags: readonly string[]
  readonly rewards: readonly RewardType[]
}

export function defineMethod(method: Method): Method {
  return method
}
