import type { Json } from './json.ts'
import type { Mask } from './mask.ts'

/** Why there is no number. The first four will not change when tried again; the others may. */
export type UnscoredCode =
  /** The reward's question does not arise for this sample. */
  | 'not-applicable'
  /** The sample lacks something the reward needs (a reference, a field, an image) or has it in the wrong shape. */
  | 'bad-input'
  /** A judge's reply could not be read. (A *policy's* unreadable answer is data: most rewards score it.) */
  | 'unparsable'
  /** Outside what can be judged exactly within the limits: a number too large, a document too deep. */
  | 'too-large'
  /** The model declined to judge. */
  | 'refused'
  | 'timeout'
  | 'memory'
  /** The reward threw, or returned NaN or a value outside its range. */
  | 'crashed'
  /** A service did not answer. */
  | 'outage'
  | 'cancelled'

/** Codes that a resumed run tries again; a stored failure of another code stays. */
export const retryableCodes: ReadonlySet<UnscoredCode> = new Set([
  'timeout',
  'memory',
  'crashed',
  'outage',
  'cancelled',
])

/** Something in the sample that the score rests on, to be drawn in a report. Text offsets are UTF-16 code units. */
export type Evidence =
  | {
      readonly kind: 'span'
      readonly in: 'prompt' | 'output'
      readonly start: number
      readonly end: number
      readonly label?: string
      readonly good?: boolean
    }
  | {
      readonly kind: 'box'
      /** Index among the sample's images. */
      readonly image: number
      /** [x1, y1, x2, y2] in image pixels. */
      readonly box: readonly [number, number, number, number]
      readonly role: 'predicted' | 'reference'
      readonly label?: string
      readonly good?: boolean
    }
  | {
      readonly kind: 'mask'
      /** Index among the sample's images. */
      readonly image: number
      readonly mask: Mask
      readonly role: 'predicted' | 'reference'
      readonly label?: string
      readonly good?: boolean
    }
  | { readonly kind: 'image'; readonly role: string; readonly dataUrl: string }
  | { readonly kind: 'step'; readonly index: number; readonly label?: string; readonly good?: boolean }

/** What a judgement cost. */
export interface Usage {
  readonly calls?: number
  readonly inputTokens?: number
  readonly outputTokens?: number
  readonly costUsd?: number
}

interface Details {
  /** Every named term before weighting, in that term's own units; null where that term could not be judged. */
  readonly parts?: Readonly<Record<string, number | null>>
  /** Standard deviation of `value`, in the value's units. */
  readonly uncertainty?: number
  readonly rationale?: string
  readonly evidence?: readonly Evidence[]
  readonly usage?: Usage
  readonly meta?: Readonly<Record<string, Json | undefined>>
}

export interface Scored extends Details {
  /** Finite and inside the reward's `range`. */
  readonly value: number
}

export interface Unscored extends Details {
  readonly value: null
  readonly code: UnscoredCode
  /** One sentence for people. */
  readonly reason: string
  /** True when the reward itself chose not to answer (a judge that says it cannot tell). */
  readonly abstained?: boolean
}

/** One judgement of one sample: a number, or no number and why. Never NaN and never a silent 0. */
export type Score = Scored | Unscored

export function unscored(code: UnscoredCode, reason: string, details: Details = {}): Unscored {
  return { ...details, value: null, code, reason }
}

export function abstained(reason: string, details: Details = {}): Unscored {
  return { ...details, value: null, code: 'not-applicable', reason, abstained: true }
}
