import { z } from 'zod'
import { countVerdicts, type SideBySide } from '../audit/benchmarks/side-by-side.ts'
import type { Comparator, Comparison, Reward, Sample } from '../core/index.ts'
import type { ChatModel } from '../models/chat-model.ts'
import { opponents, rewardAgainst } from '../rewards/judge/against.ts'
import { byReply, type ReplyReader } from '../rewards/judge/asking.ts'
import { dimensionsComparator } from '../rewards/judge/dimensions.ts'
import type { JudgePrompt } from '../rewards/judge/judge-prompt.ts'
import { pairJudge } from '../rewards/judge/pair-judge.ts'
import { judgeModel, replyOptions, replySettings, showing } from '../rewards/judge/settings.ts'
import { parseChoice } from '../rewards/judge/verdict.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import type { FivePointVerdicts } from '../stats/net-preference.ts'
import { defineMethod } from './method.ts'

const questions = {
  comprehensiveness: 'Which description covers more of what is in the image?',
  specificity: 'Which description is more specific about it: kinds, attributes, counts, places, textures?',
  hallucination:
    'Which description has FEWER statements that the image does not show? The one with fewer is better.',
  tldr: 'Which description has the better first lines, as a short summary of the image?',
  'human-like': 'Which description reads more as if a careful person had written it?',
} as const

export type ImageInWordsMetric = keyof typeof questions

const metrics = Object.keys(questions) as ImageInWordsMetric[]

/** From the first being much better to the second being much better, with the vote for the first. */
const levels = [
  ['A is substantially better', 1],
  ['A is marginally better', 0.75],
  ['neutral', 0.5],
  ['B is marginally better', 0.25],
  ['B is substantially better', 0],
] as const

const prompt: JudgePrompt = {
  version: '1',
  system: 'You compare two descriptions of one image on one question. Length by itself is no merit.',
  user: `{prompt|image}
{first|description A}
{second|description B}
{principle}
Think about it, then end with exactly one of these inside answer tags:
${levels.map(([label]) => `<answer>${label}</answer>`).join('\n')}`,
}

const levelReader: ReplyReader<number> = {
  params: 'five levels',
  read: (reply) => {
    const level = parseChoice(reply, { labels: levels.map(([label]) => label) })
    return typeof level === 'number' ? levels[level]![1] : undefined
  },
}

const options = z.strictObject({
  ...replySettings,
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe('released, paper: one order, drawn for each pair; guarded: both orders, coded fences.'),
  metrics: z
    .array(z.enum(metrics as [ImageInWordsMetric, ...ImageInWordsMetric[]]))
    .min(1)
    .default(metrics)
    .describe('What is compared; the comparison is their mean.'),
  against: z
    .enum(opponents)
    .default('reference')
    .describe(
      'what a description is compared with: the one in its reference, or the others of its prompt, or three of those (anchors)',
    ),
})

/**
 * Two descriptions of the image in the prompt, side by side on five metrics with five levels each: 1 (a is substantially
 * better), 0.75, 0.5, 0.25, 0. Each metric is a part; better in hallucination means fewer of them.
 *
 * @source ImageInWords, arXiv 2405.02793 (its verdicts are human; the judge and its words are ours)
 */
export function imageInWordsJudge(settings: z.input<typeof options> = {}, given?: ChatModel): Comparator {
  const { variant, metrics: chosen, ...rest } = options.parse(settings)
  const model = judgeModel<ChatModel>('imageinwords', rest, given)
  return dimensionsComparator({
    name: 'imageinwords',
    dimensions: Object.fromEntries(
      chosen.map((metric) => [
        metric,
        pairJudge({
          name: `imageinwords/${metric}`,
          prompt,
          ask: byReply(model, levelReader, replyOptions(rest)),
          criterion: { dimension: metric, principle: questions[metric] },
          order: variant === 'guarded' ? 'both' : 'random',
          ...showing(variant, rest),
        }),
      ]),
    ),
  })
}

/**
 * Five-point verdicts of one metric, counted over comparisons, for `netPreference`: a value within 1/8 of a level is that
 * level. What could not be judged counts nowhere.
 */
export function fivePointVerdicts(
  comparisons: readonly Comparison[],
  metric: ImageInWordsMetric,
): FivePointVerdicts {
  return countVerdicts(
    comparisons.flatMap(({ parts }) => {
      const value = parts?.[metric]
      return value == null ? [] : [Math.round(4 * value - 2) as SideBySide]
    }),
  )
}

const sample: Sample = {
  id: 'imageinwords',
  prompt: [{ type: 'text', text: 'an image of a red circle' }],
  output: 'A small red circle at the top left.',
  reference: 'A circle.',
  meta: {},
}
const say = (level: string) => ({ model: `constant:<answer>${level}</answer>` })

export const imageInWords = defineRewardType({
  name: 'imageinwords',
  summary: 'Whether a description of an image beats another on five metrics, side by side.',
  source: 'ImageInWords, arXiv 2405.02793',
  options,
  create: (settings: z.output<typeof options>, given?: ChatModel): Reward =>
    rewardAgainst(imageInWordsJudge(settings, given), { against: settings.against }),
  prompts: { metric: prompt },
  examples: [
    { sample, options: say('neutral'), value: 0.5 },
    { sample, options: say('A is substantially better'), value: 0.5 },
    { sample, options: say('A'), value: null },
    { sample: { ...sample, reference: 5 }, options: say('neutral'), value: null },
  ],
})

export const imageInWordsMethod = defineMethod({
  id: 'imageinwords',
  rewards: [imageInWords],
  benchmarks: ['imageinwords'],
})
