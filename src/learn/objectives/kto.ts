import { type Array as JaxArray, lax, numpy as np } from '@jax-js/jax'
import { sigmoid } from './logistic.ts'
import { requireShapes } from './shapes.ts'

export interface KtoInputs {
  /** Log-ratio of policy to reference, the *sum* over a response's tokens, Float[B] [nats]. */
  readonly logRatios: JaxArray
  /** 1 for a desirable response, 0 for an undesirable one, Float[B]. */
  readonly desirable: JaxArray
  /** The same log-ratio for mismatched pairs (prompt i, response i - 1 mod B), Float[N]: a constant of the gradient. */
  readonly mismatchedLogRatios: JaxArray
}

export interface KtoOptions {
  /** @default 0.1 */
  readonly beta?: number
  /** w_D; keep w_D n_D / (w_U n_U) in [1, 4/3]. @default 1 */
  readonly desirableWeight?: number
  /** w_U. @default 1 */
  readonly undesirableWeight?: number
}

/**
 * Kahneman-Tversky optimisation (arXiv 2402.01306) of unpaired labels, one loss per response, Float[B], and the
 * reference point z0 = max(0, mean of the mismatched log-ratios), Float[], which has no gradient: w_D (1 - sigmoid(beta (rho - z0)))
 * and w_U (1 - sigmoid(beta (z0 - rho))). Average over all responses of both kinds. Consumes all.
 */
export function ktoLosses(
  { logRatios, desirable, mismatchedLogRatios }: KtoInputs,
  { beta = 0.1, desirableWeight = 1, undesirableWeight = 1 }: KtoOptions = {},
): { readonly losses: JaxArray; readonly referencePoint: JaxArray } {
  requireShapes('ktoLosses', {
    logRatios: [logRatios, 'B'],
    desirable: [desirable, 'B'],
    mismatchedLogRatios: [mismatchedLogRatios, 'N'],
  })
  const referencePoint = lax.stopGradient(np.maximum(np.mean(mismatchedLogRatios), 0))
  const good = np.greater(desirable, 0)
  const gains = logRatios.sub(referencePoint.ref).mul(beta)
  const signed = np.where(good.ref, gains.ref, np.negative(gains))
  const weights = np.where(good, desirableWeight, undesirableWeight)
  return { losses: np.subtract(1, sigmoid(signed)).mul(weights), referencePoint }
}
