import { z } from 'zod'
import {
  type Comparator,
  defineReward,
  type Reward,
  type Sample,
  textOf,
  unscored,
  type Variant,
} from '../core/index.ts'
import type { ChatModel } from '../models/chat-model.ts'
import { opponents, rewardAgainst } from '../rewards/judge/against.ts'
import { byReply } from '../rewards/judge/asking.ts'
import type { JudgePrompt } from '../rewards/judge/judge-prompt.ts'
import { pairJudge } from '../rewards/judge/pair-judge.ts'
import { preferenceReader } from '../rewards/judge/readers.ts'
import { judgeModel, replyOptions, replySettings, showing } from '../rewards/judge/settings.ts'
import { type ChoiceOptions, parseChoice } from '../rewards/judge/verdict.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { extractTag } from '../rewards/verifiable/extract/extract.ts'
import { type FormatSpec, formatScore, strictFormat } from '../rewards/verifiable/extract/format.ts'
import { defineMethod } from './method.ts'

const dimensionsOf = {
  Image: 'semantic consistency with the caption, aesthetics, authenticity',
  Video: 'semantic consistency with the caption, aesthetics, authenticity',
  Answer: 'semantic accuracy, correctness, clarity',
} as const
type Noun = keyof typeof dimensionsOf

function promptFor(noun: Noun): JudgePrompt {
  return {
    version: '1',
    system: 'You compare two candidates side by side and reason in the open before you decide.',
    user: `${noun === 'Answer' ? 'Question' : 'Caption'}:
{prompt}
{first|${noun} 1}
{second|${noun} 2}
Inside <think> and </think>, go through the dimensions one by one: ${dimensionsOf[noun]}, and others if the case asks for them. For each write a line
dimension: ${noun} 1 (s/10) - why; ${noun} 2 (s/10) - why
with scores s from 1 to 10. Then write the totals as sums:
${noun} 1: s + s + s = total
${noun} 2: s + s + s = total
After that, decide by the totals and write exactly one of
<answer>${noun} 1 is better</answer>
<answer>${noun} 2 is better</answer>
with nothing else inside.`,
  }
}

const options = z.strictObject({
  ...replySettings,
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe(
      'released, paper: one drawn order, the first answer tag counts even inside thoughts, and without tags the entire reply; guarded: both orders, one answer outside of thoughts, coded fences.',
    ),
  candidates: z.enum(['Image', 'Video', 'Answer']).default('Answer').describe('what is compared'),
  against: z
    .enum(opponents)
    .default('reference')
    .describe(
      'what a sample must beat: the output in its reference, or the other outputs of its prompt, or three of those (anchors)',
    ),
})

function verdictOf(noun: Noun, variant: Variant): ChoiceOptions {
  return {
    labels: [`${noun} 1 is better`, `${noun} 2 is better`],
    policy: variant === 'guarded' ? 'tag' : 'first-tag',
  }
}

/**
 * A pair judge that scores both candidates on each dimension in a chain of thought, adds up, and names the better. No
 * ties. Videos are best given as 4 frames each.
 *
 * @source UnifiedReward-Think, arXiv 2505.03318 (the words are ours)
 */
export function unifiedRewardThinkJudge(
  settings: z.input<typeof options> = {},
  given?: ChatModel,
): Comparator {
  const { variant, candidates, ...rest } = options.parse(settings)
  return pairJudge({
    name: 'unifiedreward-think',
    prompt: promptFor(candidates),
    ask: byReply(
      judgeModel('unifiedreward-think', rest, given),
      preferenceReader(verdictOf(candidates, variant)),
      replyOptions(rest),
    ),
    order: variant === 'guarded' ? 'both' : 'random',
    ...showing(variant, rest),
  })
}

/** What a chain of thought says, and whether it agrees with itself: to be measured, not rewarded. */
export interface ThoughtTrace {
  /** Scores of candidate 1 and 2 by dimension, as written. */
  readonly scores: readonly (readonly [first: number, second: number])[]
  /** Totals as written; undefined where one is missing. */
  readonly totals: readonly [first: number, second: number] | undefined
  /** The totals written are the sums of the scores; undefined without totals or scores. */
  readonly sumConsistent: boolean | undefined
  /** The answer is the candidate with the higher total; undefined without either, or for equal totals. */
  readonly answerConsistent: boolean | undefined
}

