import { type Array as JaxArray, numpy as np } from '@jax-js/jax'
import { aggregated, meanOf, type TokenAggregation } from './averages.ts'
import { type ClipOptions, clippedSurrogate, logRatios } from './clipped-surrogate.ts'
import { keptPair, klEstimates } from './reference-kl.ts'
import { requireOption, requireShapes } from './shapes.ts'

export interface GrpoInputs {
  /** Log-probabilities of the sampled tokens under the policy, Float[B, T] [nats]. */
  readonly logp: JaxArray
  /** The same as they were when sampled, Float[B, T]. */
  readonly logpOld: JaxArray
  /** The same under the frozen reference, Float[B, T]; needed when `beta` is not 0. */
  readonly logpRef?: JaxArray
  /** One per response, from `groupedAdvantages`, Float[B]. */
  readonly advantages: JaxArray
  /** 1 for tokens of the response, Float[B, T]; all 0 for a response left out (truncated, unscored). */
  readonly mask: JaxArray
}

export interface GrpoOptions extends ClipOptions {
  /** Weight of the KL to the reference (`k3`, in the loss). @default 0 */
  readonly beta?: number
  /**
   * The ratio of each token, or of its sequence: exp of the masked mean of logp - logpOld (GSPO), which stays near 1, so
   * that clipping is of the order 3e-4. @default 'token'
   */
  readonly ratio?: 'token' | 'sequence'
  /** @default 'sequence' */
  readonly over?: TokenAggregation
  /** Longest response allowed [tokens], for `over: 'constant'`. */
  readonly length?: number
}

/**
 * Group relative policy optimisation (arXiv 2402.03300) and its relatives, which are options: `grpoVariants`. Per token
 * -min(c A, clip(c) A) + beta k3, brought to a scalar by `over`. Metrics are scalars: `clipFraction`, and `kl` (k3,
 * the mean over tokens) when `logpRef` is given. Consumes all.
 */
export function grpoLoss(
  { logp, logpOld, logpRef, advantages, mask }: GrpoInputs,
  { beta = 0, ratio = 'token', over = 'sequence', length, ...clip }: GrpoOptions = {},
): { readonly loss: JaxArray; readonly metrics: Readonly<Record<string, JaxArray>> } {
  requireShapes('grpoLoss', {
    logp: [logp, 'BT'],
    logpOld: [logpOld, 'BT'],
    logpRef: [logpRef, 'BT'],
    advantages: [advantages, 'B'],
    mask: [mask, 'BT'],
  })
  requireOption('grpoLoss', beta === 0 || logpRef !== undefined, 'a `beta` other than 0 needs `logpRef`')
  const { shape } = mask
  const own = logRatios(logp.ref, logpOld, mask.ref)
  const logRatio = ratio === 'token' ? own : np.broadcastTo(sequenceMeans(own, mask.ref), shape)
  const each = np.broadcastTo(np.expandDims(advantages, 1), shape)
  const { losses, clipped } = clippedSurrogate({ logRatio, advantages: each }, clip)
  const clipFraction = meanOf(clipped, mask.ref)
  if (logpRef === undefined) {
    logp.dispose()
    return { loss: aggregated(losses, mask, over, length), metrics: { clipFraction } }
  }
  const kl = klEstimates(keptPair(logp, logpRef, mask.ref))
  const loss = aggregated(losses.add(kl.ref.mul(beta)), mask.ref, over, length)
  return { loss, metrics: { clipFraction, kl: meanOf(kl, mask) } }
}

/** Float[B, T] to Float[B, 1]. Consumes both. */
function sequenceMeans(values: JaxArray, mask: JaxArray): JaxArray {
  const counts = np.maximum(np.sum(mask, -1, { keepdims: true }), 1)
  return np.sum(values, -1, { keepdims: true }).div(counts)
}

/**
 * Published relatives as options of `grpoLoss`. What else they change: Dr. GRPO wants advantages of `scale: 'none'` and
 * its `length`; DAPO refills groups whose rewards are all equal (`isInformative`) and adds `overlongPenalty`.
 * GSPO's clipping is from memory, unverified.
 */
export const grpoVariants = {
  grpo: { beta: 0.04 },
  dapo: { clipLow: 0.2, clipHigh: 0.28, over: 'token' },
  drGrpo: { over: 'constant' },
  gspo: { ratio: 'sequence', clipLow: 3e-4, clipHigh: 3e-4 },
} as const satisfies Record<string, GrpoOptions>
