import type { Reward, Sample, Score } from '../../core/index.ts'
import type { PortableReference } from '../reward-reference.ts'

/** Everything of a reward but its `score`. */
export type RewardHead = Omit<Reward, 'score'>

/** What a child is told to load, once, with URLs resolved to text. */
export interface LoadMessage extends PortableReference {
  readonly type: 'load'
}

/** Samples that are judged in one call: one sample, one group, or a batch. */
interface WireUnit {
  /** Counts from 1 in its pool. */
  readonly id: number
  readonly samples: readonly Sample[]
}

export interface JudgeMessage {
  readonly type: 'judge'
  readonly units: readonly WireUnit[]
  readonly step?: number
  readonly seed?: string
}

export type ToChild = LoadMessage | JudgeMessage

export type FromChild =
  | { readonly type: 'ready'; readonly head: RewardHead }
  | { readonly type: 'failed'; readonly reason: string }
  | {
      readonly type: 'scores'
      readonly results: readonly (readonly [id: number, scores: readonly Score[]])[]
    }

/** The child's inherited descriptor on which it notes the unit that it is at (4 bytes, native order; 0 = none). */
export const progressDescriptor = 4

/** Bytes of that file: the unit, and self-measured CPU [ms] and resident memory [KiB] where there is no /proc. */
export const progressBytes = 12
