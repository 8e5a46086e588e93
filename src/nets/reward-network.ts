import { type Array as JaxArray, lax, nn, numpy as np } from '@jax-js/jax'
import type { Rng } from '../core/index.ts'
import type { Tensor, Tree } from '../tensor/tree.ts'
import { type Decoder, type DecoderConfig, decoderHidden, initialDecoder } from './decoder.ts'
import { filled, normal } from './initial.ts'
import { initialLinear, type Linear, linear } from './layers.ts'
import { initialPerceptron, type Perceptron, type PerceptronConfig, perceptron } from './perceptron.ts'
import {
  imagePrefix,
  initialVisionLanguage,
  type VisionLanguage,
  type VisionLanguageConfig,
} from './vision-language.ts'

/** What reads an answer: a language model's layers, or a perceptron over vectors that an embedder made. */
export type RewardTrunk =
  | { readonly kind: 'decoder'; readonly config: DecoderConfig }
  | { readonly kind: 'vision-language'; readonly config: VisionLanguageConfig }
  | { readonly kind: 'vectors'; readonly config: PerceptronConfig }

/**
 * What makes numbers of a state. `linear`: one number for each of K outputs. `ideal-points`: minus the distance, in a
 * learned space, to a mixture of K prototypes (PAL, arXiv 2406.08469). Whose or which number is wanted is said by weights
 * over the K: one-hot for a dimension, a user's mixture for a user.
 */
export type RewardHead =
  | { readonly kind: 'linear'; readonly outputs: number; readonly users?: number }
  | {
      readonly kind: 'ideal-points'
      readonly outputs: number
      readonly space: number
      readonly users?: number
    }

/** Stored with its weights. */
export interface RewardNetworkConfig {
  readonly trunk: RewardTrunk
  readonly head: RewardHead
  /**
   * Numbers that are known of each answer before any reading (its form, its words): each adds to a linear head's outputs
   * with a weight of its own. @default none
   */
  readonly surface?: number
}

export type RewardNetwork<Leaf> = {
  readonly trunk: Tree<Leaf>
  readonly head:
    | Linear<Leaf>
    | {
        /** [outputs, space] */
        readonly prototypes: Leaf
        readonly items: Perceptron<Leaf>
      }
  /** Raw weights of users, [users, outputs]: the softmax of `userGain` times these is the mixture. */
  readonly users?: Leaf
  readonly surface?: {
    /** [surface, outputs] */
    readonly weight: Leaf
    /** [surface]: by which each number is multiplied first; not to be trained. */
    readonly scale: Leaf
  }
}

/** Numbers in a state. */
export function stateWidth({ kind, config }: RewardTrunk): number {
  if (kind === 'vectors') return config.sizes.at(-1)!
  return kind === 'decoder' ? config.width : config.decoder.width
}

/** @param given weights that are there already, as of a pre-trained trunk. @default random ones */
export function initialRewardNetwork(
  rng: Rng,
  { trunk, head, surface }: RewardNetworkConfig,
  given: Partial<RewardNetwork<Tensor>> = {},
): RewardNetwork<Tensor> {
  const width = stateWidth(trunk)
  return {
    trunk: initialTrunk(rng.fork('trunk'), trunk),
    head: initialHead(rng.fork('head'), head, width),
    ...(head.users === undefined
      ? {}
      : { users: normal(rng.fork('users'), [head.users, head.outputs], 1 / userGain) }),
    ...(surface === undefined
      ? {}
      : { surface: { weight: filled([surface, head.outputs], 0), scale: filled([surface], 1) } }),
    ...given,
  }
}

function initialTrunk(rng: Rng, trunk: RewardTrunk): Tree<Tensor> {
  switch (trunk.kind) {
    case 'decoder':
      return initialDecoder(rng, trunk.config)
    case 'vision-language':
      return initialVisionLanguage(rng, trunk.config)
    case 'vectors':
      return initialPerceptron(rng, trunk.config)
  }
}

function initialHead(rng: Rng, head: RewardHead, width: number): RewardNetwork<Tensor>['head'] {
  // small at first: a reward model starts undecided; without a bias, which no difference would train
  if (head.kind === 'linear') return initialLinear(rng, width, head.outputs, { gain: 0.1, bias: false })
  return {
    prototypes: normal(rng, [head.outputs, head.space], 1 / Math.sqrt(head.space)),
    items: initialPerceptron(rng, itemMap(head.space, width)),
  }
}

function itemMap(space: number, width: number): PerceptronConfig {
  return { sizes: [width, space, space], activation: 'gelu' }
}

/** Answers as the trunk reads them. */
export type RewardRows<Leaf> = {
  /** Int[R, T], prompt and answer; padding stands behind. */
  readonly tokens?: Leaf
  /** Float[R, S, T]: what of each row is read, S times: one-hot for one place, a share at each token for a mean. */
  readonly reads?: Leaf
  /** Float[R, size, size, channels], and 1 where there is none, Float[R]. */
  readonly images?: Leaf
  readonly dropped?: Leaf
  /** Float[R, V], instead of all that: an embedder's vectors. */
  readonly vectors?: Leaf
  /** Float[R, surface] */
  readonly surface?: Leaf
}

