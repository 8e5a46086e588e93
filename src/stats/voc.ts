import { spearman } from './correlation.ts'

/** How far values rise with time. */
export interface ValueOrder {
  /** In [-1, 1]; 0 where it is not defined. */
  readonly voc: number
  /** All values are equal, or there are fewer than two: nothing was measured. */
  readonly constant: boolean
}

/**
 * Value-order correlation: Spearman's rho (ties share their mean rank) between values in order of time and the time
 * itself. It does not see scale: creeping from 0 to 30 per cent is 1 as well.
 *
 * @source GVL, arXiv 2411.04549
 */
export function voc(values: readonly number[]): ValueOrder {
  const rho = spearman(
    values,
    values.map((_, index) => index),
  )
  return { voc: rho ?? 0, constant: rho === null }
}
