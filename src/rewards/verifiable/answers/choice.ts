import { z } from 'zod'
import {
  defineReward,
  type Json,
  type Reward,
  type Sample,
  type Score,
  textOf,
  unscored,
} from '../../../core/index.ts'
import { defineRewardType } from '../../reward-type.ts'
import { extractOptionLetters } from '../extract/extract.ts'
import { answerAt, evidenceOf, whereOption } from './answer.ts'
import { plainText } from './math-answer.ts'

/** Letters of the right options, from `B`, `A, C`, `["A", "C"]`, or the index or the text of one of `choices`. */
function rightLetters(
  reference: Json | undefined,
  letters: string,
  choices: readonly string[],
): readonly string[] | undefined {
  const list: readonly unknown[] = Array.isArray(reference) ? reference : [reference]
  const right = new Set<string>()
  for (const one of list) {
    if (typeof one === 'number') {
      const letter = letters[one]
      if (letter === undefined) return undefined
      right.add(letter)
    } else if (typeof one === 'string') {
      const byText = choiceOf(one, letters, choices)
      const found = byText ? [byText] : extractOptionLetters(one, { letters }).value
      if (!found) return undefined
      for (const letter of found) right.add(letter)
    } else return undefined
  }
  return right.size === 0 ? undefined : [...right].sort()
}

/** The letter of the option whose text this is. */
function choiceOf(text: string, letters: string, choices: readonly string[]): string | undefined {
  const plain = plainText(text)
  if (plain === '') return undefined
  const index = choices.findIndex((choice) => plainText(choice) === plain)
  return index < 0 ? undefined : letters[index]
}

function choicesOf(sample: Sample): readonly string[] {
  const { choices } = sample.meta
  return Array.isArray(choices) && choices.every((choice) => typeof choice === 'string') ? choices : []
}

const options = z.strictObject({
  where: whereOption(['tag:answer', 'boxed', 'whole']),
  letters: z
    .string()
    .regex(/^[A-Z]{2,26}$/)
    .default('ABCDEFGHIJ')
    .describe('the letters that are options, in order'),
  partial: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('score of some but not all right options and no wrong one'),
})

/**
 * The answer names the right options. The reference is a letter, several (`"A, C"`, `["A", "C"]`), an index, or the
 * text of one of `meta.choices`.
 */
function choiceReward(settings: z.input<typeof options> = {}): Reward {
  const chosen = options.parse(settings)
  return defineReward({
    name: 'choice',
    needs: ['reference'],
    params: chosen,
    judge: (one): Score => {
      const { where, letters, partial } = chosen
      const choices = choicesOf(one)
      const right = rightLetters(one.reference, letters, choices)
      if (!right)
        return unscored(
          'bad-input',
          'the reference must be option letters, an index, or the text of a choice',
        )
      const { value: answer, span } = answerAt(textOf(one.output), where)
      if (answer === undefined || !span) return { value: 0, parts: { found: 0 } }
      const byText = choiceOf(answer, letters, choices)
      const named = byText ? [byText] : extractOptionLetters(answer, { letters }).value
      if (!named) return { value: 0, parts: { found: 0 } }
      const hits = named.filter((letter) => right.includes(letter)).length
      const isRight = hits === right.length && hits === named.length
      const value = isRight ? 1 : hits === named.length ? partial : 0
      return { value, parts: { found: 1 }, evidence: [evidenceOf(span, isRight)] }
    },
  })
}

const sample = (output: string, reference: Json, choices?: readonly string[]) => ({
  id: 'choice',
  prompt: 'Which one? (A) a cat (B) a dog (C) a bird',
  output,
  reference,
  meta: choices ? { choices } : {},
})

export const choice = defineRewardType({
  name: 'choice',
  summary:
    'Multiple choice: the answer names the right option or options, by letter or (with meta.choices) by text.',
  options,
  create: choiceReward,
  examples: [
    { sample: sample('<answer>(B)</answer>', 'B'), value: 1 },
    { sample: sample('The answer is B.', 'B'), value: 1 },
    { sample: sample('A cat, I think', 'A'), value: 0 },
    { sample: sample('A or B', 'A'), value: 0 },
    { sample: sample('a dog', 1, ['a cat', 'a dog', 'a bird']), value: 1 },
    { sample: sample('A', ['A', 'C']), options: { partial: 0.2 }, value: 0.2 },
    { sample: sample('C and A', 'A, C'), value: 1 },
  ],
})
