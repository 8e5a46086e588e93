import { GuerdonError, type Preference, textOf } from '../core/index.ts'
import { words } from '../rewards/verifiable/text/words.ts'

export interface LengthFilterOptions {
  /** A pair goes when its chosen answer is more than this many times as long as the rejected one. @default 1.5 */
  readonly ratio?: number
  /** @default words */
  readonly lengthOf?: (text: string) => number
}

/**
 * Pairs from which "longer is better" cannot be learned: without those whose chosen answer is much longer. Pairs whose
 * *rejected* answer is longer stay. Of an empty rejected answer any words are more.
 *
 * @throws GuerdonError `bad-option` for a ratio that is not above 0
 * @source IXC-2.5-Reward, arXiv 2501.12368 (which names no ratio)
 */
export function withoutLongerChosen(
  preferences: readonly Preference[],
  { ratio = 1.5, lengthOf = (text) => words(text).length }: LengthFilterOptions = {},
): { readonly kept: readonly Preference[]; readonly dropped: readonly Preference[] } {
  if (!(ratio > 0)) throw new GuerdonError('bad-option', `a ratio of ${ratio} is not above 0.`)
  const isLonger = ({ chosen, rejected }: Preference) =>
    lengthOf(textOf(chosen)) > ratio * lengthOf(textOf(rejected))
  const { kept = [], dropped = [] } = Object.groupBy(preferences, (pair) =>
    isLonger(pair) ? 'dropped' : 'kept',
  )
  return { kept, dropped }
}
