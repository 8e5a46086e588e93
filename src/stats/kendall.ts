import { requirePaired } from './numbers.ts'
import { denseRanks } from './ranks.ts'

/** Kendall's rank correlation with the counts that it rests on. Pairs are unordered pairs of places. */
export interface Kendall {
  readonly n: number
  readonly pairs: number
  readonly concordant: number
  readonly discordant: number
  /** Pairs equal in the first list (whatever the second says), in the second, and in both. */
  readonly tiedA: number
  readonly tiedB: number
  readonly tiedBoth: number
  /** (concordant - discordant) / pairs; ties pull it towards 0. Null when n < 2. */
  readonly tauA: number | null
  /** Corrected for ties: the geometric mean of the pairs untied in each list as denominator. Null when a list is constant. */
  readonly tauB: number | null
  /** Stuart's, for tables that are not square: 2 (concordant - discordant) m / (n^2 (m - 1)), m = the smaller number of different values. Null when a list is constant. */
  readonly tauC: number | null
}

/** Kendall's tau of two lists in O(n log n) (Knight 1966): sort by the first list, count the swaps that sort the second. */
export function kendall(a: ArrayLike<number>, b: ArrayLike<number>): Kendall {
  requirePaired(a, b)
  const n = a.length
  const first = denseRanks(a)
  const second = denseRanks(b)
  // By the second list already; handing the places out to the ranks of the first sorts by both.
  const start = new Uint32Array(first.counts.length)
  for (let rank = 1; rank < start.length; rank++) start[rank] = start[rank - 1]! + first.counts[rank - 1]!
  const inOrder = new Uint32Array(n)
  const last = new Int32Array(first.counts.length).fill(-1)
  const run = new Uint32Array(first.counts.length)
  let tiedBoth = 0
  for (let i = 0; i < n; i++) {
    const place = second.order[i]!
    const [rankA, rankB] = [first.ranks[place]!, second.ranks[place]!]
    inOrder[start[rankA]!++] = rankB
    if (last[rankA] !== rankB) run[rankA] = 0
    last[rankA] = rankB
    tiedBoth += run[rankA]!++
  }
  const pairs = (n * (n - 1)) / 2
  const tiedA = tiedPairs(first.counts)
  const tiedB = tiedPairs(second.counts)
  const discordant = inversions(inOrder)
  const concordant = pairs - tiedA - tiedB + tiedBoth - discordant
  const surplus = concordant - discordant
  const smaller = Math.min(first.counts.length, second.counts.length)
  return {
    n,
    pairs,
    concordant,
    discordant,
    tiedA,
    tiedB,
    tiedBoth,
    tauA: n < 2 ? null : surplus / pairs,
    tauB: smaller < 2 ? null : clamp(surplus / Math.sqrt(pairs - tiedA) / Math.sqrt(pairs - tiedB)),
    tauC: smaller < 2 ? null : (2 * surplus * smaller) / (n * n * (smaller - 1)),
  }
}

/** Rounding must not carry a correlation beyond 1. */
function clamp(correlation: number): number {
  return Math.max(-1, Math.min(1, correlation))
}

function tiedPairs(counts: Uint32Array): number {
  let pairs = 0
  for (const count of counts) pairs += (count * (count - 1)) / 2
  return pairs
}

/** How many pairs stand in descending order, by merge sort; `list` is used up. */
function inversions(list: Uint32Array): number {
  const n = list.length
  let count = 0
  // Short runs by insertion: fewer passes over the whole array.
  const short = 16
  for (let start = 0; start < n; start += short) {
    const end = Math.min(start + short, n)
    for (let i = start + 1; i < end; i++) {
      const value = list[i]!
      let j = i
      while (j > start && list[j - 1]! > value) list[j] = list[--j]!
      list[j] = value
      count += i - j
    }
  }
  let from = list
  let to: Uint32Array = new Uint32Array(n)
  for (let width = short; width < n; width *= 2) {
    for (let start = 0; start < n; start += 2 * width) {
      const middle = Math.min(start + width, n)
      const end = Math.min(start + 2 * width, n)
      let [left, right, place] = [start, middle, start]
      while (left < middle && right < end) {
        if (from[left]! <= from[right]!) to[place++] = from[left++]!
        else {
          count += middle - left
          to[place++] = from[right++]!
        }
      }
      while (left < middle) to[place++] = from[left++]!
      while (right < end) to[place++] = from[right++]!
    }
    ;[from, to] = [to, from]
  }
  return count
}
