import { type Array as JaxArray, lax, numpy as np } from '@jax-js/jax'
import { kept } from './averages.ts'
import { requireShapes } from './shapes.ts'

/**
 * Estimators of KL(policy || reference) from tokens sampled by the policy, with d = logpRef - logp:
 * `k1` = -d (unbiased, may be negative), `k2` = d^2 / 2 (biased, low variance), `k3` = exp(d) - 1 - d (unbiased, >= 0).
 *
 * As a term of the *loss* on samples of the policy itself their gradients differ from their values: that of `k1` has
 * expectation 0 (useless), that of `k2` is the gradient of KL(policy || reference), that of `k3` is the gradient of the
 * forward KL(reference || policy), since it is (1 - exp(d)) times the gradient of logp.
 */
export type KlEstimator = 'k1' | 'k2' | 'k3'

/** KL to the reference per token [nats]: Float[*], Float[*] to Float[*]. The reference gets no gradient. Consumes both. */
export function klEstimates(
  { logp, logpRef }: { readonly logp: JaxArray; readonly logpRef: JaxArray },
  { estimator = 'k3' }: { readonly estimator?: KlEstimator } = {},
): JaxArray {
  requireShapes('klEstimates', { logp: [logp, '*'], logpRef: [logpRef, '*'] })
  const d = lax.stopGradient(logpRef).sub(logp)
  if (estimator === 'k1') return np.negative(d)
  if (estimator === 'k2') return np.square(d).mul(0.5)
  return np.exp(d.ref).sub(1).sub(d)
}

export interface TokenLogps {
  /** Log-probabilities of the sampled tokens under the policy, Float[B, T] [nats]. */
  readonly logp: JaxArray
  /** The same under the frozen reference, Float[B, T]. */
  readonly logpRef: JaxArray
  /** 1 for tokens of the response, the end token included; 0 for prompt and padding. Float[B, T]. */
  readonly mask: JaxArray
}

/** KL to the reference per response [nats]: the *sum* over its tokens, Float[B]. Consumes all. */
export function sequenceKl(
  { logp, logpRef, mask }: TokenLogps,
  options: { readonly estimator?: KlEstimator } = {},
): JaxArray {
  requireShapes('sequenceKl', { logp: [logp, 'BT'], logpRef: [logpRef, 'BT'], mask: [mask, 'BT'] })
  return np.sum(klEstimates(keptPair(logp, logpRef, mask), options), -1)
}

export interface KlRewardOptions {
  /** @default 0.05 */
  readonly beta?: number
  /** @default 'k1' */
  readonly estimator?: KlEstimator
}

/**
 * Rewards per token of PPO with the KL in the reward: -beta * KL at every token of the response, and the score of the
 * response on its last one, Float[B, T]; 0 outside of the mask. A constant of the gradient. A score of a response
 * without tokens is lost. Consumes all.
 */
export function klRewards(
  { scores, logp, logpRef, mask }: TokenLogps & { /** Float[B]. */ readonly scores: JaxArray },
  { beta = 0.05, estimator = 'k1' }: KlRewardOptions = {},
): JaxArray {
  requireShapes('klRewards', {
    logp: [logp, 'BT'],
    logpRef: [logpRef, 'BT'],
    mask: [mask, 'BT'],
    scores: [scores, 'B'],
  })
  const penalty = klEstimates(keptPair(logp, logpRef, mask.ref), { estimator }).mul(-beta)
  return lax.stopGradient(penalty.add(lastTokens(mask).mul(np.expandDims(scores, 1))))
}

/** Both log-probabilities, 0 outside of the mask, where the KL is then 0. Consumes all. */
export function keptPair(logp: JaxArray, logpRef: JaxArray, mask: JaxArray) {
  return { logp: kept(logp, mask.ref), logpRef: kept(logpRef, mask) }
}

/** 1 at the last token of each row that counts, Float[B, T]. Consumes the mask. */
function lastTokens(mask: JaxArray): JaxArray {
  const left = np.flip(np.cumsum(np.flip(mask.ref, 1), 1), 1) // tokens from here to the end
  return mask.mul(np.where(np.less(left, 1.5), 1, 0))
}
