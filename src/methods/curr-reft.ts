import { z } from 'zod'
import {
  defineReward,
  type Json,
  type Reward,
  type Sample,
  textOf,
  unscored,
  type Variant,
} from '../core/index.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { answersEqual } from '../rewards/verifiable/answers/answer.ts'
import { type Grade, grade } from '../rewards/verifiable/answers/grade.ts'
import { type Box, iou, isProper, pixelIou, truncateBox } from '../rewards/verifiable/boxes/boxes.ts'
import {
  extractBoxed,
  extractNumberLists,
  extractOptionLetters,
  extractTag,
  extractYesNo,
  withoutThoughts,
} from '../rewards/verifiable/extract/extract.ts'
import { type FormatSpec, formatScore, strictFormat } from '../rewards/verifiable/extract/format.ts'
import { defineMethod } from './method.ts'

const stages = ['binary', 'choice', 'open'] as const
const tasks = ['detection', 'classify', 'math', 'vqa'] as const
export type Stage = (typeof stages)[number]
export type Task = (typeof tasks)[number]

const plainFormat: FormatSpec = { blocks: [{ tag: 'think' }, { tag: 'answer' }] }
const boxFormat: FormatSpec = {
  blocks: [{ tag: 'think' }, { tag: 'answer', contains: ['{', /\[\d+,\s*\d+,\s*\d+,\s*\d+\]/, '}'] }],
}
const formats = {
  published: { plain: plainFormat, box: boxFormat },
  strict: { plain: strictFormat(plainFormat), box: strictFormat(boxFormat) },
}

const options = z.strictObject({
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe(
      'released: two answers without an option letter are equal, options in order, a maths answer may contain the gold one, pixel IoU of whole numbers, boxes in the format of every detection item; paper: sets of options with 0.2 for some of them, exact IoU; guarded: also, nothing empty is equal, verdicts lead the answer, boxes in the format only where boxes are asked for.',
    ),
  stage: z.enum(stages).default('open').describe('of samples without meta.stage'),
  task: z.enum(tasks).default('math').describe('of samples without meta.task'),
})

/**
 * Accuracy + format of one item of the curriculum: a yes-or-no question, a choice among A to E, or an open answer
 * (detection, classification, maths, VQA). `meta.stage` and `meta.task` say which; the reference is the gold answer,
 * perhaps in answer tags. A VQA item brings the cosine of the sentence embeddings of both answers in
 * `meta.answer_similarity`.
 *
 * @source Curr-ReFT, arXiv 2503.07065; partial credit for options is from a secondary source
 */
function currReftReward(settings: z.input<typeof options> = {}): Reward {
  const { variant, stage, task } = options.parse(settings)
  return defineReward({
    name: 'curr-reft',
    needs: ['reference'],
    range: [0, 2],
    params: { variant, stage, task },
    judge: (sample) => {
      const item = { stage: sample.meta.stage ?? stage, task: sample.meta.task ?? task }
      if (!isOneOf(item.stage, stages) || !isOneOf(item.task, tasks))
        return unscored(
          'bad-input',
          `there is no stage ${JSON.stringify(item.stage)} or task ${JSON.stringify(item.task)}`,
        )
      const gold = goldOf(sample.reference)
      if (gold === undefined)
        return unscored('bad-input', 'the reference must be the gold answer: a text, a number or a list')
      const response = textOf(sample.output)
      const accuracy =
        item.stage === 'open' && item.task === 'vqa'
          ? vqaAccuracy(sample)
          : stageAccuracy(response, gold, item.stage, item.task, variant)
      if (accuracy === undefined)
        return unscored('bad-input', 'the sample lacks what this stage and task need')
      if (accuracy === null)
        return unscored('too-large', 'the answers are beyond what can be compared exactly')
      const parts = { accuracy, format: formatOf(response, item.stage, item.task, variant) }
      return { value: parts.accuracy + parts.format, parts }
    },
  })
}

