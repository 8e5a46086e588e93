import { type Array as JaxArray, numpy as np } from '@jax-js/jax'
import type { Rng } from '../core/index.ts'
import type { Tensor } from '../tensor/tree.ts'
import { paddingMask } from './attention.ts'
import { standardise } from './derivative.ts'
import { noiseSchedule, type Prediction, type ScheduleName } from './diffusion.ts'
import { filled, normal } from './initial.ts'
import {
  embedding,
  type FeedForward,
  feedForward,
  initialFeedForward,
  initialLinear,
  type Linear,
  linear,
  maskedMean,
  sinusoids,
} from './layers.ts'
import {
  type Hooks,
  initialTransformer,
  type Modulation,
  type Transformer,
  type TransformerConfig,
  transformer,
} from './transformer.ts'
import { type ImageConfig, imagesOf, patchesOf, patchShape, withNeighbours } from './visual-connector.ts'

/** Predicts what noise hides in small images, given a text; stored with its checkpoints. */
export interface DenoiserConfig extends TransformerConfig {
  /** With `reach`, patches are read, and painted, together with those around them. */
  readonly image: ImageConfig
  /** The encoder of the texts; it does not see the image. */
  readonly text: TransformerConfig & {
    readonly vocabulary: number
    /** Tokens of a text. */
    readonly context: number
    /**
     * Tokens that end a phrase, such as that of a comma. Each word is then read together with the sum of its phrase's
     * words, so that what belongs together is known from the first step on. @default none
     */
    readonly separators?: readonly number[]
  }
  readonly schedule: ScheduleName
  /** T, the times of the schedule. */
  readonly steps: number
  /**
   * Of each head: how much less, per patch of distance, a patch attends to others (as ALiBi, arXiv 2108.12409, in two
   * dims), so that some heads look at the neighbourhood from the first step on. @default 0 of all
   */
  readonly locality?: readonly number[]
  /** What the network says: v, or the clean image x_0. @default 'velocity' */
  readonly prediction?: Prediction
}

/**
 * A transformer over the image's patches, which attend to each other and to the states of a text encoder at once. Time
 * and text as a whole shift, scale and gate every block: one small network makes the six vectors for all blocks, each
 * of which adds a table of its own (as in PixArt-alpha, arXiv 2310.00426, section 2.3).
 */
export type Denoiser<Leaf> = {
  readonly text: {
    /** [vocabulary, text width] */
    readonly embedding: Leaf
    /** [context, text width] */
    readonly positions: Leaf
    readonly transformer: Transformer<Leaf>
    /** To the keys and values of all blocks. */
    readonly memory: Linear<Leaf>
    /** [text width]: in the place of each state of a text that is hidden, for guidance. */
    readonly none: Leaf
    readonly whole: Linear<Leaf>
  }
  readonly patch: Linear<Leaf>
  /** [patches, width] */
  readonly positions: Leaf
  readonly condition: FeedForward<Leaf>
  /** From the condition to six vectors. */
  readonly modulation: Linear<Leaf>
  /** [depth, 6, width] */
  readonly tables: Leaf
  readonly transformer: Transformer<Leaf>
  readonly output: Linear<Leaf>
}

export function initialDenoiser(rng: Rng, config: DenoiserConfig): Denoiser<Tensor> {
  const { width, depth, text } = config
  const { width: patchWidth } = patchShape(config.image)
  const seen = (2 * (config.image.reach ?? 0) + 1) ** 2
  return {
    text: {
      embedding: normal(rng, [text.vocabulary, text.width], 0.5),
      positions: normal(rng, [text.context, text.width], 0.1),
      transformer: initialTransformer(rng, text),
      memory: initialLinear(rng, text.width, 2 * depth * width),
      none: normal(rng, [text.width], 0.02),
      whole: initialLinear(rng, text.width, width),
    },
    patch: initialLinear(rng, patchWidth * seen, width),
    positions: gridPositions(config.image, width),
    condition: initialFeedForward(rng, width, 2 * width),
    modulation: initialLinear(rng, width, 6 * width, { gain: 0.1 }),
    tables: initialTables(depth, width),
    transformer: initialTransformer(rng, config),
    output: initialLinear(rng, width * seen, patchWidth, { gain: 0.1 }),
  }
}

/** Sines and cosines of a patch's row and column: near patches begin alike. [count, width] */
function gridPositions({ size, patch }: ImageConfig, width: number): Tensor {
  const side = size / patch
  const positions = filled([side * side, width], 0)
  const data = positions.data as Float32Array
  const frequencies = Math.floor(width / 4)
  for (let place = 0; place < side * side; place++)
    for (const [half, at] of [Math.floor(place / side), place % side].entries())
      for (let i = 0; i < frequencies; i++) {
        const angle =
          (at + 0.5) * (Math.PI / side) * 2 ** ((i * Math.log2(side)) / Math.max(1, frequencies - 1))
        const first = place * width + half * 2 * frequencies
        data[first + i] = Math.sin(angle)
        data[first + frequencies + i] = Math.cos(angle)
      }
  return positions
}

