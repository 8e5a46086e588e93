import { GuerdonError, type Json, type Preference, Rng } from '../../core/index.ts'
import type { Instruction } from './instruction.ts'
import { type Quality, qualitiesOf } from './oracle.ts'
import { taskPreference } from './samples.ts'
import { drawOpenInstruction, styledAnswer } from './styles.ts'

/** A person and what they like. Plain JSON. */
export type UserProfile = {
  readonly id: string
  /** Index of the taste group with the largest share. */
  readonly group: number
  /** Share of each taste group; they sum to 1. */
  readonly shares: readonly number[]
  /** Utility of each measure of an answer. */
  readonly weights: { readonly [quality in Quality]?: number }
  /** Probability that a choice is turned round. */
  readonly noise: number
}

/** Opposed tastes: what one group likes, the next dislikes. Weights are utilities of qualities in [0, 1]. */
export const tasteGroups: readonly UserProfile['weights'][] = [
  { short: 3, list: 1, courteous: -0.5 },
  { short: -3, courteous: 1, list: -0.5 },
  { colours: 1.5, places: -1, numbers: -0.5 },
  { places: 1.5, colours: -1, numbers: 0.5 },
]

export interface PopulationOptions {
  readonly seed?: string | number
  /** Number of taste groups that occur, 1 to 4. @default 2 */
  readonly groups?: number
  /** @default 60 */
  readonly users?: number
  /** `pure`: every user belongs to one group. `mixed`: a random convex mixture of the groups. @default 'pure' */
  readonly kind?: 'pure' | 'mixed'
  /** Standard deviation of what sets a user apart from their group, added to each weight. @default 0 */
  readonly spread?: number
  /** Probability that a choice is turned round. @default 0.1 */
  readonly noise?: number
}

/** Users of equally large groups. Throws a `GuerdonError` for a number of groups outside 1 to 4. */
export function userPopulation(options: PopulationOptions = {}): UserProfile[] {
  const { seed = 0, groups = 2, users = 60, kind = 'pure', spread = 0, noise = 0.1 } = options
  if (!(Number.isInteger(groups) && groups >= 1 && groups <= tasteGroups.length))
    throw new GuerdonError('bad-config', `${groups} groups are not 1 to ${tasteGroups.length}.`, {
      place: { field: 'groups' },
    })
  return Array.from({ length: users }, (_, index) => {
    const rng = new Rng(`users/${seed}/${index}`)
    const own = index % groups
    const raw = tasteGroups
      .slice(0, groups)
      .map((_, group) => (kind === 'pure' ? Number(group === own) : -Math.log(1 - rng.uniform())))
    const total = raw.reduce((sum, value) => sum + value, 0)
    const shares = raw.map((value) => value / total)
    const weights: Partial<Record<Quality, number>> = {}
    shares.forEach((share, group) => {
      for (const [quality, weight] of Object.entries(tasteGroups[group]!) as [Quality, number][])
        if (share > 0) weights[quality] = (weights[quality] ?? 0) + share * weight
    })
    for (const quality of Object.keys(weights) as Quality[]) weights[quality]! += spread * rng.normal()
    return { id: `user-${index}`, group: shares.indexOf(Math.max(...shares)), shares, weights, noise }
  })
}

/** How much a user likes an answer: the weighted sum of its measures. */
export function userUtility(
  { weights }: UserProfile,
  instruction: Instruction,
  tokens: readonly string[],
): number {
  const measured = qualitiesOf(instruction, tokens)
  let utility = 0
  for (const [quality, weight] of Object.entries(weights) as [Quality, number][])
    utility += weight * measured[quality]
  return utility
}

/** A pair of answers to one open instruction, both true and complete, which differ in manner only. */
export interface TastePair {
  readonly instruction: Instruction
  readonly first: readonly string[]
  readonly second: readonly string[]
}

/** Pair number `index` of a seed; everybody may be asked about the same pairs. */
export function tastePair(seed: string | number, index: number): TastePair {
  const rng = new Rng(`taste/${seed}/${index}`)
  const instruction = drawOpenInstruction(rng)
  const first = styledAnswer(instruction, {}, rng)
  let second = styledAnswer(instruction, {}, rng)
  while (second.join(' ') === first.join(' ')) second = styledAnswer(instruction, {}, rng)
  return { instruction, first, second }
}

/** Which answer a user takes: true = the first. The better by their utility, turned round with their noise. */
export function userChoosesFirst(
  user: UserProfile,
  { instruction, first, second }: TastePair,
  rng: Rng,
): boolean {
  const difference = userUtility(user, instruction, first) - userUtility(user, instruction, second)
  const isFirst = difference === 0 ? rng.chance(0.5) : difference > 0
  return isFirst !== rng.chance(user.noise)
}

/** `count` preferences of one user; `meta.user` and `meta.group` say whose, `margin` is their true utility difference. */
export function userPreferences(user: UserProfile, seed: string | number, count: number): Preference[] {
  return Array.from({ length: count }, (_, index) => {
    const pair = tastePair(`${seed}/${user.id}`, index)
    const isFirst = userChoosesFirst(user, pair, new Rng(`choice/${seed}/${user.id}/${index}`))
    const [chosen, rejected] = isFirst ? [pair.first, pair.second] : [pair.second, pair.first]
    const margin = userUtility(user, pair.instruction, chosen) - userUtility(user, pair.instruction, rejected)
    const preference = taskPreference(
      `${user.id}-${index}`,
      pair.instruction,
      { recipe: 'good', tokens: chosen },
      { recipe: 'good', tokens: rejected },
      margin,
    )
    const meta: Record<string, Json | undefined> = { ...preference.meta, user: user.id, group: user.group }
    return { ...preference, meta }
  })
}
