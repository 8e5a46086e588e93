import { type Array as JaxArray, numpy as np } from '@jax-js/jax'
import type { Rng } from '../core/index.ts'
import type { Tensor } from '../tensor/tree.ts'
import { paddingMask } from './attention.ts'
import {
  type Convolutions,
  type ConvolutionsConfig,
  cellsBefore,
  imagesAfter,
  initialConvolutions,
  patchesOfCells,
  patchNumbers,
} from './denoiser-convolutions.ts'
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
import { type ImageConfig, imagesOf, patchesOf, patchShape } from './visual-connector.ts'

/** Predicts what noise hides in small images, given a text; stored with its checkpoints. */
export interface DenoiserConfig extends TransformerConfig {
  /** `reach` means nothing here: `convolutions` see across the borders of patches. */
  readonly image: ImageConfig
  /** Reads and draws the image in cells smaller than the transformer's patches. @default patches are linear layers' */
  readonly convolutions?: ConvolutionsConfig
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
    /**
     * So many phrases, the first of a text, tell each patch by its place what they say of it, before attention: which
     * words speak of which patches is learned much sooner. Needs `separators`. @default 0
     */
    readonly phrases?: number
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
  /**
   * Images are figures on one ground: the network says the ground's colour, a colour for each patch, and how much of
   * that each pixel has. A shape is then learned from figures of all colours on all grounds at once. With
   * `prediction: 'x0'`. @default pixels are drawn as they are
   */
  readonly figures?: boolean
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
  readonly convolutions?: Convolutions<Leaf>
  readonly layout?: Layout<Leaf>
  readonly patch: Linear<Leaf>
  /** [patches, width] */
  readonly positions: Leaf
  readonly condition: FeedForward<Leaf>
  /** From the condition to six vectors. */
  readonly modulation: Linear<Leaf>
  /** [depth, 6, width] */
  readonly tables: Leaf
  readonly transformer: Transformer<Leaf>
  /** Absent where convolutions draw. */
  readonly output?: Linear<Leaf>
  /** With `figures`: colours [width, channels] of the ground, from the mean of all patches, and of a patch's figure. */
  readonly ground?: Linear<Leaf>
  readonly figure?: Linear<Leaf>
}

/** From a phrase and a patch's place to whether one speaks of the other, and what it says. */
type Layout<Leaf> = {
  readonly phrase: FeedForward<Leaf>
  /** [text width, 2 * width]: places meant, and what is said of them. */
  readonly meant: Linear<Leaf>
  readonly place: Linear<Leaf>
  readonly output: Linear<Leaf>
}

export function initialDenoiser(rng: Rng, config: DenoiserConfig): Denoiser<Tensor> {
  const { width, depth, text, image } = config
  const { channels = 3 } = image
  const fine = aroundOf(config)
  const colour = () => initialLinear(rng, width, channels)
  return {
    text: {
      embedding: normal(rng, [text.vocabulary, text.width], 0.5),
      positions: normal(rng, [text.context, text.width], 0.1),
      transformer: initialTransformer(rng, text),
      memory: initialLinear(rng, text.width, 2 * depth * width),
      none: normal(rng, [text.width], 0.02),
      whole: initialLinear(rng, text.width, width),
    },
    ...(fine === undefined ? {} : { convolutions: initialConvolutions(rng, fine) }),
    ...(text.phrases ? { layout: initialLayout(rng, width, text.width) } : {}),
    patch: initialLinear(rng, fine === undefined ? patchShape(image).width : patchNumbers(fine), width),
    positions: gridPositions(image, width),
    condition: initialFeedForward(rng, width, 2 * width),
    modulation: initialLinear(rng, width, 6 * width, { gain: 0.1 }),
    tables: initialTables(depth, width),
    transformer: initialTransformer(rng, config),
    ...(fine === undefined
      ? { output: initialLinear(rng, width, patchShape(drawnImage(config)).width, { gain: 0.1 }) }
      : {}),
    ...(config.figures ? { ground: colour(), figure: colour() } : {}),
  }
}

function aroundOf({ image, width, convolutions, figures }: DenoiserConfig) {
  return convolutions && { image, width, convolutions, ...(figures ? { drawn: 1 } : {}) }
}

/** What the last layers draw: the image, or how much of it is figure. */
function drawnImage({ image, figures }: DenoiserConfig): ImageConfig {
  return figures ? { ...image, channels: 1 } : image
}

