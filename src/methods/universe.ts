import { z } from 'zod'
import {
  defineBatchReward,
  type ImageSource,
  imagesOf,
  isObject,
  type Json,
  type Part,
  type Reward,
  Rng,
  type Sample,
  type Score,
  type Unscored,
  unscored,
} from '../core/index.ts'
import type { ChatModel } from '../models/chat-model.ts'
import { byReply } from '../rewards/judge/asking.ts'
import { uniformIndices } from '../rewards/judge/frame-sampling.ts'
import { askAll, isRead, type JudgeOptions, judgeParams } from '../rewards/judge/judge.ts'
import type { JudgePrompt } from '../rewards/judge/judge-prompt.ts'
import { judgeModel, replyOptions, replySettings, showing } from '../rewards/judge/settings.ts'
import { parseYesNo } from '../rewards/judge/verdict.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { totalUsage } from '../rewards/usage.ts'
import { normalisedText } from '../rewards/verifiable/answers/exact.ts'
import { withoutThoughts } from '../rewards/verifiable/extract/extract.ts'
import { rougeL } from '../rewards/verifiable/text/rouge.ts'
import { mean } from '../stats/moments.ts'
import { defineMethod } from './method.ts'

const prompt: JudgePrompt = {
  version: '1',
  system: 'You answer questions about a clip, shown as frames in the order of time.',
  user: `{frames|clip}
{question}
{options}
{principle}`,
}

/** How an answer is asked for. */
const manners = {
  binary: 'Answer yes or no.',
  choice: 'Answer with the letter of the right option.',
  open: 'Answer in a few words.',
} as const

type Format = keyof typeof manners
const tasks = ['action', 'character'] as const

const options = z.strictObject({
  ...replySettings,
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe(
      'released, paper (no code was released): options in the order given, a reply that cannot be read is wrong; guarded: options in an order of their own for each sample, such a reply leaves the sample unscored, coded fences.',
    ),
  task: z
    .enum(['action', 'character', 'both'])
    .default('both')
    .describe('What is asked about; both: the mean of the two tasks, each of which must be asked.'),
  frames: z.int().min(1).default(8).describe('Frames shown, evenly spread over the clip.'),
  order: z
    .enum(['time', 'shuffled'])
    .default('time')
    .describe('shuffled is the control, which must break actions.'),
})

/**
 * A generated clip, judged by questions whose answers it was asked to show: which action happens, and to whom, each as yes
 * or no, multiple choice and open. The value is the share of right answers, by task; `parts` has every task and format, and
 * `open rouge` the ROUGE-L F1 of open answers. The output holds the frames, the reference the questions: `[{task, format,
 * question, options?, answer}]`.
 *
 * @source UNIVERSE, arXiv 2506.17967 (there one adapted checkpoint answers; the words are ours)
 */
function universeReward(settings: z.input<typeof options> = {}, given?: ChatModel): Reward {
  const { variant, task, frames: count, order, ...rest } = options.parse(settings)
  const judge: JudgeOptions<string> = {
    name: 'universe',
    prompt,
    ask: byReply(
      judgeModel<ChatModel>('universe', rest, given),
      { params: 'reply', read: (reply: string) => withoutThoughts(reply).trim() },
      replyOptions({ ...rest, votes: 1 }),
    ),
    criterion: ({ meta }) => ({ principle: manners[meta.format as Format] }),
    ...showing(variant, rest),
  }
  return defineBatchReward({
    name: 'universe',
    needs: ['reference', 'chat'],
    params: judgeParams(judge, { variant, task, frames: count, order, manners }),
    judgeAll: async (samples, context) => {
      const asked = samples.map((sample) => questionsFor(sample))
      const asks = samples.flatMap((sample, index) => {
        const own = asked[index]!
        if ('code' in own) return []
        const frames = framesOf(sample)
        return own.map((question, at) => ({
          key: `${sample.id}/${at}`,
          sample: { ...sample, meta: { format: question.format } },
          material: {
            frames: [{ type: 'video' as const, frames }] satisfies Part[],
            question: question.question,
            options: question.options?.map((text, place) => `${letters[place]}. ${text}`).join('\n'),
          },
        }))
      })
      const readings = await askAll(asks, judge, context)
      let next = 0
      return asked.map((own): Score => {
        if ('code' in own) return own
        const replies = own.map(() => readings[next++]!)
        const usage = totalUsage(replies.map((reading) => reading.usage))
        const failure = replies.find((reading): reading is Unscored => !isRead(reading))
        if (failure !== undefined) return { ...failure, usage }
        return scored(
          own,
          replies.map((reading) => (isRead(reading) ? reading.votes[0]! : '')),
          usage,
        )
      })
    },
  })

  function framesOf({ id, output }: Sample): readonly ImageSource[] {
    const all = imagesOf(output)
    const places = uniformIndices(all.length, count)
    const shown = order === 'time' ? places : new Rng(`universe/${id}`).shuffled(places)
    return shown.map((place) => all[place]!)
  }

  function questionsFor(sample: Sample): readonly Question[] | Unscored {
    if (imagesOf(sample.output).length === 0) return unscored('bad-input', 'the output holds no frames')
    const all = questionsIn(sample.reference)
    if (typeof all === 'string') return unscored('bad-input', all)
    const wanted = all.filter((question) => task === 'both' || question.task === task)
    const missing = (task === 'both' ? tasks : [task]).find(
      (name) => !wanted.some((question) => question.task === name),
    )
    if (missing !== undefined) return unscored('not-applicable', `there is no question about the ${missing}`)
    if (variant !== 'guarded') return wanted
    return wanted.map((question, at) =>
      question.options === undefined
        ? question
        : { ...question, options: new Rng(`universe/${sample.id}/${at}`).shuffled(question.options) },
    )
  }

  function scored(questions: readonly Question[], replies: readonly string[], usage: object): Score {
    const right = questions.map((question, index) => isRight(question, replies[index]!))
    const unread = right.indexOf(undefined)
    if (unread >= 0 && variant === 'guarded')
      return unscored(
        'unparsable',
        `"${replies[unread]!.slice(0, 80)}" does not answer "${questions[unread]!.question}"`,
        {
          usage,
        },
      )
    const share = (isCounted: (question: Question) => boolean) =>
      mean(right.flatMap((value, index) => (isCounted(questions[index]!) ? [Number(value === true)] : [])))
    const byTask = tasks.map((name) => share((question) => question.task === name))
    const parts = {
      action: byTask[0]!,
      character: byTask[1]!,
      ...Object.fromEntries(
        tasks.flatMap((name) =>
          (Object.keys(manners) as Format[]).map((format) => [
            `${name} ${format}`,
            share((question) => question.task === name && question.format === format),
          ]),
        ),
      ),
      'open rouge': mean(
        questions.flatMap(({ format, answer }, index) =>
          format === 'open' ? [rougeL(wordsOf(replies[index]!), wordsOf(answer)).f1] : [],
        ),
      ),
    }
    const value = mean(byTask.filter((each) => each !== null))!
    const rationale = questions.map(({ question }, index) => `${question} ${replies[index]}`).join('\n')
    return { value, parts, usage, rationale }
  }
}

