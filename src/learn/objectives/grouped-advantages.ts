import { groupAdvantages, standardDeviation } from '../../stats/index.ts'

export interface GroupedAdvantageOptions {
  /**
   * What the centred rewards are divided by: the deviation of their `group`, that of all raw rewards of the `batch`, or
   * `none` (Dr. GRPO). @default 'group'
   */
  readonly scale?: 'group' | 'batch' | 'none'
  /** Added to the deviation, in units of the reward. TRL 1e-4, verl 1e-6. @default 1e-4 */
  readonly epsilon?: number
  /** Of the deviation: 1 divides by n - 1 (TRL, verl), 0 by n. @default 1 */
  readonly ddof?: 0 | 1
}

/**
 * Advantages of a batch of groups, one group for each prompt: each reward minus its group's mean, divided as `scale`
 * says. 0 for a group of one reward or of equal ones. A reward of null (unscored) enters nothing and has the advantage
 * null: mask its response.
 */
export function groupedAdvantages(
  groups: readonly (readonly (number | null)[])[],
  { scale = 'group', epsilon = 1e-4, ddof = 1 }: GroupedAdvantageOptions = {},
): (number | null)[][] {
  const known = groups.flat().filter((reward) => reward !== null)
  const divisor = scale === 'batch' ? (standardDeviation(known, { ddof }) ?? 0) + epsilon : 1
  return groups.map((rewards) => {
    const own = groupAdvantages(rewards, { scale: scale === 'group' ? 'deviation' : 'none', epsilon, ddof })
    return own.map((advantage, index) => (rewards[index] === null ? null : (advantage ?? 0) / divisor))
  })
}

/** Whether a group teaches anything: two of its scored rewards differ. DAPO discards the others and samples on. */
export function isInformative(rewards: readonly (number | null)[]): boolean {
  const known = rewards.filter((reward) => reward !== null)
  return known.some((reward) => reward !== known[0])
}