/** Shifts and scales of 0, gates of 1: without a condition a plain transformer. */
function initialTables(depth: number, width: number): Tensor {
  const tables = filled([depth, 6, width], 0)
  const data = tables.data as Float32Array
  for (let layer = 0; layer < depth; layer++)
    for (const gate of [2, 5]) data.fill(1, (layer * 6 + gate) * width, (layer * 6 + gate + 1) * width)
  return tables
}

export interface DenoiserInputs {
  /** Noisy images Float[B, size, size, channels], x_t. */
  readonly images: JaxArray
  /** Float[B]: t, from 0 to steps - 1. */
  readonly times: JaxArray
  /** Int[B, context] */
  readonly tokens: JaxArray
  /** Float[B, context]: 1 where there is a token. */
  readonly mask: JaxArray
  /** Float[B]: 1 where the text is hidden. @default all seen */
  readonly dropped?: JaxArray | undefined
}

/** What hides in noisy images, v or x_0 by `prediction`: Float[B, size, size, channels]. Consumes the inputs. */
export function denoiser(
  parameters: Denoiser<JaxArray>,
  config: DenoiserConfig,
  { images, times, tokens, mask, dropped }: DenoiserInputs,
  hooks?: Hooks,
): JaxArray {
  const { width, depth, heads, steps } = config
  const [batch, length] = tokens.shape as [number, number]
  const { states, present } = textStates(parameters.text, config, tokens, mask, dropped)
  const whole = linear(parameters.text.whole, maskedMean(states.ref, present))
  const condition = feedForward(
    parameters.condition,
    whole.add(sinusoids(times.ref.mul(1000 / steps), width)),
  )
  const six = linear(parameters.modulation, standardise(condition)).reshape([batch, 1, 6, width])
  const memories = np
    .split(
      linear(parameters.text.memory, states).reshape([batch, length, 2 * depth, heads, width / heads]),
      2 * depth,
      2,
    )
    .map((part) => np.transpose(part.reshape([batch, length, heads, width / heads]), [0, 2, 1, 3]))
  // the best linear guess of x_0: what is nearly all noise does not drown out the position
  const guess = config.prediction === 'x0' ? images.mul(scheduleAt(config, times.ref, Math.sqrt)) : images
  times.dispose()
  const near = withNeighbours(patchesOf(guess, config.image), config.image, 0)
  const patches = linear(parameters.patch, near).add(parameters.positions.ref)
  const count = patches.shape[1]!
  const padding = paddingMask(np.concatenate([present, np.ones([batch, count])], 1))
  const seen = config.locality === undefined ? padding : padding.add(distancePenalty(config, length))
  const painted = transformer(parameters.transformer, config, patches, {
    memories: ({ key, value }, layer) => [
      {
        key: np.concatenate([memories[2 * layer]!, key], 2),
        value: np.concatenate([memories[2 * layer + 1]!, value], 2),
        mask: seen.ref,
      },
    ],
    modulation: (layer) => modulations(six.ref, parameters.tables.ref.slice([layer, layer + 1])),
    hooks,
  })
  for (const array of [six, seen]) array.dispose()
  return imagesOf(linear(parameters.output, withNeighbours(painted, config.image, 0)), config.image)
}

/** Added to the scores of patches for `length` words and all patches: Float[1, heads, patches, length + patches]. */
function distancePenalty({ image, heads, locality = [] }: DenoiserConfig, length: number): JaxArray {
  const side = image.size / image.patch
  const count = side * side
  const penalty = new Float32Array(heads * count * (length + count))
  for (let head = 0; head < heads; head++)
    for (let from = 0; from < count; from++)
      for (let to = 0; to < count; to++) {
        const [down, across] = [Math.floor(from / side) - Math.floor(to / side), (from % side) - (to % side)]
        penalty[(head * count + from) * (length + count) + length + to] =
          -(locality[head] ?? 0) * Math.hypot(down, across)
      }
  return np.array(penalty).reshape([1, heads, count, length + count])
}

