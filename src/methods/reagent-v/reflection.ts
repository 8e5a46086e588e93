import {
  isObject,
  type Sample,
  type ScoreContext,
  type Unscored,
  type Usage,
  type Variant,
} from '../../core/index.ts'
import type { ChatModel } from '../../models/chat-model.ts'
import { byReply, type ReplyOptions, type ReplyReader } from '../../rewards/judge/asking.ts'
import { askAll, isRead, type JudgeOptions } from '../../rewards/judge/judge.ts'
import type { JudgePrompt } from '../../rewards/judge/judge-prompt.ts'
import { showing } from '../../rewards/judge/settings.ts'
import { parseObject } from '../../rewards/judge/verdict.ts'
import { totalUsage } from '../../rewards/usage.ts'

/** How ready a second look is to change an answer. */
export const attitudes = {
  conservative: 'Keep the answer unless what is shown undeniably contradicts it.',
  neutral: 'Correct what was seen wrongly, and keep the reasoning as far as it still holds.',
  aggressive: 'Look anew as if there were no answer yet, and replace it by what you find.',
} as const

export type Attitude = keyof typeof attitudes

export const reflectionPrompt: JudgePrompt = {
  version: '1',
  system: 'You take a second look at an answer about a video, with the report of a critic.',
  user: `Question:
{prompt}
{output|answer}
{report|critic's report}
{principle}
Reply as JSON: {"final_answer": "...", "confidence": 0.5}, with how sure you are from 0 to 1.`,
}

export const fusionPrompt: JudgePrompt = {
  version: '1',
  system: 'You unite three answers to one question about a video.',
  user: `Question:
{prompt}
{answers}
Give the answer that states what they have in common. Reply as JSON: {"final_answer": "..."}`,
}

export interface Reflection {
  /** Null where the reply could not be read; then the confidence is 0. */
  readonly answer: string | null
  /** Self-reported, in [0, 1]: calibrate it before it decides anything. */
  readonly confidence: number
}

export type Reflections = Readonly<Record<Attitude, Reflection>>

/** Confidence that each must exceed before the three are fused. The release leaves the comparison to the model. */
const thresholds: Readonly<Record<Variant, Readonly<Record<Attitude, number>>>> = {
  released: { conservative: 0.6, neutral: 0.7, aggressive: 0.8 },
  paper: { conservative: 0.6, neutral: 0.6, aggressive: 0.6 },
  guarded: { conservative: 0.6, neutral: 0.6, aggressive: 0.6 },
}

/**
 * What three reflections come to: all of them to be fused where each is confident enough (strictly), else the one that is
 * most confident, the first among equals; null where none has an answer. Guarded, answers that are the same need no fusion.
 */
export function mergeReflections(
  reflections: Reflections,
  variant: Variant = 'guarded',
): { readonly fuse: readonly string[] } | { readonly answer: string } | null {
  const names = Object.keys(attitudes) as Attitude[]
  const given = names.flatMap((name) => {
    const { answer, confidence } = reflections[name]
    return answer === null ? [] : [{ name, answer, confidence }]
  })
  if (given.length === 0) return null
  const isSure = given.every(({ name, confidence }) => confidence > thresholds[variant][name])
  if (given.length === names.length && isSure) {
    const answers = given.map(({ answer }) => answer)
    const same =
      variant === 'guarded' && new Set(answers.map((answer) => answer.trim().toLowerCase())).size === 1
    return same ? { answer: answers[0]! } : { fuse: answers }
  }
  const best = Math.max(...given.map(({ confidence }) => confidence))
  return { answer: given.find(({ confidence }) => confidence === best)!.answer }
}

export interface Reflected {
  readonly reflections: Reflections
  readonly answer: string | null
  readonly fused: boolean
  readonly usage: Usage
}

/** An answer (the sample's output) and what the critic wrote about it. */
export interface Criticised {
  readonly sample: Sample
  readonly report: string
}

/**
 * A second look at answers with three attitudes, and their merge by rule; the model is asked once more only to fuse.
 * Unscored where a call failed.
 */
export async function reflect(
  model: ChatModel,
  items: readonly Criticised[],
  {
    variant = 'guarded',
    context = {},
    reply = {},
  }: {
    readonly variant?: Variant
    readonly context?: ScoreContext
    readonly reply?: Omit<ReplyOptions, 'votes'>
  } = {},
): Promise<(Reflected | Unscored)[]> {
  const names = Object.keys(attitudes) as Attitude[]
  const asking = <Value>(prompt: JudgePrompt, reader: ReplyReader<Value>): JudgeOptions<Value> => ({
    name: 'reagent-v',
    prompt,
    ask: byReply(model, reader, reply),
    criterion: ({ meta }) => ({ principle: attitudes[meta.attitude as Attitude] }),
    ...showing(variant, {}),
  })
  const readings = await askAll(
    items.flatMap(({ sample, report }) =>
      names.map((attitude) => ({
        key: `${sample.id}/${attitude}`,
        sample: { ...sample, meta: { attitude } },
        material: { output: sample.output, report },
      })),
    ),
    asking(reflectionPrompt, reflectionReader),
    context,
  )
  const looked = items.map((item, index) => {
    const own = readings.slice(3 * index, 3 * index + 3)
    const failure = own.find(
      (reading): reading is Unscored => !isRead(reading) && reading.code !== 'unparsable',
    )
    if (failure !== undefined) return { item, failure }
    const reflections = Object.fromEntries(
      names.map((name, at) => {
        const reading = own[at]!
        return [name, isRead(reading) ? reading.votes[0]! : { answer: null, confidence: 0 }]
      }),
    ) as unknown as Reflections
    const usage = totalUsage(own.map((reading) => reading.usage))
    return { item, reflections, usage, merged: mergeReflections(reflections, variant) }
  })
  const toFuse = looked.flatMap((each) =>
    each.merged && 'fuse' in each.merged ? [{ ...each, fuse: each.merged.fuse }] : [],
  )
  const fused = await askAll(
    toFuse.map(({ item: { sample }, fuse }) => ({
      key: `${sample.id}/fusion`,
      sample,
      material: { answers: { list: fuse.map((turns, index) => ({ name: `answer ${index + 1}`, turns })) } },
    })),
    asking(fusionPrompt, answerReader),
    context,
  )
  let next = 0
  return looked.map((each): Reflected | Unscored => {
    if (each.failure !== undefined) return each.failure
    const { reflections, usage, merged } = each
    if (merged === null) return { reflections, answer: null, fused: false, usage }
    if ('answer' in merged) return { reflections, answer: merged.answer, fused: false, usage }
    const reading = fused[next++]!
    const all = totalUsage([usage, reading.usage])
    if (isRead(reading)) return { reflections, answer: reading.votes[0]!, fused: true, usage: all }
    return reading.code === 'unparsable'
      ? { reflections, answer: null, fused: true, usage: all }
      : { ...reading, usage: all }
  })
}

const answerReader: ReplyReader<string> = {
  params: 'final answer',
  read: (reply) => {
    const answer = parseObject(reply)?.value.final_answer
    return typeof answer === 'string' && answer.trim() !== '' ? answer.trim() : undefined
  },
}

const reflectionReader: ReplyReader<Reflection> = {
  params: 'final answer with confidence',
  read: (reply) => {
    const value = parseObject(reply)?.value
    const answer = answerReader.read(reply)
    if (answer === undefined || !isObject(value)) return undefined
    const { confidence } = value
    return typeof confidence === 'number' && confidence >= 0 && confidence <= 1
      ? { answer, confidence }
      : undefined
  },
}
