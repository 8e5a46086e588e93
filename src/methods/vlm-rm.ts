import { z } from 'zod'
import { GuerdonError, imagesOf, promptText, type Reward, type Sample, unscored } from '../core/index.ts'
import type { Embedder } from '../models/index.ts'
import { clip } from '../rewards/combine/threshold.ts'
import { embedderSource } from '../rewards/embedding/embedder-source.ts'
import { defineEmbeddingReward } from '../rewards/embedding/embedding-reward.ts'
import { goalBaseline } from '../rewards/embedding/goal-baseline.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { defineMethod } from './method.ts'

const sentences = z.array(z.string().min(1))

const options = z.strictObject({
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe(
      'released: as many baselines as targets, means not of length 1; paper: any number; guarded: means of length 1, so that alpha 0 is the cosine however many targets there are.',
    ),
  model: z.string().min(1).optional().describe('Name of the embedder, such as "embedded:scenes-clip".'),
  targets: sentences.default([]).describe('Sentences that describe the goal; none: the text of the prompt.'),
  baselines: sentences
    .default([])
    .describe('Sentences that describe the same setting without the goal; needed where alpha is above 0.'),
  alpha: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('0: the plain cosine; 1: only what lies along the line from baseline to goal counts.'),
  baseDirectory: z.string().optional().describe('Folder that paths of images start from.'),
})

/**
 * How near a frame is to a sentence, regularised by a baseline sentence. The output holds the frame; of several images
 * the mean counts. The values of an encoder span a few hundredths and are not to be clipped.
 *
 * @source VLM-RM, arXiv 2310.12921
 */
function vlmRmReward(settings: z.input<typeof options> = {}, embedder?: Embedder): Reward {
  const { model, baseDirectory, ...judging } = options.parse(settings)
  const { variant, targets, baselines, alpha } = judging
  if (alpha > 0 && baselines.length === 0)
    throw new GuerdonError('bad-options', 'vlm-rm with alpha above 0 needs a baseline.', {
      fix: 'Give baselines: ["a sentence about the setting without the goal"], or alpha: 0.',
    })
  if (variant === 'released' && alpha > 0 && baselines.length !== Math.max(1, targets.length))
    throw new GuerdonError('bad-options', 'the released vlm-rm takes as many baselines as targets.')
  return defineEmbeddingReward({
    name: 'vlm-rm',
    range: [-1, 1],
    params: judging,
    embedder: embedderSource('vlm-rm', model, embedder),
    ...(baseDirectory === undefined ? {} : { images: { baseDirectory } }),
    embeds: ({ prompt, output }) => {
      const images = imagesOf(output)
      if (images.length === 0) return unscored('bad-input', 'the output holds no frame')
      const goals = targets.length > 0 ? targets : [promptText(prompt)]
      if (goals[0]!.trim() === '') return unscored('bad-input', 'the prompt has no text that says the goal')
      return { texts: alpha > 0 ? [...goals, ...baselines] : goals, images }
    },
    judge: (_, { texts, images }) => {
      const count = Math.max(1, targets.length)
      const reward = goalBaseline({
        targets: texts.slice(0, count),
        baselines: texts.slice(count),
        alpha,
        unitMeans: variant === 'guarded',
      })
      const values = images.flatMap((image) => reward(image) ?? [])
      if (values.length === 0)
        return unscored('not-applicable', 'the embedder cannot tell the goal from its baseline')
      return { value: clip(values.reduce((sum, value) => sum + value, 0) / values.length, -1, 1) }
    },
  })
}

const sample = (output: Sample['output']): Sample => ({
  id: 'vlm-rm',
  prompt: 'a red circle',
  output,
  meta: {},
})
const model = 'embedded:scenes-clip'

export const vlmRm = defineRewardType({
  name: 'vlm-rm',
  summary: 'How near a frame is to a sentence, less what it shares with a baseline sentence.',
  source: 'VLM-RM, arXiv 2310.12921',
  options,
  create: vlmRmReward,
  examples: [
    { sample: sample('no frame'), options: { model, baselines: ['a circle'] }, value: null },
    { sample: sample([{ type: 'image' }]), options: { model, alpha: 0 }, value: null },
  ],
})

export const vlmRmMethod = defineMethod({ id: 'vlm-rm', rewards: [vlmRm] })
