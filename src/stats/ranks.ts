/** The different values of a list in ascending order, which of them each place holds, and how often each occurs. */
export interface DenseRanks {
  readonly values: Float64Array
  /** 0-based, one for each place. */
  readonly ranks: Uint32Array
  readonly counts: Uint32Array
}

/** Dense ranks in O(n log n): a native sort, then a binary search for each value. */
export function denseRanks(list: ArrayLike<number>): DenseRanks {
  const sorted = Float64Array.from(list).sort()
  const counts = new Uint32Array(sorted.length)
  let distinct = 0
  for (let i = 0; i < sorted.length; i++) {
    if (i > 0 && sorted[i] === sorted[distinct - 1]) counts[distinct - 1]!++
    else {
      sorted[distinct] = sorted[i]!
      counts[distinct++] = 1
    }
  }
  const values = sorted.subarray(0, distinct)
  const ranks = new Uint32Array(list.length)
  for (let i = 0; i < list.length; i++) {
    const value = list[i]!
    let low = 0
    let high = distinct - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (values[middle]! < value) low = middle + 1
      else high = middle
    }
    ranks[i] = low
  }
  return { values, ranks, counts: counts.subarray(0, distinct) }
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
  return Float64Array.from(ranks, (rank) => shared[rank]!)
}
