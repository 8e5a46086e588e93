import { expressionsEqual } from './math-equivalence.ts'
import { type Expression, TooLarge } from './math-expression.ts'
import { parseExpression } from './math-parser.ts'
import { maxAnswerLength } from './math-tokens.ts'

/** True, false, or null when an answer is beyond what can be computed exactly. */
export type Grade = boolean | null

/**
 * The rule-based answer check that many maths rewards share: equal after a light clean-up; or equal after a heavy
 * one (units, thousands commas, fractions); or element by element with a symbolic difference of 0. Two fractions of
 * integers must be equal as written, and an integer never equals what is not one. Two empty answers are equal here,
 * as published; `mathEqual` is the guarded check.
 *
 * @source rules of MathRuler, as used by Vision-SR1 (arXiv 2508.19652)
 * @example grade('0.50', '1/2') // true; grade('2/4', '1/2') // false
 */
export function grade(given: string, gold: string): Grade {
  // a page is not an answer: only the same page is equal to it
  if (given.length > maxAnswerLength || gold.length > maxAnswerLength) return given.trim() === gold.trim()
  if (lightlyCleaned(given) === lightlyCleaned(gold)) return true
  const [a, b] = [heavilyCleaned(given), heavilyCleaned(gold)]
  if (a === b) return true
  if (a === '') return false
  const [givenItems, goldItems] = [elements(a), elements(b)]
  if (givenItems.length !== goldItems.length) return false
  if (goldItems.length > 1 && (a[0] !== b[0] || a.at(-1) !== b.at(-1))) return false
  let verdict: Grade = true
  for (const [index, item] of givenItems.entries()) {
    const one = sameElement(item, goldItems[index]!)
    if (one === false) return false
    if (one === null) verdict = null
  }
  return verdict
}

/** (i): white space, `\text{}` around the answer or a unit behind it, `$`, `%`, and a short left side such as `x=`. */
function lightlyCleaned(answer: string): string {
  let text = answer.trim()
  const wrapped = /^\\text\{([^{}]*)\}$/.exec(text)
  if (wrapped) text = wrapped[1]!.trim()
  if (text.includes('\\'))
    text = text
      .replace(/\\(?:[!,;:]|left|right)/g, '')
      .replace(/\\[dt]frac/g, '\\frac')
      .replace(/\^\{?\\circ\}?/g, '')
      .replace(/\\\$|\\%/g, '')
      .replace(/\\text\{ [^{}]*\}$/, '')
  text = text.replace(/[\s$%]/g, '')
  const equals = text.indexOf('=')
  if (equals >= 0 && equals <= 2 && text.indexOf('=', equals + 1) < 0) text = text.slice(equals + 1)
  return text
}

const unitWords =
  /(?<![a-z])(?:degrees?|cm|centimeters?|meters?|miles?|seconds?|minutes?|hours?|days?|weeks?|months?|years?|foot|feet|inch(?:es)?|yards?)(?![a-z])(?:\^\d|\^\{\d\})?/g

/** (ii): units, thousands commas, "and" and "or", fractions, whole numbers, spaces, braces and case. */
function heavilyCleaned(answer: string): string {
  let text = answer.trim().replace(/^\\text\{([^{}]*)\}$/, '$1')
  text = text
    .replace(/\\%|\\\$|[$%]/g, '')
    .replace(/ and | or /g, ',')
    .replace(unitWords, '')
    .replace(/\^\{?\\circ\}?/g, '')
    .replace(/\\(?:[!,;:]|left|right)/g, '')
    .replace(/\\[dt]frac/g, '\\frac')
    .trim()
  text = withoutThousands(text)
  if (/^-?\d+\.0*$/.test(text)) text = text.replace(/\.0*$/, '')
  return text
    .replace(/\\frac\{([^{}]*)\}\{([^{}]*)\}/g, '$1/$2')
    .replace(/[\s{}]/g, '')
    .toLowerCase()
}

function withoutThousands(text: string): string {
  return text.replace(/\d{1,3}(?:,\d{3})+(?!\d)/g, (digits, at: number) =>
    at > 0 && /[\d,]/.test(text[at - 1]!) ? digits : digits.replaceAll(',', ''),
  )
}

/** Elements of a tuple: a list is one only inside one outer pair of brackets; a single bracketed element loses them. */
function elements(text: string): string[] {
  const isBracketed = /^[([].*[)\]]$/s.test(text) && !/[()[\]]/.test(text.slice(1, -1))
  if (!isBracketed) return [text]
  return text.slice(1, -1).split(',')
}

const integerFraction = /^-?\d+\/-?\d+$/

function sameElement(given: string, gold: string): Grade {
  if (given === gold) return true
  if (integerFraction.test(given) && integerFraction.test(gold)) return false
  if (isInteger(given) !== isInteger(gold)) return false
  try {
    const [a, b] = [expressionOf(given), expressionOf(gold)]
    return a !== undefined && b !== undefined && expressionsEqual(a, b)
  } catch (error) {
    if (error instanceof TooLarge) return null
    throw error
  }
}

function isInteger(text: string): boolean {
  const value = Number(text)
  return text.trim() !== '' && Number.isFinite(value) && Number.isInteger(value)
}

/** Undefined for what is unreadable or has more than two letters besides `sqrt` and `frac`. */
function expressionOf(text: string): Expression | undefined {
  const letters = new Set(text.replace(/sqrt|frac/g, '').match(/[a-z]/g))
  return letters.size > 2 ? undefined : parseExpression(text)
}
