import { z } from 'zod'
import type { Comparator, Range, Reward, Sample, Variant } from '../core/index.ts'
import type { ChatModel } from '../models/chat-model.ts'
import { opponents, rewardAgainst } from '../rewards/judge/against.ts'
import { byReply } from '../rewards/judge/asking.ts'
import type { JudgePrompt } from '../rewards/judge/judge-prompt.ts'
import { pairJudge } from '../rewards/judge/pair-judge.ts'
import { pointJudge } from '../rewards/judge/point-judge.ts'
import { preferenceReader, scoreReader } from '../rewards/judge/readers.ts'
import { judgeModel, replyOptions, replySettings, showing } from '../rewards/judge/settings.ts'
import type { ChoiceOptions } from '../rewards/judge/verdict.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { defineMethod } from './method.ts'

/** What is judged: pictures or clips made for a caption, or answers about them. */
const tasks = ['image generation', 'video generation', 'image understanding', 'video understanding'] as const
type Task = (typeof tasks)[number]

const nouns: Readonly<Record<Task, string>> = {
  'image generation': 'Image',
  'video generation': 'Video',
  'image understanding': 'Answer',
  'video understanding': 'Answer',
}

/** What is asked about each of the two families of tasks. */
const families = {
  generation: {
    given: 'Caption:',
    sides:
      'how well it matches the caption (objects, relations, attributes) and how good it looks as a whole (detail, composition, no artefacts)',
    range: [1, 10] as Range,
    point: `First list the elements of the caption, each on a line as "element (kind): 1" where it is shown and "element (kind): 0" where it is not.
Then weigh visual quality.`,
  },
  understanding: {
    given: 'Question:',
    sides:
      'whether the objects named are there, their relations and attributes are right, the answer helps, and it is decent',
    range: [0, 100] as Range,
    point: `In a few lines, judge five sides: objects, relations, attributes, helpfulness, decency.`,
  },
} as const

function familyOf(task: Task) {
  return families[task.endsWith('generation') ? 'generation' : 'understanding']
}

function pairPrompt(task: Task): JudgePrompt {
  const noun = nouns[task]
  const { given, sides } = familyOf(task)
  return {
    version: '1',
    system: 'You judge images, videos and answers about them.',
    user: `${given}
{prompt}
{first|${noun} 1}
{second|${noun} 2}
Compare the two: ${sides}.
{dimension}
Say briefly why, and end with <answer>${noun} 1 is better than ${noun} 2</answer>, <answer>${noun} 2 is better than ${noun} 1</answer> or <answer>Both are equally good</answer>.`,
  }
}

function pointPrompt(task: Task): JudgePrompt {
  const { given, range, point } = familyOf(task)
  return {
    version: '1',
    system: 'You judge images, videos and answers about them.',
    user: `${given}
{prompt}
{output|${nouns[task]}}
${point}
{dimension}
End with a line "Final Score: n", n from ${range[0]} to ${range[1]}.`,
  }
}

const options = z.strictObject({
  ...replySettings,
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe(
      'released: the verdict is searched for in the entire reply and a score is the first integer after the last marker, 0 where there is none (7.5 is 7); paper: the same sentence forms, scores as decimals; guarded: both orders, verdict in its tag outside of thoughts, no number is no score, coded fences.',
    ),
  form: z
    .enum(['pair', 'point'])
    .default('point')
    .describe('point: score one output; pair: is it better than another'),
  task: z.enum(tasks).default('image understanding'),
  against: z
    .enum(opponents)
    .default('reference')
    .describe(
      'pair: the output in the reference, or the other outputs of the prompt, or three of those (anchors)',
    ),
})

/** How the verdict of a pair is read; the released scripts take the first for chosen where they find none. */
function verdictOf(task: Task, variant: Variant): ChoiceOptions {
  const noun = nouns[task]
  const labels = [`${noun} 1 is better than ${noun} 2`, `${noun} 2 is better than ${noun} 1`]
  return variant === 'guarded'
    ? { labels, ties: ['Both are equally good'], policy: 'tag' }
    : { labels, ties: ['equally good'], policy: 'sentence' }
}

/**
 * Ranks a pair for one of four tasks. With `siftedPairs` (apply) and the point form as its measure it makes preference
 * pairs: rank two by two, then take the best of the winners and the worst of the losers.
 *
 * @source UnifiedReward, arXiv 2503.05236 (the words are ours)
 */
export function unifiedRewardJudge(settings: z.input<typeof options> = {}, given?: ChatModel): Comparator {
  const { variant, task, ...rest } = options.parse(settings)
  return pairJudge({
    name: 'unifiedreward',
    prompt: pairPrompt(task),
    ask: byReply(
      judgeModel('unifiedreward', rest, given),
      preferenceReader(verdictOf(task, variant)),
      replyOptions(rest),
    ),
    order: variant === 'guarded' ? 'both' : 'given',
    params: { task },
    ...showing(variant, rest),
  })
}

/** Scores are in the prompt's own units, 1 to 10 for generation and 0 to 100 for understanding: never mix them. */
function unifiedRewardReward(settings: z.output<typeof options>, given?: ChatModel): Reward {
  const { variant, form, task, against } = settings
  if (form === 'pair') return rewardAgainst(unifiedRewardJudge(settings, given), { against })
  const { range } = familyOf(task)
  return pointJudge({
    name: 'unifiedreward',
    prompt: pointPrompt(task),
    ask: byReply(
      judgeModel('unifiedreward', settings, given),
      scoreReader({ policy: variant === 'released' ? 'unified-reward' : 'marker' }),
      replyOptions(settings),
    ),
    // Where the released parser finds no number it says 0, whatever the scale.
    range: variant === 'released' ? [0, range[1]] : range,
    params: { task },
    ...showing(variant, settings),
  })
}

const sample: Sample = {
  id: 'unifiedreward',
  prompt: 'What is in the picture?',
  output: 'a red circle',
  reference: 'a blue square',
  meta: {},
}

export const unifiedReward = defineRewardType({
  name: 'unifiedreward',
  summary: 'A score, or a rank in a pair, for images and videos made for a caption or answers about them.',
  source: 'UnifiedReward, arXiv 2503.05236',
  options,
  create: unifiedRewardReward,
  prompts: Object.fromEntries(
    (['image generation', 'image understanding'] as const).flatMap((task) => [
      [`pair, ${task}`, pairPrompt(task)],
      [`point, ${task}`, pointPrompt(task)],
    ]),
  ),
  examples: [
    { sample, options: { model: 'constant:Fine. Final Score: 73.5' }, value: 73.5 },
    { sample, options: { model: 'constant:Fine. Final Score: 73.5', variant: 'released' }, value: 73 },
    { sample, options: { model: 'constant:no idea' }, value: null },
    { sample, options: { model: 'constant:no idea', variant: 'released' }, value: 0 },
    {
      sample,
      options: { model: 'constant:<answer>Answer 1 is better than Answer 2</answer>', form: 'pair' },
      value: 0.5,
    },
  ],
})

export const unifiedRewardMethod = defineMethod({ id: 'unifiedreward', rewards: [unifiedReward] })
