import { type Array as JaxArray, numpy as np } from '@jax-js/jax'
import type { Rng } from '../core/index.ts'
import type { Tensor, Tree } from '../tensor/tree.ts'
import {
  type Decoder,
  type DecoderConfig,
  type DecoderInputs,
  decoder,
  decoderLoss,
  initialDecoder,
  type Prefix,
} from './decoder.ts'
import { normal } from './initial.ts'
import type { Hooks } from './transformer.ts'
import { type ConnectorConfig, patchesOf, visualConnector } from './visual-connector.ts'

/** A decoder that sees an image before its text; stored with its checkpoints. */
export interface VisionLanguageConfig {
  readonly connector: ConnectorConfig
  readonly decoder: DecoderConfig
}

export type VisionLanguage<Leaf> = {
  readonly connector: Tree<Leaf>
  readonly decoder: Decoder<Leaf>
  /** Stands in for the tokens of an image that is not there: [M, width]. */
  readonly nullImage: Leaf
}

export function initialVisionLanguage(rng: Rng, config: VisionLanguageConfig): VisionLanguage<Tensor> {
  const connector = visualConnector(config.connector)
  return {
    connector: connector.initial(rng, config.decoder.width),
    decoder: initialDecoder(rng, config.decoder),
    nullImage: normal(rng, [connector.count, config.decoder.width], 0.02),
  }
}

export interface VisionLanguageInputs extends Omit<DecoderInputs, 'prefix'> {
  /** Float[B, size, size, channels] in [0, 1] */
  readonly images: JaxArray
  /** Float[B]: 1 where the image is hidden and the learned null image takes its place. @default all seen */
  readonly dropped?: JaxArray | undefined
}

/** The tokens that stand for images before the text. Consumes the inputs. */
export function imagePrefix(
  parameters: VisionLanguage<JaxArray>,
  config: VisionLanguageConfig,
  images: JaxArray,
  dropped?: JaxArray,
): Prefix {
  const prefix = visualConnector(config.connector).encode(
    parameters.connector,
    patchesOf(images, config.connector.image),
  )
  return dropped === undefined ? prefix : hiddenImages(parameters, prefix, dropped)
}

/** The null image in place of those whose `dropped` Float[B] is 1. Consumes the prefix and `dropped`. */
export function hiddenImages(
  { nullImage }: Pick<VisionLanguage<JaxArray>, 'nullImage'>,
  { tokens, mask }: Prefix,
  dropped: JaxArray,
): Prefix {
  const [batch, count] = tokens.shape as [number, number]
  const gone = dropped.greater(0.5)
  const shown = mask && np.where(gone.ref.reshape([batch, 1]), np.ones([batch, count]), mask)
  return { tokens: np.where(gone.reshape([batch, 1, 1]), nullImage.ref, tokens), mask: shown }
}

/** Logits of the token that follows each token of the text: Float[B, T, vocabulary]. Consumes the inputs. */
export function visionLanguage(
  parameters: VisionLanguage<JaxArray>,
  config: VisionLanguageConfig,
  { images, dropped, ...text }: VisionLanguageInputs,
  hooks?: Hooks,
): JaxArray {
  const prefix = imagePrefix(parameters, config, images, dropped)
  return decoder(parameters.decoder, config.decoder, { ...text, prefix }, hooks)
}

/** Mean cross-entropy of the tokens where `targetMask` Float[B, T] is 1 [nats per token]. Consumes the inputs. */
export function visionLanguageLoss(
  parameters: VisionLanguage<JaxArray>,
  config: VisionLanguageConfig,
  { images, dropped, ...text }: VisionLanguageInputs & { readonly targetMask: JaxArray },
  options: { readonly labelSmoothing?: number; readonly hooks?: Hooks } = {},
): JaxArray {
  const prefix = imagePrefix(parameters, config, images, dropped)
  return decoderLoss(parameters.decoder, config.decoder, { ...text, prefix }, options)
}
