import { z } from 'zod'
import {
  type Evidence,
  type Json,
  type Judgement,
  type Sample,
  type Score,
  textOf,
  unscored,
} from '../../../core/index.ts'
import {
  type Extraction,
  extractBoxed,
  extractTag,
  isBlank,
  missing,
  type Span,
  trimmedSpan,
  withoutThoughts,
} from '../extract/extract.ts'
import { type Grade, grade } from './grade.ts'
import { type MathEqualityOptions, mathEqual } from './math-equality.ts'

/**
 * Where the answer stands in an output. Nothing outside of it is read: a number somewhere in the text is not an
 * answer, and neither is anything in thoughts (`withoutThoughts`).
 *
 * `whole`: the entire output; `boxed`: the last `\boxed{...}`; `final-answer`: what follows the last "final answer
 * is" or "answer:" on its line; `last-line`, `first-line`; `only-line`: the entire output, when it is one line of at
 * most 200 characters; `tag:NAME`: the last `<NAME>...</NAME>`; `after:MARK`: what
 * follows the last MARK on its line, such as `after:####`.
 */
export type AnswerPlace =
  | 'whole'
  | 'boxed'
  | 'final-answer'
  | 'last-line'
  | 'first-line'
  | 'only-line'
  | `tag:${string}`
  | `after:${string}`

/** Where short final answers usually stand; the first that is there counts. */
export const usualPlaces = ['boxed', 'tag:answer', 'after:####', 'final-answer', 'only-line'] as const

const place = z
  .string()
  .regex(/^(?:whole|boxed|final-answer|last-line|first-line|only-line|tag:[^<>\s]+|after:.+)$/, {
    error: 'write whole, boxed, final-answer, last-line, first-line, only-line, tag:NAME or after:MARK',
  })
  .transform((text) => text as AnswerPlace)

/** The option `where` of rewards that read an answer: one place or several, of which the first that is there counts. */
export function whereOption(usual: AnswerPlace | readonly AnswerPlace[]) {
  return z
    .union([place, z.array(place).min(1)])
    .default(typeof usual === 'string' ? usual : [...usual])
    .describe(
      'where the answer stands: whole, boxed, final-answer, last-line, first-line, only-line, tag:NAME, after:MARK',
    )
}

/** The answer at the first of the places that is there; trimmed, never empty. */
export function answerAt(text: string, where: AnswerPlace | readonly AnswerPlace[]): Extraction<string> {
  const shown = withoutThoughts(text)
  if (typeof where === 'string') return answerAtOne(shown, where)
  let failure: Extraction<string> | undefined
  for (const one of where) {
    const found = answerAtOne(shown, one)
    if (found.error === undefined) return found
    if (found.error !== 'absent') failure ??= found
  }
  return failure ?? missing('absent')
}

function answerAtOne(text: string, where: AnswerPlace): Extraction<string> {
  switch (where) {
    case 'whole':
      return at(text, trimmedSpan(text))
    case 'boxed':
      return extractBoxed(text)
    case 'final-answer':
      return finalAnswer(text)
    case 'last-line': {
      const { end } = trimmedSpan(text)
      return at(text, trimmedSpan(text, text.lastIndexOf('\n', end - 1) + 1, end))
    }
    case 'only-line': {
      const span = trimmedSpan(text)
      const isLine = span.end - span.start <= 200 && !text.slice(span.start, span.end).includes('\n')
      return isLine ? at(text, span) : missing('absent')
    }
    case 'first-line':
      return at(text, lineFrom(text, trimmedSpan(text).start))
  }
  if (where.startsWith('tag:')) return extractTag(text, where.slice(4), { which: 'last' })
  const mark = where.slice(6)
  const index = text.lastIndexOf(mark)
  return index < 0 ? missing('absent') : at(text, lineFrom(text, index + mark.length))
}

