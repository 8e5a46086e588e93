import { z } from 'zod'
import { defineReward, type Reward, textOf, unscored } from '../../../core/index.ts'
import { defineRewardType } from '../../reward-type.ts'
import { acceptedAnswers } from './answer.ts'
import { normalisation, normalisedText } from './exact.ts'

/** Whether `part` stands in `text`, and not inside of a longer run of letters or of digits. */
export function containsWords(text: string, part: string): boolean {
  if (part === '') return false
  for (let index = text.indexOf(part); index >= 0; index = text.indexOf(part, index + 1)) {
    const end = index + part.length
    if (!goOn(text[index - 1], part[0]) && !goOn(part.at(-1), text[end])) return true
  }
  return false
}

/** Whether two characters side by side belong to one word or one number: a footnote's digit does not. */
function goOn(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return false
  return (/\p{L}/u.test(a) && /\p{L}/u.test(b)) || (/\p{Nd}/u.test(a) && /\p{Nd}/u.test(b))
}

const options = z.strictObject({
  normalise: normalisation.default('case').describe('as for exact'),
  wholeWords: z.boolean().default(true).describe('"art" does not stand in "cart"'),
  all: z.boolean().default(false).describe('every one of several must be there; the score is 0 or 1'),
  maxWords: z
    .int()
    .min(1)
    .optional()
    .describe('a longer output scores 0: naming everything is not an answer'),
})

/** The output holds the reference, or one (with `all`: every one) of a list, as whole words. */
function containsReward(settings: z.input<typeof options> = {}): Reward {
  const chosen = options.parse(settings)
  const { normalise, wholeWords, all, maxWords } = chosen
  return defineReward({
    name: 'contains',
    needs: ['reference'],
    params: chosen,
    judge: ({ output, reference }) => {
      const accepted = acceptedAnswers(reference)
      if (!accepted)
        return unscored('bad-input', 'the reference must be a text that is not empty, or a list of them')
      const text = normalisedText(textOf(output), normalise)
      if (maxWords !== undefined && text.split(/\s+/).length > maxWords) return 0
      const holds = (gold: string) => {
        const part = normalisedText(gold, normalise)
        return wholeWords ? containsWords(text, part) : part !== '' && text.includes(part)
      }
      return (all ? accepted.every(holds) : accepted.some(holds)) ? 1 : 0
    },
  })
}

const sample = (output: string, reference: string | string[]) => ({
  id: 'contains',
  prompt: 'Who?',
  output,
  reference,
  meta: {},
})

export const contains = defineRewardType({
  name: 'contains',
  summary: 'The output holds the reference, or one or all of several, as whole words.',
  options,
  create: containsReward,
  examples: [
    { sample: sample('It was Wilhelm Röntgen, in 1901.', ['Wilhelm Röntgen', 'Röntgen']), value: 1 },
    { sample: sample('a cart', 'art'), value: 0 },
    { sample: sample('a cart', 'art'), options: { wholeWords: false }, value: 1 },
    { sample: sample('red and blue', ['red', 'green']), options: { all: true }, value: 0 },
    { sample: sample('one two three four', 'two'), options: { maxWords: 3 }, value: 0 },
  ],
})
