// biome-ignore-all lint/suspicious/noExplicitAny: losses take whatever parameters a network has

import { Rng } from '../src/core/index.ts'
import {
  type DecoderConfig,
  decoderLoss,
  initialDecoder,
  initialSoftPrompt,
  softPrefix,
} from '../src/nets/decoder.ts'
import { type DenoiserConfig, denoiserLoss, initialDenoiser } from '../src/nets/denoiser.ts'
import { dualEncoderLoss, initialDualEncoder } from '../src/nets/dual-encoder.ts'
import { categoricalEntropy, categoricalLogp, gaussianEntropy, gaussianLogp } from '../src/nets/heads.ts'
import { addedLora } from '../src/nets/lora.ts'
import { initialPerceptron, perceptron } from '../src/nets/perceptron.ts'
import { initialVisionLanguage, visionLanguageLoss } from '../src/nets/vision-language.ts'
import { mapLeaves, type Tensor, type Tree, tensor } from '../src/tensor/tree.ts'

// Every network with a loss and a small batch.

const rng = new Rng('nets')
const floats = (...shape: number[]) =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.uniform()),
    shape,
  )
const ids = (high: number, ...shape: number[]) =>
  tensor(
    Int32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.int(0, high)),
    shape,
    'int32',
  )

const text: DecoderConfig = { width: 16, depth: 2, heads: 2, vocabulary: 11, context: 8 }
const image = { size: 8, patch: 4 }
const tower = { width: 8, depth: 1, heads: 2 }
const model = {
  decoder: { ...text, depth: 1 },
  connector: { kind: 'encoder' as const, ...tower, image },
}
const twins = {
  image: { ...tower, image },
  text: { ...tower, vocabulary: 11, context: 5 },
  dimensions: 6,
}
const noise = {
  ...tower,
  image,
  text: { ...tower, vocabulary: 11, context: 3 },
  schedule: 'cosine' as const,
  steps: 50,
}
const drawing: DenoiserConfig = {
  ...noise,
  text: { ...noise.text, separators: [4], phrases: 2 },
  convolutions: { patch: 2, width: 6, before: 1, after: 1 },
  prediction: 'x0',
}
const figures: DenoiserConfig = { ...drawing, figures: true }
const policy = { sizes: [3, 8, 8, 4] }

const noisyImages = {
  images: floats(2, 8, 8, 3),
  noise: floats(2, 8, 8, 3),
  times: tensor([3, 40], [2]),
  tokens: ids(11, 2, 3),
  mask: tensor([1, 1, 1, 1, 0, 0], [2, 3]),
  dropped: tensor([0, 1], [2]),
}

/** Factors of LoRA begin at 0, where half of the derivatives are. */
function withNoise<Parameters extends Tree<Tensor>>(parameters: Parameters): Parameters {
  const own = new Rng('noise')
  return mapLeaves(parameters, ({ data, shape }) =>
    tensor(
      Float32Array.from(data as Float32Array, (x) => x + 0.05 * own.normal()),
      shape,
    ),
  ) as Parameters
}

export interface NetworkCase {
  readonly loss: (parameters: any, batch: any) => any
  readonly parameters: Tree<Tensor>
  readonly batch: Tree<Tensor>
  /** A loss reached after a few steps on this one batch. */
  readonly overfits?: number
}

