import type { Json, Reward, Sample, Score } from '../../core/index.ts'

/** An export of a module. */
export interface ModuleExport {
  /** A `file:` URL, or a path relative to the working directory. TypeScript or JavaScript, as Node runs it. */
  readonly module: string | URL
  /** @default 'default' */
  readonly export?: string
}

/** A reward exported by a module: a reward, a reward type, or a function of `options` that returns a reward. */
export interface ModuleReward extends ModuleExport {
  readonly options?: Json
}

/** A reward by expression (`0.7*math + 0.3*format`) or by module: what can be sent to another process. */
export type RewardReference = string | ModuleReward

/** Everything of a reward but its `score`. */
export type RewardHead = Omit<Reward, 'score'>

/** What a child is told to load, once, with URLs resolved to text. */
export interface LoadMessage {
  readonly type: 'load'
  readonly reference: string | (Omit<ModuleReward, 'module'> & { readonly module: string })
  /** Where names in an expression are looked up: a function `(name, options) => Reward`. */
  readonly lookup: { readonly module: string; readonly export: string }
}

/** Samples that are judged in one call: one sample, one group, or a batch. */
export interface WireUnit {
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
