import { z } from 'zod'
import {
  defineReward,
  imagesOf,
  type Judgement,
  type Range,
  type Reward,
  type Sample,
  unscored,
} from '../core/index.ts'
import type { Embedder } from '../models/index.ts'
import { clip, rescale } from '../rewards/combine/threshold.ts'
import { contrastingGoal } from '../rewards/embedding/contrasting-goal.ts'
import { embedderSource } from '../rewards/embedding/embedder-source.ts'
import { defineEmbeddingReward, type Embeddings } from '../rewards/embedding/embedding-reward.ts'
import { dotProduct, type Vector } from '../rewards/embedding/vectors.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { mean } from '../stats/moments.ts'
import { defineMethod } from './method.ts'
import {
  type DrivingState,
  drivingState,
  handMadeReward,
  laneFactors,
  speedFactor,
  targetSpeed,
} from './vlm-rl/driving.ts'

const forms = ['synthesis', 'contrast', 'similarity', 'lord', 'lord-speed', 'hand-made'] as const

const options = z.strictObject({
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe(
      'released: both weights 1, speeds far above the target give negative values; paper: both weights 0.5 (unverified) with the bounds halved; guarded: as released, with every factor in [0, 1] and distances to either side alike.',
    ),
  form: z
    .enum(forms)
    .default('synthesis')
    .describe(
      'synthesis: speed, wanted according to how safe the frame looks, times the lane factors; contrast: how safe it looks alone; the others are the baselines of the same code: similarity (1 if the cosine to the goal is above 0.32, else -1), lord (1 - cosine to what must not happen), lord-speed (plus 1 - |speed - 20| / 20), hand-made (no model).',
    ),
  model: z.string().min(1).optional().describe('Name of the embedder, such as "embedded:scenes-clip".'),
  positive: z.string().min(1).default('the road is clear, no accident').describe('What is wanted.'),
  negative: z.string().min(1).default('two cars have collided').describe('What must not happen.'),
  bounds: z
    .tuple([z.number(), z.number()])
    .refine(([low, high]) => low < high, 'the first must be below the second')
    .default([-0.03, 0])
    .describe(
      'The contrast that counts as 0 and as 1, with both weights 1. The default is that of CLIP ViT-bigG-14; measure those of another encoder with `calibrate`.',
    ),
  baseDirectory: z.string().optional().describe('Folder that paths of images start from.'),
})

/**
 * A frame judged by a sentence of what is wanted and one of what must not happen, with the state of the car: an unsafe
 * looking frame asks for a low speed, `(1 - |speed - n * 25| / 25) * centring * heading * stability`, where n is the
 * contrast of the frame's cosines within `bounds`. A negative `meta.base_reward` (a collision, off the track) replaces it
 * all. State: `meta.speed` [km/h], `distance` [m], `angle` [rad], `distances` [m]; the output holds the frame.
 *
 * A frame of an episode is one sample. Of several images the mean contrast counts.
 *
 * @source VLM-RL, arXiv 2412.15544
 */
function vlmRlReward(settings: z.input<typeof options> = {}, embedder?: Embedder): Reward {
  const { model, baseDirectory, ...judging } = options.parse(settings)
  const { variant, form, positive, negative, bounds } = judging
  const weight = variant === 'paper' ? 0.5 : 1
  if (form === 'hand-made')
    return defineReward({
      name: 'vlm-rl',
      range: [-Infinity, 1],
      params: { variant, form },
      judge: ({ meta }) => withState(meta, (state) => ({ value: handMadeReward(state) })),
    })

  return defineEmbeddingReward({
    name: 'vlm-rl',
    range: ranges[form],
    params: { variant, form, positive, negative, bounds },
    embedder: embedderSource('vlm-rl', model, embedder),
    ...(baseDirectory === undefined ? {} : { images: { baseDirectory } }),
    embeds: ({ output }) => {
      const images = imagesOf(output)
      return images.length === 0
        ? unscored('bad-input', 'the output holds no frame')
        : { texts: [positive, negative], images }
    },
    judge: (sample, { texts: [wanted, unwanted], images }: Embeddings) => {
      const average = (value: (image: Vector) => number) => mean(images.map(value))!
      const contrast = average(
        contrastingGoal({
          positive: wanted!,
          negative: unwanted!,
          positiveWeight: weight,
          negativeWeight: weight,
        }),
      )
      const safety = rescale(contrast, [weight * bounds[0], weight * bounds[1]])
      const similarity = average((image) => dotProduct(image, wanted!))
      const lord = 1 - average((image) => clip(dotProduct(image, unwanted!), -1, 1))
      switch (form) {
        case 'contrast':
          return { value: safety, parts: { contrast } }
        case 'similarity':
          return { value: similarity > 0.32 ? 1 : -1, parts: { similarity } }
        case 'lord':
          return { value: lord }
        case 'lord-speed':
          return withState(sample.meta, ({ speed }) => {
            const pace = 1 - Math.abs(speed - 20) / 20
            return { value: lord + pace, parts: { lord, pace } }
          })
        case 'synthesis':
          return withState(sample.meta, (state) => synthesised(contrast, safety, state))
      }
    },
  })

  function withState(meta: Sample['meta'], judge: (state: DrivingState) => Judgement): Judgement {
    const state = drivingState(meta)
    if (typeof state === 'string') return unscored('bad-input', state)
    if (state.baseReward !== undefined && state.baseReward < 0)
      return { value: state.baseReward, rationale: 'the episode ended badly: its own penalty alone counts' }
    return judge(variant === 'guarded' ? { ...state, distance: Math.abs(state.distance) } : state)
  }

  function synthesised(contrast: number, safety: number, state: DrivingState): Judgement {
    const pace = speedFactor(state.speed, safety * targetSpeed)
    const parts = {
      contrast,
      safety,
      speed: variant === 'guarded' ? Math.max(0, pace) : pace,
      ...laneFactors(state),
    }
    return { value: parts.speed * parts.centring * parts.heading * parts.stability, parts }
  }
}

const ranges: Readonly<Record<Exclude<(typeof forms)[number], 'hand-made'>, Range>> = {
  synthesis: [-Infinity, Infinity], // without the guard, a distance below 0 is worth more than none
  contrast: [0, 1],
  similarity: [-1, 1],
  lord: [0, 2],
  'lord-speed': [-Infinity, 3],
}

const sample = (meta: Sample['meta'], output: Sample['output'] = 'no frame'): Sample => ({
  id: 'vlm-rl',
  prompt: 'Drive along the lane.',
  output,
  meta,
})
const state = { speed: 15, angle: 0.2, distance: 0.6, distances: [0.5, 0.6, 0.7] }

export const vlmRl = defineRewardType({
  name: 'vlm-rl',
  summary:
    'A driving frame judged by what is wanted and what must not happen, with speed and place in the lane.',
  source: 'VLM-RL, arXiv 2412.15544',
  options,
  create: vlmRlReward,
  examples: [
    { sample: sample(state), options: { model: 'embedded:scenes-clip' }, value: null },
    { sample: sample(state), options: { form: 'hand-made' }, value: 0.416725 },
    { sample: sample({ ...state, base_reward: -10 }), options: { form: 'hand-made' }, value: -10 },
    { sample: sample({ ...state, speed: 'fast' }), options: { form: 'hand-made' }, value: null },
  ],
})

export const vlmRlMethod = defineMethod({ id: 'vlm-rl', rewards: [vlmRl] })
