import { type Array as JaxArray, numpy as np } from '@jax-js/jax'
import type { Rng } from '../core/index.ts'
import type { Tensor } from '../tensor/tree.ts'
import { causalMask, paddingMask, segmentMask } from './attention.ts'
import { maskedAverage, targetLogp } from './cross-entropy.ts'
import { normal } from './initial.ts'
import { embedding, initialLinear, type Linear, linear } from './layers.ts'
import {
  type Hooks,
  initialTransformer,
  type Transformer,
  type TransformerConfig,
  type TransformerOptions,
  transformer,
} from './transformer.ts'

/** A language model; stored with its checkpoints. */
export interface DecoderConfig extends TransformerConfig {
  /** Token ids are in [0, vocabulary). */
  readonly vocabulary: number
  /** Longest text [tokens], the prefix not counted. */
  readonly context: number
  /** Whether the tokens of a prefix (an image, a soft prompt) see only those before them or all of the prefix. @default 'full' */
  readonly prefixAttention?: 'full' | 'causal'
  /** How far back a token sees [tokens]; a prefix is always seen. @default all */
  readonly window?: number
  /** Output logits with the transposed embedding instead of a layer of their own. @default false */
  readonly tied?: boolean
}

export type Decoder<Leaf> = {
  /** [vocabulary, width] */
  readonly embedding: Leaf
  /** [context, width] */
  readonly positions: Leaf
  readonly transformer: Transformer<Leaf>
  readonly output?: Linear<Leaf>
}

export function initialDecoder(rng: Rng, config: DecoderConfig): Decoder<Tensor> {
  const { vocabulary, width, context, tied = false } = config
  const trunk = {
    embedding: normal(rng, [vocabulary, width], tied ? 1 / Math.sqrt(width) : 0.02),
    positions: normal(rng, [context, width], 0.02),
    transformer: initialTransformer(rng, config),
  }
  return tied ? trunk : { ...trunk, output: initialLinear(rng, width, vocabulary, { bias: false }) }
}

/** Vectors spliced before the text: an image's tokens, a soft prompt. They carry their own positions. */
export interface Prefix {
  /** Float[B, N, width] */
  readonly tokens: JaxArray
  /** Float[B, N]: 1 where there is a token. @default all ones */
  readonly mask?: JaxArray | undefined
}

export interface DecoderInputs {
  /** Int[B, T] */
  readonly tokens: JaxArray
  /** Float[B, T]: 1 where there is a token. Padding after the text needs none, as nothing looks ahead. @default ones */
  readonly mask?: JaxArray | undefined
  /** Int[B, T]: each token's place in its text. @default 0, 1, 2, ... */
  readonly positions?: JaxArray | undefined
  /**
   * Int[B, T]: several texts in one row, each with a number of its own. A token sees the prefix and its own text;
   * give `positions` that start anew in each. @default one text
   */
  readonly segments?: JaxArray | undefined
  readonly prefix?: Prefix | undefined
}

/**
 * The text with its prefix through the transformer: Float[B, N + T, width]. Consumes the inputs.
 */
export function decoderHidden(
  parameters: Decoder<JaxArray>,
  config: DecoderConfig,
  { tokens, mask, positions, segments, prefix }: DecoderInputs,
  options: Pick<TransformerOptions, 'onKeyValue' | 'hooks'> = {},
): JaxArray {
  const [batch, length] = tokens.shape as [number, number]
  const text = embeddedText(parameters, tokens, positions)
  const before = prefix === undefined ? 0 : prefix.tokens.shape[1]!
  const x = prefix === undefined ? text : np.concatenate([prefix.tokens, text], 1)
  const causal = causalMask(before + length, {
    prefix: before,
    prefixSeesAll: config.prefixAttention !== 'causal',
    window: config.window,
  })
  const present = joinedMask(batch, before, length, prefix?.mask, mask)
  const masks = [
    causal,
    ...(present === undefined ? [] : [paddingMask(present)]),
    ...(segments === undefined ? [] : [segmentMask(segments, before)]),
  ]
  return transformer(parameters.transformer, config, x, {
    ...options,
    mask: masks.reduce((a, b) => a.add(b)),
  })
}

/** Tokens as vectors, with the embedding of their positions. Consumes both. */
export function embeddedText(
  { embedding: table, positions: places }: Decoder<JaxArray>,
  tokens: JaxArray,
  positions?: JaxArray,
): JaxArray {
  const length = tokens.shape[1]!
  const words = embedding(table, tokens)
  return words.add(positions === undefined ? places.ref.slice([0, length]) : embedding(places, positions))
}