function isOneOf<const T extends string>(value: Json, known: readonly T[]): value is T {
  return typeof value === 'string' && (known as readonly string[]).includes(value)
}

/** The gold answer as text; lists are written as the answers are. */
function goldOf(reference: Json | undefined): string | undefined {
  if (typeof reference === 'number' || typeof reference === 'boolean') return String(reference)
  if (typeof reference === 'string') return extractTag(reference, 'answer').value ?? reference
  if (!Array.isArray(reference) || reference.length === 0) return undefined
  if (!reference.every((item) => typeof item === 'string' || typeof item === 'number')) return undefined
  return typeof reference[0] === 'number' ? `[${reference.join(', ')}]` : reference.join(', ')
}

function formatOf(response: string, stage: Stage, task: Task, variant: Variant): 0 | 1 {
  const wantsBox = task === 'detection' && (stage === 'open' || variant !== 'guarded')
  return formatScore(
    response,
    formats[variant === 'guarded' ? 'strict' : 'published'][wantsBox ? 'box' : 'plain'],
  )
}

/**
 * Accuracy in [0, 1] of a response to an item; null when it is beyond what can be computed, undefined when the gold
 * answer is not one of its stage and task (guarded only: published rules compare whatever there is).
 */
export function stageAccuracy(
  response: string,
  gold: string,
  stage: Stage,
  task: Task,
  variant: Variant = 'guarded',
): number | null | undefined {
  const guarded = variant === 'guarded'
  const shown = guarded ? withoutThoughts(response) : response
  const answer = extractTag(shown, 'answer', { allowMissingClose: true, allowEmpty: true }).value ?? ''
  if (guarded && gold.trim() === '') return undefined
  if (stage === 'binary') return verdictAccuracy(answer, gold, guarded)
  if (stage === 'choice')
    return variant === 'released' ? lettersInOrder(answer, gold) : choiceAccuracy(answer, gold, guarded)
  switch (task) {
    case 'detection':
      return boxAccuracy(answer, gold, variant)
    case 'classify':
      return labelAccuracy(answer, gold)
    case 'math':
      return numberOf(guarded ? guardedMathRight(answer, gold) : publishedMathRight(answer, gold))
    case 'vqa':
      return undefined
  }
}

const numberOf = (right: Grade) => (right === null ? null : Number(right))

function verdictAccuracy(answer: string, gold: string, guarded: boolean): number | undefined {
  const wanted = extractYesNo(gold, { position: 'anywhere' }).value
  if (wanted === undefined) return guarded ? undefined : 0
  return Number(extractYesNo(answer, { position: guarded ? 'leading' : 'anywhere' }).value === wanted)
}

/** Letters A to E not beside another letter, without repeats, in the order written; '' when there is none. */
function standaloneLetters(text: string): string[] {
  const letters = Array.from(text.matchAll(/(?<![a-z])[a-e](?![a-z])/gi), ([letter]) => letter.toUpperCase())
  return [...new Set(letters)]
}

function lettersInOrder(answer: string, gold: string): number {
  return Number(standaloneLetters(answer).join() === standaloneLetters(gold).join())
}

/** All right options 1, some of them and no wrong one 0.2, else 0. */
function choiceAccuracy(answer: string, gold: string, guarded: boolean): number | undefined {
  const lettersOf = guarded
    ? (text: string) => extractOptionLetters(text, { letters: 'ABCDE' }).value ?? []
    : standaloneLetters
  const right = new Set(lettersOf(gold))
  if (right.size === 0) return guarded ? undefined : 0
  const chosen = lettersOf(answer)
  if (chosen.length === 0 || !chosen.every((letter) => right.has(letter))) return 0
  return chosen.length === right.size ? 1 : 0.2
}

function boxAccuracy(answer: string, gold: string, variant: Variant): number | undefined {
  const wanted = firstBox(gold)
  const given = firstBox(answer)
  if (variant === 'guarded' && !(wanted && isProper(wanted))) return undefined
  if (!wanted || !given) return 0
  const overlap =
    variant === 'released' ? pixelIou(truncateBox(given), truncateBox(wanted)) : iou(given, wanted)
  return Number(overlap > 0.5)
}

