import { type Array as JaxArray, lax, numpy as np } from '@jax-js/jax'
import { GuerdonError, type Rng } from '../core/index.ts'
import type { Tensor, Tree } from '../tensor/tree.ts'
import { normal } from './initial.ts'
import { initialLinear, type Linear, linear } from './layers.ts'
import { initialTransformer, type Transformer, type TransformerConfig, transformer } from './transformer.ts'

/** Images are Float[B, size, size, channels] in [0, 1]. */
export interface ImageConfig {
  /** Height and width [pixels]; a multiple of `patch`. */
  readonly size: number
  /** Height and width of a patch [pixels]. */
  readonly patch: number
  /** @default 3 */
  readonly channels?: number
  /**
   * Patches around its own, on each side, that a token of an encoder reads (2 * reach + 1 across): objects that lie
   * across the borders of patches are then seen whole. Grey lies outside of the image. @default 0
   */
  readonly reach?: number
}

/** Number of patches of an image and numbers per patch. */
export function patchShape({ size, patch, channels = 3 }: ImageConfig): { count: number; width: number } {
  if (size % patch !== 0)
    throw new GuerdonError('bad-config', `patches of ${patch} pixels do not fill an image of ${size} pixels.`)
  return { count: (size / patch) ** 2, width: patch * patch * channels }
}

/** Float[B, size, size, channels] to Float[B, count, patch * patch * channels], by rows. Consumes `images`. */
export function patchesOf(images: JaxArray, config: ImageConfig): JaxArray {
  const { size, patch, channels = 3 } = config
  const { count, width } = patchShape(config)
  const [batch, side] = [images.shape[0]!, size / patch]
  return np
    .transpose(images.reshape([batch, side, patch, side, patch, channels]), [0, 1, 3, 2, 4, 5])
    .reshape([batch, count, width])
}

/** The inverse of `patchesOf`. Consumes `patches`. */
export function imagesOf(patches: JaxArray, { size, patch, channels = 3 }: ImageConfig): JaxArray {
  const [batch, side] = [patches.shape[0]!, size / patch]
  return np
    .transpose(patches.reshape([batch, side, side, patch, patch, channels]), [0, 1, 3, 2, 4, 5])
    .reshape([batch, size, size, channels])
}

/**
 * Each patch joined with those around it: Float[B, count, n] to Float[B, count, (2 * reach + 1)^2 n]; `outside` stands
 * beyond the edges. Consumes `patches`.
 */
export function withNeighbours(
  patches: JaxArray,
  { size, patch, reach = 0 }: ImageConfig,
  outside = 0.5,
): JaxArray {
  if (reach === 0) return patches
  const [batch, count, numbers] = patches.shape as [number, number, number]
  const side = size / patch
  const edge: [number, number] = [reach, reach]
  const grid = np.pad(patches.sub(outside).reshape([batch, side, side, numbers]), [
    [0, 0],
    edge,
    edge,
    [0, 0],
  ])
  const across = Array.from({ length: 2 * reach + 1 }, (_, shift) => shift)
  const shifted = across.flatMap((down) =>
    across.map((right) => grid.ref.slice([], [down, down + side], [right, right + side])),
  )
  grid.dispose()
  return np
    .concatenate(shifted, 3)
    .reshape([batch, count, shifted.length * numbers])
    .add(outside)
}

/** How an image becomes tokens of a language model. */
export interface VisualConnector {
  /** Tokens that one image gives at most. */
  readonly count: number
  initial(rng: Rng, width: number): Tree<Tensor>
  /**
   * Patches Float[B, count, patch numbers] in [0, 1] to tokens Float[B, M, width] and, where an image may give fewer,
   * a mask Float[B, M]. Traced; consumes the patches.
   */
  encode(
    parameters: Tree<JaxArray>,
    patches: JaxArray,
  ): { readonly tokens: JaxArray; readonly mask?: JaxArray }
}

/** The configuration of a connector: data, stored with checkpoints. `encoder` is a small vision transformer. */
export interface ConnectorConfig extends TransformerConfig {
  readonly kind: 'encoder'
  readonly image: ImageConfig
  /**
   * The language model sees so many tokens only, those with the highest `salience`, in that order. Fewer tokens cost
   * less, and what matters is found sooner among them; salience must be taught, no gradient reaches it from the
   * choice. @default all, by rows
   */
  readonly most?: number
}

