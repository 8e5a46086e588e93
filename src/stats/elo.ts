import type { Rng } from '../core/index.ts'
import type { Votes } from './bradley-terry.ts'
import { requireLevel } from './intervals.ts'
import { quantileOfSorted } from './quantiles.ts'

export interface EloOptions {
  /** Points that a certain favourite loses by losing. @default 4 */
  readonly step?: number
  /** Points by which the odds of winning grow `base`-fold. @default 400 */
  readonly scale?: number
  /** @default 10 */
  readonly base?: number
  /** @default 1000 */
  readonly initial?: number
}

/**
 * Elo's ratings after the votes in their order: each moves the two by `step` times (outcome - expected outcome).
 * What came last weighs most and the order matters: for a fixed set of votes `ratings` (Bradley-Terry) is the better
 * estimate, this one follows items that change.
 */
export function eloRatings(items: number, votes: Votes, options: EloOptions = {}): Float64Array {
  const { a } = votes
  return played(
    items,
    votes,
    Uint32Array.from({ length: a.length }, (_, vote) => vote),
    options,
  )
}

export interface EloInterval {
  readonly item: number
  /** Median over resamples. */
  readonly rating: number
  readonly low: number
  readonly high: number
}

/** Elo's ratings over resampled votes in random order, so that the order no longer matters; best first. */
export function eloIntervals(
  items: number,
  votes: Votes,
  options: EloOptions & {
    readonly rng: Rng
    /** @default 100 */
    readonly resamples?: number
    /** @default 0.95 */
    readonly level?: number
  },
): EloInterval[] {
  const { resamples = 100, level = 0.95 } = options
  requireLevel(level)
  const rng = options.rng.fork('elo')
  const n = votes.a.length
  const order = new Uint32Array(n)
  const runs = Array.from({ length: resamples }, () => {
    for (let i = 0; i < n; i++) order[i] = (rng.uint32() * n) / 2 ** 32
    return played(items, votes, order, options)
  })
  return Array.from({ length: items }, (_, item): EloInterval => {
    const sorted = Float64Array.from(runs, (run) => run[item]!).sort()
    const at = (p: number) => quantileOfSorted(sorted, p)!
    return { item, rating: at(0.5), low: at((1 - level) / 2), high: at((1 + level) / 2) }
  }).sort((one, other) => other.rating - one.rating)
}

function played(
  items: number,
  { a, b, values, weights }: Votes,
  order: Uint32Array,
  { step = 4, scale = 400, base = 10, initial = 1000 }: EloOptions,
): Float64Array {
  const rates = new Float64Array(items).fill(initial)
  const perPoint = Math.log(base) / scale
  for (const vote of order) {
    const [left, right] = [a[vote]!, b[vote]!]
    const expected = 1 / (1 + Math.exp(perPoint * (rates[right]! - rates[left]!)))
    const change = step * (weights?.[vote] ?? 1) * (values[vote]! - expected)
    rates[left]! += change
    rates[right]! -= change
  }
  return rates
}
