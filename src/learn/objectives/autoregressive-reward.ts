import type { Array as JaxArray } from '@jax-js/jax'
import { type BradleyTerryOptions, bradleyTerryLosses } from './preference-losses.ts'
import { requireShapes } from './shapes.ts'

export interface AutoregressiveRewardOptions extends BradleyTerryOptions {
  /** Factor of the log-probabilities in the reward; not the KL strength of decoding. @default 0.05 */
  readonly beta?: number
}

/**
 * The loss of an autoregressive reward model per pair, Float[B]: -log sigmoid(beta (log p(chosen) - log p(rejected)) -
 * margin), with the sums over each response's tokens [nats] and no reference: the reward of a response is the sum of its
 * tokens' log-probabilities, so that each token has one of its own. Paper: beta 0.05 for HH-RLHF, 0.1 for UltraFeedback, 0.5 helpful
 * and 0.01 harmless for SafeRLHF. Consumes all.
 *
 * @source GenARM, arXiv 2410.08193
 */
export function autoregressiveRewardLosses(
  { logpChosen, logpRejected }: { readonly logpChosen: JaxArray; readonly logpRejected: JaxArray },
  { beta = 0.05, ...options }: AutoregressiveRewardOptions = {},
): JaxArray {
  requireShapes('autoregressiveRewardLosses', {
    logpChosen: [logpChosen, 'B'],
    logpRejected: [logpRejected, 'B'],
  })
  return bradleyTerryLosses({ differences: logpChosen.sub(logpRejected).mul(beta) }, options)
}
