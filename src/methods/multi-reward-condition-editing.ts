import { z } from 'zod'
import {
  defineBatchReward,
  type Reward,
  type Sample,
  type Score,
  type Unscored,
  type Variant,
} from '../core/index.ts'
import type { ChatModel } from '../models/chat-model.ts'
import { byReply, type Reading, type ReplyReader } from '../rewards/judge/asking.ts'
import { askAll, isRead, type JudgeOptions, judgeParams } from '../rewards/judge/judge.ts'
import type { JudgePrompt } from '../rewards/judge/judge-prompt.ts'
import { judgeModel, replyOptions, replySettings, showing } from '../rewards/judge/settings.ts'
import { parseObject } from '../rewards/judge/verdict.ts'
import { voteK } from '../rewards/judge/vote.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { totalUsage } from '../rewards/usage.ts'
import { defineMethod } from './method.ts'

/** The three sides of an edit, in the order of the condition that an editor is trained on. */
export const perspectives = ['following', 'preserving', 'quality'] as const
export type Perspective = (typeof perspectives)[number]

/** The key of the yes or no in the judge's object. */
const keys: Readonly<Record<Perspective, string>> = {
  following: 'following',
  preserving: 'consistent',
  quality: 'clear',
}

function promptFor(perspective: Perspective): JudgePrompt {
  const [asked, faults] = {
    following: [
      'Was the change that the instruction asks for made? Other faithful readings of it are fine.',
      'what was asked for and is not there',
    ],
    preserving: [
      'Did everything that the instruction does not speak of stay as it was?',
      'what was changed without being asked for',
    ],
    quality: [
      'Is the image good: sharp, well composed and lit, without artefacts, the edit blended in?',
      'what looks wrong',
    ],
  }[perspective]
  const given =
    perspective === 'quality'
      ? '{output|edited image}'
      : 'Instruction:\n{prompt|instruction and original image}\n{output|edited image}'
  return {
    version: '1',
    system: 'You judge edits of images, one side at a time.',
    user: `${given}
${asked}
Write one JSON object and nothing else: {"${keys[perspective]}": "yes" or "no", "score": a number from 0.0 to 5.0, "fault": ${faults}, in a few words, or "None"}`,
  }
}
const prompts = Object.fromEntries(perspectives.map((name) => [name, promptFor(name)])) as Readonly<
  Record<Perspective, JudgePrompt>
>

/** What the judge says of one side. */
export interface EditVerdict {
  readonly yes: boolean
  /** 0 to 5. */
  readonly score: number
  /** What is wrong, "None" where nothing is; undefined where nothing was said. */
  readonly fault?: string
}

/**
 * Reads a verdict. Released: a score in single quotes with a decimal point (`'score': 4.5`, nothing else) and a yes
 * anywhere. Otherwise a JSON object with both keys, the score a number from 0 to 5.
 *
 * @source Multi-Reward as Condition, arXiv 2411.04713
 */
export function parseEditVerdict(
  reply: string,
  perspective: Perspective,
  variant: Variant = 'guarded',
): EditVerdict | undefined {
  if (variant === 'released') {
    const score = /'score': (\d+\.\d+)/.exec(reply)?.[1]
    return score === undefined ? undefined : { yes: reply.includes('yes'), score: Number(score) }
  }
  const object = parseObject(reply)?.value
  if (object === undefined) return undefined
  const own = (key: string) => (Object.hasOwn(object, key) ? object[key] : undefined)
  const said = own(keys[perspective])
  const yes =
    typeof said === 'boolean'
      ? said
      : typeof said === 'string'
        ? verdicts[said.trim().toLowerCase()]
        : undefined
  const given = own('score')
  const score = typeof given === 'string' && given.trim() !== '' ? Number(given) : given
  if (yes === undefined || typeof score !== 'number' || !(score >= 0 && score <= 5)) return undefined
  const fault = own('fault')
  return { yes, score, ...(typeof fault === 'string' && fault.trim() !== '' ? { fault: fault.trim() } : {}) }
}
const verdicts: Readonly<Record<string, boolean | undefined>> = Object.assign(Object.create(null), {
  yes: true,
  no: false,
})

const options = z.strictObject({
  ...replySettings,
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe(
      "released: scores are read only as 'score': 4.5 in single quotes; paper: any JSON object; guarded: the same, with coded fences.",
    ),
})

/**
 * Judges an edited image from three sides in three calls: was the instruction followed, did the rest stay, is the image
 * good; quality sees the edited image alone. The score is their mean, in [0, 5]; `parts` has each with its yes or no, and
 * `meta.faults` the three fault texts joined by "; ", as an editor is conditioned on them. The prompt holds instruction and
 * original image.
 *
 * The same judge should not train an editor and give the verdict on it.
 *
 * @source Multi-Reward as Condition, arXiv 2411.04713 (the words are ours)
 */
