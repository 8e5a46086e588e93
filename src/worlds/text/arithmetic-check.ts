import type { Rng } from '../../core/index.ts'
import {
  type ArithmeticProblem,
  apply,
  arithmeticAnswer,
  arithmeticResult,
  type Operator,
  type Step,
  solution,
} from './arithmetic.ts'

/** What is wrong with the first wrong step (or with the answer after right steps). */
export type StepError =
  /** `left operator right` does not give `result`. */
  | 'result'
  /** The left side is not the result so far. */
  | 'left'
  /** Not the operation that comes next: another operator or another number. */
  | 'operation'
  /** More steps than operations. */
  | 'surplus'
  /** Tokens where a step should be that are none. */
  | 'unreadable'
  /** The steps stop too early. */
  | 'missing'
  /** The answer is not what the last step says. */
  | 'answer'

/** A step as it stands in the answer; `end` is exclusive. Null where the tokens are no step. */
export interface ReadStep {
  readonly start: number
  readonly end: number
  readonly step: Step | null
}

export interface ReadArithmetic {
  readonly steps: readonly ReadStep[]
  readonly answer: number | null
  readonly unit: string | null
  /** Nothing but steps and an answer in the asked form. */
  readonly isWellFormed: boolean
}

/** Reads any tokens as steps, each ended by a full stop, and an answer. */
export function readArithmetic(tokens: readonly string[], as: ArithmeticProblem['answerAs']): ReadArithmetic {
  const opens = as === 'tagged' ? '<answer>' : 'answer'
  const marked = as === 'direct' ? -1 : tokens.indexOf(opens)
  const stepsEnd = as === 'direct' ? 0 : marked < 0 ? tokens.length : marked
  const steps: ReadStep[] = []
  let isWellFormed = as === 'direct' || marked >= 0
  let at = 0
  if (as === 'tagged') {
    if (tokens[0] === '<think>') at = 1
    else isWellFormed = false
    if (tokens[stepsEnd - 1] !== '</think>') isWellFormed = false
  }
  while (at < stepsEnd) {
    if (tokens[at] === '</think>' && at === stepsEnd - 1) break
    let end = at
    while (end < stepsEnd && tokens[end] !== '.' && tokens[end] !== '</think>') end++
    const step = readStep(tokens.slice(at, end))
    if (step === null) isWellFormed = false
    steps.push({ start: at, end, step })
    if (tokens[end] === '.') end++
    else isWellFormed = false
    if (end === at) end++
    at = end
  }
  const said = tokens.slice(marked + 1, as === 'direct' || marked >= 0 ? tokens.length : marked + 1)
  const closes = as === 'tagged'
  if (closes && said.at(-1) !== '</answer>') isWellFormed = false
  const inside = closes && said.at(-1) === '</answer>' ? said.slice(0, -1) : said
  const answer = numberAt(inside, 0)
  const rest = answer === null ? inside : inside.slice(answer.length)
  const unit = rest.length === 1 ? rest[0]! : null
  return {
    steps,
    answer: answer?.value ?? null,
    unit,
    isWellFormed: isWellFormed && answer !== null && rest.length <= 1,
  }
}

function readStep(tokens: readonly string[]): Step | null {
  const left = numberAt(tokens, 0)
  if (left === null) return null
  const operator = tokens[left.length] as Operator
  if (operator !== '+' && operator !== '-' && operator !== '*') return null
  const right = numberAt(tokens, left.length + 1)
  if (right === null) return null
  const sign = left.length + 1 + right.length
  const result = tokens[sign] === '=' ? numberAt(tokens, sign + 1) : null
  if (result === null || sign + 1 + result.length !== tokens.length) return null
  return { left: left.value, operator, right: right.value, result: result.value }
}

function numberAt(tokens: readonly string[], at: number): { value: number; length: number } | null {
  let [value, length] = [0, 0]
  while (length < 9 && /^\d$/.test(tokens[at + length] ?? ''))
    value = value * 10 + Number(tokens[at + length++])
  return length === 0 ? null : { value, length }
}

export interface ArithmeticVerdict extends ReadArithmetic {
  readonly parts: {
    /** 1 when the final number is right. */
    readonly correctness: number
    /** Share of the operations done rightly before the first error; 1 where no steps are asked. */
    readonly steps: number
    /** 1 when there is nothing but steps and an answer in the asked form. */
    readonly format: number
    /** 1 when the unit stands behind the number of a story, and none elsewhere. */
    readonly unit: number
  }
  /** 0.7 correctness + 0.2 steps + 0.05 format + 0.05 unit. */
  readonly total: number
  /** The first error: at which step (from 0; the number of steps for a missing step or the answer), and what. */
  readonly firstError: { readonly step: number; readonly error: StepError } | null
}

