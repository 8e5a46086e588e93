import { type Array as JaxArray, numpy as np } from '@jax-js/jax'
import type { Rng } from '../core/index.ts'
import type { Tensor } from '../tensor/tree.ts'
import { paddingMask } from './attention.ts'
import { standardise } from './derivative.ts'
import type { ScheduleName } from './diffusion.ts'
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
  readonly image: ImageConfig
  readonly vocabulary: number
  /** Tokens of a text. */
  readonly context: number
  readonly schedule: ScheduleName
  /** T, the times of the schedule. */
  readonly steps: number
}

/**
 * A transformer over the text's tokens and the image's patches. Time and text as a whole shift, scale and gate every
 * block: one small network makes the six vectors for all blocks, each of which adds a table of its own (as in
 * PixArt-alpha, arXiv 2310.00426, section 2.3).
 */
export type Denoiser<Leaf> = {
  readonly patch: Linear<Leaf>
  /** [patches, width] */
  readonly positions: Leaf
  readonly embedding: Leaf
  /** [context, width] */
  readonly textPositions: Leaf
  /** [width]: in the place of each token of a text that is hidden, for guidance. */
  readonly nullText: Leaf
  readonly condition: FeedForward<Leaf>
  /** From the condition to six vectors. */
  readonly modulation: Linear<Leaf>
  /** [depth, 6, width] */
  readonly tables: Leaf
  readonly transformer: Transformer<Leaf>
  readonly output: Linear<Leaf>
}

export function initialDenoiser(rng: Rng, config: DenoiserConfig): Denoiser<Tensor> {
  const { width, depth, vocabulary, context } = config
  const { count, width: patchWidth } = patchShape(config.image)
  return {
    patch: initialLinear(rng, patchWidth, width),
    positions: normal(rng, [count, width], 0.02),
    embedding: normal(rng, [vocabulary, width], 0.02),
    textPositions: normal(rng, [context, width], 0.02),
    nullText: normal(rng, [width], 0.02),
    condition: initialFeedForward(rng, width, 2 * width),
    modulation: initialLinear(rng, width, 6 * width, { gain: 0.1 }),
    tables: initialTables(depth, width),
    transformer: initialTransformer(rng, config),
    output: initialLinear(rng, width, patchWidth, { gain: 0.1 }),
  }
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

/** The velocity v that hides in noisy images: Float[B, size, size, channels]. Consumes the inputs. */
export function denoiser(
  parameters: Denoiser<JaxArray>,
  config: DenoiserConfig,
  { images, times, tokens, mask, dropped }: DenoiserInputs,
  hooks?: Hooks,
): JaxArray {
  const { width, steps } = config
  const [batch, length] = tokens.shape as [number, number]
  const words = embedding(parameters.embedding, tokens).add(parameters.textPositions.ref.slice([0, length]))
  const gone = dropped?.greater(0.5).reshape([batch, 1])
  const text =
    gone === undefined ? words : np.where(gone.ref.reshape([batch, 1, 1]), parameters.nullText.ref, words)
  const present = gone === undefined ? mask : np.where(gone, 1, mask) // a hidden text hides its length
  const whole = maskedMean(text.ref, present).add(sinusoids(times.mul(1000 / steps), width))
  const condition = feedForward(parameters.condition, whole)
  const six = linear(parameters.modulation, standardise(condition)).reshape([batch, 1, 6, width])
  const patches = linear(parameters.patch, patchesOf(images, config.image)).add(parameters.positions.ref)
  const count = patches.shape[1]!
  const seen = paddingMask(np.concatenate([present, np.ones([batch, count])], 1))
  const states = transformer(parameters.transformer, config, np.concatenate([text, patches], 1), {
    mask: seen,
    hooks,
    modulation(layer) {
      const table = parameters.tables.ref.slice([layer, layer + 1]).reshape([1, 1, 6, width])
      const [a, b, c, d, e, f] = np
        .split(six.ref.add(table), 6, 2)
        .map((part) => part.reshape([batch, 1, width])) as [
        JaxArray,
        JaxArray,
        JaxArray,
        JaxArray,
        JaxArray,
        JaxArray,
      ]
      const modulation = (shift: JaxArray, scale: JaxArray, gate: JaxArray): Modulation => ({
        shift,
        scale,
        gate,
      })
      return { attention: modulation(a, b, c), feedForward: modulation(d, e, f) }
    },
  })
  return imagesOf(linear(parameters.output, states.slice([], [length, length + count])), config.image)
}

/**
 * Mean squared error of the predicted velocity. Noisy images and their velocities are made outside (`noised`,
 * `velocity`), with the times. Consumes the inputs.
 */
export function denoiserLoss(
  parameters: Denoiser<JaxArray>,
  config: DenoiserConfig,
  { velocities, ...inputs }: DenoiserInputs & { readonly velocities: JaxArray },
): JaxArray {
  return np.mean(np.square(denoiser(parameters, config, inputs).sub(velocities)))
}
