import { type Array as JaxArray, numpy as np } from '@jax-js/jax'
import { GuerdonError, type Rng } from '../core/index.ts'
import type { Tensor } from '../tensor/tree.ts'
import { attend, type Memory } from './attention.ts'
import { standardise } from './derivative.ts'
import {
  type FeedForward,
  feedForward,
  initialFeedForward,
  initialLinear,
  initialNorm,
  type Linear,
  layerNorm,
  linear,
  type Norm,
} from './layers.ts'

export interface TransformerConfig {
  /** Numbers per token. */
  readonly width: number
  /** Blocks. */
  readonly depth: number
  /** Attention heads; they divide the width. */
  readonly heads: number
  /** Width of the feed-forward layers. @default 4 * width */
  readonly hidden?: number
}

/** One pre-norm block: attention, then feed-forward, each added to the stream. */
export type Block<Leaf> = {
  readonly attentionNorm: Norm<Leaf>
  readonly attention: { readonly input: Linear<Leaf>; readonly output: Linear<Leaf> }
  readonly feedForwardNorm: Norm<Leaf>
  readonly feedForward: FeedForward<Leaf>
}

export type Transformer<Leaf> = { readonly blocks: readonly Block<Leaf>[]; readonly norm: Norm<Leaf> }

export function initialTransformer(rng: Rng, config: TransformerConfig): Transformer<Tensor> {
  const { width, depth, heads, hidden = 4 * width } = config
  if (width % heads !== 0)
    throw new GuerdonError('bad-config', `${heads} heads do not divide a width of ${width}.`)
  const gain = 1 / Math.sqrt(2 * Math.max(1, depth)) // what 2 * depth branches add stays of the size of one
  return {
    blocks: Array.from({ length: depth }, () => ({
      attentionNorm: initialNorm(width),
      attention: {
        input: initialLinear(rng, width, 3 * width),
        output: initialLinear(rng, width, width, { gain }),
      },
      feedForwardNorm: initialNorm(width),
      feedForward: initialFeedForward(rng, width, hidden, gain),
    })),
    norm: initialNorm(width),
  }
}

/**
 * Looks into a network, or changes what it computes; absent, it costs nothing. To read out what a hook sees, return
 * it from the traced function (through `hasAux` when inside `grad`).
 */
export interface Hooks {
  /** Hidden states Float[B, T, width] that leave block `layer` (a prefix's come first); what it returns goes on. Consumes them. */
  readonly hidden?: (hidden: JaxArray, layer: number) => JaxArray
  /** Attention maps Float[B, heads, T, S] of block `layer`; what it returns is used. Consumes them. */
  readonly attention?: (map: JaxArray, layer: number) => JaxArray
}

/** Keys and values of one block. */
export interface KeyValue {
  readonly key: JaxArray
  readonly value: JaxArray
}

export interface TransformerOptions {
  /** Added to attention scores, broadcast to [B, heads, T, T]. */
  readonly mask?: JaxArray | undefined
  /**
   * What block `layer` attends to, given the keys and values [B, heads, T, d] of the tokens given. By default those,
   * under `mask`.
   */
  readonly memories?: (own: KeyValue, layer: number) => readonly Memory[]
  /** Called with the keys and values of each block [B, heads, T, d]: to fill a cache. */
  readonly onKeyValue?: (own: KeyValue, layer: number) => void
  /** Shift, scale and gate of both branches of block `layer`, each Float[B, 1, width] (adaptive layer norm). */
  readonly modulation?: (layer: number) => {
    readonly attention: Modulation
    readonly feedForward: Modulation
  }
  readonly hooks?: Hooks | undefined
}

export interface Modulation {
  readonly shift: JaxArray
  readonly scale: JaxArray
  readonly gate: JaxArray
}

/** Float[B, T, width] to the same, with a last layer norm. Consumes `x` and `mask`. */
export function transformer(
  { blocks, norm }: Transformer<JaxArray>,
  { width, heads }: TransformerConfig,
  x: JaxArray,
  options: TransformerOptions = {},
): JaxArray {
  const { mask, memories, onKeyValue, modulation, hooks = {} } = options
  const [batch, length] = x.shape as [number, number]
  const perHead = width / heads
  let stream = x
  blocks.forEach((block, layer) => {
    const { attention: a, feedForward: f } = modulation?.(layer) ?? {}
    const inputs = linear(block.attention.input, modulated(block.attentionNorm, stream.ref, a))
    const [query, key, value] = np
      .split(inputs.reshape([batch, length, 3, heads, perHead]), 3, 2)
      .map((part) => np.transpose(part.reshape([batch, length, heads, perHead]), [0, 2, 1, 3])) as [
      JaxArray,
      JaxArray,
      JaxArray,
    ]
    onKeyValue?.({ key: key.ref, value: value.ref }, layer)
    const seen = memories?.({ key, value }, layer) ?? [{ key, value, mask: mask?.ref }]
    const onMap = hooks.attention
    const mixed = attend(query, seen, onMap && ((map) => onMap(map, layer)))
    const joined = np.transpose(mixed, [0, 2, 1, 3]).reshape([batch, length, width])
    stream = stream.add(gated(linear(block.attention.output, joined), a))
    const fed = feedForward(block.feedForward, modulated(block.feedForwardNorm, stream.ref, f))
    stream = stream.add(gated(fed, f))
    if (hooks.hidden !== undefined) stream = hooks.hidden(stream, layer)
  })
  mask?.dispose()
  return layerNorm(norm, stream)
}

function modulated(norm: Norm<JaxArray>, x: JaxArray, modulation: Modulation | undefined): JaxArray {
  if (modulation === undefined) return layerNorm(norm, x)
  const { gain, bias } = norm
  const scale = gain.ref.mul(modulation.scale.add(1))
  return standardise(x).mul(scale).add(bias.ref.add(modulation.shift))
}

function gated(x: JaxArray, modulation: Modulation | undefined): JaxArray {
  return modulation === undefined ? x : x.mul(modulation.gate)
}
