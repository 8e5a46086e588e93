import { type Array as JaxArray, numpy as np } from '@jax-js/jax'
import { aggregated, type TokenAggregation } from './averages.ts'
import { requireShapes } from './shapes.ts'

/**
 * Supervised fine-tuning: -logp of the tokens that count, Float[B, T] to a scalar [nats]. Also what rejection sampling
 * trains on its kept set with, and the autoregressive loss of captions (the context's tokens masked). Consumes both.
 */
export function likelihoodLoss(
  { logp, mask }: { readonly logp: JaxArray; readonly mask: JaxArray },
  {
    over = 'token',
    length,
  }: { /** @default 'token' */ readonly over?: TokenAggregation; readonly length?: number } = {},
): JaxArray {
  requireShapes('likelihoodLoss', { logp: [logp, 'BT'], mask: [mask, 'BT'] })
  return aggregated(np.negative(logp), mask, over, length)
}
