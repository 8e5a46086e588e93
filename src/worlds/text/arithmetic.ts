import { GuerdonError, type Rng } from '../../core/index.ts'
import { attributeValues, countables } from './lexicon.ts'

export type Operator = '+' | '-' | '*'

/** A chain of operations, from left to right: ((start op value) op value) ... Plain JSON, so that it can be a reference. */
export type ArithmeticProblem = {
  readonly task: 'arithmetic'
  readonly start: number
  readonly operations: readonly { readonly operator: Operator; readonly value: number }[]
  /** `symbols`: what is 3 + 4 ? `words`: a story about countable things; the answer needs their name. */
  readonly style: 'symbols' | 'words'
  /** What is counted; null in `symbols`. */
  readonly unit: string | null
  /** How the answer has to look: steps and then `answer N`; the number alone; or thoughts and answer in tags. */
  readonly answerAs: 'chain' | 'direct' | 'tagged'
  readonly phrasing: number
}

export interface ArithmeticOptions {
  /** Fewest and most operations. @default [1, 3] */
  readonly operations?: readonly [fewest: number, most: number]
  /** No number, intermediate results included, is larger. @default 99 */
  readonly largest?: number
  /** @default ['+', '-'] */
  readonly operators?: readonly Operator[]
  /** Share of problems told as a story. @default 0.3 */
  readonly stories?: number
  /** @default 'chain' */
  readonly answerAs?: ArithmeticProblem['answerAs']
}

/** Throws a `GuerdonError` for options that leave no problem. */
export function drawArithmetic(rng: Rng, options: ArithmeticOptions = {}): ArithmeticProblem {
  const {
    operations: [fewest, most] = [1, 3],
    largest = 99,
    operators = ['+', '-'],
    stories = 0.3,
    answerAs = 'chain',
  } = options
  if (!(fewest >= 1 && fewest <= most && largest >= 4 && operators.length > 0))
    throw new GuerdonError(
      'bad-config',
      'arithmetic needs 1 operation or more, an operator, and numbers up to 4 or more.',
      {
        place: { field: 'operations' },
      },
    )
  const isStory = rng.chance(stories)
  const start = rng.int(1, largest)
  const count = rng.int(fewest, most + 1)
  const operations: { operator: Operator; value: number }[] = []
  let current = start
  while (operations.length < count) {
    const possible = operators.filter(
      (operator) =>
        (operator === '+' && current < largest) ||
        (operator === '-' && current > 0) ||
        (operator === '*' && current > 0 && current * 2 <= largest),
    )
    // A dead end (say, only products and a large number) starts again at a small number.
    if (possible.length === 0) return drawArithmetic(rng, options)
    const operator = rng.pick(possible)
    const value =
      operator === '+'
        ? rng.int(1, largest - current + 1)
        : operator === '-'
          ? rng.int(1, current + 1)
          : rng.int(2, Math.min(9, Math.floor(largest / current)) + 1)
    operations.push({ operator, value })
    current = apply(current, operator, value)
  }
  return {
    task: 'arithmetic',
    start,
    operations,
    style: isStory ? 'words' : 'symbols',
    unit: isStory ? rng.pick(countables) : null,
    answerAs,
    phrasing: rng.int(0, 12),
  }
}

export function apply(left: number, operator: Operator, right: number): number {
  return operator === '+' ? left + right : operator === '-' ? left - right : left * right
}

export function arithmeticResult({ start, operations }: ArithmeticProblem): number {
  return operations.reduce((value, operation) => apply(value, operation.operator, operation.value), start)
}

const digitsOf = (value: number): string[] => [...String(value)]

/** The prompt as tokens: "what is ( 3 + 4 ) * 2 ?" or "anna has 3 coins , gets 4 , loses 2 . how many coins ?" */
export function arithmeticPrompt(problem: ArithmeticProblem): string[] {
  const { start, operations, style, unit, phrasing } = problem
  if (style === 'symbols')
    return [...['what is', 'tell me', 'solve'][phrasing % 3]!.split(' '), ...expression(problem), '?']
  const owner = attributeValues.owner[phrasing % attributeValues.owner.length]!
  const events = operations.flatMap(({ operator, value }) => [
    ',',
    ...(operator === '*'
      ? ['then', ...digitsOf(value), 'times', 'as', 'many']
      : [operator === '+' ? 'gets' : 'loses', ...digitsOf(value)]),
  ])
  return [owner, 'has', ...digitsOf(start), unit!, ...events, '.', 'how', 'many', unit!, '?']
}

/** With parentheses where a product follows a sum, so that the usual precedence gives the chain's result. */
function expression({ start, operations }: ArithmeticProblem): string[] {
  let tokens = digitsOf(start)
  let isSum = false
  for (const { operator, value } of operations) {
    if (operator === '*' && isSum) tokens = ['(', ...tokens, ')']
    if (operator !== '*') isSum = true
    else isSum = false
    tokens = [...tokens, operator, ...digitsOf(value)]
  }
  return tokens
}

/** One written step, `left operator right = result`. */
export interface Step {
  readonly left: number
  readonly operator: Operator
  readonly right: number
  readonly result: number
}

/** The right steps of a problem. */
export function solution({ start, operations }: ArithmeticProblem): Step[] {
  let left = start
  return operations.map(({ operator, value: right }) => {
    const step = { left, operator, right, result: apply(left, operator, right) }
    left = step.result
    return step
  })
}

export function stepTokens({ left, operator, right, result }: Step): string[] {
  return [...digitsOf(left), operator, ...digitsOf(right), '=', ...digitsOf(result)]
}

export interface WrittenAnswer {
  readonly steps: readonly Step[]
  readonly answer: number | null
  readonly unit?: string | null
}

/** Steps and answer as tokens, in one of the answer formats (`direct` leaves the steps out). */
export function arithmeticAnswer(
  { steps, answer, unit }: WrittenAnswer,
  as: ArithmeticProblem['answerAs'],
): string[] {
  const number = answer === null ? [] : [...digitsOf(answer), ...(unit ? [unit] : [])]
  if (as === 'direct') return number
  const written = steps.flatMap((step) => [...stepTokens(step), '.'])
  return as === 'chain'
    ? [...written, 'answer', ...number]
    : ['<think>', ...written, '</think>', '<answer>', ...number, '</answer>']
}

export function goldArithmetic(problem: ArithmeticProblem): string[] {
  const steps = solution(problem)
  return arithmeticAnswer({ steps, answer: steps.at(-1)!.result, unit: problem.unit }, problem.answerAs)
}

/** Which operators, in which order: what a split by unseen combinations holds out. */
export function operatorPattern({ operations }: ArithmeticProblem): string {
  return operations.map(({ operator }) => operator).join('')
}
