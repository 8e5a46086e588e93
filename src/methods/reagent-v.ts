import { z } from 'zod'
import { isObject, type Reward, type Sample } from '../core/index.ts'
import type { ChatModel } from '../models/chat-model.ts'
import { byReply, type ReplyReader } from '../rewards/judge/asking.ts'
import type { JudgePrompt } from '../rewards/judge/judge-prompt.ts'
import { type PointVerdict, pointJudge } from '../rewards/judge/point-judge.ts'
import { judgeModel, replyOptions, replySettings, showing } from '../rewards/judge/settings.ts'
import { parseObject } from '../rewards/judge/verdict.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { defineMethod } from './method.ts'
import { fusionPrompt, reflectionPrompt } from './reagent-v/reflection.ts'
import { openQuestionsPrompt, toolAnswerPrompt, toolPrompt } from './reagent-v/tool-loop.ts'

const axes = {
  visual_alignment: 'does it say what is shown?',
  temporal_accuracy: 'are the order and the time of events right?',
  option_disambiguation: 'does it tell the right option from those that look alike?',
  reasoning_specificity: 'does it rest on particular things that are shown?',
  linguistic_precision: 'is it clear and exact in its words?',
} as const

const names = Object.keys(axes) as (keyof typeof axes)[]

const criticPrompt: JudgePrompt = {
  version: '1',
  system:
    'You are the critic of answers to questions about a video. You find what is wrong before you grade.',
  user: `Question:
{prompt}
{output|answer}
Grade it from 0 (fails) to 5 (flawless) on five axes:
${names.map((name) => `${name}: ${axes[name]}`).join('\n')}
Reply as JSON with a score and a reason for each axis, and an overall reward from 0 to 1:
{${names.map((name) => `"${name}": {"score": 3, "reason": "..."}`).join(', ')}, "reward": 0.5}`,
}

const options = z.strictObject({
  ...replySettings,
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe(
      'released: the reward that the critic states; paper: the sum of its five scores / 25; guarded: the same, in coded fences, with every axis scored or none.',
    ),
})

/** Scores from 0 to 5 on each axis as parts, and a value in [0, 1]. */
function reportReader(stated: boolean, whole: boolean): ReplyReader<PointVerdict> {
  return {
    params: { report: { stated, whole } },
    read: (reply) => {
      const report = parseObject(reply)?.value
      if (report === undefined) return undefined
      const parts: Record<string, number> = {}
      for (const name of names) {
        const given = Object.hasOwn(report, name) ? report[name] : undefined
        const score = isObject(given) ? given.score : given
        if (typeof score === 'number' && score >= 0 && score <= 5) parts[name] = score
        else if (whole) return undefined
      }
      const total = Object.values(parts).reduce((sum, score) => sum + score, 0)
      const { reward } = report
      if (stated)
        return typeof reward === 'number' ? { value: reward, parts: { ...parts, total } } : undefined
      return Object.keys(parts).length === 0 ? undefined : { value: total / 25, parts: { ...parts, total } }
    },
  }
}

/**
 * The critic's report on an answer about a video: visual alignment, temporal accuracy, option disambiguation, reasoning
 * specificity and linguistic precision, each from 0 to 5, and their sum / 25 (our rule: the release lets the model state
 * the reward). The report is the score's `rationale`: `reflect` takes a second look at the answer with it;
 * `answerWithTools` is how such answers are made.
 *
 * For curation mind the directions: fine-tuning keeps answers of a high reward, policy optimisation keeps hard items,
 * preference pairs take the best and the worst.
 *
 * @source ReAgent-V, arXiv 2506.01300 (the words are ours)
 */
function reagentVReward(settings: z.input<typeof options> = {}, given?: ChatModel): Reward {
  const { variant, ...rest } = options.parse(settings)
  return pointJudge({
    name: 'reagent-v',
    prompt: criticPrompt,
    ask: byReply(
      judgeModel<ChatModel>('reagent-v', rest, given),
      reportReader(variant === 'released', variant === 'guarded'),
      replyOptions(rest),
    ),
    ...showing(variant, rest),
  })
}

const sample: Sample = {
  id: 'reagent-v',
  prompt: 'What does the circle do?',
  output: 'It moves left.',
  meta: {},
}
const report = (scores: readonly number[], reward: number) => ({
  model: `constant:${JSON.stringify({
    ...Object.fromEntries(scores.map((score, index) => [names[index]!, { score, reason: 'so' }])),
    reward,
  })}`,
})

export const reagentV = defineRewardType({
  name: 'reagent-v',
  summary: 'A critic’s report on an answer about a video: five axes from 0 to 5, as one reward.',
  source: 'ReAgent-V, arXiv 2506.01300',
  options,
  create: reagentVReward,
  prompts: {
    tools: toolPrompt,
    answer: toolAnswerPrompt,
    'open questions': openQuestionsPrompt,
    critic: criticPrompt,
    reflection: reflectionPrompt,
    fusion: fusionPrompt,
  },
  examples: [
    { sample, options: report([5, 4, 3, 5, 3], 1), value: 0.8 },
    { sample, options: { ...report([5, 4, 3, 5, 3], 1), variant: 'released' }, value: 1 },
    { sample, options: report([5, 4, 3, 5], 1), value: null },
    { sample, options: { ...report([5, 4, 3, 5], 1), variant: 'paper' }, value: 0.68 },
    { sample, options: report([5, 4, 3, 5, 50], 1), value: null },
  ],
})

export const reagentVMethod = defineMethod({ id: 'reagent-v', rewards: [reagentV] })
