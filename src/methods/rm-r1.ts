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
import { byReply, type ReplyReader } from '../rewards/judge/asking.ts'
import type { JudgePrompt } from '../rewards/judge/judge-prompt.ts'
import { pairJudge } from '../rewards/judge/pair-judge.ts'
import { preferenceReader } from '../rewards/judge/readers.ts'
import { judgeModel, replyOptions, replySettings, showing } from '../rewards/judge/settings.ts'
import { type ChoiceOptions, parseChoice } from '../rewards/judge/verdict.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { extractTag, withoutThoughts } from '../rewards/verifiable/extract/extract.ts'
import { defineMethod } from './method.ts'

const question = `Question:
{prompt}
{first|answer A}
{second|answer B}`

const instructed: JudgePrompt = {
  version: '1',
  system: `You compare two answers, A and B, to a question. First say which kind of question it is.
Reasoning: mathematics, code, special knowledge, or several steps of inference. Then solve it yourself before you look at
the answers, and judge them by your solution: are they right, complete and soundly reasoned?
Chat: conversation, rewriting, safety, general help. Then write the criteria that matter for this very question, each with
a weight, say why, and judge the answers by them.
Which answer stands first, how long it is and who wrote it do not matter.

Write, for a question of reasoning:
<type>Reasoning</type>
<solution>your own solution</solution>
<eval>what A and B say, quoted as <quote_A>...</quote_A> and <quote_B>...</quote_B> or summed up as <summary_A>...</summary_A> and <summary_B>...</summary_B>, compared with your solution</eval>
<answer>[[A]]</answer> or <answer>[[B]]</answer>

For any other question:
<type>Chat</type>
<rubric>criteria with weights <justify>why these</justify></rubric>
<eval>as above, by the rubric</eval>
<answer>[[A]]</answer> or <answer>[[B]]</answer>`,
  user: `${question}
Judge by the format above; the last line names the better answer.`,
}

const reasoner: JudgePrompt = {
  version: '1',
  system:
    'You compare two answers, A and B, to a question. Think it through; which answer stands first, how long it is and who wrote it do not matter.',
  user: `${question}
Which answer is better? End with <answer>[[A]]</answer> or <answer>[[B]]</answer>.`,
}

const options = z.strictObject({
  ...replySettings,
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe(
      'released, paper: one drawn order, the verdict as the released matcher reads it (within the last 80 characters); guarded: both orders, one verdict anywhere outside of thoughts, coded fences.',
    ),
  prompt: z
    .enum(['instructed', 'reasoner'])
    .default('instructed')
    .describe('reasoner: the short prompt for models that reason by themselves'),
  against: z
    .enum(opponents)
    .default('reference')
    .describe(
      'what a sample must beat: the output in its reference, or the other outputs of its prompt, or three of those (anchors)',
    ),
})

const verdicts: Readonly<Record<Variant, ChoiceOptions>> = {
  released: { labels: ['A', 'B'], policy: 'end-window' },
  paper: { labels: ['A', 'B'], policy: 'end-window' },
  guarded: { labels: ['A', 'B'], policy: 'tag' },
}

/**
 * A pair judge that decides whether a question asks for reasoning or for chat, solves it or writes its own rubric, and
 * then names A or B. No ties.
 *
 * @source RM-R1, arXiv 2505.02387 (the words are ours)
 */
export function rmR1Judge(settings: z.input<typeof options> = {}, given?: ChatModel): Comparator {
  const { variant, prompt, ...rest } = options.parse(settings)
  const reader: ReplyReader<number> = preferenceReader(verdicts[variant])
  return pairJudge({
    name: 'rm-r1',
    prompt: prompt === 'reasoner' ? reasoner : instructed,
    ask: byReply(judgeModel('rm-r1', rest, given), reader, replyOptions(rest)),
    order: variant === 'guarded' ? 'both' : 'random',
    ...showing(variant, rest),
  })
}

