import { argsort } from './argsort.ts'

/** The different values of a list in ascending order, which of them each place holds, and how often each occurs. */
export interface DenseRanks {
  /** The places in ascending order of their values. */
  readonly order: Uint32Array
  readonly values: Float64Array
  /** 0-based, one for each place. */
  readonly ranks: Uint32Array
  readonly counts: Uint32Array
}

export function denseRanks(list: ArrayLike<number>): DenseRanks {
  const order = argsort(list)
  const values = new Float64Array(order.length)
  const counts = new Uint32Array(order.length)
  const ranks = new Uint32Array(order.length)
  let distinct = 0
  for (let i = 0; i < order.length; i++) {
    const value = list[order[i]!]!
    if (i === 0 || value !== values[distinct - 1]) values[distinct++] = value
    counts[distinct - 1]!++
    ranks[order[i]!] = distinct - 1
  }
  return { order, values: values.subarray(0, distinct), ranks, counts: counts.subarray(0, distinct) }
}

/** Ranks from 1, equal values sharing the mean of the ranks they cover. */
export function midRanks(list: ArrayLike<number>): Float64Array {
  const { ranks, counts } = denseRanks(list)
  const shared = new Float64Array(counts.length)
  let before = 0
  for (let i = 0; i < counts.length; i++) {
    shared[i] = before + (counts[i]! + 1) / 2
    before += counts[i]!
  }
  const midRanks = new Float64Array(ranks.length)
  for (let i = 0; i < ranks.length; i++) midRanks[i] = shared[ranks[i]!]!
  return midRanks
}

/** Places from 1, the highest number first; equal numbers share the better place (1, 2, 2, 4). */
export function places(list: ArrayLike<number>): Uint32Array {
  const { ranks, counts } = denseRanks(list)
  const above = new Uint32Array(counts.length)
  for (let i = counts.length - 2; i >= 0; i--) above[i] = above[i + 1]! + counts[i + 1]!
  const places = new Uint32Array(ranks.length)
  for (let i = 0; i < ranks.length; i++) places[i] = above[ranks[i]!]! + 1
  return places
}
