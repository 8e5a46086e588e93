import { messageOf } from '../../../core/index.ts'
import { type Brackets, type MathAnswer, plainText, readAnswer } from './math-answer.ts'
import { expressionsEqual, isDefined, type Point, points } from './math-equivalence.ts'
import { type Expression, TooLarge } from './math-expression.ts'
import { maxAnswerLength } from './math-tokens.ts'
import { type Complex, exactValue, numericValue } from './math-value.ts'
import { rational, rationalFromDecimal, sameRational } from './rational.ts'
import { unitOf } from './units.ts'

export interface MathEqualityOptions {
  /** Numbers are equal when they differ by at most this share of the gold number. @default 0: exact */
  readonly relativeTolerance?: number
  /** Or by at most this much. @default 0 */
  readonly absoluteTolerance?: number
  /**
   * `optional`: a unit may be missing on one side; two units must agree, converted where they are known. `required`:
   * missing on one side only is wrong. `ignored`: never looked at. @default 'optional'
   */
  readonly unit?: 'optional' | 'required' | 'ignored'
  /** `value`: 2/4 equals 1/2; `written`: fractions of integers are equal only as written. @default 'value' */
  readonly fraction?: 'value' | 'written'
  /** Whether a bare list such as `1, -2` may come in any order. @default true */
  readonly anyOrder?: boolean
}

/** `equal` is null when it cannot be told within the limits. */
export type MathVerdict = { readonly equal: boolean } | { readonly equal: null; readonly reason: string }

/**
 * Whether two final answers, in LaTeX or plain text, mean the same: numbers exactly (as fractions of integers of any
 * size), expressions by their values at several seeded points, tuples, sets, intervals, unions, matrices and
 * equations by their parts, words as text. An empty answer equals nothing, not even another.
 *
 * Work is bounded (nesting, digits, exponents, list length): beyond the bounds the verdict is null, in milliseconds.
 * A given answer of more than 4,000 characters is not one.
 *
 * @example mathEqual('\\frac{1}{2}', '0.5') // { equal: true }
 * @example mathEqual('9^{9^{9^{9}}}', '5') // { equal: null, reason: ... }
 */
export function mathEqual(given: string, gold: string, options: MathEqualityOptions = {}): MathVerdict {
  if (gold.length > maxAnswerLength)
    return { equal: null, reason: `a gold answer longer than ${maxAnswerLength} characters` }
  // a page is not an answer
  if (given.length > maxAnswerLength) return { equal: false }
  if (given === gold && /[^\s{}$~.]/.test(given)) return { equal: true }
  const simple = simpleVerdict(given, gold, options)
  if (simple !== undefined) return { equal: simple }
  try {
    if (equalWith(options, readAnswer(given), readAnswer(gold), given, gold)) return { equal: true }
    // 1,234 may be one number or two: the other reading, the same on both sides
    if (!isAmbiguous(given) && !isAmbiguous(gold)) return { equal: false }
    const apart = { thousands: false }
    return { equal: equalWith(options, readAnswer(given, apart), readAnswer(gold, apart), given, gold) }
  } catch (error) {
    if (!(error instanceof TooLarge || error instanceof RangeError)) throw error
    // what is too large to compute is still equal to itself
    return sameText(given, gold) ? { equal: true } : { equal: null, reason: messageOf(error) }
  }
}

function equalWith(
  options: MathEqualityOptions,
  given: MathAnswer,
  gold: MathAnswer,
  givenText: string,
  goldText: string,
): boolean {
  // words on one side only: "B, E, G" is a list and \text{B, E, G} is not
  if (given.kind === 'text' || gold.kind === 'text') return sameText(givenText, goldText)
  return new Comparison(options).equal(given, gold)
}

function sameText(given: string, gold: string): boolean {
  const text = plainText(given)
  return text !== '' && text === plainText(gold)
}

/** Digits that may be grouped or a list; in a list no number starts with 0. */
const isAmbiguous = (text: string) => /\d,\d{3}/.test(text) && !/\d,0\d/.test(text)
/** The verdict on two numbers of few digits, which most answers are: the same as the long way, sooner. */
function simpleVerdict(given: string, gold: string, options: MathEqualityOptions): boolean | undefined {
  if (options.relativeTolerance || options.absoluteTolerance || options.fraction === 'written')
    return undefined
  const a = simpleFraction(given)
  const b = a && simpleFraction(gold)
  return b && a.numerator * b.denominator === b.numerator * a.denominator
}

const shortDecimal = /^(-?)(\d{1,7})(?:\.(\d{1,6}))?$/
const shortFraction = /^(-?)(?:\\[dt]?frac\{(\d{1,7})\}\{(\d{1,7})\}|(\d{1,7})\/(\d{1,7}))$/
const powersOfTen = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]