function firstBox(text: string): Box | undefined {
  return extractNumberLists(text)[0]?.value as Box | undefined
}

/** Jaccard of two sets of labels. */
function labelAccuracy(answer: string, gold: string): number {
  const given = labelsOf(answer)
  const wanted = labelsOf(gold)
  const union = new Set([...given, ...wanted]).size
  return union === 0 ? 0 : [...given].filter((label) => wanted.has(label)).length / union
}

/** Labels between commas or white space, or the items of a bracketed list. */
function labelsOf(text: string): ReadonlySet<string> {
  return new Set(
    text
      .replace(/^\s*\[|\]\s*$/g, '')
      .split(/[,\s]+/)
      .map((label) => label.replace(/^['"]|['"]$/g, ''))
      .filter((label) => label !== ''),
  )
}

/** Equal; or the same option letters (none on both sides included); or one text inside the other. */
function publishedMathRight(answer: string, gold: string): Grade {
  const graded = grade(answer, gold)
  if (graded !== false) return graded
  return lettersInOrder(answer, gold) === 1 || answer.includes(gold) || gold.includes(answer)
}

function guardedMathRight(answer: string, gold: string): Grade {
  const given = extractBoxed(answer).value ?? answer
  const graded = answersEqual(given, gold, { rules: 'grade' })
  if (graded !== false) return graded
  const [a, b] = [given, gold].map((text) => extractOptionLetters(text, { letters: 'ABCDE' }).value)
  return a !== undefined && b !== undefined && a.join() === b.join()
}

/** By the cosine of two answers' embeddings: above 0.95 right, above 0.9 a fifth. */
function vqaAccuracy({ meta }: Sample): number | undefined {
  const cosine = meta.answer_similarity
  return typeof cosine === 'number' ? (cosine > 0.95 ? 1 : cosine > 0.9 ? 0.2 : 0) : undefined
}

const sample = (
  answer: string,
  reference: Json,
  stage: Stage,
  task: Task = 'math',
  meta: Sample['meta'] = {},
): Sample => ({
  id: 'curr-reft',
  prompt: 'Look at the picture.',
  output: `<think>I look.</think><answer>${answer}</answer>`,
  reference,
  meta: { stage, task, ...meta },
})

export const currReft = defineRewardType({
  name: 'curr-reft',
  summary: 'Accuracy and format of a curriculum: yes or no, then a choice, then an open answer.',
  source: 'Curr-ReFT, arXiv 2503.07065',
  options,
  create: currReftReward,
  examples: [
    { sample: sample('No, it is false', 'no', 'binary'), value: 2 },
    { sample: sample('not true', 'yes', 'binary'), options: { variant: 'released' }, value: 2 },
    { sample: sample('not true', 'yes', 'binary'), value: 1 },
    { sample: sample('A', 'A,B', 'choice'), value: 1.2 },
    { sample: sample('cat', 'dog', 'choice'), options: { variant: 'released' }, value: 2 },
    { sample: sample('cat', 'dog', 'choice'), value: null },
    { sample: sample('cat', 'B', 'choice'), value: 1 },
    { sample: sample('{"box": [10, 10, 50, 50]}', [10, 10, 50, 45], 'open', 'detection'), value: 2 },
    { sample: sample('cat, dog', ['dog', 'cat', 'bird'], 'open', 'classify'), value: 1 + 2 / 3 },
    { sample: sample('the answer 15', '5', 'open'), options: { variant: 'released' }, value: 2 },
    { sample: sample('the answer 15', '5', 'open'), value: 1 },
    { sample: sample('a sofa', 'a couch', 'open', 'vqa', { answer_similarity: 0.93 }), value: 1.2 },
  ],
})

export const currReftMethod = defineMethod({ id: 'curr-reft', rewards: [currReft] })
