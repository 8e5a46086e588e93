import { type Array as JaxArray, lax, numpy as np } from '@jax-js/jax'
import { requireOption, requireShapes } from './shapes.ts'

export interface GapWeightInputs {
  /** Scores of the preferred ones, Float[B], in [0, 1] (0 to 100 would overflow). */
  readonly chosen: JaxArray
  /** Scores of the others, Float[B]. */
  readonly rejected: JaxArray
}

/**
 * Weights of GAPO (arXiv 2504.10044; the released code): alpha^chosen - alpha^rejected, constants of the gradient, Float[B]
 * in [0, alpha - 1]. A pair whose score is not higher for the chosen has weight 0, not a negative one, which would turn the
 * preference round. Multiply the losses per pair, not their mean. The mean weight is below 1 (0.05 to 0.3): a fair
 * comparison scales plain DPO by it. Consumes all.
 */
export function gapWeights(
  { chosen, rejected }: GapWeightInputs,
  { alpha = 2 }: { /** @default 2 */ readonly alpha?: number } = {},
): JaxArray {
  requireShapes('gapWeights', { chosen: [chosen, 'B'], rejected: [rejected, 'B'] })
  requireOption('gapWeights', alpha > 1, '`alpha` is above 1')
  const power = (scores: JaxArray) => np.exp(scores.mul(Math.log(alpha)))
  return lax.stopGradient(np.maximum(power(chosen).sub(power(rejected)), 0))
}
