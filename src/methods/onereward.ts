import { z } from 'zod'
import {
  type Comparator,
  imagesOf,
  type Pair,
  type Part,
  type Reward,
  type Sample,
  unscored,
} from '../core/index.ts'
import type { ChoiceModel } from '../models/token-model.ts'
import { opponents, rewardAgainst } from '../rewards/judge/against.ts'
import { byProbability } from '../rewards/judge/asking.ts'
import { dimensionsComparator } from '../rewards/judge/dimensions.ts'
import type { JudgePrompt } from '../rewards/judge/judge-prompt.ts'
import { pairJudge } from '../rewards/judge/pair-judge.ts'
import { judgeModel, probabilitySettings, showing } from '../rewards/judge/settings.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { defineMethod } from './method.ts'

/** What each dimension asks about. */
const dimensions = {
  consistency:
    'consistency: the edited region fits its surroundings in light, colour, style and texture, without a seam',
  structure: 'structure: shapes, bodies and objects are whole and plausible',
  'text alignment': 'text alignment: the edited region shows what the instruction asks for',
  aesthetics: 'aesthetics: composition, colour and overall appeal',
  'removal quality':
    'removal quality: the unwanted object is gone and the place is filled as if it had never been there',
} as const
type Dimension = keyof typeof dimensions
const general: readonly Dimension[] = ['consistency', 'structure', 'text alignment', 'aesthetics']

const tasks = {
  fill: { words: 'fill the masked region of an image', dimensions: general },
  extend: { words: 'extend an image beyond its borders', dimensions: general },
  remove: { words: 'remove what the mask covers from an image', dimensions: ['removal quality'] },
} as const satisfies Record<string, { words: string; dimensions: readonly Dimension[] }>
type Task = keyof typeof tasks

const isBetter: JudgePrompt = {
  version: '1',
  system: 'You compare two results of an image editing task and answer with one word.',
  user: `The task was to {task}.
What was given:
{prompt|condition}
{first|result 1}
{second|result 2}
Judge one side alone, {dimension}.
On this side, is result 1 better than result 2? Answer yes or no.`,
}

const options = z.strictObject({
  ...probabilitySettings,
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe(
      'paper (nothing of the judge was released): the sample is shown first, its opponent second, once; guarded: both orders, so that a preference for a slot cancels out, and coded fences.',
    ),
  task: z
    .enum(['fill', 'extend', 'remove'])
    .optional()
    .describe("which dimensions are asked; by default each sample's meta.task"),
  dimensions: z
    .array(z.enum(Object.keys(dimensions) as [Dimension, ...Dimension[]]))
    .min(1)
    .optional()
    .describe('only these of the task’s dimensions'),
  against: z
    .enum(opponents)
    .default('reference')
    .describe(
      'what a sample must beat: the output in its reference, or the other outputs of its prompt, or three of those (anchors)',
    ),
})

/**
 * Whether an edited image beats another, on each dimension of its editing task: the probability of a yes to a question
 * that names task and dimension. The instruction is shown for text alignment only; elsewhere it would leak into the
 * judgement. `parts` has every dimension, the comparison is their mean.
 *
 * The prompt holds the source image, the mask and the instruction; a sample with another task is unscored.
 *
 * @source OneReward, arXiv 2508.21066 (Eq. 3; the words of the query are not published)
 */
export function oneRewardJudge(settings: z.input<typeof options> = {}, given?: ChoiceModel): Comparator {
  const { variant, task, dimensions: wanted, normalise = 'two-way', ...rest } = options.parse(settings)
  const model = judgeModel('onereward', rest, given)
  const taskOf = (sample: Sample): Task | undefined => {
    const name = task ?? (Object.hasOwn(sample.meta, 'task') ? sample.meta.task : undefined)
    return typeof name === 'string' && Object.hasOwn(tasks, name) ? (name as Task) : undefined
  }
  const judgeOf = (dimension: Dimension) =>
    pairJudge({
      name: `onereward ${dimension}`,
      prompt: isBetter,
      ask: byProbability(model, { normalise }),
      candidateSlot: 'first',
      order: variant === 'guarded' ? 'both' : 'given',
      criterion: (sample) => ({ task: tasks[taskOf(sample)!].words, dimension: dimensions[dimension] }),
      material: (sample) => (dimension === 'text alignment' ? {} : { prompt: imageParts(sample) }),
      params: { dimension, task },
      ...showing(variant, rest),
    })
  const dimensionsOf = ({ a }: Pair) => {
    const name = taskOf(a)
    if (name === undefined)
      return unscored('bad-input', 'meta.task must be fill, extend or remove; or give the option task')
    const own = tasks[name].dimensions.filter((dimension) => wanted?.includes(dimension) ?? true)
    return own.length > 0
      ? own
      : unscored('not-applicable', `none of the dimensions asked for belongs to the task "${name}"`)
  }
  return dimensionsComparator({
    name: 'onereward',
    dimensions: Object.fromEntries(Object.keys(dimensions).map((name) => [name, judgeOf(name as Dimension)])),
    of: dimensionsOf,
  })
}

/** The images of a condition without its words. */
function imageParts({ prompt }: Sample): Part[] {
  return imagesOf(prompt).map((image) => ({ type: 'image', image }))
}

function oneRewardReward(settings: z.output<typeof options>, given?: ChoiceModel): Reward {
  return rewardAgainst(oneRewardJudge(settings, given), { against: settings.against, needs: ['logprobs'] })
}

const sample: Sample = {
  id: 'onereward',
  prompt: 'a red circle',
  output: 'an image with a red circle',
  reference: 'an image without one',
  meta: { task: 'fill' },
}

export const oneReward = defineRewardType({
  name: 'onereward',
  summary: 'How likely an edited image beats another, on each dimension of its editing task.',
  source: 'OneReward, arXiv 2508.21066',
  options,
  create: oneRewardReward,
  prompts: { pair: isBetter },
  examples: [
    { sample, options: { model: 'constant:yes' }, value: 0.5 }, // always yes: the slots cancel out
    { sample, options: { model: 'constant:yes', variant: 'paper' }, value: 1 },
    { sample: { ...sample, meta: {} }, options: { model: 'constant:yes' }, value: null },
    { sample, options: { model: 'constant:no', variant: 'paper', task: 'remove' }, value: 0 },
  ],
})

export const oneRewardMethod = defineMethod({ id: 'onereward', rewards: [oneReward] })
