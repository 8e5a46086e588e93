import { identityOf, retryableCodes, type Sample, type Score } from '../../core/index.ts'
import { RequestProblem } from '../request-problem.ts'

interface Kept {
  /** `identityOf` the samples. */
  readonly samples: string
  readonly scores: Promise<readonly Score[]>
  readonly size: number
  readonly until: number
}

/**
 * Answers under the keys that callers gave them, so that a request that is sent again after a lost answer is not judged
 * again: bounded in number and time, the oldest forgotten first. An answer with a failure that may pass is not kept.
 */
export class AnswersKept {
  readonly #kept = new Map<string, Kept>()
  readonly #most: number
  readonly #forMs: number
  readonly #now: () => number
  #size = 0

  constructor({
    most = 100_000,
    forMs = 3_600_000,
    now = performance.now.bind(performance),
  }: {
    /** Scores, of all answers together. @default 100000 */
    readonly most?: number
    /** @default one hour */
    readonly forMs?: number
    readonly now?: () => number
  } = {}) {
    this.#most = most
    this.#forMs = forMs
    this.#now = now
  }

  /** Scores that are kept. */
  get size(): number {
    return this.#size
  }

  answer(
    key: string,
    samples: readonly Sample[],
    judge: () => Promise<readonly Score[]>,
  ): Promise<readonly Score[]> {
    const identity = identityOf(samples)
    const known = this.#kept.get(key)
    if (known !== undefined && known.until > this.#now()) {
      if (known.samples === identity) return known.scores
      throw new RequestProblem(
        422,
        'idempotency-mismatch',
        'this idempotency key was used for another request.',
        {
          fix: 'Give every request a key of its own; only a repetition has the same.',
        },
      )
    }
    if (known !== undefined) this.#forget(key, known)
    const size = samples.length + 1
    const kept: Kept = { samples: identity, scores: judge(), size, until: this.#now() + this.#forMs }
    this.#kept.set(key, kept)
    this.#size += size
    for (const [oldest, each] of this.#kept) {
      if (this.#size <= this.#most || each === kept) break
      this.#forget(oldest, each)
    }
    const drop = () => {
      if (this.#kept.get(key) === kept) this.#forget(key, kept)
    }
    kept.scores.then((scores) => {
      if (scores.some((score) => score.value === null && retryableCodes.has(score.code))) drop()
    }, drop)
    return kept.scores
  }

  #forget(key: string, { size }: Kept): void {
    this.#kept.delete(key)
    this.#size -= size
  }
}
