import { Overloaded } from '../request-problem.ts'

interface Bucket {
  left: number
  filledAt: number
}

const mostBuckets = 10_000

/** Requests a second for each key, with as many at once: a bucket of tokens that fills evenly. */
export class RateLimit {
  readonly #perSecond: number
  readonly #burst: number
  readonly #now: () => number
  readonly #buckets = new Map<string, Bucket>()

  /** 0 = no limit. At least one request may come at once. */
  constructor(perSecond: number, now: () => number = performance.now.bind(performance)) {
    this.#perSecond = perSecond
    this.#burst = Math.max(1, perSecond)
    this.#now = now
  }

  /** Throws `Overloaded` (429) when the key has used up its share. */
  take(key: string): void {
    if (this.#perSecond === 0) return
    const now = this.#now()
    const bucket = this.#buckets.get(key) ?? { left: this.#burst, filledAt: now }
    bucket.left = Math.min(this.#burst, bucket.left + ((now - bucket.filledAt) / 1000) * this.#perSecond)
    bucket.filledAt = now
    // Put last, so that the first are those that have been quiet for longest.
    this.#buckets.delete(key)
    this.#buckets.set(key, bucket)
    if (this.#buckets.size > mostBuckets) this.#buckets.delete(this.#buckets.keys().next().value!)
    if (bucket.left < 1)
      throw new Overloaded(
        `more than ${this.#perSecond} requests a second.`,
        Math.max(1, Math.ceil((1 - bucket.left) / this.#perSecond)),
        429,
      )
    bucket.left--
  }
}
