import { type Array as JaxArray, numpy as np } from '@jax-js/jax'
import { maskedAverage } from '../../nets/cross-entropy.ts'
import { requireOption, requireShapes } from './shapes.ts'

// Masks hold 1 for what counts and 0 for the rest. What stands in the rest never matters, be it NaN.

/** `values` where `mask` is 1, and 0 elsewhere, in value and in derivative: Float[*]. Consumes both. */
export function kept(values: JaxArray, mask: JaxArray): JaxArray {
  return np.where(np.greater(mask, 0), values, 0)
}

/** Sum over the tokens that count: Float[B, T] to Float[B], such as a response's log-probability. Consumes both. */
export function tokenSum(values: JaxArray, mask: JaxArray): JaxArray {
  requireShapes('tokenSum', { values: [values, 'BT'], mask: [mask, 'BT'] })
  return np.sum(kept(values, mask), -1)
}

/** Mean over what counts, Float[*] to a scalar; 0 when nothing counts. Without a mask, over all. Consumes both. */
export function meanOf(values: JaxArray, mask?: JaxArray): JaxArray {
  requireShapes('meanOf', { values: [values, '*'], mask: [mask, '*'] })
  return mask === undefined ? np.mean(values) : maskedAverage(kept(values, mask.ref), mask)
}

/**
 * How a loss per token becomes a scalar. It decides how much a token of a long response weighs:
 * - `token`: sum over all tokens / number of tokens (DAPO; TRL `bnpo`): every token weighs the same.
 * - `sequence`: mean over the B sequences of each one's own token mean (the original GRPO): tokens of long responses
 *   weigh less. A sequence without tokens adds 0 and still counts in B.
 * - `constant`: sum / (B * `length`) (Dr. GRPO): as `token`, but the scale doesn't depend on the batch.
 */
export type TokenAggregation = 'token' | 'sequence' | 'constant'

/** A loss per token Float[B, T] to a scalar. `length` is the longest response allowed, for `constant`. Consumes both. */
export function aggregated(
  losses: JaxArray,
  mask: JaxArray,
  over: TokenAggregation,
  length?: number,
): JaxArray {
  requireShapes('aggregated', { losses: [losses, 'BT'], mask: [mask, 'BT'] })
  if (over === 'token') return meanOf(losses, mask)
  if (over === 'sequence') {
    const counts = np.maximum(np.sum(mask.ref, -1), 1)
    return np.mean(np.sum(kept(losses, mask), -1).div(counts))
  }
  requireOption('aggregated', (length ?? 0) > 0, '`constant` needs `length`, the longest response [tokens]')
  const sequences = losses.shape[0]!
  return np.sum(kept(losses, mask)).div(sequences * length!)
}

/**
 * Centred to mean 0 and scaled to deviation 1 over what counts (0 elsewhere): (x - mean) / sqrt(variance + 1e-8), the
 * variance with n - 1 as in TRL. A single value becomes 0. Float[*]. Consumes both.
 */
export function whitened(values: JaxArray, mask: JaxArray): JaxArray {
  requireShapes('whitened', { values: [values, '*'], mask: [mask, '*'] })
  const degrees = np.maximum(np.sum(mask.ref).sub(1), 1)
  const centred = kept(values.ref.sub(meanOf(values, mask.ref)), mask)
  const variance = np.sum(np.square(centred.ref)).div(degrees)
  return centred.div(np.sqrt(variance.add(1e-8)))
}
