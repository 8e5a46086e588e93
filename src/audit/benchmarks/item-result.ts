import type { Score, UnscoredCode } from '../../core/index.ts'
import type { Verdict } from './aggregate.ts'
import type { BenchmarkItem } from './benchmark.ts'

/** What was said of one item. */
export interface ItemResult extends Verdict {
  readonly item: BenchmarkItem
  /** The reward's number for each candidate (a and b of a pair), null where it gave none; empty for a comparator. */
  readonly values: readonly (number | null)[]
  /**
   * How far towards the right side, above 0 being right: the difference of the values, or of the probability that a
   * is better from a half. Null where there is no verdict.
   */
  readonly margin: number | null
  /** Of a comparator asked several times: how its votes fell; `none` are ties and what could not be read. */
  readonly votes?: { readonly right: number; readonly wrong: number; readonly none: number }
  /** Further measures of the item, such as rank correlation. */
  readonly measures?: Readonly<Record<string, number | null>>
  /** Of an answer: the parts of its score. */
  readonly parts?: NonNullable<Score['parts']>
  /** Why it is unresolved. */
  readonly code?: UnscoredCode | 'split'
  readonly reason?: string
}
