import type { Sample } from '../../core/index.ts'

/** What a judge is asked to look at. Trusted words of whoever sets up the judge; what is judged is no part of it. */
export interface Criterion {
  /** What was to be done: "fill the masked region". */
  readonly task?: string
  /** The side that counts: "text alignment". */
  readonly dimension?: string
  /** What makes an output better, as a sentence: "Prefer the shorter answer unless it leaves out a step." */
  readonly principle?: string
  /** What the judge may take as given: who asks, in which situation. */
  readonly context?: string
}

/** One criterion for all samples, or one for each. */
export type CriterionOf = Criterion | ((sample: Sample) => Criterion)

const names = ['task', 'dimension', 'principle', 'context'] as const

/** The criterion of a row: its meta fields `task`, `dimension`, `principle` and `context`, where they are texts. */
export function criterionFromMeta({ meta }: Sample): Criterion {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = Object.hasOwn(meta, name) ? meta[name] : undefined
      return typeof value === 'string' && value.trim() !== '' ? [[name, value]] : []
    }),
  )
}
