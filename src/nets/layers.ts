import { type Array as JaxArray, numpy as np } from '@jax-js/jax'
import type { Rng } from '../core/index.ts'
import type { Tensor } from '../tensor/tree.ts'
import { gelu, standardise } from './derivative.ts'
import { filled, normal } from './initial.ts'

// Each layer is a type of parameter tree (`Leaf` is a `Tensor` outside, a jax array inside a traced function), a
// function that makes its first parameters, and a pure function that applies it. Throughout `nets`, a traced function
// borrows its parameters and consumes its other arrays.

/** x W + b; with `lora`, x (W + scale * down up) + b. */
export type Linear<Leaf> = {
  /** [inputs, outputs] */
  readonly weight: Leaf
  /** [outputs] */
  readonly bias?: Leaf
  /** A change of low rank: `down` [inputs, rank], `up` [rank, outputs], `scale` [] (see `addedLora`). */
  readonly lora?: { readonly down: Leaf; readonly up: Leaf; readonly scale: Leaf }
}

/** Weights of deviation `gain / sqrt(inputs)`, biases of 0. */
export function initialLinear(
  rng: Rng,
  inputs: number,
  outputs: number,
  { gain = 1, bias = true }: { readonly gain?: number; readonly bias?: boolean } = {},
): Linear<Tensor> {
  const weight = normal(rng, [inputs, outputs], gain / Math.sqrt(inputs))
  return bias ? { weight, bias: filled([outputs], 0) } : { weight }
}

/** Float[..., inputs] to Float[..., outputs]. Consumes `x`. */
export function linear({ weight, bias, lora }: Linear<JaxArray>, x: JaxArray): JaxArray {
  const straight = np.matmul(lora === undefined ? x : x.ref, weight.ref)
  const changed =
    lora === undefined
      ? straight
      : straight.add(np.matmul(np.matmul(x, lora.down.ref), lora.up.ref).mul(lora.scale.ref))
  return bias === undefined ? changed : changed.add(bias.ref)
}

export type Norm<Leaf> = { readonly gain: Leaf; readonly bias: Leaf }

export function initialNorm(width: number): Norm<Tensor> {
  return { gain: filled([width], 1), bias: filled([width], 0) }
}

/** Layer norm over the last dim. Consumes `x`. */
export function layerNorm({ gain, bias }: Norm<JaxArray>, x: JaxArray): JaxArray {
  return standardise(x).mul(gain.ref).add(bias.ref)
}

/** Two linear layers with a GELU between. */
export type FeedForward<Leaf> = { readonly up: Linear<Leaf>; readonly down: Linear<Leaf> }

/** `gain` scales the last layer, so that a deep residual stream starts near the identity. */
export function initialFeedForward(rng: Rng, width: number, hidden: number, gain = 1): FeedForward<Tensor> {
  return { up: initialLinear(rng, width, hidden), down: initialLinear(rng, hidden, width, { gain }) }
}

/** Float[..., width] to Float[..., width]. Consumes `x`. */
export function feedForward({ up, down }: FeedForward<JaxArray>, x: JaxArray): JaxArray {
  return linear(down, gelu(linear(up, x)))
}

/** Rows of `table` [count, width] for Int[...] in [0, count). Consumes `indices`. */
export function embedding(table: JaxArray, indices: JaxArray): JaxArray {
  return np.take(table.ref, indices, 0)
}

/**
 * Inverted dropout with the randomness given: an element whose `noise` (uniform in [0, 1), same shape) is below
 * `rate` becomes 0, the others grow by 1 / (1 - rate). Consumes both.
 */
export function dropout(x: JaxArray, noise: JaxArray, rate: number): JaxArray {
  return x.mul(np.where(np.less(noise, rate), 0, 1 / (1 - rate)))
}

/** Divided by its length over the last dim. Consumes `x`. */
export function unitLength(x: JaxArray): JaxArray {
  const length = np.sqrt(np.sum(np.square(x.ref), -1, { keepdims: true }).add(1e-12))
  return x.div(length)
}

/** Mean over dim 1 of Float[B, T, width] where `mask` Float[B, T] is 1. Borrows `mask`, consumes `x`. */
export function maskedMean(x: JaxArray, mask: JaxArray): JaxArray {
  const [batch, length] = mask.shape as [number, number]
  const total = np.sum(x.mul(mask.ref.reshape([batch, length, 1])), 1)
  return total.div(np.maximum(np.sum(mask.ref, 1, { keepdims: true }), 1))
}

/** sin and cos of a number at `width / 2` frequencies from 1 down to 1 / 10000: Float[B] to Float[B, width]. */
export function sinusoids(x: JaxArray, width: number): JaxArray {
  const half = width / 2
  const frequencies = np.array(
    Float32Array.from({ length: half }, (_, i) => Math.exp((-i * Math.log(10_000)) / Math.max(1, half - 1))),
  )
  const angles = x.reshape([x.shape[0]!, 1]).mul(frequencies)
  return np.concatenate([np.sin(angles.ref), np.cos(angles)], 1)
}
