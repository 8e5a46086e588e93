/** Verdicts of comparisons on five levels, counted. */
export interface FivePointVerdicts {
  readonly muchBetter: number
  readonly better: number
  readonly neutral: number
  readonly worse: number
  readonly muchWorse: number
}

/**
 * Net preference [percentage points]: 100 * (share better - share worse), both strengths alike, neutral verdicts in the
 * denominator; and the mean grade from 2 (much better) to -2. Null without verdicts.
 */
export function netPreference({ muchBetter, better, neutral, worse, muchWorse }: FivePointVerdicts): {
  readonly net: number
  readonly grade: number
} | null {
  const n = muchBetter + better + neutral + worse + muchWorse
  if (n === 0) return null
  return {
    net: (100 * (muchBetter + better - worse - muchWorse)) / n,
    grade: (2 * muchBetter + better - worse - 2 * muchWorse) / n,
  }
}