function at(text: string, { start, end }: Span): Extraction<string> {
  return start === end ? missing('empty') : { value: text.slice(start, end), span: { start, end } }
}

function lineFrom(text: string, start: number): Span {
  const lineEnd = text.indexOf('\n', start)
  return trimmedSpan(text, start, lineEnd < 0 ? text.length : lineEnd)
}

const announcement = /\banswers?[*_]{0,3}(?:\s?(?:is|are)[*_]{0,3}(?:\s?:)?|\s?[:=])[*_]{0,3}/gi

function finalAnswer(text: string): Extraction<string> {
  if (!/answer/i.test(text)) return missing('absent')
  let start = -1
  for (const match of text.matchAll(announcement)) start = match.index + match[0].length
  if (start < 0) return missing('absent')
  let line = lineFrom(text, start)
  if (line.start === line.end) line = lineFrom(text, trimmedSpan(text, start).start)
  let { start: from, end } = line
  // markdown and the full stop belong to the sentence
  while (end > from && /[.*_\s]/.test(text[end - 1]!)) end--
  while (from < end && /[*_\s]/.test(text[from]!)) from++
  return at(text, { start: from, end })
}

/** The answers that a reference accepts: a text, a number or a truth value, or a list of them; undefined = none. */
export function acceptedAnswers(reference: Json | undefined): readonly string[] | undefined {
  const list = Array.isArray(reference) ? reference : [reference]
  const answers: string[] = []
  for (const one of list) {
    if (typeof one === 'string' ? isBlank(one) : typeof one !== 'number' && typeof one !== 'boolean')
      return undefined
    answers.push(String(one))
  }
  return answers.length === 0 ? undefined : answers
}

/**
 * Scores the answer of an output against each accepted answer and takes the best. No answer in its place is 0, with
 * the part `found` at 0; a reference that is not a text, a number or a list of them is `bad-input`.
 */
export function scoreAnswer(
  sample: Sample,
  where: AnswerPlace | readonly AnswerPlace[],
  compare: (given: string, gold: string) => Judgement,
): Score {
  const accepted = acceptedAnswers(sample.reference)
  if (!accepted)
    return unscored(
      'bad-input',
      'the reference must be a text or a number that is not empty, or a list of them',
    )
  const { value: given, span } = answerAt(textOf(sample.output), where)
  if (given === undefined || !span) return noAnswer
  let best: Score | undefined
  for (const gold of accepted) {
    const judged = compare(given, gold)
    const score = typeof judged === 'number' ? { value: judged } : judged
    if (!best || (score.value ?? -1) > (best.value ?? -1)) best = score
    if (score.value === 1) break
  }
  const { value } = best!
  if (value === null) return best!
  return { value, parts: { found: 1 }, evidence: [evidenceOf(span, value === 1)] }
}

const noAnswer: Score = { value: 0, parts: { found: 0 }, rationale: 'no answer where it should be' }

/** The place of an answer, for reports. */
export function evidenceOf({ start, end }: Span, good: boolean): Evidence {
  return { kind: 'span', in: 'output', start, end, label: 'answer', good }
}

export interface AnswerCheckOptions extends MathEqualityOptions {
  /** `math`: `mathEqual`, guarded. `grade`: the published rules of `grade`, except that empty answers are never equal and `1 2` is not 12. @default 'math' */
  readonly rules?: 'math' | 'grade'
}

/** Whether a given final answer means the gold one; null when that cannot be told within the limits. */
export function answersEqual(given: string, gold: string, options: AnswerCheckOptions = {}): Grade {
  if (options.rules !== 'grade') return mathEqual(given, gold, options).equal
  const glued = separateNumbers.test(given) && !separateNumbers.test(gold)
  return isBlank(given) || isBlank(gold) || glued ? false : grade(given, gold)
}

/** Numbers side by side, which `grade` would read as one; groups of three digits are one. */
const separateNumbers = /\d\s+(?!\d{3}(?:\D|$))\d/
