import { type Array as JaxArray, lax, nn, numpy as np } from '@jax-js/jax'

/**
 * Log-probability of each target under the logits: Float[..., V] and Int[...] to Float[...] [nats]. With label
 * smoothing e, the target has weight 1 - e + e / V and every other class e / V. Its derivative is written out, so the
 * backward pass is one sweep over the logits; second derivatives are lost. Consumes both.
 */
export function targetLogp(logits: JaxArray, targets: JaxArray, { labelSmoothing = 0 } = {}): JaxArray {
  const classes = logits.shape.at(-1)!
  const fixed = lax.stopGradient(logits.ref)
  const change = logits.sub(fixed.ref) // zero, with derivative 1
  const shifted = fixed.ref.sub(np.max(fixed, -1, { keepdims: true }))
  const exponentials = np.exp(shifted.ref)
  const total = np.sum(exponentials.ref, -1, { keepdims: true })
  const hot = nn.oneHot(targets, classes)
  const target = labelSmoothing === 0 ? hot : hot.mul(1 - labelSmoothing).add(labelSmoothing / classes)
  const value = np.sum(target.ref.mul(shifted), -1).sub(np.log(total.ref).reshape(change.shape.slice(0, -1)))
  const slope = target.sub(exponentials.div(total))
  return value.add(np.sum(slope.mul(change), -1))
}

/** Mean of Float[...] over the elements where `mask` (same shape) is 1; 0 when there are none. Consumes both. */
export function maskedAverage(values: JaxArray, mask: JaxArray): JaxArray {
  return np.sum(values.mul(mask.ref)).div(np.maximum(np.sum(mask), 1))
}

/** Mean negative log-probability of the targets [nats per target], over those where `mask` is 1. Consumes all. */
export function crossEntropy(
  logits: JaxArray,
  targets: JaxArray,
  { mask, labelSmoothing = 0 }: { readonly mask?: JaxArray; readonly labelSmoothing?: number } = {},
): JaxArray {
  const logp = targetLogp(logits, targets, { labelSmoothing })
  return np.negative(mask === undefined ? np.mean(logp) : maskedAverage(logp, mask))
}
