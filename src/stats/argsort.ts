const digitBits = 11
const buckets = 2 ** digitBits
const passes = 6 // of 11 bits each: 66 >= 64
/** Which of a double's two words holds its lower bits on this machine. */
const lower = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1
const upper = 1 - lower

/**
 * The places of the numbers in ascending order, equal numbers (0 and -0 included) in the order of the list. Numbers
 * must not be NaN. O(n): a radix sort over the bits of the doubles, least significant digit first.
 */
export function argsort(list: ArrayLike<number>): Uint32Array {
  const n = list.length
  let order = new Uint32Array(n)
  for (let i = 0; i < n; i++) order[i] = i
  if (n < 256) return order.sort((i, j) => list[i]! - list[j]! || i - j)

  const values = new Float64Array(n)
  for (let i = 0; i < n; i++) values[i] = list[i]! + 0 // turns -0 into 0
  const words = new Uint32Array(values.buffer)
  const counts = new Uint32Array(passes * buckets)
  for (let i = 0; i < n; i++) {
    // Bits that sort as the numbers do: the sign turned over, and for negative numbers all the others too.
    const high = words[2 * i + upper]!
    const flip = high >> 31
    words[2 * i + lower] = words[2 * i + lower]! ^ flip
    words[2 * i + upper] = high ^ (flip | 0x80000000)
    for (let pass = 0; pass < passes; pass++) counts[pass * buckets + digit(words, i, pass)]!++
  }
  let next = new Uint32Array(n)
  for (let pass = 0; pass < passes; pass++) {
    const starts = counts.subarray(pass * buckets, (pass + 1) * buckets)
    if (starts[digit(words, 0, pass)] === n) continue // all alike
    let start = 0
    for (let bucket = 0; bucket < buckets; bucket++) {
      const count = starts[bucket]!
      starts[bucket] = start
      start += count
    }
    for (let i = 0; i < n; i++) {
      const place = order[i]!
      next[starts[digit(words, place, pass)]!++] = place
    }
    ;[order, next] = [next, order]
  }
  return order
}

function digit(words: Uint32Array, place: number, pass: number): number {
  const bit = pass * digitBits
  const low = words[2 * place + lower]!
  const high = words[2 * place + upper]!
  if (bit + digitBits <= 32) return (low >>> bit) & (buckets - 1)
  if (bit < 32) return ((low >>> bit) | (high << (32 - bit))) & (buckets - 1)
  return (high >>> (bit - 32)) & (buckets - 1)
}

/** A copy in ascending order. */
export function sortedNumbers(list: ArrayLike<number>): Float64Array {
  const order = argsort(list)
  const sorted = new Float64Array(order.length)
  for (let i = 0; i < order.length; i++) sorted[i] = list[order[i]!]!
  return sorted
}