/** States Float[B, T, text width] of a text and where there are any, Float[B, T]. Consumes the arrays. */
function textStates(
  parameters: Denoiser<JaxArray>['text'],
  { text }: DenoiserConfig,
  tokens: JaxArray,
  mask: JaxArray,
  dropped: JaxArray | undefined,
): { readonly states: JaxArray; readonly present: JaxArray } {
  const [batch, length] = tokens.shape as [number, number]
  const words = embedding(parameters.embedding, tokens.ref)
  const inPhrases = text.separators?.length
    ? words.ref.add(phraseSums(words, tokens, mask.ref, text.separators))
    : words
  if (!text.separators?.length) tokens.dispose()
  const placed = inPhrases.add(parameters.positions.ref.slice([0, length]))
  const states = transformer(parameters.transformer, text, placed, { mask: paddingMask(mask.ref) })
  if (dropped === undefined) return { states, present: mask }
  const gone = dropped.greater(0.5).reshape([batch, 1])
  return {
    states: np.where(gone.ref.reshape([batch, 1, 1]), parameters.none.ref, states),
    present: np.where(gone, 1, mask), // a hidden text hides its length
  }
}

/** Of each word the sum over its phrase's, by the root of their number: Float[B, T, width]. Consumes the arrays. */
function phraseSums(
  words: JaxArray,
  tokens: JaxArray,
  mask: JaxArray,
  separators: readonly number[],
): JaxArray {
  const [batch, length] = mask.shape as [number, number]
  const ends = separators
    .map((separator) => np.equal(tokens.ref, separator).astype(np.float32))
    .reduce((a, b) => a.add(b))
  tokens.dispose()
  const upToHere = Float32Array.from(
    { length: length * length },
    (_, i) => +(Math.floor(i / length) <= i % length),
  )
  const phrase = np.matmul(ends, np.array(upToHere, { shape: [length, length] }))
  const together = np
    .equal(phrase.ref.reshape([batch, length, 1]), phrase.reshape([batch, 1, length]))
    .astype(np.float32)
    .mul(mask.reshape([batch, 1, length]))
  const root = np.sqrt(np.maximum(np.sum(together.ref, 2, { keepdims: true }), 1))
  return np.matmul(together, words).div(root)
}

/** Of both branches of a block, from six vectors Float[B, 1, 6, width] and the block's table [1, 6, width]. Consumes both. */
function modulations(six: JaxArray, table: JaxArray): { attention: Modulation; feedForward: Modulation } {
  const [batch, , , width] = six.shape as [number, number, number, number]
  const vectors = np.split(six.add(table.reshape([1, 1, 6, width])), 6, 2)
  const modulation = (first: number): Modulation => {
    const [shift, scale, gate] = vectors
      .slice(first, first + 3)
      .map((part) => part.reshape([batch, 1, width]))
    return { shift: shift!, scale: scale!, gate: gate! }
  }
  return { attention: modulation(0), feedForward: modulation(3) }
}

/** A function of abar at times Float[B], as Float[B, 1, 1, 1]. Consumes `times`. */
export function scheduleAt(
  { schedule, steps }: DenoiserConfig,
  times: JaxArray,
  of: (abar: number) => number,
): JaxArray {
  const table = np.array(Float32Array.from(noiseSchedule(schedule, steps).abar, of))
  return np.take(table, times.astype(np.int32), 0).reshape([times.shape[0]!, 1, 1, 1])
}

export interface DenoiserBatch extends Omit<DenoiserInputs, 'images'> {
  /** Clean images Float[B, size, size, channels] in [-1, 1], x_0. */
  readonly images: JaxArray
  /** Standard normal, of the same shape. */
  readonly noise: JaxArray
}

export interface DenoiserLossOptions {
  /**
   * The weight of an error in v, which at the signal-to-noise ratio s is s + 1 times that in x_0, is cut off where
   * s + 1 exceeds this (as min-SNR, arXiv 2303.09556, does for eps): nearly clean images teach little. @default none
   */
  readonly mostWeight?: number
}

/** Mean squared error of v at the times given, whatever the network predicts. Consumes the batch. */
export function denoiserLoss(
  parameters: Denoiser<JaxArray>,
  config: DenoiserConfig,
  { images, noise, ...inputs }: DenoiserBatch,
  { mostWeight = Number.POSITIVE_INFINITY }: DenoiserLossOptions = {},
): JaxArray {
  const atTimes = (of: (abar: number) => number) => scheduleAt(config, inputs.times.ref, of)
  const signal = atTimes(Math.sqrt)
  const deviation = atTimes((value) => Math.sqrt(1 - value))
  const isVelocity = config.prediction !== 'x0'
  // s + 1 = 1 / (1 - abar)
  const weight = atTimes((value) =>
    isVelocity ? Math.min(1, mostWeight * (1 - value)) : Math.min(1 / (1 - value), mostWeight),
  )
  const noisy = images.ref.mul(signal.ref).add(noise.ref.mul(deviation.ref))
  const target = isVelocity ? noise.mul(signal).sub(images.mul(deviation)) : images
  if (!isVelocity) for (const unused of [noise, signal, deviation]) unused.dispose()
  const error = denoiser(parameters, config, { images: noisy, ...inputs }).sub(target)
  return np.mean(np.square(error).mul(weight))
}