export const networkCases: Record<string, NetworkCase> = {
  decoder: {
    loss: (p, { tokens, targetMask }) => decoderLoss(p, text, { tokens, targetMask }),
    parameters: initialDecoder(new Rng(1), text),
    batch: {
      tokens: ids(11, 3, 8),
      targetMask: tensor(
        Float32Array.from({ length: 24 }, (_, i) => +(i % 8 < 6)),
        [3, 8],
      ),
    },
    overfits: 0.02,
  },
  'decoder, tied and windowed, left-padded': {
    loss: (p, { tokens, mask, positions, targetMask }) =>
      decoderLoss(p, { ...text, depth: 1, tied: true, window: 3 }, { tokens, mask, positions, targetMask }),
    parameters: initialDecoder(new Rng(2), { ...text, depth: 1, tied: true }),
    batch: {
      tokens: ids(11, 1, 4),
      mask: tensor([0, 1, 1, 1], [1, 4]),
      positions: tensor([0, 0, 1, 2], [1, 4], 'int32'),
      targetMask: tensor([0, 0, 1, 1], [1, 4]),
    },
    overfits: 0.02,
  },
  'decoder with LoRA in attention': {
    loss: (p, b) => decoderLoss(p, text, b),
    parameters: withNoise(
      addedLora(new Rng(8), initialDecoder(new Rng(1), text), { rank: 2, alpha: 4, layers: /attention/ }),
    ),
    batch: { tokens: ids(11, 3, 8), targetMask: tensor(new Float32Array(24).fill(1), [3, 8]) },
  },
  'decoder with LoRA in every layer': {
    loss: (p, b) => decoderLoss(p, text, b),
    parameters: withNoise(
      addedLora(new Rng(9), initialDecoder(new Rng(1), text), {
        rank: 3,
        layers: /attention|feedForward/,
      }),
    ),
    batch: { tokens: ids(11, 3, 8), targetMask: tensor(new Float32Array(24).fill(1), [3, 8]) },
  },
  'decoder with a soft prompt and an offset of its states': {
    loss: ({ decoder: p, prompt, offset }, { tokens, targetMask }) =>
      decoderLoss(
        p,
        text,
        { tokens, targetMask, prefix: softPrefix(prompt, 3) },
        { hooks: { hidden: (states, layer) => (layer === 0 ? states.add(offset.ref) : states) } },
      ),
    parameters: {
      decoder: initialDecoder(new Rng(1), text),
      prompt: initialSoftPrompt(new Rng(2), text, 2),
      offset: floats(16),
    },
    batch: { tokens: ids(11, 3, 6), targetMask: tensor(new Float32Array(18).fill(1), [3, 6]) },
  },
  'vision-language model, one image hidden': {
    loss: (p, b) => visionLanguageLoss(p, model, b),
    parameters: initialVisionLanguage(new Rng(3), model),
    batch: {
      images: floats(2, 8, 8, 3),
      tokens: ids(11, 2, 6),
      targetMask: tensor(new Float32Array(12).fill(1), [2, 6]),
      dropped: tensor([0, 1], [2]),
    },
    overfits: 0.02,
  },
  'dual encoder with a further negative': {
    loss: (p, b) => dualEncoderLoss(p, twins, b),
    parameters: initialDualEncoder(new Rng(4), twins),
    batch: {
      images: floats(3, 8, 8, 3),
      tokens: ids(11, 4, 5),
      mask: tensor(
        Float32Array.from({ length: 20 }, (_, i) => +(i % 5 < 4)),
        [4, 5],
      ),
    },
    overfits: 0.02,
  },
  'perceptron with a categorical head': {
    loss: (p, { observations, actions }) => {
      const logits = perceptron(p, policy, observations)
      return categoricalLogp(logits.ref, actions)
        .mean()
        .mul(-1)
        .sub(categoricalEntropy(logits).mean().mul(1e-3))
    },
    parameters: initialPerceptron(new Rng(5), policy),
    batch: { observations: floats(5, 3), actions: ids(4, 5) },
    overfits: 0.05,
  },
  'perceptron with a Gaussian head': {
    loss: ({ net, logDeviation }, { observations, actions }) =>
      gaussianLogp(
        perceptron(net, { ...policy, activation: 'gelu' }, observations),
        logDeviation.ref,
        actions,
      )
        .mean()
        .mul(-1)
        .add(gaussianEntropy(logDeviation.ref).mul(0.1)),
    parameters: { net: initialPerceptron(new Rng(6), policy), logDeviation: tensor([0, 0, 0, 0], [4]) },
    batch: { observations: floats(5, 3), actions: floats(5, 4) },
    overfits: 0,
  },
  denoiser: {
    loss: (p, b) => denoiserLoss(p, noise, b),
    parameters: initialDenoiser(new Rng(7), noise),
    batch: noisyImages,
    overfits: 0.01,
  },
  'denoiser that draws with convolutions': {
    loss: (p, b) => denoiserLoss(p, drawing, b, { mostWeight: 5 }),
    parameters: initialDenoiser(new Rng(8), drawing),
    batch: { ...noisyImages, tokens: tensor(Int32Array.of(1, 4, 2, 3, 5, 0), [2, 3], 'int32') },
    overfits: 0.01,
  },
  // its images here, pure noise, are no figures on a ground: they cannot be learnt by heart
  'denoiser that draws figures': {
    loss: (p, b) => denoiserLoss(p, figures, b, { mostWeight: 5 }),
    parameters: initialDenoiser(new Rng(8), figures),
    batch: { ...noisyImages, tokens: tensor(Int32Array.of(1, 4, 2, 3, 5, 0), [2, 3], 'int32') },
  },
}
