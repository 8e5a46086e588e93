import { type Array as JaxArray, lax, numpy as np } from '@jax-js/jax'
import { requireShapes } from './shapes.ts'

export interface ClipOptions {
  /** epsilon_low: ratios below 1 - `clipLow` are clipped. @default 0.2 */
  readonly clipLow?: number
  /** epsilon_high: ratios above 1 + `clipHigh` are clipped. @default `clipLow` */
  readonly clipHigh?: number
}

/**
 * PPO's clipped surrogate (arXiv 1707.06347): losses -min(c A, clip(c, 1 - low, 1 + high) A) with ratio c = exp(logRatio),
 * and where the clipped term is the smaller one (1 or 0), which has no gradient there: above when A > 0, below when
 * A < 0. All Float[*]; advantages are constants of the gradient. Consumes all.
 */
export function clippedSurrogate(
  { logRatio, advantages }: { readonly logRatio: JaxArray; readonly advantages: JaxArray },
  { clipLow = 0.2, clipHigh = clipLow }: ClipOptions = {},
): { readonly losses: JaxArray; readonly clipped: JaxArray } {
  requireShapes('clippedSurrogate', { logRatio: [logRatio, '*'], advantages: [advantages, '*'] })
  const fixed = lax.stopGradient(advantages)
  const ratio = np.exp(logRatio)
  const free = ratio.ref.mul(fixed.ref)
  const bounded = np.clip(ratio, 1 - clipLow, 1 + clipHigh).mul(fixed)
  const clipped = np.where(np.less(bounded.ref, free.ref), 1, 0)
  return { losses: np.negative(np.minimum(free, bounded)), clipped }
}

/** logp - logpOld where the mask is 1 and 0 elsewhere, Float[B, T]; the old policy gets no gradient. Consumes all. */
export function logRatios(logp: JaxArray, logpOld: JaxArray, mask: JaxArray): JaxArray {
  return np.where(np.greater(mask, 0), logp.sub(lax.stopGradient(logpOld)), 0)
}
