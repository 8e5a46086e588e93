import { type Array as JaxArray, lax, numpy as np } from '@jax-js/jax'
import { kept, meanOf } from './averages.ts'
import { type ClipOptions, clippedSurrogate, logRatios } from './clipped-surrogate.ts'
import { requireShapes } from './shapes.ts'

export interface PolicyLossInputs {
  /** Log-probabilities of the sampled tokens (or actions) under the policy, Float[B, T] [nats]. */
  readonly logp: JaxArray
  /** The same as they were when sampled: not computed anew after an update. Float[B, T]. */
  readonly logpOld: JaxArray
  /** Float[B, T]. */
  readonly advantages: JaxArray
  /** Float[B, T]. */
  readonly mask: JaxArray
}

/** PPO's policy loss, the mean over all tokens, and the share of them that is clipped. Consumes all. */
export function ppoPolicyLoss(
  { logp, logpOld, advantages, mask }: PolicyLossInputs,
  options: ClipOptions = {},
): { readonly loss: JaxArray; readonly clipFraction: JaxArray } {
  requireShapes('ppoPolicyLoss', {
    logp: [logp, 'BT'],
    logpOld: [logpOld, 'BT'],
    advantages: [advantages, 'BT'],
    mask: [mask, 'BT'],
  })
  const logRatio = logRatios(logp, logpOld, mask.ref)
  const { losses, clipped } = clippedSurrogate({ logRatio, advantages }, options)
  return { loss: meanOf(losses, mask.ref), clipFraction: meanOf(clipped, mask) }
}

export interface ValueLossInputs {
  /** Float[B, T]. */
  readonly values: JaxArray
  /** As they were when sampled, Float[B, T]. */
  readonly valuesOld: JaxArray
  /** Float[B, T], a constant of the gradient. */
  readonly returns: JaxArray
  /** Float[B, T]. */
  readonly mask: JaxArray
}

/**
 * PPO's clipped value loss: half the mean over tokens of max((V - R)^2, (V_old + clip(V - V_old, -eps, eps) - R)^2).
 * `clip` Infinity gives the plain squared error. Consumes all.
 */
export function ppoValueLoss(
  { values, valuesOld, returns, mask }: ValueLossInputs,
  { clip = 0.2 }: { /** @default 0.2 */ readonly clip?: number } = {},
): JaxArray {
  requireShapes('ppoValueLoss', {
    values: [values, 'BT'],
    valuesOld: [valuesOld, 'BT'],
    returns: [returns, 'BT'],
    mask: [mask, 'BT'],
  })
  const inside = (array: JaxArray) => kept(array, mask.ref)
  const [value, target] = [inside(values), inside(lax.stopGradient(returns))]
  const old = inside(lax.stopGradient(valuesOld))
  const near = np.clip(value.ref.sub(old.ref), -clip, clip).add(old)
  const errors = np.maximum(np.square(value.sub(target.ref)), np.square(near.sub(target)))
  return meanOf(errors, mask).mul(0.5)
}

export interface PpoOptions extends ClipOptions {
  /** Of the values. @default 0.2 */
  readonly valueClip?: number
  /** Weight of the value loss. @default 0.1 */
  readonly valueWeight?: number
  /** Weight of the entropy bonus. @default 0 */
  readonly entropyWeight?: number
}

/**
 * PPO: policy loss + `valueWeight` * value loss - `entropyWeight` * mean entropy. Defaults are TRL's. Metrics are
 * scalars: `policy`, `value`, `entropy` (when given) and `clipFraction`. Consumes all.
 */
export function ppoLoss(
  inputs: PolicyLossInputs &
    ValueLossInputs & { /** Per token, Float[B, T]. */ readonly entropies?: JaxArray },
  { valueClip = 0.2, valueWeight = 0.1, entropyWeight = 0, ...clip }: PpoOptions = {},
): { readonly loss: JaxArray; readonly metrics: Readonly<Record<string, JaxArray>> } {
  const { logp, logpOld, advantages, values, valuesOld, returns, entropies, mask } = inputs
  requireShapes('ppoLoss', { mask: [mask, 'BT'], entropies: [entropies, 'BT'] })
  const { loss: policy, clipFraction } = ppoPolicyLoss({ logp, logpOld, advantages, mask: mask.ref }, clip)
  const value = ppoValueLoss({ values, valuesOld, returns, mask: mask.ref }, { clip: valueClip })
  const loss = policy.ref.add(value.ref.mul(valueWeight))
  const metrics = { policy, value, clipFraction }
  if (entropies === undefined) {
    mask.dispose()
    return { loss, metrics }
  }
  const entropy = meanOf(entropies, mask)
  return { loss: loss.sub(entropy.ref.mul(entropyWeight)), metrics: { ...metrics, entropy } }
}
