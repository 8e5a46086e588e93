/**
 * Seeded random numbers: xoshiro128** seeded by splitmix32 over the seed's text. The same seed gives the same
 * numbers on every machine.
 *
 * Concurrency must not change results, so work that runs side by side takes `fork(key)`: a generator that depends
 * only on this one's seed and the key, never on how many numbers were drawn before.
 */
export class Rng {
  readonly seed: string
  #a: number
  #b: number
  #c: number
  #d: number
  #spareNormal: number | undefined

  constructor(seed: string | number) {
    this.seed = String(seed)
    let state = hash32(this.seed)
    const next = () => {
      state = (state + 0x9e3779b9) | 0
      let z = state
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
      return (z ^ (z >>> 15)) >>> 0
    }
    this.#a = next()
    this.#b = next() ^ hash32(`${this.seed}\u0001`)
    this.#c = next()
    this.#d = next() | 1
  }

  /** A generator that depends on the seed and `key` alone. */
  fork(key: string | number): Rng {
    return new Rng(`${this.seed}/${key}`)
  }

  /** Integer in [0, 2^32). */
  uint32(): number {
    const result = Math.imul(rotate(Math.imul(this.#b, 5), 7), 9) >>> 0
    const t = this.#b << 9
    this.#c ^= this.#a
    this.#d ^= this.#b
    this.#b ^= this.#c
    this.#a ^= this.#d
    this.#c ^= t
    this.#d = rotate(this.#d, 11)
    return result
  }

  /** Uniform in [0, 1), 53 bits. */
  uniform(): number {
    return ((this.uint32() >>> 5) * 67108864 + (this.uint32() >>> 6)) / 9007199254740992
  }

  /** Uniform integer in [low, high), without modulo bias. Throws a `RangeError` on an empty interval. */
  int(low: number, high: number): number {
    const width = high - low
    if (!(Number.isSafeInteger(low) && Number.isSafeInteger(high) && width > 0 && width <= 2 ** 32))
      throw new RangeError(`no integer in [${low}, ${high})`)
    const limit = 2 ** 32 - (2 ** 32 % width)
    let draw = this.uint32()
    while (draw >= limit) draw = this.uint32()
    return low + (draw % width)
  }

  /** Standard normal (polar method). */
  normal(): number {
    if (this.#spareNormal !== undefined) {
      const spare = this.#spareNormal
      this.#spareNormal = undefined
      return spare
    }
    for (;;) {
      const u = 2 * this.uniform() - 1
      const v = 2 * this.uniform() - 1
      const s = u * u + v * v
      if (s > 0 && s < 1) {
        const scale = Math.sqrt((-2 * Math.log(s)) / s)
        this.#spareNormal = v * scale
        return u * scale
      }
    }
  }

  /** True with probability `p`. */
  chance(p: number): boolean {
    return this.uniform() < p
  }

  /** One element, uniformly. Throws a `RangeError` when there is none. */
  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length)]!
  }

  /** A shuffled copy (Fisher-Yates). */
  shuffled<T>(items: readonly T[]): T[] {
    const copy = [...items]
    for (let i = copy.length - 1; i > 0; i--) {
      const j = this.int(0, i + 1)
      ;[copy[i], copy[j]] = [copy[j]!, copy[i]!]
    }
    return copy
  }

  /** `count` different elements, in random order. */
  sample<T>(items: readonly T[], count: number): T[] {
    if (count > items.length) throw new RangeError(`cannot draw ${count} of ${items.length} without repeats`)
    return this.shuffled(items).slice(0, count)
  }
}

function rotate(x: number, k: number): number {
  return (x << k) | (x >>> (32 - k))
}

/** FNV-1a with a final avalanche, over UTF-16 code units. */
function hash32(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
