import type { Rng } from '../core/index.ts'
import { GuerdonError } from '../core/index.ts'
import { membersOf } from './bootstrap.ts'
import {
  type BradleyTerryOptions,
  bradleyTerry,
  countPairs,
  type PairCounts,
  type Votes,
} from './bradley-terry.ts'
import { requireLevel } from './intervals.ts'
import { multinomialDraw } from './multinomial.ts'
import { quantileOfSorted } from './quantiles.ts'

/** How strengths are written. The defaults are those of chess and of Chatbot Arena. */
export interface RatingScale {
  /** Points by which the odds of winning grow `base`-fold. @default 400 */
  readonly scale?: number
  /** @default 10 */
  readonly base?: number
  /** Mean of all ratings, unless an item is anchored. @default 1000 */
  readonly centre?: number
  /** An item whose rating is given; all others move with it. */
  readonly anchor?: { readonly item: number; readonly rating: number }
}

export interface RatingsOptions extends RatingScale, Pick<BradleyTerryOptions, 'prior'> {
  readonly rng: Rng
  /** @default 100 */
  readonly resamples?: number
  /** @default 0.95 */
  readonly level?: number
  /** The cluster of each vote, such as its voter or prompt: clusters are resampled whole. @default each vote by itself */
  readonly clusters?: readonly (string | number)[]
}

export interface Rating {
  readonly item: number
  readonly rating: number
  /** Percentiles of the resampled ratings; the rating itself where no resample had a finite answer. */
  readonly low: number
  readonly high: number
  /** Weight of the votes that it took part in. */
  readonly votes: number
  /** Best place it may have: 1 + how many items are above it beyond both intervals (Chatbot Arena's "rank UB"). */
  readonly place: number
}

export interface Ratings {
  /** Best first. */
  readonly ratings: readonly Rating[]
  readonly resamples: number
  /** Resamples without a finite answer (a clean sweep, no prior); left out. */
  readonly undefinedResamples: number
  /** Ratings of each resample that is defined, one number for each item in the order of the items. */
  readonly resampled: readonly Float64Array[]
}

/**
 * Bradley-Terry ratings of many items from votes (a tie is half a win for each) with bootstrap intervals. Votes
 * without clusters are resampled by their distinct outcomes, so that neither a fit nor a resample depends on how
 * many votes there are. Throws `no-finite-strengths` (see `bradleyTerry`).
 */
export function ratings(items: number, votes: Votes, options: RatingsOptions): Ratings {
  const { prior = 0, resamples = 100, level = 0.95, rng } = options
  requireLevel(level)
  const pairs = countPairs(items, votes)
  const fitted = bradleyTerry(pairs, { prior })
  const estimate = onScale(fitted.logStrengths, options)
  const resampled: Float64Array[] = []
  for (const drawn of resampledCounts(pairs, votes, options.clusters, resamples, rng)) {
    try {
      const fit = bradleyTerry(drawn, { prior, start: fitted.logStrengths, tolerance: 1e-7 })
      resampled.push(onScale(fit.logStrengths, options))
    } catch (error) {
      if (!(error instanceof GuerdonError && error.code === 'no-finite-strengths')) throw error
    }
  }
  const weights = new Float64Array(items)
  for (let pair = 0; pair < pairs.a.length; pair++) {
    const weight = pairs.winsA[pair]! + pairs.winsB[pair]!
    weights[pairs.a[pair]!]! += weight
    weights[pairs.b[pair]!]! += weight
  }
  const bounds = Array.from(estimate, (rating, item) => {
    if (resampled.length === 0) return { low: rating, high: rating }
    const sorted = Float64Array.from(resampled, (one) => one[item]!).sort()
    return {
      low: quantileOfSorted(sorted, (1 - level) / 2)!,
      high: quantileOfSorted(sorted, (1 + level) / 2)!,
    }
  })
  return {
    ratings: Array.from(
      estimate,
      (rating, item): Rating => ({
        item,
        rating,
        ...bounds[item]!,
        votes: weights[item]!,
        place: 1 + bounds.filter(({ low }) => low > bounds[item]!.high).length,
      }),
    ).sort((a, b) => b.rating - a.rating),
    resamples,
    undefinedResamples: resamples - resampled.length,
    resampled,
  }
}

/** Log-strengths in natural units as ratings. */
export function onScale(
  logStrengths: ArrayLike<number>,
  { scale = 400, base = 10, centre = 1000, anchor }: RatingScale = {},
): Float64Array {
  const perUnit = scale / Math.log(base)
  const shift = anchor === undefined ? centre : anchor.rating - perUnit * logStrengths[anchor.item]!
  return Float64Array.from(logStrengths, (strength) => perUnit * strength + shift)
}

/** The counts of bootstrap resamples; without clusters and weights each overwrites the one before. */
function* resampledCounts(
  pairs: PairCounts,
  votes: Votes,
  clusters: readonly (string | number)[] | undefined,
  resamples: number,
  rng: Rng,
): Generator<PairCounts> {
  const { a, b, values, weights } = votes
  const draws = rng.fork('ratings')
  const groups = membersOf(a.length, clusters)
  if (groups === undefined && weights === undefined) {
    const cells = distinctVotes(pairs, votes)
    const drawn = new Float64Array(cells.counts.length)
    const [winsA, winsB] = [new Float64Array(pairs.a.length), new Float64Array(pairs.a.length)]
    for (let r = 0; r < resamples; r++) {
      multinomialDraw(draws, a.length, cells.counts, drawn)
      winsA.fill(0)
      winsB.fill(0)
      for (let cell = 0; cell < drawn.length; cell++) {
        const share = drawn[cell]! * cells.shares[cell]!
        winsA[cells.pairs[cell]!]! += share
        winsB[cells.pairs[cell]!]! += drawn[cell]! - share
      }
      yield { ...pairs, winsA, winsB }
    }
    return
  }
  const times = new Float64Array(a.length)
  for (let r = 0; r < resamples; r++) {
    times.fill(0)
    const units = groups?.length ?? a.length
    for (let i = 0; i < units; i++) {
      const unit = draws.int(0, units)
      for (const vote of groups?.[unit] ?? [unit]) times[vote]! += weights?.[vote] ?? 1
    }
    yield countPairs(pairs.items, { a, b, values, weights: times })
  }
}

/** Each distinct vote once: its pair, the share of the pair's first item, and how often it was given. */
function distinctVotes({ items, a: lows, b: highs }: PairCounts, { a, b, values }: Votes) {
  const pairOf = new Int32Array(items * items)
  for (let pair = 0; pair < lows.length; pair++) pairOf[lows[pair]! * items + highs[pair]!] = pair
  const cellOf = new Map<number, number>() // by pair and share in one number, whole for wins and ties
  const pairs: number[] = []
  const shares: number[] = []
  const counts: number[] = []
  for (let vote = 0; vote < a.length; vote++) {
    const [left, right] = [a[vote]!, b[vote]!]
    const share = left < right ? values[vote]! : 1 - values[vote]!
    const pair = pairOf[left < right ? left * items + right : right * items + left]!
    const key = 4 * pair + 2 * share
    let cell = cellOf.get(key)
    if (cell === undefined) {
      cell = counts.length
      cellOf.set(key, cell)
      pairs.push(pair)
      shares.push(share)
      counts.push(0)
    }
    counts[cell]!++
  }
  return {
    pairs: Int32Array.from(pairs),
    shares: Float64Array.from(shares),
    counts: Float64Array.from(counts),
  }
}
