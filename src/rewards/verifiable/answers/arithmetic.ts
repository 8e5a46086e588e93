import { z } from 'zod'
import { defineReward, isObject, type Json, type Reward, textOf, unscored } from '../../../core/index.ts'
import { defineRewardType } from '../../reward-type.ts'
import { answerAt, whereOption } from './answer.ts'
import { TooLarge } from './math-expression.ts'
import { parseExpression } from './math-parser.ts'
import { exactValue } from './math-value.ts'
import { type Rational, rational, sameRational } from './rational.ts'

/** Longest expression that is read. */
const maxLength = 1000

/**
 * The exact value of arithmetic over whole numbers: digits, + - * / and brackets. Undefined for anything else, also
 * for a division by zero and where a sign is left out.
 */
export function arithmeticValue(expression: string): Rational | undefined {
  if (expression.length > maxLength || !/^[\d+\-*/()\s]+$/.test(expression)) return undefined
  // powers, and products without a sign
  if (/\*\s*\*|\/\s*\/|\)\s*[\d(]|\d\s*\(|\d\s+\d/.test(expression)) return undefined
  try {
    const parsed = parseExpression(expression, { thousands: false })
    return parsed && exactValue(parsed)
  } catch (error) {
    if (error instanceof TooLarge) return undefined
    throw error
  }
}

/** Whether an expression uses exactly the numbers given, each as often as given, and has the target's value. */
export function reachesTarget(expression: string, numbers: readonly number[], target: number): boolean {
  const used = (expression.match(/\d+/g) ?? []).map(Number).sort(ascending)
  const given = [...numbers].sort(ascending)
  if (used.length !== given.length || used.some((number, index) => number !== given[index])) return false
  const value = arithmeticValue(expression)
  return value !== undefined && sameRational(value, rational(BigInt(target)))
}

const ascending = (a: number, b: number) => a - b

function puzzleOf(reference: Json | undefined): { numbers: readonly number[]; target: number } | undefined {
  if (!isObject(reference)) return undefined
  const { numbers, target = 24 } = reference as { numbers?: Json; target?: Json }
  const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
  if (!Array.isArray(numbers) || numbers.length === 0 || !numbers.every(isWhole)) return undefined
  return Number.isSafeInteger(target) ? { numbers, target: target as number } : undefined
}

const options = z.strictObject({ where: whereOption(['boxed', 'tag:answer', 'final-answer', 'last-line']) })

/** Game of 24 and countdown: the reference is `{"numbers": [4, 5, 6, 10], "target": 24}` (24 when left out). */
function arithmeticReward(settings: z.input<typeof options> = {}): Reward {
  const { where } = options.parse(settings)
  return defineReward({
    name: 'arithmetic',
    needs: ['reference'],
    params: { where },
    judge: ({ output, reference }) => {
      const puzzle = puzzleOf(reference)
      if (!puzzle)
        return unscored(
          'bad-input',
          'the reference must be {"numbers": [whole numbers], "target": whole number}',
        )
      const { value: answer } = answerAt(textOf(output), where)
      if (answer === undefined) return { value: 0, parts: { found: 0 } }
      const [left, right] = splitEquation(answer)
      const isRight = reachesTarget(left, puzzle.numbers, puzzle.target)
      const claimsOther = right !== undefined && right.trim() !== String(puzzle.target)
      return { value: isRight && !claimsOther ? 1 : 0, parts: { found: 1 } }
    },
  })
}

const sample = (output: string, numbers: number[], target?: number) => ({
  id: 'arithmetic',
  prompt: 'Make 24 of the numbers.',
  output,
  reference: { numbers, ...(target !== undefined && { target }) },
  meta: {},
})

export const arithmetic = defineRewardType({
  name: 'arithmetic',
  summary:
    'An expression that uses the given numbers once each and has the target value (game of 24, countdown).',
  options,
  create: arithmeticReward,
  examples: [
    { sample: sample('Answer: (10 - 4) * (5 - 1) = 24', [1, 4, 5, 10]), value: 1 },
    { sample: sample('Answer: 4 * 6 = 24', [1, 4, 5, 10]), value: 0 },
    { sample: sample('\\boxed{8 / (3 - 8 / 3)}', [3, 3, 8, 8]), value: 1 },
    { sample: sample('<answer>7 * 7 + 1</answer>', [7, 7, 1], 50), value: 1 },
  ],
})

function splitEquation(answer: string): readonly [left: string, right: string | undefined] {
  const equals = answer.indexOf('=')
  return equals < 0 ? [answer, undefined] : [answer.slice(0, equals), answer.slice(equals + 1)]
}