/** Reads the scores, totals and answer of a reply of the judge. */
export function thoughtTrace(reply: string, noun: Noun = 'Answer'): ThoughtTrace {
  const thought = extractTag(reply, 'think').value ?? ''
  const scored = (candidate: number) =>
    [
      ...thought.matchAll(
        new RegExp(`${noun} ${candidate} ?\\(\\s*(\\d+(?:\\.\\d+)?)\\s*/\\s*10\\s*\\)`, 'g'),
      ),
    ].map(([, score]) => Number(score))
  const totalOf = (candidate: number) => {
    const lines = [
      ...thought.matchAll(new RegExp(`${noun} ${candidate}[^\\n=()]{0,200}=\\s*(\\d+(?:\\.\\d+)?)`, 'g')),
    ]
    const written = lines.at(-1)?.[1]
    return written === undefined ? undefined : Number(written)
  }
  const [first, second] = [scored(1), scored(2)]
  const [totalFirst, totalSecond] = [totalOf(1), totalOf(2)]
  const totals =
    totalFirst === undefined || totalSecond === undefined ? undefined : ([totalFirst, totalSecond] as const)
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)
  const choice = parseChoice(reply, verdictOf(noun, 'guarded'))
  return {
    scores: first.slice(0, second.length).map((score, index) => [score, second[index]!] as const),
    totals,
    sumConsistent:
      totals === undefined || first.length === 0 || second.length === 0
        ? undefined
        : Math.abs(sum(first) - totals[0]) < 1e-6 && Math.abs(sum(second) - totals[1]) < 1e-6,
    answerConsistent:
      totals === undefined || choice === undefined || totals[0] === totals[1]
        ? undefined
        : choice === (totals[0] > totals[1] ? 0 : 1),
  }
}

const format: FormatSpec = { match: 'prefix', blocks: [{ tag: 'think' }, { tag: 'answer' }] }

/**
 * The reward that trains the judge: accuracy plus format, 0 to 2. The reference is the right sentence ("Image 1 is
 * better"), the output the judge's reply.
 *
 * @source UnifiedReward-Think, arXiv 2505.03318 (released code)
 */
function verdictReward({ variant }: { readonly variant: Variant }): Reward {
  return defineReward({
    name: 'unifiedreward-think-verdict',
    range: [0, 2],
    needs: ['reference'],
    params: { variant },
    judge: ({ output, reference }) => {
      if (typeof reference !== 'string' || reference.trim() === '')
        return unscored('bad-input', 'the reference must be the right sentence, such as "Image 1 is better"')
      const reply = textOf(output)
      const right = parseChoice(reply, {
        labels: [reference],
        policy: variant === 'guarded' ? 'tag' : 'first-tag',
      })
      const parts = {
        accuracy: Number(right === 0),
        format: formatScore(reply, variant === 'guarded' ? strictFormat(format) : format),
      }
      return { value: parts.accuracy + parts.format, parts }
    },
  })
}

const sample: Sample = {
  id: 'unifiedreward-think',
  prompt: 'What is in the picture?',
  output: 'a red circle',
  reference: 'a blue square',
  meta: {},
}
const rollout = (output: string, reference = 'Image 1 is better'): Sample => ({
  ...sample,
  output,
  reference,
})
const first = '<think>t</think><answer>Image 1 is better</answer>'

export const unifiedRewardThink = defineRewardType({
  name: 'unifiedreward-think',
  summary: 'Whether an output beats another, by a judge that scores dimension by dimension in the open.',
  source: 'UnifiedReward-Think, arXiv 2505.03318',
  options,
  create: (settings: z.output<typeof options>, given?: ChatModel) =>
    rewardAgainst(unifiedRewardThinkJudge(settings, given), { against: settings.against }),
  prompts: { images: promptFor('Image'), answers: promptFor('Answer') },
  examples: [
    {
      sample,
      options: { model: 'constant:<think>t</think><answer>Answer 1 is better</answer>' },
      value: 0.5,
    },
    { sample, options: { model: 'constant:Answer 1 is better' }, value: null },
  ],
})

export const unifiedRewardThinkVerdict = defineRewardType({
  name: 'unifiedreward-think-verdict',
  summary: 'Whether the reply of a judge that is trained names the right one of two, in the right form.',
  source: 'UnifiedReward-Think, arXiv 2505.03318',
  options: z.strictObject({
    variant: z
      .enum(['released', 'paper', 'guarded'])
      .default('guarded')
      .describe(
        'released, paper: the first answer tag to the letter, even inside thoughts, or the entire reply; guarded: one answer outside of thoughts, each tag once and not empty.',
      ),
  }),
  create: verdictReward,
  examples: [
    { sample: rollout(first), value: 2 },
    { sample: rollout('Image 1 is better'), options: { variant: 'released' }, value: 1 },
    { sample: rollout('Image 1 is better'), value: 0 },
    {
      sample: rollout('<think></think><answer>Image 1 is better</answer>'),
      options: { variant: 'paper' },
      value: 2,
    },
    { sample: rollout('<think></think><answer>Image 1 is better</answer>'), value: 1 },
    { sample: rollout(first, ''), value: null },
  ],
})

export const unifiedRewardThinkMethod = defineMethod({
  id: 'unifiedreward-think',
  rewards: [unifiedRewardThink, unifiedRewardThinkVerdict],
})