function editReward(settings: z.output<typeof options>, given?: ChatModel): Reward {
  const { variant } = settings
  const model = judgeModel('edit-perspectives', settings, given)
  const judgeOf = (perspective: Perspective): JudgeOptions<EditVerdict> => {
    const reader: ReplyReader<EditVerdict> = {
      params: { perspective, variant },
      read: (reply) => parseEditVerdict(reply, perspective, variant),
    }
    return {
      name: 'edit-perspectives',
      prompt: prompts[perspective],
      ask: byReply(model, reader, replyOptions(settings)),
      ...showing(variant, settings),
    }
  }
  const judges = perspectives.map(judgeOf)
  return defineBatchReward({
    name: 'edit-perspectives',
    range: [0, 5],
    needs: ['chat'],
    params: { variant, judges: judges.map((judge) => judgeParams(judge)) },
    judgeAll: async (samples, context) => {
      const asked = await Promise.all(
        judges.map((judge, index) =>
          askAll(
            samples.map((sample) => ({
              key: `${sample.id}/${perspectives[index]}`,
              sample,
              material: { output: sample.output },
            })),
            judge,
            context,
          ),
        ),
      )
      return samples.map((_, index) => scoreOf(asked.map((readings) => readings[index]!)))
    },
  })
}

function scoreOf(readings: readonly (Reading<EditVerdict> | Unscored)[]): Score {
  const parts: Record<string, number | null> = {}
  const faults: string[] = []
  const values: number[] = []
  let failure: Unscored | undefined
  for (const [index, reading] of readings.entries()) {
    const name = perspectives[index]!
    if (!isRead(reading)) {
      failure ??= { ...reading, reason: `${name}: ${reading.reason}` }
      parts[name] = null
      continue
    }
    const { value } = voteK(reading.votes.map(({ score }) => score))
    values.push(value)
    parts[name] = value
    parts[`${name}Yes`] = reading.votes.filter(({ yes }) => yes).length / reading.votes.length
    faults.push(reading.votes[0]!.fault ?? 'None')
  }
  parts.parsed =
    readings.reduce((sum, reading) => sum + (isRead(reading) ? reading.parts.parsed : 0), 0) / readings.length
  const usage = totalUsage(readings.map((reading) => reading.usage))
  if (failure) return { ...failure, parts, usage }
  return {
    value: values.reduce((sum, value) => sum + value, 0) / values.length,
    parts,
    usage,
    meta: { faults: faults.join('; ') },
  }
}

/**
 * Scores as an editor is conditioned on them: for each score s, in the order following, preserving, quality, the cosines
 * and then the sines of s w_i with w_i = exp(-ln(10000) i / (D / 2)), i = 0 ... D / 2 - 1. Raw scores, not scaled.
 *
 * @param dimensions  D of each score, even
 * @returns D numbers for each score, joined
 */
export function scoreEmbedding(scores: readonly number[], dimensions = 256): number[] {
  const half = dimensions / 2
  const angles = (score: number) =>
    Array.from({ length: half }, (_, i) => score * Math.exp((-Math.log(10_000) * i) / half))
  return scores.flatMap((score) => [...angles(score).map(Math.cos), ...angles(score).map(Math.sin)])
}

/**
 * Guidance over text and image: null + text (withText - withImage) + image (withImage - null). The reward condition is the
 * same in all three, so it is not guided.
 */
export function editGuidance(
  predictions: { readonly none: number; readonly image: number; readonly text: number },
  weights: { /** @default 7.5 */ readonly text?: number /** @default 1.5 */; readonly image?: number } = {},
): number {
  const { text = 7.5, image = 1.5 } = weights
  const { none, image: withImage, text: withText } = predictions
  return none + text * (withText - withImage) + image * (withImage - none)
}

/**
 * Which conditions one training sample loses, from one uniform u: the text where u < 2 d, the image where d <= u < 3 d.
 * Reward conditions are never dropped.
 */
export function droppedConditions(
  u: number,
  { rate = 0.05 }: { /** @default 0.05 */ readonly rate?: number } = {},
): { readonly text: boolean; readonly image: boolean } {
  return { text: u < 2 * rate, image: u >= rate && u < 3 * rate }
}

/** The condition that asks for a faultless edit. */
export const faultlessCondition = { scores: [5, 5, 5], faults: 'None; None; None' } as const

/** How often the faultless condition occurs among training targets: where it is rare, asking for it extrapolates. */
export function faultlessShare(scores: readonly (readonly number[])[]): number | null {
  return scores.length === 0
    ? null
    : scores.filter((three) => three.every((score) => score === 5)).length / scores.length
}

const sample: Sample = {
  id: 'edit-perspectives',
  prompt: 'Paint the door red.',
  output: 'an image of a house with a red door',
  meta: {},
}
const saying = (reply: unknown) => ({ model: `constant:${JSON.stringify(reply)}` })
const all = { following: 'yes', consistent: 'yes', clear: 'yes', score: 4.5, fault: 'None' }

export const editPerspectives = defineRewardType({
  name: 'edit-perspectives',
  summary:
    'How good an edit of an image is: instruction followed, the rest preserved, quality; with what is wrong.',
  source: 'Multi-Reward as Condition, arXiv 2411.04713',
  options,
  create: editReward,
  prompts,
  examples: [
    { sample, options: saying(all), value: 4.5 },
    { sample, options: saying({ ...all, score: 45 }), value: null },
    { sample, options: saying({ following: 'yes', score: 4 }), value: null },
    {
      sample,
      options: { model: "constant:{'clear': 'yes', 'score': 4.5}", variant: 'released' },
      value: 4.5,
    },
    { sample, options: { ...saying(all), variant: 'released' }, value: null },
  ],
})

export const multiRewardConditionEditingMethod = defineMethod({
  id: 'multi-reward-condition-editing',
  rewards: [editPerspectives],
})
