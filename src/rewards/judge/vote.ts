/** What several votes come to. `majority` counts votes above, at and below `middle` and gives the extreme that leads. */
export type VoteRule = 'mean' | 'median' | 'majority'

export interface Voted {
  readonly value: number
  /** Standard error of the mean of the votes; absent for a single vote. */
  readonly uncertainty?: number
}

/**
 * K votes as one value. A majority needs votes in [low, high]: those above the middle against those below; equally
 * many give the middle. Throws a `RangeError` without votes.
 */
export function voteK(
  votes: readonly number[],
  {
    rule = 'mean',
    range = [0, 1],
  }: { readonly rule?: VoteRule; readonly range?: readonly [number, number] } = {},
): Voted {
  if (votes.length === 0) throw new RangeError('there are no votes')
  const n = votes.length
  const mean = votes.reduce((sum, vote) => sum + vote, 0) / n
  const value = rule === 'mean' ? mean : rule === 'median' ? medianOf(votes) : majorityOf(votes, range)
  if (n === 1) return { value }
  const squares = votes.reduce((sum, vote) => sum + (vote - mean) ** 2, 0)
  return { value, uncertainty: Math.sqrt(squares / (n - 1) / n) }
}

function medianOf(votes: readonly number[]): number {
  const sorted = votes.toSorted((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2
}

function majorityOf(votes: readonly number[], [low, high]: readonly [number, number]): number {
  const middle = (low + high) / 2
  const lead = votes.reduce((sum, vote) => sum + Math.sign(vote - middle), 0)
  return lead === 0 ? middle : lead > 0 ? high : low
}