function initialLayout(rng: Rng, width: number, textWidth: number): Layout<Tensor> {
  return {
    phrase: initialFeedForward(rng, textWidth, 4 * textWidth),
    meant: initialLinear(rng, textWidth, 2 * width),
    place: initialLinear(rng, width, width),
    output: initialLinear(rng, width, width),
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
  const { states, present, phrases } = textStates(parameters.text, config, tokens, mask, dropped)
  const whole = linear(parameters.text.whole, maskedMean(states.ref, present))
  const condition = feedForward(
    parameters.condition,
    whole.add(sinusoids(times.ref.mul(1000 / steps), width)),
  )
  const told = standardise(condition).reshape([batch, 1, width])
  const six = linear(parameters.modulation, told.ref).reshape([batch, 1, 6, width])
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
  const fine = aroundOf(config)
  const cells = fine && cellsBefore(parameters.convolutions!, fine, guess, told)
  const read = fine ? patchesOfCells(cells!.ref, fine) : patchesOf(guess, config.image)
  const placed = linear(parameters.patch, read).add(parameters.positions.ref)
  const patches =
    phrases === undefined ? placed : placed.add(layoutOf(parameters.layout!, phrases, parameters.positions))
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
  const pixels = fine
    ? imagesAfter(parameters.convolutions!, fine, painted.ref, cells!, told)
    : imagesOf(linear(parameters.output!, painted.ref), drawnImage(config))
  told.dispose()
  if (config.figures) return figuresOnGround(parameters, config, pixels, painted)
  painted.dispose()
  return pixels
}

/**
 * Pixels of the ground's colour and their patch's by shares, the sigmoid of `pixels` Float[B, size, size, 1]; colours
 * from what the transformer says, Float[B, patches, width]. Consumes both.
 */
function figuresOnGround(
  parameters: Denoiser<JaxArray>,
  { image }: DenoiserConfig,
  pixels: JaxArray,
  painted: JaxArray,
): JaxArray {
  const { size, patch, channels = 3 } = image
  const [batch, side] = [painted.shape[0]!, size / patch]
  const ground = linear(parameters.ground!, np.mean(painted.ref, 1)).reshape([batch, 1, 1, 1, 1, channels])
  const figure = linear(parameters.figure!, painted).reshape([batch, side, 1, side, 1, channels])
  // the sigmoid as a tanh: exp would overflow, and its gradient with it
  const share = np.tanh(pixels.mul(0.5)).mul(0.5).add(0.5).reshape([batch, side, patch, side, patch, 1])
  return figure.sub(ground.ref).mul(share).add(ground).reshape([batch, size, size, channels])
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

/** What phrases Float[B, P, text width] say of each patch, Float[B, patches, width]. Consumes `phrases`. */
function layoutOf(
  { phrase, meant, place, output }: Layout<JaxArray>,
  phrases: JaxArray,
  positions: JaxArray,
): JaxArray {
  const [batch, count] = phrases.shape as [number, number]
  const [patches, width] = positions.shape as [number, number]
  const said = linear(meant, phrases.ref.add(feedForward(phrase, phrases)))
  const [where, what] = np.split(said, 2, 2).map((part) => part.reshape([batch, 1, count, width])) as [
    JaxArray,
    JaxArray,
  ]
  const here = linear(place, positions.ref).reshape([1, patches, 1, width])
  return linear(output, np.sum(np.maximum(where.add(here), 0).mul(what), 2))
}

/**
 * States Float[B, T, text width] of a text, where there are any, Float[B, T], and those of its first phrases, Float[B,
 * P, text width]. Consumes the arrays.
 */
function textStates(
  parameters: Denoiser<JaxArray>['text'],
  { text }: DenoiserConfig,
  tokens: JaxArray,
  mask: JaxArray,
  dropped: JaxArray | undefined,
): { readonly states: JaxArray; readonly present: JaxArray; readonly phrases: JaxArray | undefined } {
  const { separators = [], phrases: most = 0 } = text
  const [batch, length] = tokens.shape as [number, number]
  const words = embedding(parameters.embedding, tokens.ref)
  const numbers = separators.length ? phraseNumbers(tokens, separators) : tokens
  const slots = most > 0 ? phraseSlots(words.ref, numbers.ref, mask.ref, most) : undefined
  const inPhrases = separators.length ? words.ref.add(phraseSums(words, numbers, mask.ref)) : words
  if (!separators.length) tokens.dispose()
  const placed = inPhrases.add(parameters.positions.ref.slice([0, length]))
  const states = transformer(parameters.transformer, text, placed, { mask: paddingMask(mask.ref) })
  if (dropped === undefined) return { states, present: mask, phrases: slots }
  const gone = dropped.greater(0.5).reshape([batch, 1])
  return {
    phrases: slots && np.where(gone.ref.reshape([batch, 1, 1]), parameters.none.ref, slots),
    states: np.where(gone.ref.reshape([batch, 1, 1]), parameters.none.ref, states),
    present: np.where(gone, 1, mask), // a hidden text hides its length
  }
}

/** The phrase, from 0, that each of Int[B, T] is part of, a separator of what follows: Float[B, T]. Consumes `tokens`. */
function phraseNumbers(tokens: JaxArray, separators: readonly number[]): JaxArray {
  const length = tokens.shape[1]!
  const ends = separators
    .map((separator) => np.equal(tokens.ref, separator).astype(np.float32))
    .reduce((a, b) => a.add(b))
  tokens.dispose()
  const upToHere = Float32Array.from(
    { length: length * length },
    (_, i) => +(Math.floor(i / length) <= i % length),
  )
  return np.matmul(ends, np.array(upToHere, { shape: [length, length] }))
}

/** The sum over the words of each of the first `count` phrases: Float[B, count, width]. Consumes the arrays. */
function phraseSlots(words: JaxArray, phrase: JaxArray, mask: JaxArray, count: number): JaxArray {
  const [batch, length] = mask.shape as [number, number]
  const numbers = np.array(
    Float32Array.from({ length: count }, (_, number) => number),
    { shape: [1, count, 1] },
  )
  const isIn = np.equal(phrase.reshape([batch, 1, length]), numbers).astype(np.float32)
  return np.matmul(isIn.mul(mask.reshape([batch, 1, length])), words)
}

/** Of each word the sum over its phrase's, by the root of their number: Float[B, T, width]. Consumes the arrays. */
function phraseSums(words: JaxArray, phrase: JaxArray, mask: JaxArray): JaxArray {
  const [batch, length] = mask.shape as [number, number]
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
