import { z } from 'zod'
import type { Reward, Sample } from '../core/index.ts'
import type { Embedder } from '../models/index.ts'
import { combine } from '../rewards/combine/combine.ts'
import { similarity } from '../rewards/embedding/similarity.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { defineMethod } from './method.ts'

const options = z.strictObject({
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe('Released code and paper agree and need no guard: all three are the same.'),
  lambda: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe(
      'Weight of the likeness to the references. 0 (text alone) labels pairs for training; 0.3, 0.5 or 0.7 select a model.',
    ),
  token: z
    .string()
    .min(1)
    .default('[V]')
    .describe('Name of the subject in the prompt, cut out before scoring.'),
  model: z.string().min(1).optional().describe('Name of the embedder, such as "embedded:scenes-clip".'),
  baseDirectory: z.string().optional().describe('Folder that paths of images start from.'),
})

/**
 * The weighted harmonic mean of two likenesses of a generated image, each (cosine + 1) / 2: to the reference images of a
 * subject (the mean over them) and to the prompt. The weaker side dominates. The reference is one image or a list of them.
 *
 * Pairs for training are labelled by a coin that lands on a with probability sigmoid(r(a) - r(b)):
 * `comparatorFromReward(reward, { scale: 1 })`, drawn anew each time.
 *
 * @source RPO, arXiv 2407.12164
 */
function rpoLambdaHarmonicReward(settings: z.input<typeof options> = {}, embedder?: Embedder): Reward {
  const { lambda, token, model, baseDirectory } = options.parse(settings)
  const shared = { model, baseDirectory }
  return combine(
    [
      {
        name: 'subject',
        weight: lambda,
        reward: similarity({ ...shared, to: 'reference images' }, embedder),
      },
      { name: 'text', weight: 1 - lambda, reward: similarity({ ...shared, without: [token] }, embedder) },
    ],
    { mode: 'harmonic', name: 'rpo-lambda-harmonic' },
  )
}

const sample = (output: Sample['output']): Sample => ({
  id: 'rpo-lambda-harmonic',
  prompt: 'a photo of [V] red circle',
  output,
  meta: {},
})
const model = 'embedded:scenes-clip'

export const rpoLambdaHarmonic = defineRewardType({
  name: 'rpo-lambda-harmonic',
  summary:
    'Likeness to a subject’s reference images and to the prompt, harmonic: neither makes up for the other.',
  source: 'RPO, arXiv 2407.12164',
  options,
  create: rpoLambdaHarmonicReward,
  examples: [
    { sample: sample('a photo of red circle'), options: { model, lambda: 0 }, value: 1 },
    { sample: sample('a photo of red circle'), options: { model }, value: null },
  ],
})

export const rpoLambdaHarmonicMethod = defineMethod({
  id: 'rpo-lambda-harmonic',
  rewards: [rpoLambdaHarmonic],
})
