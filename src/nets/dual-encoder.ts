import { type Array as JaxArray, numpy as np } from '@jax-js/jax'
import type { Rng } from '../core/index.ts'
import { type Tensor, tensor } from '../tensor/tree.ts'
import { paddingMask } from './attention.ts'
import { targetLogp } from './cross-entropy.ts'
import { normal } from './initial.ts'
import { embedding, initialLinear, type Linear, linear, maskedMean, unitLength } from './layers.ts'
import { initialTransformer, type Transformer, type TransformerConfig, transformer } from './transformer.ts'
import {
  type ImageConfig,
  initialPatchEncoder,
  type PatchEncoder,
  patchEncoder,
  patchesOf,
} from './visual-connector.ts'

/** Images and texts as unit vectors of one space; stored with its checkpoints. */
export interface DualEncoderConfig {
  readonly image: TransformerConfig & { readonly image: ImageConfig }
  readonly text: TransformerConfig & {
    readonly vocabulary: number
    /** Longest text [tokens]. */
    readonly context: number
  }
  /** Of the common space. */
  readonly dimensions: number
  /** Cosines are divided by it at first; it is learnt. @default 0.07 */
  readonly temperature?: number
}

export type DualEncoder<Leaf> = {
  readonly image: { readonly encoder: PatchEncoder<Leaf>; readonly output: Linear<Leaf> }
  readonly text: {
    readonly embedding: Leaf
    readonly positions: Leaf
    readonly transformer: Transformer<Leaf>
    readonly output: Linear<Leaf>
  }
  /** []: the logarithm of 1 / temperature. */
  readonly logScale: Leaf
}

export function initialDualEncoder(rng: Rng, config: DualEncoderConfig): DualEncoder<Tensor> {
  const { image, text, dimensions, temperature = 0.07 } = config
  return {
    image: {
      encoder: initialPatchEncoder(rng, image),
      output: initialLinear(rng, image.width, dimensions, { bias: false }),
    },
    text: {
      embedding: normal(rng, [text.vocabulary, text.width], 0.02),
      positions: normal(rng, [text.context, text.width], 0.02),
      transformer: initialTransformer(rng, text),
      output: initialLinear(rng, text.width, dimensions, { bias: false }),
    },
    logScale: tensor([-Math.log(temperature)], []),
  }
}

/** Float[B, size, size, channels] in [0, 1] to unit vectors Float[B, dimensions]. Consumes `images`. */
export function imageVectors(
  { image }: DualEncoder<JaxArray>,
  config: DualEncoderConfig,
  images: JaxArray,
): JaxArray {
  const patches = patchesOf(images, config.image.image)
  const tokens = patchEncoder(image.encoder, config.image, patches)
  return unitLength(linear(image.output, np.mean(tokens, 1)))
}

/** Int[B, T] with `mask` Float[B, T], 1 where there is a token, to unit vectors Float[B, dimensions]. Consumes both. */
export function textVectors(
  { text }: DualEncoder<JaxArray>,
  config: DualEncoderConfig,
  tokens: JaxArray,
  mask: JaxArray,
): JaxArray {
  const length = tokens.shape[1]!
  const words = embedding(text.embedding, tokens).add(text.positions.ref.slice([0, length]))
  const seen = transformer(text.transformer, config.text, words, { mask: paddingMask(mask.ref) })
  return unitLength(linear(text.output, maskedMean(seen, mask)))
}

/** Scale of cosines, 1 / temperature, at most 100 as in CLIP (arXiv 2103.00020, section 2.5). */
export function cosineScale({ logScale }: DualEncoder<JaxArray>): JaxArray {
  return np.exp(np.minimum(logScale.ref, Math.log(100)))
}

/**
 * Symmetric InfoNCE [nats]: each of N images is to find its text among all M texts, text i being that of image i and
 * those after the first N further negatives; the first N texts are to find their images. `images` Float[N, d] and
 * `texts` Float[M, d] are unit vectors. Consumes all.
 */
export function contrastiveLoss(images: JaxArray, texts: JaxArray, scale: JaxArray): JaxArray {
  const count = images.shape[0]!
  const logits = np.matmul(images, np.transpose(texts)).mul(scale)
  const own = np.arange(count)
  const toTexts = targetLogp(logits.ref, own.ref)
  const toImages = targetLogp(np.transpose(logits.slice([], [0, count])), own)
  return np.mean(toTexts.add(toImages)).mul(-0.5)
}

/** The contrastive loss of a batch: text i describes image i; more texts than images are further negatives. Consumes all. */
export function dualEncoderLoss(
  parameters: DualEncoder<JaxArray>,
  config: DualEncoderConfig,
  inputs: { readonly images: JaxArray; readonly tokens: JaxArray; readonly mask: JaxArray },
): JaxArray {
  return contrastiveLoss(
    imageVectors(parameters, config, inputs.images),
    textVectors(parameters, config, inputs.tokens, inputs.mask),
    cosineScale(parameters),
  )
}