function joinedMask(
  batch: number,
  before: number,
  length: number,
  prefixMask: JaxArray | undefined,
  mask: JaxArray | undefined,
): JaxArray | undefined {
  if (prefixMask === undefined && mask === undefined) return undefined
  const text = mask ?? np.ones([batch, length])
  return before === 0 ? text : np.concatenate([prefixMask ?? np.ones([batch, before]), text], 1)
}

/** Hidden states Float[..., width] to logits Float[..., vocabulary]. Consumes `hidden`. */
export function decoderLogits({ embedding: table, output }: Decoder<JaxArray>, hidden: JaxArray): JaxArray {
  return output === undefined ? np.matmul(hidden, np.transpose(table.ref)) : linear(output, hidden)
}

/** Logits of the token that follows each token of the text: Float[B, T, vocabulary]. Consumes the inputs. */
export function decoder(
  parameters: Decoder<JaxArray>,
  config: DecoderConfig,
  inputs: DecoderInputs,
  hooks?: Hooks,
): JaxArray {
  const before = inputs.prefix === undefined ? 0 : inputs.prefix.tokens.shape[1]!
  const length = inputs.tokens.shape[1]!
  const hidden = decoderHidden(parameters, config, inputs, { hooks })
  return decoderLogits(parameters, before === 0 ? hidden : hidden.slice([], [before, before + length]))
}

/**
 * Log-probability of every token of a text but the first, given those before: Float[B, T - 1] [nats]. With a prefix,
 * of every token: Float[B, T], the first given the prefix alone. Consumes the inputs.
 */
export function tokenLogp(
  parameters: Decoder<JaxArray>,
  config: DecoderConfig,
  inputs: DecoderInputs,
  {
    labelSmoothing = 0,
    hooks,
    shift,
  }: {
    readonly labelSmoothing?: number
    readonly hooks?: Hooks
    /** Added to the logits before they are normalised, Float[B, T - 1 (or T), vocabulary]. @default nothing */
    readonly shift?: JaxArray | undefined
  } = {},
): JaxArray {
  const { tokens, prefix } = inputs
  const length = tokens.shape[1]!
  const before = prefix === undefined ? 0 : prefix.tokens.shape[1]!
  const targets = before === 0 ? tokens.ref.slice([], [1, length]) : tokens.ref
  const hidden = decoderHidden(parameters, config, inputs, { hooks })
  const predicting = hidden.slice([], before === 0 ? [0, length - 1] : [before - 1, before + length - 1])
  const logits = decoderLogits(parameters, predicting)
  return targetLogp(shift === undefined ? logits : logits.add(shift), targets, { labelSmoothing })
}

/**
 * Mean cross-entropy of the next token [nats per token] over the targets where `targetMask` is 1. The mask is aligned
 * with the tokens, Float[B, T]: 1 at the tokens to be learnt (without a prefix, the first token is never a target).
 * Consumes all.
 */
export function decoderLoss(
  parameters: Decoder<JaxArray>,
  config: DecoderConfig,
  { targetMask, ...inputs }: DecoderInputs & { readonly targetMask: JaxArray },
  options: { readonly labelSmoothing?: number; readonly hooks?: Hooks } = {},
): JaxArray {
  const length = inputs.tokens.shape[1]!
  const aligned = inputs.prefix === undefined ? targetMask.slice([], [1, length]) : targetMask
  return np.negative(maskedAverage(tokenLogp(parameters, config, inputs, options), aligned))
}

/** Trainable vectors for the place before the text: Float[count, width], splice them with `softPrefix`. */
export function initialSoftPrompt(rng: Rng, config: DecoderConfig, count: number): Tensor {
  return normal(rng, [count, config.width], 0.02)
}

/** The same soft prompt Float[N, width] before each of `batch` texts, or before another prefix. Borrows `prompt`. */
export function softPrefix(prompt: JaxArray, batch: number, then?: Prefix): Prefix {
  const [count, width] = prompt.shape as [number, number]
  const tokens = np.broadcastTo(prompt.ref.reshape([1, count, width]), [batch, count, width])
  if (then === undefined) return { tokens }
  return {
    tokens: np.concatenate([tokens, then.tokens], 1),
    mask: then.mask && np.concatenate([np.ones([batch, count]), then.mask], 1),
  }
}