/** Numerator and denominator, small enough that their products are exact; undefined for anything else. */
function simpleFraction(text: string): { numerator: number; denominator: number } | undefined {
  if (text.length > 26) return undefined
  const decimal = shortDecimal.exec(text)
  if (decimal) {
    const places = decimal[3]?.length ?? 0
    if (decimal[2]!.length + places > 8) return undefined
    const numerator = Number(places === 0 ? decimal[2] : decimal[2]! + decimal[3]!)
    return { numerator: decimal[1] === '-' ? -numerator : numerator, denominator: powersOfTen[places]! }
  }
  const fraction = shortFraction.exec(text)
  if (!fraction) return undefined
  const numerator = Number(fraction[2] ?? fraction[4])
  const denominator = Number(fraction[3] ?? fraction[5])
  return denominator === 0
    ? undefined
    : { numerator: fraction[1] === '-' ? -numerator : numerator, denominator }
}

class Comparison {
  readonly options: MathEqualityOptions

  constructor(options: MathEqualityOptions) {
    this.options = options
  }

  equal(given: MathAnswer, gold: MathAnswer): boolean {
    if (given.kind === 'named' || gold.kind === 'named') return this.#named(given, gold)
    if (given.kind === 'equation' || gold.kind === 'equation') return this.#equations(given, gold)
    if (given.kind === 'matrix' || gold.kind === 'matrix') return this.#matrices(given, gold)
    if (given.kind === 'list' && gold.kind === 'list') return this.#lists(given, gold)
    if (given.kind === 'based' || gold.kind === 'based') return this.#based(given, gold)
    if (given.kind === 'value' && gold.kind === 'value') return this.#values(given, gold)
    if (given.kind === 'text' && gold.kind === 'text') return given.text !== '' && given.text === gold.text
    if (given.kind === 'union' && gold.kind === 'union') return this.#anyOrder(given.items, gold.items)
    if (given.kind === 'inequality' && gold.kind === 'inequality')
      return given.relation === gold.relation && this.#sameDifference(given, gold, given.relation !== '!=')
    return false
  }

  /** A name in front of an answer may be left out; two names must be the same. */
  #named(given: MathAnswer, gold: MathAnswer): boolean {
    if (given.kind === 'named' && gold.kind === 'named') {
      const isWords = given.left === undefined || gold.left === undefined
      if (isWords || plainText(given.name) === plainText(gold.name)) return this.equal(given.of, gold.of)
      return this.#equations(given, gold)
    }
    if (given.kind === 'equation' || gold.kind === 'equation') return this.#equations(given, gold)
    return this.equal(given.kind === 'named' ? given.of : given, gold.kind === 'named' ? gold.of : gold)
  }

  #equations(given: MathAnswer, gold: MathAnswer): boolean {
    const [a, b] = [sidesOf(given), sidesOf(gold)]
    return a !== undefined && b !== undefined && this.#sameDifference(a, b, false)
  }

  /** Whether left - right of one is a constant multiple of left - right of the other. */
  #sameDifference(a: Sides, b: Sides, positive: boolean): boolean {
    const ratios: number[] = []
    for (const at of points) {
      const [x, y] = [difference(a, at), difference(b, at)]
      if (!isDefined(x) || !isDefined(y) || Math.abs(y.im) > 1e-9 || Math.abs(x.im) > 1e-9) continue
      if (Math.abs(y.re) < 1e-9 || Math.abs(x.re) < 1e-9) {
        if (Math.abs(y.re) > 1e-7 || Math.abs(x.re) > 1e-7) return false
        continue // both sides agree here, as in 0 = 0: says nothing
      }
      ratios.push(x.re / y.re)
    }
    if (ratios.length < 2) return false
    const [first] = ratios as [number]
    if (positive && first < 0) return false
    return ratios.every((ratio) => Math.abs(ratio - first) <= 1e-8 * Math.abs(first))
  }

  #matrices(given: MathAnswer, gold: MathAnswer): boolean {
    const [a, b] = [rowsOf(given), rowsOf(gold)]
    return (
      a !== undefined &&
      b !== undefined &&
      a.length === b.length &&
      a.every((row, index) => this.#inOrder(row, b[index]!))
    )
  }

  #lists(given: MathAnswer & { kind: 'list' }, gold: MathAnswer & { kind: 'list' }): boolean {
    const order = orderOf(given.brackets, gold.brackets)
    if (order === 'differ') return false
    if (given.items.length === 0 || gold.items.length === 0) return given.items.length === gold.items.length
    if (order === 'set') return this.#anyOrder(this.#distinct(given.items), this.#distinct(gold.items))
    if (order === 'bare' && this.options.anyOrder !== false) return this.#anyOrder(given.items, gold.items)
    return this.#inOrder(given.items, gold.items)
  }

  #inOrder(given: readonly MathAnswer[], gold: readonly MathAnswer[]): boolean {
    return given.length === gold.length && given.every((item, index) => this.equal(item, gold[index]!))
  }

  #anyOrder(given: readonly MathAnswer[], gold: readonly MathAnswer[]): boolean {
    if (given.length !== gold.length) return false
    const left = [...gold]
    for (const item of given) {
      const index = left.findIndex((candidate) => this.equal(item, candidate))
      if (index < 0) return false
      left.splice(index, 1)
    }
    return true
  }

  #distinct(items: readonly MathAnswer[]): readonly MathAnswer[] {
    return items.filter((item, index) => !items.slice(0, index).some((earlier) => this.equal(earlier, item)))
  }

  /** Two bases are compared by value; a missing base is taken to be the other's. */
  #based(given: MathAnswer, gold: MathAnswer): boolean {
    if (given.kind === 'based' && gold.kind === 'based') return valueInBase(given) === valueInBase(gold)
    const [based, plain] = given.kind === 'based' ? [given, gold] : [gold, given]
    if (based.kind !== 'based' || plain.kind !== 'value') return false
    const value = exactValue(plain.value)
    return value !== undefined && value.denominator === 1n && value.numerator === BigInt(based.digits)
  }

  #values(given: MathAnswer & { kind: 'value' }, gold: MathAnswer & { kind: 'value' }): boolean {
    const { unit = 'optional', fraction = 'value' } = this.options
    if (fraction === 'written' && isFraction(given.value) && isFraction(gold.value))
      return sameFraction(given.value, gold.value)
    if (unit === 'required' && (given.unit === undefined) !== (gold.unit === undefined)) return false
    if (given.percent !== gold.percent) {
      // 50% is 0.5, and the sign may be missing where the question asks for percent
      const [percent, plain] = given.percent ? [given, gold] : [gold, given]
      return this.#numbers(given.value, gold.value) || this.#numbers(overHundred(percent.value), plain.value)
    }
    if (unit === 'ignored' || given.unit === undefined || gold.unit === undefined) {
      if (isLetterOfOtherCase(given.value, gold.value)) return true
      return this.#numbers(given.value, gold.value)
    }
    const [a, b] = [unitOf(given.unit), unitOf(gold.unit)]
    if (!a || !b || a.dimension !== b.dimension) return false
    if (a.factor === b.factor) return this.#numbers(given.value, gold.value)
    const scale = rationalFromDecimal(String(a.factor / b.factor)) ?? rational(1n)
    const converted: Expression = {
      kind: 'multiply',
      left: given.value,
      right: { kind: 'number', value: scale },
    }
    return this.#numbers(converted, gold.value, 1e-9)
  }

  #numbers(given: Expression, gold: Expression, leastTolerance = 0): boolean {
    const { relativeTolerance = 0, absoluteTolerance = 0 } = this.options
    return expressionsEqual(given, gold, {
      relativeTolerance: Math.max(relativeTolerance, leastTolerance),
      absoluteTolerance,
    })
  }
}