interface Question {
  readonly task: (typeof tasks)[number]
  readonly format: Format
  readonly question: string
  readonly options?: readonly string[]
  readonly answer: string
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'

function questionsIn(reference: Json | undefined): readonly Question[] | string {
  if (!Array.isArray(reference) || reference.length === 0) return 'the reference must be a list of questions'
  for (const [index, item] of reference.entries()) {
    const where = `question ${index + 1} of the reference`
    if (!isObject(item)) return `${where} is no object`
    const { task, format, question, options, answer } = item
    if (!tasks.includes(task as 'action')) return `${where}: the task must be action or character`
    if (typeof format !== 'string' || !Object.hasOwn(manners, format))
      return `${where}: the format must be binary, choice or open`
    if (typeof question !== 'string' || typeof answer !== 'string')
      return `${where} must have question and answer`
    const isList = Array.isArray(options) && options.every((option) => typeof option === 'string')
    if (format === 'choice' && !(isList && options.length <= letters.length && options.includes(answer)))
      return `${where} must have options, the answer among them`
    if (format === 'binary' && answer !== 'yes' && answer !== 'no')
      return `${where}: the answer must be yes or no`
  }
  return reference as unknown as Question[]
}

/** undefined where the reply answers nothing that was asked. */
function isRight({ format, options = [], answer }: Question, reply: string): boolean | undefined {
  if (format === 'binary') {
    const said = parseYesNo(reply)
    return said === undefined ? undefined : said === (answer === 'yes')
  }
  const said = normalisedText(reply, 'words')
  if (format === 'open') return said === '' ? undefined : said === normalisedText(answer, 'words')
  const letter = /^\W*(?:option\s+|answer\s*:?\s*)?\(?([a-z])\)?(?:[.):\s]|$)/i
    .exec(reply)?.[1]
    ?.toUpperCase()
  const named = options.findIndex((option) => normalisedText(option, 'words') === said)
  const place = named >= 0 ? named : letter === undefined ? -1 : letters.indexOf(letter)
  return options[place] === undefined ? undefined : options[place] === answer
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().split(/\s+/).filter(Boolean)
}

/**
 * How often each kind of question is drawn when a checkpoint is adapted: 0.8 about actions, and of each task 0.8 open. The
 * split of the rest between yes or no and choice is unverified (half each).
 */
export const questionShares = {
  action: { open: 0.64, binary: 0.08, choice: 0.08 },
  character: { open: 0.16, binary: 0.02, choice: 0.02 },
} as const satisfies Readonly<Record<(typeof tasks)[number], Readonly<Record<Format, number>>>>

const question = (format: Format, answer: string, more: object = {}): Json => ({
  task: 'action',
  format,
  question: 'what does the circle do?',
  answer,
  ...more,
})
const sample = (output: Sample['output'], reference: Json): Sample => ({
  id: 'universe',
  prompt: 'the circle moves left',
  output,
  reference,
  meta: {},
})
const noFrames = 'no frames'

export const universe = defineRewardType({
  name: 'universe',
  summary:
    'Whether a generated clip shows the action and the character asked for, by questions in three formats.',
  source: 'UNIVERSE, arXiv 2506.17967',
  options,
  create: universeReward,
  prompts: { question: prompt },
  examples: [
    {
      sample: sample(noFrames, [question('binary', 'yes')]),
      options: { model: 'constant:yes' },
      value: null,
    },
    { sample: sample(noFrames, []), options: { model: 'constant:yes' }, value: null },
  ],
})

export const universeMethod = defineMethod({ id: 'universe', rewards: [universe] })
