/** Values of the first tokens are noisy and are not looked at. */
const skipped = 5

export interface FilteredSample {
  readonly isKept: boolean
  /** Tokens from the first one whose value is too low; 0 for a sample that is kept. */
  readonly saved: number
  /** Tokens that are looked at. */
  readonly counted: number
}

/**
 * Whether a sample is written to its end: it is given up at the first token, after the first five, whose value (the cosine
 * to the goal) is below the threshold. Samples of five tokens or fewer are kept.
 */
export function filteredSample(values: readonly number[], threshold: number): FilteredSample {
  const counted = Math.max(0, values.length - skipped)
  const at = values.slice(skipped).findIndex((value) => value < threshold)
  return { isKept: at < 0, saved: at < 0 ? 0 : counted - at, counted }
}

export interface VotedSample {
  readonly answer: string | null
  readonly values: readonly number[]
}

export interface FilteredVote {
  /** Strict: a tie with a wrong answer is wrong. */
  readonly isRight: boolean
  readonly saved: number
  readonly counted: number
}

/** The vote of the samples that are kept; if none is, of all, and nothing is saved. */
export function filteredVote(
  samples: readonly VotedSample[],
  right: string,
  threshold: number,
): FilteredVote {
  const filtered = samples.map(({ values }) => filteredSample(values, threshold))
  const counted = filtered.reduce((sum, each) => sum + each.counted, 0)
  const kept = samples.filter((_, index) => filtered[index]!.isKept)
  const voters = kept.length === 0 ? samples : kept
  const saved = kept.length === 0 ? 0 : filtered.reduce((sum, each) => sum + each.saved, 0)
  const votes = Map.groupBy(
    voters.filter(({ answer }) => answer !== null),
    ({ answer }) => answer,
  )
  const own = votes.get(right)?.length ?? 0
  const others = [...votes].filter(([answer]) => answer !== right).map(([, group]) => group.length)
  return { isRight: own > Math.max(0, ...others), saved, counted }
}