export function judgeArithmetic(problem: ArithmeticProblem, tokens: readonly string[]): ArithmeticVerdict {
  const read = readArithmetic(tokens, problem.answerAs)
  const firstError = errorOf(problem, read)
  const count = problem.operations.length
  const correctness = Number(read.answer === arithmeticResult(problem))
  const rightSteps = firstError === null ? count : Math.min(firstError.step, count)
  const parts = {
    correctness,
    steps: problem.answerAs === 'direct' ? 1 : rightSteps / count,
    format: Number(read.isWellFormed),
    unit: Number(read.answer !== null && read.unit === problem.unit),
  }
  const total = (14 * parts.correctness + 4 * parts.steps + parts.format + parts.unit) / 20
  return { ...read, parts, total, firstError }
}

function errorOf(
  problem: ArithmeticProblem,
  { steps, answer }: ReadArithmetic,
): ArithmeticVerdict['firstError'] {
  const { start, operations, answerAs } = problem
  if (answerAs === 'direct') return answer === arithmeticResult(problem) ? null : { step: 0, error: 'answer' }
  let current = start
  for (const [index, { step }] of steps.entries()) {
    const wanted = operations[index]
    const error: StepError | null =
      step === null
        ? 'unreadable'
        : wanted === undefined
          ? 'surplus'
          : step.left !== current
            ? 'left'
            : step.operator !== wanted.operator || step.right !== wanted.value
              ? 'operation'
              : step.result !== apply(step.left, step.operator, step.right)
                ? 'result'
                : null
    if (error !== null) return { step: index, error }
    current = step!.result
  }
  if (steps.length < operations.length) return { step: steps.length, error: 'missing' }
  return answer === current ? null : { step: steps.length, error: 'answer' }
}

export const arithmeticFaults = ['result', 'left', 'operation', 'missing', 'surplus', 'answer'] as const
export type ArithmeticFault = (typeof arithmeticFaults)[number]

/** An answer with one wrong step, at a known place, and everything after it done rightly from there. */
export interface FaultyArithmetic {
  readonly fault: ArithmeticFault
  /** As in `ArithmeticVerdict.firstError`. */
  readonly step: number
  readonly tokens: readonly string[]
  /** Whether the final number is wrong too; a fault can cancel out only where none is carried on. */
  readonly isWrong: boolean
}

/** Undefined where the draw gave no such fault (a change that changes nothing, a negative number). */
export function faultyArithmetic(
  problem: ArithmeticProblem,
  fault: ArithmeticFault,
  rng: Rng,
): FaultyArithmetic | undefined {
  if (problem.answerAs === 'direct' && fault !== 'answer') return undefined
  const { operations, start } = problem
  const right = solution(problem)
  const at = rng.int(0, right.length)
  let steps: Step[] = []
  let step = at
  if (fault === 'answer') {
    steps = right
    step = problem.answerAs === 'direct' ? 0 : right.length
  } else if (fault === 'missing') {
    steps = right.slice(0, -1)
    step = steps.length
  } else if (fault === 'surplus') {
    const left = right.at(-1)!.result
    const value = rng.int(1, 10)
    steps = [...right, { left, operator: '+', right: value, result: left + value }]
    step = right.length
  } else {
    let current = start
    for (const [index, { operator, value }] of operations.entries()) {
      let written: Step = { left: current, operator, right: value, result: apply(current, operator, value) }
      if (index === at) {
        const changed = changedStep(written, fault, rng)
        if (changed === undefined) return undefined
        written = changed
      }
      if (written.result < 0) return undefined
      steps.push(written)
      current = written.result
    }
  }
  const last = steps.at(-1)?.result ?? start
  const answer = fault === 'answer' ? near(last, rng) : last
  if (answer < 0) return undefined
  return {
    fault,
    step,
    tokens: arithmeticAnswer({ steps, answer, unit: problem.unit }, problem.answerAs),
    isWrong: answer !== arithmeticResult(problem),
  }
}

function changedStep(step: Step, fault: 'result' | 'left' | 'operation', rng: Rng): Step | undefined {
  if (fault === 'result') {
    const result = near(step.result, rng)
    return result < 0 ? undefined : { ...step, result }
  }
  if (fault === 'left') {
    const left = near(step.left, rng)
    return left < 0 ? undefined : { ...step, left, result: apply(left, step.operator, step.right) }
  }
  if (rng.chance(0.5)) {
    const operator: Operator = step.operator === '+' ? '-' : '+'
    return { ...step, operator, result: apply(step.left, operator, step.right) }
  }
  const right = near(step.right, rng)
  return right < 0 ? undefined : { ...step, right, result: apply(step.left, step.operator, right) }
}

/** Another number close by: what people and models slip to (one off, ten off). */
function near(value: number, rng: Rng): number {
  return value + rng.pick([-10, -2, -1, 1, 2, 10])
}
