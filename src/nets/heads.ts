import { type Array as JaxArray, nn, numpy as np } from '@jax-js/jax'
import type { Rng } from '../core/index.ts'
import { targetLogp } from './cross-entropy.ts'

// What a network's outputs say about actions. Functions of arrays are traced; those of numbers draw outside.

/** Log-probability of actions Int[...] under logits Float[..., A] [nats]. Consumes both. */
export const categoricalLogp = (logits: JaxArray, actions: JaxArray): JaxArray => targetLogp(logits, actions)

/** Entropy of logits Float[..., A] [nats]. Consumes them. */
export function categoricalEntropy(logits: JaxArray): JaxArray {
  const logp = nn.logSoftmax(logits, -1)
  return np.negative(np.sum(np.exp(logp.ref).mul(logp), -1))
}

/** One action for each row of `logits`, `rows * actions` numbers. */
export function sampledActions(rng: Rng, logits: Float32Array, actions: number): Int32Array {
  return Int32Array.from({ length: logits.length / actions }, (_, row) => {
    const own = logits.subarray(row * actions, (row + 1) * actions)
    const top = Math.max(...own)
    const weights = Array.from(own, (value) => Math.exp(value - top))
    let left = rng.uniform() * weights.reduce((a, b) => a + b)
    return Math.max(
      0,
      weights.findIndex((weight) => {
        left -= weight
        return left < 0
      }),
    )
  })
}

/**
 * Log-density of actions Float[..., A] under independent normal distributions with `mean` Float[..., A] and
 * `logDeviation` (broadcast to it), summed over the last dim [nats]. Consumes all.
 */
export function gaussianLogp(mean: JaxArray, logDeviation: JaxArray, actions: JaxArray): JaxArray {
  const standard = actions.sub(mean).mul(np.exp(np.negative(logDeviation.ref)))
  const density = np.square(standard).mul(-0.5).sub(logDeviation)
  return np.sum(density.sub(0.5 * Math.log(2 * Math.PI)), -1)
}

/** Entropy of independent normal distributions, `logDeviation` Float[..., A] summed over the last dim [nats]. Consumes it. */
export function gaussianEntropy(logDeviation: JaxArray): JaxArray {
  return np.sum(logDeviation.add(0.5 * Math.log(2 * Math.PI * Math.E)), -1)
}

/** Draws from normal distributions; `logDeviation` has one number for each of the actions, or one for each mean. */
export function sampledGaussian(rng: Rng, mean: Float32Array, logDeviation: Float32Array): Float32Array {
  return mean.map(
    (value, index) => value + Math.exp(logDeviation[index % logDeviation.length]!) * rng.normal(),
  )
}
