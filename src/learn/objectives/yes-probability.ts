import { type Array as JaxArray, lax, numpy as np } from '@jax-js/jax'
import { bradleyTerryLosses } from './preference-losses.ts'
import { requireOption, requireShapes } from './shapes.ts'

// Objectives of judges whose reward is the probability of a yes, and of policies that are trained by them. All inputs are
// probabilities in (0, 1), Float[B] unless said otherwise; all are consumed.

/**
 * Trains a judge that is asked whether the first of two is better, in both orders with opposite labels:
 * -(log P(yes | winner, loser) + log P(no | loser, winner)) / 2, Float[B]. Without the second half it learns the slot.
 *
 * @source OneReward, arXiv 2508.21066, Eq. 3
 */
export function bothOrdersLosses({
  yesWinnerFirst,
  noLoserFirst,
}: {
  readonly yesWinnerFirst: JaxArray
  readonly noLoserFirst: JaxArray
}): JaxArray {
  requireShapes('bothOrdersLosses', {
    yesWinnerFirst: [yesWinnerFirst, 'B'],
    noLoserFirst: [noLoserFirst, 'B'],
  })
  return np.log(yesWinnerFirst).add(np.log(noLoserFirst)).mul(-0.5)
}

/**
 * What a policy descends: max(0, cap - P(yes)) for each dimension, Float[*]; average them with `meanOf`. A dimension
 * that has reached the cap pushes no more (its derivative is 0, at the cap too), the others go on. (The paper's listing
 * says ascent; taken at its word that trains the worst model.)
 *
 * @param cap called lambda; its value was not published
 * @source OneReward, arXiv 2508.21066, Eq. 5
 */
export function cappedLosses(
  { yes }: { readonly yes: JaxArray },
  { cap }: { readonly cap: number },
): JaxArray {
  requireOption('cappedLosses', cap > 0 && cap <= 1, '`cap` is a probability above 0')
  const short = np.subtract(cap, yes)
  const open = np.greater(lax.stopGradient(short.ref), 0)
  return np.where(open, short, 0)
}

/**
 * Trains a judge that is asked whether one output meets a high standard: -log sigmoid(r_w - r_l) + alpha (-log P_w -
 * log(1 - P_l)), Float[B]. Between probabilities r is bounded and the first term is at least 0.313262: the second is
 * what drives it; `space: 'logit'` compares log-odds instead, which is another loss.
 *
 * @source RewardDance, arXiv 2509.08826 (pointwise generative variant; alpha is not published)
 */
export function pointwiseYesLosses(
  { winner, loser }: { readonly winner: JaxArray; readonly loser: JaxArray },
  {
    alpha = 0.1,
    space = 'probability',
  }: {
    /** @default 0.1 */
    readonly alpha?: number
    /** @default 'probability' */
    readonly space?: 'probability' | 'logit'
  } = {},
): JaxArray {
  requireShapes('pointwiseYesLosses', { winner: [winner, 'B'], loser: [loser, 'B'] })
  const scored = (p: JaxArray) => (space === 'probability' ? p : np.log(p.ref).sub(np.log(np.subtract(1, p))))
  const differences = scored(winner.ref).sub(scored(loser.ref))
  const labelled = np
    .log(winner)
    .add(np.log(np.subtract(1, loser)))
    .mul(-alpha)
  return bradleyTerryLosses({ differences }).add(labelled)
}