type Sides = { readonly left: Expression; readonly right: Expression }

function sidesOf(answer: MathAnswer): Sides | undefined {
  if (answer.kind === 'equation') return answer
  if (answer.kind === 'named' && answer.left && answer.of.kind === 'value')
    return { left: answer.left, right: answer.of.value }
  return undefined
}

function difference({ left, right }: Sides, at: Point): Complex {
  return numericValue({ kind: 'add', left, right: { kind: 'negate', of: right } }, at)
}

function rowsOf(answer: MathAnswer): readonly (readonly MathAnswer[])[] | undefined {
  if (answer.kind === 'matrix') return answer.rows
  if (answer.kind !== 'list' || answer.brackets === 'set') return undefined
  const rows = answer.items.map((item) => (item.kind === 'list' ? item.items : undefined))
  return rows.every((row) => row !== undefined) ? rows : undefined
}

/** How two lists are compared, by their brackets. */
function orderOf(a: Brackets, b: Brackets): 'ordered' | 'bare' | 'set' | 'differ' {
  if (a === 'set' || b === 'set') return a === b || a === 'none' || b === 'none' ? 'set' : 'differ'
  if (a === b) return a === 'none' ? 'bare' : 'ordered'
  const isTuple = (brackets: Brackets) => brackets === 'none' || brackets === '()' || brackets === '<>'
  return isTuple(a) && isTuple(b) ? 'ordered' : 'differ'
}

function valueInBase({ digits, base }: { digits: string; base: number }): bigint | undefined {
  let value = 0n
  for (const digit of digits) {
    if (Number(digit) >= base) return undefined
    value = value * BigInt(base) + BigInt(digit)
  }
  return value
}

function isFraction(expression: Expression): boolean {
  const of = expression.kind === 'negate' ? expression.of : expression
  return of.kind === 'divide' && of.left.kind === 'number' && of.right.kind === 'number'
}

function sameFraction(a: Expression, b: Expression): boolean {
  if (a.kind === 'negate' && b.kind === 'negate') return sameFraction(a.of, b.of)
  if (a.kind !== 'divide' || b.kind !== 'divide') return false
  const pairs = [
    [a.left, b.left],
    [a.right, b.right],
  ] as const
  return pairs.every(([x, y]) => x.kind === 'number' && y.kind === 'number' && sameRational(x.value, y.value))
}

function overHundred(value: Expression): Expression {
  return { kind: 'divide', left: value, right: { kind: 'number', value: rational(100n) } }
}

function isLetterOfOtherCase(a: Expression, b: Expression): boolean {
  return (
    a.kind === 'symbol' &&
    b.kind === 'symbol' &&
    a.name.length === 1 &&
    a.name.toLowerCase() === b.name.toLowerCase()
  )
}
