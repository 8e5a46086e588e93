import { mean, standardDeviation } from './moments.ts'

export interface GroupAdvantageOptions {
  /** Divide by the group's standard deviation, or only subtract its mean (Dr. GRPO). @default 'deviation' */
  readonly scale?: 'deviation' | 'none'
  /** Added to the standard deviation, in units of the score. @default 1e-4 */
  readonly epsilon?: number
  /** Of the standard deviation. @default 1 */
  readonly ddof?: 0 | 1
}

/**
 * Advantages of the samples of one prompt: (score - mean) / (standard deviation + epsilon). An unscored sample
 * enters neither mean nor deviation and has no advantage; where fewer than two are scored nobody has one, and where
 * all scores are equal they are 0.
 */
export function groupAdvantages(
  scores: readonly (number | null)[],
  { scale = 'deviation', epsilon = 1e-4, ddof = 1 }: GroupAdvantageOptions = {},
): (number | null)[] {
  const known = scores.filter((score) => score !== null)
  if (known.length < 2) return scores.map(() => null)
  const centre = mean(known)!
  const divisor = scale === 'none' ? 1 : standardDeviation(known, { ddof })! + epsilon
  const flat = known.every((score) => score === known[0])
  return scores.map((score) => (score === null ? null : flat ? 0 : (score - centre) / divisor))
}