/** Hidden states of the tokens, Float[R, T, width]. Of a trunk that reads tokens. Consumes the rows but `reads`. */
export function rewardHidden(
  { trunk: parameters }: RewardNetwork<JaxArray>,
  { trunk }: RewardNetworkConfig,
  { tokens, images, dropped }: Pick<RewardRows<JaxArray>, 'tokens' | 'images' | 'dropped'>,
): JaxArray {
  if (trunk.kind === 'vision-language') {
    const whole = parameters as VisionLanguage<JaxArray>
    const prefix = imagePrefix(whole, trunk.config, images!, dropped)
    const before = prefix.tokens.shape[1]!
    const length = tokens!.shape[1]!
    const hidden = decoderHidden(whole.decoder, trunk.config.decoder, { tokens: tokens!, prefix })
    return hidden.slice([], [before, before + length])
  }
  return decoderHidden(parameters as Decoder<JaxArray>, trunk.config as DecoderConfig, { tokens: tokens! })
}

/** States Float[R * S, width] from hidden states and reads. Consumes both. */
export function readStates(hidden: JaxArray, reads: JaxArray): JaxArray {
  const [rows, places] = reads.shape as [number, number]
  return np.matmul(reads, hidden).reshape([rows * places, hidden.shape[2]!])
}

/**
 * What the head makes of states Float[N, width], before users or dimensions: Float[N, K or space]. What is known of the
 * surface Float[R, surface] counts at the first place of each row. Consumes both.
 */
export function headFeatures(
  { head: parameters, surface: weights }: RewardNetwork<JaxArray>,
  { trunk, head }: RewardNetworkConfig,
  states: JaxArray,
  surface?: JaxArray,
): JaxArray {
  if (head.kind === 'linear') {
    const outputs = linear(parameters as Linear<JaxArray>, states)
    if (surface === undefined) return outputs
    const rows = surface.shape[0]!
    const places = outputs.shape[0]! / rows
    const known = np
      .matmul(surface.mul(weights!.scale.ref), weights!.weight.ref)
      .reshape([rows, 1, head.outputs])
    const others = np.zeros([rows, places - 1, head.outputs])
    const whole = places === 1 ? known : np.concatenate([known, others], 1)
    return outputs.add(whole.reshape([rows * places, head.outputs]))
  }
  const { items } = parameters as { readonly items: Perceptron<JaxArray> }
  return perceptron(items, itemMap(head.space, stateWidth(trunk)), states)
}

/** Rewards Float[N] of features Float[N, K or space] under weights Float[N, K] (on the simplex). Consumes both. */
export function rewardValues(
  { head: parameters }: RewardNetwork<JaxArray>,
  { head }: RewardNetworkConfig,
  features: JaxArray,
  weights: JaxArray,
): JaxArray {
  if (head.kind === 'linear') return np.sum(features.mul(weights), -1)
  const { prototypes } = parameters as { readonly prototypes: JaxArray }
  const away = features.sub(np.matmul(weights, prototypes.ref))
  return np.negative(np.sqrt(np.maximum(np.sum(np.square(away), -1), 1e-12)))
}

/**
 * Users are kept as so many times smaller numbers than the logits of their mixtures: one learning rate for all then moves
 * them faster than the rest (PAL: 50 times as fast), as each sees only its own few comparisons.
 */
export const userGain = 20

/** Mixtures Float[N, K] of users Int[N]. Consumes `users`. */
export function userMixtures({ users: weights }: RewardNetwork<JaxArray>, users: JaxArray): JaxArray {
  return nn.softmax(np.take(weights!.ref, users, 0).mul(userGain), -1)
}

/** States of rows, whatever the trunk: Float[N, width]. Consumes the rows. */
export function rewardStates(
  parameters: RewardNetwork<JaxArray>,
  config: RewardNetworkConfig,
  { reads, ...rows }: Omit<RewardRows<JaxArray>, 'surface'>,
): JaxArray {
  if (config.trunk.kind === 'vectors')
    return perceptron(parameters.trunk as Perceptron<JaxArray>, config.trunk.config, rows.vectors!)
  return readStates(rewardHidden(parameters, config, rows), reads!)
}

/** Features of rows, without a gradient: for scoring. Consumes the rows. */
export function rewardFeatures(
  parameters: RewardNetwork<JaxArray>,
  config: RewardNetworkConfig,
  { surface, ...rows }: RewardRows<JaxArray>,
): JaxArray {
  const states = rewardStates(parameters, config, rows)
  return lax.stopGradient(headFeatures(parameters, config, states, surface))
}
