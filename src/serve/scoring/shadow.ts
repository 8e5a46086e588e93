import type { Sample, Score } from '../../core/index.ts'
import { Overloaded } from '../request-problem.ts'
import type { ScoringLane } from './scoring-lane.ts'

/** One sample on which the two rewards differ: ids and numbers only. */
export interface ShadowDifference {
  readonly sample: string
  readonly answered: number | null
  readonly shadow: number | null
}

/** A new reward beside the one that answers. */
export interface ShadowReport {
  /** Name of the reward that only listens. */
  readonly name: string
  /** Name of the reward that answers. */
  readonly beside: string
  readonly compared: number
  /** Values that differ by more than 1e-9, or one scored and the other not. */
  readonly different: number
  /** Of those that differ: scored by one of the two only. */
  readonly scoredByOne: number
  /** Of all that both scored: mean of shadow minus answered, and mean of its absolute value. */
  readonly meanDifference: number | null
  readonly meanAbsoluteDifference: number | null
  /** Samples that the shadow was not asked about, because it was behind. */
  readonly dropped: number
  /** The latest, newest last. */
  readonly examples: readonly ShadowDifference[]
}

const examplesKept = 50

/**
 * A reward that is asked about what another one has answered, afterwards and in its own time: it never delays or changes
 * an answer, and what it has no room for is dropped and counted.
 */
export class Shadow {
  readonly name: string
  readonly beside: string
  readonly #lane: ScoringLane
  readonly #differed: (differences: number, compared: number) => void
  #compared = 0
  #different = 0
  #scoredByOne = 0
  #dropped = 0
  #both = 0
  #sum = 0
  #absolute = 0
  readonly #examples: ShadowDifference[] = []

  constructor(options: {
    readonly name: string
    readonly beside: string
    readonly lane: ScoringLane
    /** Told after every comparison. */
    readonly differed: (differences: number, compared: number) => void
  }) {
    this.name = options.name
    this.beside = options.beside
    this.#lane = options.lane
    this.#differed = options.differed
  }

  async compare(samples: readonly Sample[], answered: readonly Score[]): Promise<void> {
    try {
      const shadows = await this.#lane.submit(samples)
      const before = this.#different
      samples.forEach(({ id }, index) => {
        this.#add(id, answered[index]!.value, shadows[index]!.value)
      })
      this.#differed(this.#different - before, samples.length)
    } catch (error) {
      if (!(error instanceof Overloaded)) throw error
      this.#dropped += samples.length
    }
  }

  #add(sample: string, answered: number | null, shadow: number | null): void {
    this.#compared++
    if (answered !== null && shadow !== null) {
      this.#both++
      this.#sum += shadow - answered
      this.#absolute += Math.abs(shadow - answered)
    }
    const differs =
      answered === null || shadow === null ? answered !== shadow : Math.abs(answered - shadow) > 1e-9
    if (!differs) return
    this.#different++
    if (answered === null || shadow === null) this.#scoredByOne++
    this.#examples.push({ sample, answered, shadow })
    if (this.#examples.length > examplesKept) this.#examples.shift()
  }

  idle(): Promise<void> {
    return this.#lane.idle()
  }

  report(): ShadowReport {
    const share = (sum: number) => (this.#both === 0 ? null : sum / this.#both)
    return {
      name: this.name,
      beside: this.beside,
      compared: this.#compared,
      different: this.#different,
      scoredByOne: this.#scoredByOne,
      meanDifference: share(this.#sum),
      meanAbsoluteDifference: share(this.#absolute),
      dropped: this.#dropped,
      examples: [...this.#examples],
    }
  }
}
