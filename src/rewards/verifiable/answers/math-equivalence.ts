import { Rng } from '../../../core/index.ts'
import { type Expression, TooLarge } from './math-expression.ts'
import { type Complex, exactValue, numericValue } from './math-value.ts'
import { numberFromRational, type Rational, sameRational } from './rational.ts'

/** Values of symbols. */
export type Point = (symbol: string) => number

/** Where expressions are compared: two points with all symbols positive, one with all negative, one mixed. */
export const points: readonly Point[] = [0, 1, 2, 3].map((index) => {
  const rng = new Rng(`math point ${index}`)
  return remembered((symbol) => {
    const draw = rng.fork(symbol)
    const size = 0.3 + 2.5 * draw.uniform()
    const isNegative = index === 2 || (index === 3 && draw.chance(0.5))
    return isNegative ? -size : size
  })
})

/** For what has values at whole numbers only: factorials and binomial coefficients. */
const wholePoints: readonly Point[] = [5, 6, 8].map((base) =>
  remembered((symbol) => base - (symbol.charCodeAt(0) % 4)),
)

function remembered(point: Point): Point {
  const values = new Map<string, number>()
  return (symbol) => {
    let value = values.get(symbol)
    if (value === undefined) {
      value = point(symbol)
      if (values.size < 1000) values.set(symbol, value)
    }
    return value
  }
}

/**
 * Whether two expressions have the same value: rational ones exactly (or within the tolerances), others by doubles at
 * several seeded points, to nine digits. Undefined at all points is equal to nothing. Throws `TooLarge`.
 */
export function expressionsEqual(
  given: Expression,
  gold: Expression,
  {
    relativeTolerance = 0,
    absoluteTolerance = 0,
  }: { readonly relativeTolerance?: number; readonly absoluteTolerance?: number } = {},
): boolean {
  try {
    return valuesEqual(given, gold, relativeTolerance, absoluteTolerance)
  } catch (error) {
    // what is too large to compute is still equal to itself
    if (error instanceof TooLarge && written(given) === written(gold)) return true
    throw error
  }
}

function valuesEqual(
  given: Expression,
  gold: Expression,
  relativeTolerance: number,
  absoluteTolerance: number,
): boolean {
  const [a, b] = [exactValue(given), exactValue(gold)]
  if (a && b) return sameRational(a, b) || isClose(a, b, relativeTolerance, absoluteTolerance)
  const tolerance = Math.max(relativeTolerance, 1e-9)
  const [inGiven, inGold] = [symbolUse(given), symbolUse(gold)]
  const isConstant = inGiven === 'none' && inGold === 'none'
  const candidates = isConstant
    ? points.slice(0, 1)
    : inGiven === 'whole' || inGold === 'whole'
      ? wholePoints
      : points
  let defined = 0
  for (const at of candidates) {
    const [x, y] = [numericValue(given, at), numericValue(gold, at)]
    if (!isDefined(x) && !isDefined(y)) continue
    const slack = Math.max(
      tolerance * Math.hypot(y.re, y.im),
      absoluteTolerance,
      1e-13 * Math.max(x.scale, y.scale),
    )
    if (!isSame(x, y, slack)) return false
    defined++
  }
  return defined >= (isConstant ? 1 : 2)
}

/** The expression's structure as text. */
function written(expression: Expression): string {
  return JSON.stringify(expression, (_, value) => (typeof value === 'bigint' ? String(value) : value))
}

function isClose(given: Rational, gold: Rational, relative: number, absolute: number): boolean {
  if (relative === 0 && absolute === 0) return false
  const target = numberFromRational(gold)
  return Math.abs(numberFromRational(given) - target) <= Math.max(relative * Math.abs(target), absolute)
}

/** Whether an expression holds symbols, and whether they stand for whole numbers. */
function symbolUse(expression: Expression): 'none' | 'any' | 'whole' {
  switch (expression.kind) {
    case 'symbol':
      return 'any'
    case 'number':
    case 'constant':
      return 'none'
    case 'negate':
      return symbolUse(expression.of)
    case 'call': {
      const uses = expression.arguments.map(symbolUse)
      const isCounting = expression.name === 'factorial' || expression.name === 'binom'
      if (uses.every((use) => use === 'none')) return 'none'
      return isCounting || uses.includes('whole') ? 'whole' : 'any'
    }
  }
  const [left, right] = [symbolUse(expression.left), symbolUse(expression.right)]
  if (left === 'whole' || right === 'whole') return 'whole'
  return left === 'none' ? right : left
}

export function isDefined({ re, im }: Complex): boolean {
  return !Number.isNaN(re) && !Number.isNaN(im)
}

function isSame(x: Complex, y: Complex, slack: number): boolean {
  if (!isDefined(x) || !isDefined(y)) return false
  if (!Number.isFinite(x.re) || !Number.isFinite(y.re)) return x.re === y.re && x.im === y.im
  return Math.hypot(x.re - y.re, x.im - y.im) <= slack
}
