import { describe, expect, test } from 'vitest'
import { expectGradients, type Precision } from '../../tests/gradients.ts'
import { Rng } from '../core/index.ts'
import { train } from '../tensor/train.ts'
import { type Tensor, type Tree, tensor } from '../tensor/tree.ts'
import { type DecoderConfig, decoderLoss, initialDecoder } from './decoder.ts'
import { denoiserLoss, initialDenoiser } from './denoiser.ts'
import { dualEncoderLoss, initialDualEncoder } from './dual-encoder.ts'
import { categoricalEntropy, categoricalLogp, gaussianEntropy, gaussianLogp } from './heads.ts'
import { initialPerceptron, perceptron } from './perceptron.ts'
import { initialVisionLanguage, visionLanguageLoss } from './vision-language.ts'

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
const noise = { ...tower, image, vocabulary: 11, context: 3, schedule: 'cosine' as const, steps: 50 }
const policy = { sizes: [3, 8, 8, 4] }

interface Case {
  readonly loss: (parameters: any, batch: any) => any
  readonly parameters: Tree<Tensor>
  readonly batch: Tree<Tensor>
  /** A loss reached after a few steps on this one batch. */
  readonly overfits: number
  readonly precision?: Precision
}

const cases: Record<string, Case> = {
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
    precision: 'single',
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
    precision: 'single',
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
    precision: 'double-ort',
  },
  denoiser: {
    loss: (p, b) => denoiserLoss(p, noise, b),
    parameters: initialDenoiser(new Rng(7), noise),
    batch: {
      images: floats(2, 8, 8, 3),
      velocities: floats(2, 8, 8, 3),
      times: tensor([3, 40], [2]),
      tokens: ids(11, 2, 3),
      mask: tensor([1, 1, 1, 1, 0, 0], [2, 3]),
      dropped: tensor([0, 1], [2]),
    },
    overfits: 0.01,
  },
}

for (const [name, { loss, parameters, batch, overfits, precision }] of Object.entries(cases))
  describe(name, () => {
    test('values and gradients agree between backends and with finite differences', () =>
      expectGradients(loss, parameters, batch, precision))
    test('one batch is learnt by heart', async () => {
      const { last } = await train({
        loss,
        parameters,
        batches: () => batch,
        steps: 250,
        schedule: (step) => 0.01 * Math.min(1, (250 - step) / 100),
        threads: 1,
      })
      expect(last!.loss).toBeLessThan(overfits)
    })
  })