/** What a judge's reply says about itself, to be measured and not rewarded. */
export function rmR1Trace(reply: string): {
  readonly type: 'Reasoning' | 'Chat' | undefined
  /** The part that its type asks for stands there: a solution, or a rubric with a justification. */
  readonly hasGround: boolean
  readonly quotes: { readonly a: number; readonly b: number }
} {
  const shown = withoutThoughts(reply)
  const named = extractTag(shown, 'type').value
  const type = named === 'Reasoning' || named === 'Chat' ? named : undefined
  const has = (tag: string) => extractTag(shown, tag).value !== undefined
  const count = (side: string) =>
    shown.split(`<quote_${side}>`).length + shown.split(`<summary_${side}>`).length - 2
  return {
    type,
    hasGround:
      type === 'Reasoning' ? has('solution') : type === 'Chat' ? has('rubric') && has('justify') : false,
    quotes: { a: count('A'), b: count('B') },
  }
}

const sides: Readonly<Record<string, number>> = { A: 0, B: 1, model_a: 0, model_b: 1 }

/**
 * The reward that trains the judge: 1 where its reply names the right answer, -1 otherwise, also for none or two. The
 * reference is A or B (or model_a, model_b), the output the judge's reply.
 *
 * @source RM-R1, arXiv 2505.02387 (released reward)
 */
function verdictReward({ variant }: { readonly variant: Variant }): Reward {
  return defineReward({
    name: 'rm-r1-verdict',
    range: [-1, 1],
    needs: ['reference'],
    params: { variant },
    judge: ({ output, reference }) => {
      const right =
        typeof reference === 'string' && Object.hasOwn(sides, reference) ? sides[reference] : undefined
      if (right === undefined) return unscored('bad-input', 'the reference must be A, B, model_a or model_b')
      return parseChoice(textOf(output), verdicts[variant]) === right ? 1 : -1
    },
  })
}

const sample: Sample = {
  id: 'rm-r1',
  prompt: 'What is 7 * 8?',
  output: '56',
  reference: '54',
  meta: {},
}
const named = (letter: string) => `<type>Chat</type>\n<answer>[[${letter}]]</answer>`
const rollout = (output: string, reference = 'A'): Sample => ({ ...sample, output, reference })

export const rmR1 = defineRewardType({
  name: 'rm-r1',
  summary: 'Whether an answer beats another, by a judge that writes its own solution or rubric first.',
  source: 'RM-R1, arXiv 2505.02387',
  options,
  create: (settings: z.output<typeof options>, given?: ChatModel) =>
    rewardAgainst(rmR1Judge(settings, given), { against: settings.against }),
  prompts: { instructed, reasoner },
  examples: [
    { sample, options: { model: `constant:${named('A')}` }, value: 0.5 },
    { sample, options: { model: 'constant:I cannot say.' }, value: null },
    { sample: { ...sample, reference: 3 }, options: { model: `constant:${named('A')}` }, value: null },
  ],
})

export const rmR1Verdict = defineRewardType({
  name: 'rm-r1-verdict',
  summary: 'Whether the reply of a judge that is trained names the right one of two answers: 1 or -1.',
  source: 'RM-R1, arXiv 2505.02387',
  options: z.strictObject({
    variant: z
      .enum(['released', 'paper', 'guarded'])
      .default('guarded')
      .describe(
        'released, paper: exactly one of <answer>[[A]]</answer> and <answer>[[B]]</answer> within the last 80 characters; guarded: one verdict outside of thoughts, wherever it stands.',
      ),
  }),
  create: verdictReward,
  examples: [
    { sample: rollout(named('A')), value: 1 },
    { sample: rollout(named('B')), value: -1 },
    {
      sample: rollout(`${named('A')} ${'and so on '.repeat(8)}`),
      options: { variant: 'released' },
      value: -1,
    },
    { sample: rollout(`${named('A')} ${'and so on '.repeat(8)}`), value: 1 },
    { sample: rollout(`<think>${named('A')}</think>`), value: -1 },
    { sample: rollout(named('A'), 'C'), value: null },
  ],
})

export const rmR1Method = defineMethod({ id: 'rm-r1', rewards: [rmR1, rmR1Verdict] })
