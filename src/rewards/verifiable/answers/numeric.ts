import { z } from 'zod'
import { defineReward, type Reward, unscored } from '../../../core/index.ts'
import { defineRewardType } from '../../reward-type.ts'
import { scoreAnswer, usualPlaces, whereOption } from './answer.ts'
import { readAnswer } from './math-answer.ts'
import { TooLarge } from './math-expression.ts'
import { maxAnswerLength } from './math-tokens.ts'
import { exactValue, numericValue } from './math-value.ts'
import { numberFromRational } from './rational.ts'
import { unitOf } from './units.ts'

/** A number as it is written, with its unit. */
export interface ReadNumber {
  /** Finite; of `50%` it is 50. */
  readonly value: number
  /** As written, see `unitOf`. */
  readonly unit?: string
  readonly percent?: true
}

const plainNumber = /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,3})?$/

/**
 * The number that a text is, entirely: `1,234.5`, `-3e-4`, `$5`, `3/4`, `\frac{\sqrt{2}}{2}`, `12 cm`, `50%`, `x = 7`.
 * Undefined when the text is anything else, also when it merely holds a number; null beyond the limits.
 */
export function readNumber(text: string): ReadNumber | undefined | null {
  const trimmed = text.trim()
  if (plainNumber.test(trimmed)) {
    const value = Number(trimmed)
    return Number.isFinite(value) ? { value } : null
  }
  if (trimmed.length > maxAnswerLength) return undefined
  try {
    let answer = readAnswer(trimmed)
    if (answer.kind === 'named') answer = answer.of
    if (answer.kind !== 'value') return undefined
    const exact = exactValue(answer.value)
    const { re, im } = exact
      ? { re: numberFromRational(exact), im: 0 }
      : numericValue(answer.value, () => Number.NaN)
    if (im !== 0 || !Number.isFinite(re)) return undefined
    const { unit, percent } = answer
    return { value: re, ...(unit !== undefined && { unit }), ...(percent && { percent }) }
  } catch (error) {
    if (error instanceof TooLarge) return null
    throw error
  }
}

/** `given` in the unit of `gold`; undefined when their units measure different things. */
function inSameUnit(given: ReadNumber, gold: ReadNumber): number | undefined {
  if (given.percent && !gold.percent && gold.unit === undefined && Math.abs(gold.value) <= 1)
    return given.value / 100
  if (given.unit === undefined || gold.unit === undefined) return given.value
  const [from, to] = [unitOf(given.unit), unitOf(gold.unit)]
  return from && to && from.dimension === to.dimension ? (given.value * from.factor) / to.factor : undefined
}

/** How near a number is to another in [0, 1]: 1 - |a - b| / (|a| + |b|); 1 when they are equal. */
function numericCloseness(a: number, b: number): number {
  return a === b ? 1 : 1 - Math.min(1, Math.abs(a - b) / (Math.abs(a) + Math.abs(b)))
}

const options = z.strictObject({
  where: whereOption(usualPlaces),
  relativeTolerance: z.number().min(0).max(1).default(1e-9).describe('share of the reference'),
  absoluteTolerance: z.number().min(0).default(0).describe('in the unit of the reference'),
  graded: z.boolean().default(false).describe('score 1 - |a - b| / (|a| + |b|) instead of 0 or 1'),
})

/** The answer is a number (`readNumber`) equal to the reference: a number, or a text with a unit. */
function numericReward(settings: z.input<typeof options> = {}): Reward {
  const chosen = options.parse(settings)
  const { where, relativeTolerance, absoluteTolerance, graded } = chosen
  return defineReward({
    name: 'numeric',
    needs: ['reference'],
    params: chosen,
    judge: (one) =>
      scoreAnswer(one, where, (givenText, goldText) => {
        const gold = readNumber(goldText)
        if (!gold)
          return unscored(
            'bad-input',
            `the reference ${JSON.stringify(goldText.slice(0, 40))} is not a number`,
          )
        const given = readNumber(givenText)
        if (given === null) return unscored('too-large', 'the answer is a number too large to compute')
        const value = given && inSameUnit(given, gold)
        if (value === undefined) return 0
        if (graded) return numericCloseness(value, gold.value)
        const slack = Math.max(relativeTolerance * Math.abs(gold.value), absoluteTolerance)
        return Math.abs(value - gold.value) <= slack ? 1 : 0
      }),
  })
}

const sample = (output: string, reference: number | string) => ({
  id: 'numeric',
  prompt: 'How many?',
  output,
  reference,
  meta: {},
})

export const numeric = defineRewardType({
  name: 'numeric',
  summary: 'The answer is a number, with or without a unit, equal to the reference within a tolerance.',
  options,
  create: numericReward,
  examples: [
    { sample: sample('So he pays $1,234.50 in all.\n#### 1,234.50', 1234.5), value: 1 },
    { sample: sample('I count 3 cats and 4 dogs', 4), value: 0 },
    { sample: sample('\\boxed{120 cm}', '1.2 m'), value: 1 },
    { sample: sample('<answer>99</answer>', 100), options: { relativeTolerance: 0.01 }, value: 1 },
    { sample: sample('50', 100), options: { graded: true }, value: 2 / 3 },
    { sample: sample('\\boxed{9^{9^{9^{9}}}}', 5), value: null },
  ],
})
