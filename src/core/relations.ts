import type { Json } from './json.ts'
import type { Range, ScoreContext } from './reward.ts'
import type { Sample, Turns } from './sample.ts'
import type { Score, Unscored, Usage } from './score.ts'

/** Two outputs for one prompt. */
export interface Pair {
  readonly id: string
  readonly a: Sample
  readonly b: Sample
}

/** `value` is the probability that a is better: 1 = a, 0 = b, 0.5 = a tie; null = could not be judged. */
export type Comparison =
  | {
      readonly value: number
      /**
       * Of a comparator that asked in both orders: the value with a first, and the value with b first (also as
       * "a is better"). Their mean difference over many pairs is the slot bias.
       */
      readonly orders?: readonly [aFirst: number | null, bFirst: number | null]
      readonly rationale?: string
      /** As a score's: terms by name. A judge says in `parsed` what share of its replies could be read. */
      readonly parts?: Readonly<Record<string, number | null>>
      /** Of all calls for this pair. */
      readonly usage?: Usage
    }
  | Unscored

/** Judges pairs. */
export interface Comparator {
  readonly name: string
  readonly version: string
  readonly params: Json
  compare(pairs: readonly Pair[], context?: ScoreContext): Promise<Comparison[]>
}

/** Scores for the parts of one output: its steps, segments, tokens or frames. */
export interface StepReward {
  readonly name: string
  readonly version: string
  readonly params: Json
  readonly unit: 'step' | 'segment' | 'token' | 'frame'
  readonly range: Range
  scoreSteps(samples: readonly Sample[], context?: ScoreContext): Promise<(readonly Score[] | Unscored)[]>
}

/** One output preferred to another, as trainers read it. */
export interface Preference {
  readonly id: string
  readonly prompt: Turns
  readonly chosen: Turns
  readonly rejected: Turns
  /** How much better, in the units of the reward that said so. */
  readonly margin?: number
  readonly meta: Readonly<Record<string, Json | undefined>>
}

/** One sample with everything that was said about it, by the name the reward had in the run. */
export interface ScoredSample {
  readonly sample: Sample
  readonly scores: Readonly<Record<string, Score>>
}
