import type { Array as JaxArray } from '@jax-js/jax'
import { type BradleyTerryOptions, bradleyTerryLosses } from './preference-losses.ts'
import { requireShapes } from './shapes.ts'

export interface AutoregressiveRewardOptions extends BradleyTerryOptions {
  /** Factor of the log-probabilities in the reward; not the KL strength of decoding. @default 0.05 */
  readonly beta?: number
}

/**
 * The loss of an autoregressive reward model per pair, Float[B]: -log sigmoid(beta h - margin) with h = log p(chosen) -
 * log p(rejected), Float[B], the sums over each response's tokens [nats], without a reference: the reward of a response is
 * the sum of its tokens' log-probabilities, so that each token has one of its own, and subtracting a reference would
 * take the writer's own likelihood away when decoding. `preferred(policy, { reference: 'none', losses })` gives these
 * margins. Paper: beta 0.05 for HH-RLHF, 0.1 for UltraFeedback, 0.5 (helpful) and 0.01 (harmless) for SafeRLHF. Consumes it.
 *
 * @source GenARM, arXiv 2410.08193
 */
export function autoregressiveRewardLosses(
  { margins }: { readonly margins: JaxArray },
  { beta = 0.05, ...options }: AutoregressiveRewardOptions = {},
): JaxArray {
  requireShapes('autoregressiveRewardLosses', { margins: [margins, 'B'] })
  return bradleyTerryLosses({ differences: margins.mul(beta) }, options)
}