export type PatchEncoder<Leaf> = {
  readonly patch: Linear<Leaf>
  /** [count, width] */
  readonly positions: Leaf
  readonly transformer: Transformer<Leaf>
}

export function initialPatchEncoder(
  rng: Rng,
  config: TransformerConfig & { readonly image: ImageConfig },
): PatchEncoder<Tensor> {
  const { count, width } = patchShape(config.image)
  const read = width * (2 * (config.image.reach ?? 0) + 1) ** 2
  return {
    patch: initialLinear(rng, read, config.width),
    positions: normal(rng, [count, config.width], 0.02),
    transformer: initialTransformer(rng, config),
  }
}

/** Float[B, count, patch numbers] in [0, 1] to Float[B, count, width]; every patch sees every other. Consumes `patches`. */
export function patchEncoder(
  { patch, positions, transformer: trunk }: PatchEncoder<JaxArray>,
  config: TransformerConfig & { readonly image: ImageConfig },
  patches: JaxArray,
): JaxArray {
  const read = withNeighbours(patches, config.image)
  return transformer(trunk, config, linear(patch, read.mul(2).sub(1)).add(positions.ref))
}

export type EncoderConnector<Leaf> = {
  readonly encoder: PatchEncoder<Leaf>
  readonly output: Linear<Leaf>
  /** [width of the language model, 1]; present where only some tokens are shown. */
  readonly salience?: Linear<Leaf>
}

/**
 * Every patch as a token, Float[B, count, width], and where tokens are chosen how salient each is, Float[B, count].
 * Consumes `patches`.
 */
export function patchTokens(
  { encoder, output, salience }: EncoderConnector<JaxArray>,
  config: ConnectorConfig,
  patches: JaxArray,
): { readonly tokens: JaxArray; readonly salience?: JaxArray } {
  const tokens = linear(output, patchEncoder(encoder, config, patches))
  if (salience === undefined) return { tokens }
  return { tokens, salience: linear(salience, tokens.ref).reshape(tokens.shape.slice(0, 2)) }
}

/** The `most` tokens of Float[B, count, width] with the highest Float[B, count], the first of equals first. Consumes both. */
export function mostSalient(tokens: JaxArray, salience: JaxArray, most: number): JaxArray {
  const [batch, count] = salience.shape as [number, number]
  const given = lax.stopGradient(salience)
  const [own, other] = [given.ref.reshape([batch, count, 1]), given.reshape([batch, 1, count])]
  const isEarlier = np.array(
    Float32Array.from({ length: count * count }, (_, at) => (at % count < Math.floor(at / count) ? 1 : 0)),
    { shape: [1, count, count] },
  )
  const isBefore = np
    .where(np.greater(other.ref, own.ref), 1, 0)
    .add(np.where(np.equal(other, own), isEarlier, 0))
  const rank = np.sum(isBefore, -1).reshape([batch, 1, count])
  const places = np.array(
    Float32Array.from({ length: most }, (_, place) => place),
    { shape: [1, most, 1] },
  )
  return np.matmul(np.where(np.equal(rank, places), 1, 0), tokens)
}

/** Patches through an encoder, then one layer to the language model's width; all of them, or the most salient. */
function encoderConnector(config: ConnectorConfig): VisualConnector {
  const { count } = patchShape(config.image)
  const { most } = config
  if (most !== undefined && !(Number.isInteger(most) && most >= 1 && most <= count))
    throw new GuerdonError('bad-config', `${most} of ${count} image tokens cannot be shown.`)
  return {
    count: most ?? count,
    initial: (rng, width): EncoderConnector<Tensor> => ({
      encoder: initialPatchEncoder(rng, config),
      output: initialLinear(rng, config.width, width),
      ...(most === undefined ? {} : { salience: initialLinear(rng, width, 1) }),
    }),
    encode(parameters, patches) {
      const { tokens, salience } = patchTokens(parameters as EncoderConnector<JaxArray>, config, patches)
      return {
        tokens: salience === undefined || most === undefined ? tokens : mostSalient(tokens, salience, most),
      }
    },
  }
}

const connectors = { encoder: encoderConnector } as const

export function visualConnector(config: ConnectorConfig): VisualConnector {
  const make = connectors[config.kind]
  if (make === undefined)
    throw new GuerdonError('bad-config', `there is no visual connector of the kind "${config.kind}".`, {
      fix: `Known: ${Object.keys(connectors).join(', ')}.`,
    })
  return make(config)
}
