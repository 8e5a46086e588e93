import { z } from 'zod'
import { type Reward, type Sample, textOf, unscored } from '../core/index.ts'
import type { ChatModel } from '../models/chat-model.ts'
import { byReply } from '../rewards/judge/asking.ts'
import type { JudgePrompt } from '../rewards/judge/judge-prompt.ts'
import { pointJudge } from '../rewards/judge/point-judge.ts'
import { yesNoReader } from '../rewards/judge/readers.ts'
import { judgeModel, replyOptions, replySettings, showing } from '../rewards/judge/settings.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { withoutThoughts } from '../rewards/verifiable/extract/extract.ts'
import { defineMethod } from './method.ts'

const isRight: JudgePrompt = {
  version: '1',
  system: 'You check answers against a reference.',
  user: `Question:
{prompt}
{reference|reference answer}
{output|response}
Does the response come to the same final answer as the reference? A response that gives no answer of its own (an opening, a promise, a sign) does not.
Say YES or NO, nothing else.`,
}

const withoutQuestion: JudgePrompt = {
  ...isRight,
  user: isRight.user.replace('Question:\n{prompt}\n', ''),
}

const options = z.strictObject({
  ...replySettings,
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe(
      'paper (no code was released): the verdict is the first word; guarded: coded fences, and a response without a letter or digit is 0 without asking.',
    ),
  question: z
    .boolean()
    .default(true)
    .describe('show the question; without it the paper found judges fooled far less'),
})

/**
 * A verifier: a model says YES or NO to whether a response comes to the reference's answer. 1 or 0; a reply that begins
 * with neither is unscored ("NO, YES would need..." is a no). Content-free responses ("master keys") fool such judges:
 * `guerdon audit` measures how often, which says nothing unless natural accuracy and recall stand beside it (always NO is
 * never fooled).
 *
 * @source One Token to Fool LLM-as-a-Judge, arXiv 2507.08794 (the words are ours)
 */
function verifierReward(settings: z.output<typeof options>, given?: ChatModel): Reward {
  const { variant, question } = settings
  const judge = pointJudge({
    name: 'verifier',
    prompt: question ? isRight : withoutQuestion,
    ask: byReply(judgeModel('verifier', settings, given), yesNoReader(), replyOptions(settings)),
    needs: ['chat', 'reference'],
    params: { variant },
    ...showing(variant, settings),
  })
  return {
    ...judge,
    score: async (samples, context) => {
      const asked = samples.filter((sample) => problemOf(sample, variant === 'guarded') === undefined)
      const scores = await judge.score(asked, context)
      let next = 0
      return samples.map((sample) => problemOf(sample, variant === 'guarded') ?? scores[next++]!)
    },
  }
}

/** The score of what needs no judge: no reference, or (guarded) a response that shows no letter or digit. */
function problemOf({ output, reference }: Sample, isGuarded: boolean) {
  if (typeof reference !== 'string' && typeof reference !== 'number' && typeof reference !== 'boolean')
    return unscored('bad-input', 'the reference must be the right answer: text, a number or true or false')
  if (isGuarded && !/[\p{L}\p{N}]/u.test(withoutThoughts(textOf(output))))
    return { value: 0, parts: { parsed: 1 }, rationale: 'the response holds no answer' }
  return undefined
}

const sample: Sample = {
  id: 'verifier',
  prompt: 'What is 7 * 8?',
  output: 'It is 56.',
  reference: '56',
  meta: {},
}

export const verifier = defineRewardType({
  name: 'verifier',
  summary: 'Whether a model finds that a response comes to the same answer as the reference.',
  source: 'One Token to Fool LLM-as-a-Judge, arXiv 2507.08794',
  options,
  create: verifierReward,
  prompts: { verifier: isRight, 'without the question': withoutQuestion },
  examples: [
    { sample, options: { model: 'constant:YES' }, value: 1 },
    { sample, options: { model: 'constant:NO, YES would need a proof' }, value: 0 },
    { sample, options: { model: 'constant:perhaps' }, value: null },
    { sample: { ...sample, output: ' ' }, options: { model: 'constant:YES' }, value: 0 },
    { sample: { ...sample, output: ':' }, options: { model: 'constant:YES', variant: 'paper' }, value: 1 },
    { sample: { ...sample, reference: [] }, options: { model: 'constant:YES' }, value: null },
  ],
})

export const masterKeysMethod = defineMethod({ id: 'master-keys-one-token', rewards: [verifier] })
