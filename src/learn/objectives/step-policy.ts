import { type Array as JaxArray, lax, numpy as np } from '@jax-js/jax'
import { kept, meanOf } from './averages.ts'
import { logRatios } from './clipped-surrogate.ts'
import { klEstimates } from './reference-kl.ts'
import { requireShapes } from './shapes.ts'

// Policies that act in steps of several tokens: thoughts, then an action. Credit belongs to the step.

export interface StepPolicyInputs {
  /** Log-probabilities of the tokens of each step's response under the policy, Float[B, T] [nats]. */
  readonly logp: JaxArray
  /** As they were when sampled, Float[B, T]. */
  readonly logpOld: JaxArray
  /** Under the frozen reference, Float[B, T]. @default no KL term */
  readonly logpRef?: JaxArray
  /** 1 for tokens of the response, Float[B, T]; a step without any is left out. */
  readonly mask: JaxArray
  /** One for each step, Float[B]. */
  readonly advantages: JaxArray
  /** 1 for the thought's tokens, Float[B, T]; read by a ratio of the step. */
  readonly thoughts?: JaxArray
}

export interface StepPolicyOptions {
  /**
   * `token`: every token has its own ratio, all share the step's advantage, and a step is the mean over its tokens
   * (VL-DAC). Or one ratio a step, from the log-ratio of its action plus `thoughtWeight` times that of its thought
   * (RL4VLM). @default 'token'
   */
  readonly ratio?: 'token' | { readonly thoughtWeight: number }
  /** @default 0.1 */
  readonly clip?: number
  /** Of the mean over steps of the mean over tokens of k3. @default 0.04 */
  readonly klWeight?: number
  /** A step with a ratio above it has only the clipped term, which has no gradient there. @default 10 */
  readonly ratioLimit?: number
}

/**
 * The policy loss of agents that write several tokens a step: the mean over steps, never over the tokens of all steps
 * together, which long thoughts would rule. Metrics are scalars: `policy`, `kl` (with a reference). Consumes all.
 *
 * @source VL-DAC, arXiv 2508.04280, eq. 3 to 6 and its released code; the ratio of a step: RL4VLM, arXiv 2405.10292
 */
export function stepPolicyLoss(
  { logp, logpOld, logpRef, mask, advantages, thoughts }: StepPolicyInputs,
  { ratio = 'token', clip = 0.1, klWeight = 0.04, ratioLimit = 10 }: StepPolicyOptions = {},
): { readonly loss: JaxArray; readonly metrics: Readonly<Record<string, JaxArray>> } {
  requireShapes('stepPolicyLoss', {
    logp: [logp, 'BT'],
    logpOld: [logpOld, 'BT'],
    logpRef: [logpRef, 'BT'],
    mask: [mask, 'BT'],
    advantages: [advantages, 'B'],
    thoughts: [thoughts, 'BT'],
  })
  const counts = np.sum(mask.ref, -1)
  const steps = np.where(np.greater(counts.ref, 0), 1, 0)
  const tokens = np.maximum(counts, 1)
  const perStep = (values: JaxArray) => np.sum(values, -1).div(tokens.ref)
  const logRatio = logRatios(logp.ref, logpOld, mask.ref)
  let losses: JaxArray
  if (ratio === 'token') {
    thoughts?.dispose()
    const shared = np.expandDims(advantages, 1)
    losses = perStep(kept(surrogate(logRatio, shared, clip, ratioLimit), mask.ref))
  } else {
    const weights = thoughts === undefined ? undefined : thoughts.mul(ratio.thoughtWeight - 1).add(1)
    const weighted = weights === undefined ? logRatio : logRatio.mul(weights)
    const whole = np.sum(weighted, -1, { keepdims: true })
    losses = np.sum(surrogate(whole, np.expandDims(advantages, 1), clip, ratioLimit), -1)
  }
  const policy = meanOf(losses, steps.ref)
  if (logpRef === undefined) {
    for (const unused of [logp, mask, steps, tokens]) unused.dispose()
    return { loss: policy.ref, metrics: { policy } }
  }
  const kl = meanOf(perStep(kept(klEstimates({ logp, logpRef }), mask)), steps)
  tokens.dispose()
  return { loss: policy.ref.add(kl.ref.mul(klWeight)), metrics: { policy, kl } }
}

/** Clipped surrogate losses, Float[B, T] from Float[B, T] and Float[B, 1]; rows beyond the limit have the clipped term alone. */
function surrogate(logRatio: JaxArray, advantages: JaxArray, clip: number, limit: number): JaxArray {
  const fixed = lax.stopGradient(advantages)
  const ratios = np.exp(logRatio)
  const worst = lax.stopGradient(np.max(ratios.ref, -1, { keepdims: true }))
  const free = ratios.ref.mul(fixed.ref)
  const bounded = np.clip(ratios, 1 - clip, 1 + clip).mul(fixed)
  return np.negative(np.where(np.greater(worst, limit), bounded.ref, np.minimum(free, bounded)))
}
