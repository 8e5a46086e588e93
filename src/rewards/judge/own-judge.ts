import { z } from 'zod'
import { GuerdonError, type Reward, type Sample } from '../../core/index.ts'
import type { ChatModel } from '../../models/chat-model.ts'
import type { ChoiceModel } from '../../models/token-model.ts'
import { defineRewardType } from '../reward-type.ts'
import { byProbability, byReply, type ReplyReader } from './asking.ts'
import type { JudgePrompt } from './judge-prompt.ts'
import { pointJudge } from './point-judge.ts'
import { yesNoReader } from './readers.ts'
import { judgeModel, probabilitySettings, replyOptions, replySettings } from './settings.ts'
import { parseScore } from './verdict.ts'

const fields = ['prompt', 'output', 'reference', 'task', 'dimension', 'principle', 'context'] as const

const ending: Readonly<Record<'probability' | 'yes-no' | 'score', string>> = {
  probability: 'Answer yes or no.',
  'yes-no': 'Answer yes or no.',
  score: 'End with "Final Score: " and a number from {low} (useless) to {high} (as good as can be).',
}

const usual = `{prompt}
{output|answer}
{reference|right answer}
{principle}
Is this a good answer?`

const options = z.strictObject({
  ...replySettings,
  ...probabilitySettings,
  question: z
    .string()
    .min(1)
    .optional()
    .describe(
      `What the model is asked, with {${fields.join('}, {')}} where they go; a line with a field that a sample lacks is left out. @default whether the output is a good answer`,
    ),
  system: z.string().min(1).optional().describe('What the model is told before.'),
  read: z
    .enum(['probability', 'yes-no', 'score'])
    .default('probability')
    .describe(
      'probability: how likely the reply begins with yes (no generation); yes-no: the reply, read; score: the number behind "Final Score:", or a reply that is a number alone.',
    ),
  yes: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Words that say yes (probability). @default yes, Yes, YES'),
  no: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Words that say no (probability). @default no, No, NO'),
  range: z
    .tuple([z.number(), z.number()])
    .optional()
    .describe('Of a score; what is outside counts as unread. @default [0, 10]'),
  fence: z
    .enum(['coded', 'plain'])
    .default('coded')
    .describe('coded: what is judged stands between marks that it cannot hold; plain: as it is.'),
})

/**
 * A judge in words of your own: the model is asked `question` of each output, and its reply is the score, as the
 * probability of a yes, as a yes or a no, or as a number. Images of prompt and output are shown where they stand.
 *
 * @throws GuerdonError `no-model` without a model; `bad-option` for a question with unknown fields, or without the output
 */
function ownJudge(settings: z.output<typeof options>, given?: ChatModel & ChoiceModel): Reward {
  const { question, system, read, yes, no, normalise, fence, baseDirectory } = settings
  const [low, high] = read === 'score' ? (settings.range ?? [0, 10]) : [0, 1]
  const user =
    question ?? `${usual} ${ending[read].replace('{low}', String(low)).replace('{high}', String(high))}`
  checkFields(question === undefined ? '' : question, system)
  const prompt: JudgePrompt = { version: 'own', user, ...(system === undefined ? {} : { system }) }
  const model = judgeModel<ChatModel & ChoiceModel>('judge', settings, given)
  const shared = {
    name: 'judge',
    prompt,
    fence,
    range: [low, high] as const,
    images: baseDirectory === undefined ? {} : { baseDirectory },
  }
  if (read === 'probability')
    return pointJudge({
      ...shared,
      needs: ['logprobs'],
      ask: byProbability(model, {
        ...(yes === undefined ? {} : { yes }),
        ...(no === undefined ? {} : { no }),
        ...(normalise === undefined ? {} : { normalise }),
      }),
    })
  const reader = read === 'score' ? numberReader : yesNoReader()
  return pointJudge({ ...shared, ask: byReply(model, reader, replyOptions(settings)) })
}

/** The number behind "Final Score:", or the whole reply where that is a number. */
const numberReader: ReplyReader<number> = {
  params: 'final score, or a number alone',
  read: (reply) =>
    parseScore(reply) ?? (/^\s*-?[\d.]+\s*$/.test(reply) ? parseScore(`Final Score: ${reply}`) : undefined),
}

function checkFields(question: string, system = ''): void {
  const used = [...`${question}\n${system}`.matchAll(/\{([a-zA-Z]+)(?:\|[^{}|\n]+)?\}/g)].map(
    ([, field]) => field!,
  )
  const unknown = used.find((field) => !(fields as readonly string[]).includes(field))
  if (unknown !== undefined)
    throw new GuerdonError('bad-option', `question: there is no field "${unknown}" to ask about.`, {
      fix: `Fields are ${fields.join(', ')}.`,
    })
  if (question !== '' && !used.includes('output'))
    throw new GuerdonError('bad-option', 'question: it does not show the output that is judged.', {
      fix: 'Write {output} where it goes.',
    })
}

const sample: Sample = { id: 'judge', prompt: 'What is 3 + 4?', output: '7', meta: {} }

export const judge = defineRewardType({
  name: 'judge',
  summary: 'A judge in words of your own: how likely a model says yes to them, or the score that it gives.',
  options,
  create: ownJudge,
  prompts: { usual: { version: 'own', user: `${usual} ${ending.probability}` } },
  examples: [
    { sample, options: { model: 'constant:yes' }, value: 1 },
    {
      sample,
      options: { model: 'constant:no', question: '{prompt} {output} Right?', read: 'yes-no' },
      value: 0,
    },
    { sample, options: { model: 'constant:7', read: 'score' }, value: 7 },
    { sample, options: { model: 'constant:11', read: 'score' }, value: null },
    { sample, options: { model: 'constant:perhaps', read: 'yes-no' }, value: null },
  ],
})
