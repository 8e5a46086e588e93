import { z } from 'zod'
import {
  defineBatchReward,
  type Judgement,
  promptText,
  type Range,
  type Reward,
  type Sample,
  type ScoreContext,
  textOf,
  type Unscored,
  unscored,
  type Variant,
} from '../core/index.ts'
import type { ChatModel } from '../models/chat-model.ts'
import { type JudgePrompt, renderQuery } from '../rewards/judge/judge-prompt.ts'
import { selfCheck } from '../rewards/judge/self-check.ts'
import { judgeModel } from '../rewards/judge/settings.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { acceptedAnswers, answerAt, answersEqual } from '../rewards/verifiable/answers/answer.ts'
import { containsWords } from '../rewards/verifiable/answers/contains.ts'
import { type Grade, grade } from '../rewards/verifiable/answers/grade.ts'
import {
  closingBrace,
  extractBoxed,
  extractTag,
  isBlank,
  withoutThoughts,
} from '../rewards/verifiable/extract/extract.ts'
import { type FormatSpec, formatScore, tightenTags } from '../rewards/verifiable/extract/format.ts'
import { defineMethod } from './method.ts'

const format: FormatSpec = {
  tightTags: true,
  after: 'white-space',
  blocks: [{ tag: 'description', before: 'white-space' }, { tag: 'think' }, { open: '\\boxed{', close: '}' }],
}

const secondPass: JudgePrompt = {
  version: '1',
  user: `Text description: {text}
Question: {question}
Determine the answer from the text description alone. Reason inside <think> </think>, then give one word or phrase in \\boxed{}.`,
}

const options = z.strictObject({
  model: z
    .string()
    .min(1)
    .optional()
    .describe('The policy by name, to run the second pass; without one it stands in meta.'),
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe(
      'released: a missing box is the answer "None", and a response without description tags may earn the self-reward (its second pass sees the whole response); paper: neither; guarded: also, an empty answer, or one that is only thought of, is never right.',
    ),
  stream: z
    .enum(['total', 'answer', 'vision'])
    .default('total')
    .describe(
      'total: 0.9 accuracy + 0.1 format + self; answer, vision: the two streams of the decoupled form, accuracy or self + alpha format (unverified).',
    ),
  alpha: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe('weight of the format in the decoupled streams (unverified)'),
  leakFilter: z
    .boolean()
    .default(false)
    .describe(
      'no self-reward for a description that states the answer; its rate is the part "leak" either way',
    ),
  textOnlyField: z
    .string()
    .min(1)
    .default('text_only_answer')
    .describe(
      "field of meta with the second pass: the policy's reply to the description alone (null: it gave none)",
    ),
})

/**
 * Accuracy of the boxed answer, format, and the self-reward: whether the same policy reaches the answer from its own
 * description of the image alone. The second pass is one sampled reply of the policy (temperature 1, top-p 0.99); without
 * a policy it is read from meta (see `secondPassPrompt`). The reference is the gold answer.
 *
 * @source Vision-SR1, arXiv 2508.19652; the decoupled streams are from a secondary source and unverified
 */
function visionSr1Reward(settings: z.input<typeof options> = {}, given?: ChatModel): Reward {
  const { variant, stream, alpha, leakFilter, textOnlyField, model } = options.parse(settings)
  const range: Range = stream === 'total' ? [0, 2] : [0, 1 + alpha]
  const policy =
    given ?? (model === undefined ? undefined : judgeModel<ChatModel>('vision-sr1', { model }, given))
  const check =
    policy && stream !== 'answer' ? selfCheck(policy, { prompt: secondPass, topP: 0.99 }) : undefined
  return defineBatchReward({
    name: 'vision-sr1',
    needs: check ? ['reference', 'chat'] : ['reference'],
    range,
    params: { variant, stream, alpha, leakFilter, ...(check ? { check: check.params } : { textOnlyField }) },
    judgeAll: async (samples, context) => {
      const read = samples.map(firstPass)
      const replies = await secondPasses(samples, read, context)
      return samples.map((_, index) => judge(read[index]!, replies[index]!))
    },
  })

  function firstPass(sample: Sample): FirstPass | Unscored {
    const gold = acceptedAnswers(sample.reference)
    if (gold?.length !== 1)
      return unscored('bad-input', 'the reference must be the gold answer: a text or a number')
    const response = textOf(sample.output)
    const description = selfContainedDescription(response, variant)
    const leak = description !== undefined && statesAnswer(description, gold[0]!)
    const asked = stream !== 'answer' && description !== undefined && !(leakFilter && leak)
    return { gold: gold[0]!, response, description: asked ? description : undefined, leak }
  }

  /** The policy's replies to the descriptions alone; null where there is none to be had. */
  async function secondPasses(
    samples: readonly Sample[],
    read: readonly (FirstPass | Unscored)[],
    context: ScoreContext,
  ): Promise<(string | null | Unscored)[]> {
    const asked = samples.flatMap((sample, index) => {
      const pass = read[index]!
      if ('code' in pass || pass.description === undefined) return []
      return [
        { key: sample.id, text: pass.description, question: questionOf(promptText(sample.prompt)), sample },
      ]
    })
    const replies = check ? await check.run(asked, context) : asked.map(({ sample }) => recordedReply(sample))
    const found = new Map(asked.map(({ sample }, index) => [sample, replies[index]!]))
    return samples.map((sample) => {
      const reply = found.get(sample) ?? null
      // A policy that declines has not answered.
      return typeof reply === 'object' && reply?.code === 'refused' ? null : reply
    })
  }

  function recordedReply({ meta }: Sample): string | null | Unscored {
    const reply = Object.hasOwn(meta, textOnlyField) ? meta[textOnlyField] : undefined
    return reply === null || typeof reply === 'string'
      ? reply
      : unscored('bad-input', `meta.${textOnlyField} must be the text of the second pass, or null`)
  }

  function judge(pass: FirstPass | Unscored, reply: string | null | Unscored): Judgement {
    if ('code' in pass) return pass
    if (typeof reply === 'object' && reply !== null) return reply
    const { gold, response, leak } = pass
    const accuracy = rightness(tightenTags(response), gold, variant)
    const self = reply === null ? false : rightness(reply, gold, variant)
    if (accuracy === null || self === null)
      return unscored('too-large', 'the answers are beyond what can be compared exactly')
    const parts = {
      accuracy: Number(accuracy),
      format: formatScore(response, format),
      self: Number(self),
      leak: Number(leak),
    }
    const value = {
      total: 0.9 * parts.accuracy + 0.1 * parts.format + parts.self,
      answer: parts.accuracy + alpha * parts.format,
      vision: parts.self + alpha * parts.format,
    }[stream]
    return { value, parts }
  }
}

