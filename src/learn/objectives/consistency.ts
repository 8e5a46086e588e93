import type { Array as JaxArray } from '@jax-js/jax'
import { kendall } from '../../stats/index.ts'
import { softBradleyTerryLosses } from './preference-losses.ts'

/**
 * CREAM's loss per pair, Float[B] (arXiv 2410.12735): C (-log sigmoid(beta h)) + (1 - C)(-log sigmoid(-beta h)), which is
 * cDPO with label smoothing 1 - C. `margins` h Float[B] are against the model at the *start of this round* (the scores
 * that chose the pair are against the first model); `consistency` C Float[B], or Float[] for the mean of all prompts.
 * Least at h = log(C / (1 - C)) / beta; below C = 0.5 it turns the preference round. Consumes all.
 */
export function consistencyLosses(
  { margins, consistency }: { readonly margins: JaxArray; readonly consistency: JaxArray },
  { beta = 0.1 }: { /** @default 0.1 */ readonly beta?: number } = {},
): JaxArray {
  return softBradleyTerryLosses({ differences: margins.mul(beta), confidence: consistency })
}

/**
 * How alike two models rank the same responses: (tau + 1) / 2 in [0, 1], Kendall's tau of the ordinal ranks, rank 1 the
 * lowest score and of two equal scores the earlier one lower. Null for fewer than two. Agreement isn't accuracy: two models
 * wrong in the same way are consistent.
 */
export function rankingConsistency(current: readonly number[], previous: readonly number[]): number | null {
  const { tauA } = kendall(ordinalRanks(current), ordinalRanks(previous))
  return tauA === null ? null : (tauA + 1) / 2
}

/** The consistency that stands for regularising towards an even preference with weight `lambda`: (1 + l) / (1 + 2l). */
export function consistencyOfRegularisation(lambda: number): number {
  return (1 + lambda) / (1 + 2 * lambda)
}

function ordinalRanks(scores: readonly number[]): number[] {
  const order = scores.map((_, index) => index).sort((a, b) => scores[a]! - scores[b]! || a - b)
  const ranks: number[] = []
  order.forEach((place, rank) => {
    ranks[place] = rank + 1
  })
  return ranks
}