interface FirstPass {
  readonly gold: string
  readonly response: string
  /** What the second pass is shown; undefined where there is none. */
  readonly description: string | undefined
  readonly leak: boolean
}

function rightness(response: string, gold: string, variant: Variant): Grade {
  const { value } = extractBoxed(variant === 'guarded' ? withoutThoughts(response) : response)
  if (variant === 'released') return grade(value ?? 'None', gold)
  return value === undefined ? false : answersEqual(value, gold, { rules: 'grade' })
}

/**
 * What the second pass is shown of a response: the content of its description tags, without boxed answers and answer
 * tags. Undefined when there is none; as released, the whole response then (which gives the answer away).
 */
export function selfContainedDescription(response: string, variant: Variant = 'guarded'): string | undefined {
  const { value } = extractTag(tightenTags(response), 'description')
  if (variant === 'released') return value ?? response
  const stripped = value && withoutAnswers(value).trim()
  return stripped === undefined || isBlank(stripped) ? undefined : stripped
}

/** The prompt of the second pass: description and question, no image; undefined when there is no description. */
export function secondPassPrompt(
  response: string,
  question: string,
  variant: Variant = 'guarded',
): string | undefined {
  const description = selfContainedDescription(response, variant)
  if (description === undefined) return undefined
  const [query] = renderQuery(secondPass, {
    material: { text: description, question: questionOf(question) },
    fence: 'plain',
  })
  return query!.text
}

/** The question without the place of its image. */
function questionOf(prompt: string): string {
  return prompt.replaceAll('<image>', '').trim()
}

function withoutAnswers(description: string): string {
  let kept = ''
  let from = 0
  for (const match of description.matchAll(/\\boxed\{|<answer>/g)) {
    if (match.index < from) continue
    kept += `${description.slice(from, match.index)} ` // a space, lest what is left make a new box
    const start = match.index + match[0].length
    const end =
      match[0] === '<answer>' ? description.indexOf('</answer>', start) : closingBrace(description, start)
    if (end < 0) return kept // what is not closed holds the rest
    from = end + (match[0] === '<answer>' ? '</answer>'.length : 1)
  }
  return kept + description.slice(from)
}

/** Whether a description says the answer outright ("the answer is 3"), boxed or tagged included. */
export function statesAnswer(description: string, gold: string): boolean {
  for (const place of ['boxed', 'tag:answer'] as const) {
    const { value } = answerAt(description, place)
    if (value !== undefined && answersEqual(value, gold, { rules: 'grade' })) return true
  }
  const { value: said } = answerAt(description, 'final-answer')
  return said !== undefined && containsWords(said.toLowerCase(), gold.trim().toLowerCase())
}

const answered = '<description>A red ball on grass.</description><think>The ball is red.</think>\\boxed{red}'
const sample = (output: string, textOnly: string | null, reference = 'red'): Sample => ({
  id: 'vision-sr1',
  prompt: 'What colour is the ball?',
  output,
  reference,
  meta: { text_only_answer: textOnly },
})
const leaking = answered.replace('on grass', 'on grass, so the answer is red')

export const visionSr1 = defineRewardType({
  name: 'vision-sr1',
  summary:
    'Answer, format, and whether the policy reaches the answer from its own description without the image.',
  source: 'Vision-SR1, arXiv 2508.19652',
  options,
  create: visionSr1Reward,
  prompts: { 'second pass': secondPass },
  examples: [
    { sample: sample(answered, '\\boxed{red}'), value: 2 },
    { sample: sample(answered, '\\boxed{blue}'), value: 1 },
    { sample: sample(answered, null), value: 1 },
    { sample: sample('<think>It is red.</think>\\boxed{red}', '\\boxed{red}'), value: 0.9 },
    {
      sample: sample('<think>It is red.</think>\\boxed{red}', '\\boxed{red}'),
      options: { variant: 'released' },
      value: 1.9,
    },
    { sample: sample(leaking, '\\boxed{red}'), options: { leakFilter: true }, value: 1 },
    { sample: sample(answered, '\\boxed{red}'), options: { stream: 'vision' }, value: 1.1 },
    { sample: { ...sample(answered, null), meta: {} }, value: null },
    {
      sample: { ...sample(answered, null), meta: {} },
      options: { model: 'constant:\\boxed{red}' },
      value: 2,
    },
  ],
})

export const visionSr1Method = defineMethod({ id: 'vision-sr1', rewards: [visionSr1] })
