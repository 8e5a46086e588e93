import { type Expression, type FunctionName, TooLarge } from './math-expression.ts'
import {
  addRational,
  bits,
  divideRational,
  floorRational,
  multiplyRational,
  negateRational,
  numberFromRational,
  powerRational,
  type Rational,
  rational,
  rootRational,
} from './rational.ts'

/** The exact value of an expression that has a rational one within the limits; undefined otherwise. */
export function exactValue(expression: Expression): Rational | undefined {
  return exact(expression, { left: 3000 })
}

/** Work that is left: an operation costs 1, one on numbers of thousands of bits up to 256. Throws when spent. */
interface Budget {
  left: number
}

function charged(value: Rational | undefined, budget: Budget): Rational | undefined {
  const width = value ? (bits(value.numerator) + bits(value.denominator)) / 512 : 0
  budget.left -= 1 + width * width
  if (budget.left < 0) throw new TooLarge('too much to compute exactly')
  return value
}

function exact(expression: Expression, budget: Budget): Rational | undefined {
  switch (expression.kind) {
    case 'number':
      return expression.value
    case 'constant':
    case 'symbol':
      return undefined
    case 'negate': {
      const of = exact(expression.of, budget)
      return of && negateRational(of)
    }
    case 'call':
      return charged(exactCall(expression.name, expression.arguments, budget), budget)
  }
  const left = exact(expression.left, budget)
  const right = left && exact(expression.right, budget)
  return left && right && charged(exactOperation(expression.kind, left, right), budget)
}

function exactOperation(kind: 'add' | 'multiply' | 'divide' | 'power', left: Rational, right: Rational) {
  switch (kind) {
    case 'add':
      return addRational(left, right)
    case 'multiply':
      return multiplyRational(left, right)
    case 'divide':
      return divideRational(left, right)
    case 'power':
      return powerRational(left, right)
  }
}

function exactCall(
  name: FunctionName,
  operands: readonly Expression[],
  budget: Budget,
): Rational | undefined {
  const values: Rational[] = []
  for (const operand of operands) {
    const value = exact(operand, budget)
    if (!value) return undefined
    values.push(value)
  }
  const [a, b] = values as [Rational, Rational | undefined]
  const isWhole = values.every(({ denominator }) => denominator === 1n)
  switch (name) {
    case 'sqrt':
      return rootRational(a, 2n)
    case 'root':
      return b && b.denominator === 1n ? rootRational(a, b.numerator) : undefined
    case 'abs':
      return a.numerator < 0n ? negateRational(a) : a
    case 'floor':
      return rational(floorRational(a))
    case 'ceil':
      return rational(-floorRational(negateRational(a)))
    case 'factorial':
      return isWhole && a.numerator >= 0n && a.numerator <= 300n
        ? rational(product(1n, a.numerator))
        : undefined
    case 'binom':
      return isWhole && b ? binomial(a.numerator, b.numerator) : undefined
    case 'mod':
      return b && b.numerator > 0n && isWhole
        ? rational(((a.numerator % b.numerator) + b.numerator) % b.numerator)
        : undefined
    case 'gcd':
      return isWhole ? rational(values.map(({ numerator }) => numerator).reduce(gcd)) : undefined
    case 'lcm':
      return isWhole ? rational(values.map(({ numerator }) => numerator).reduce(lcm)) : undefined
    case 'max':
      return values.reduce((best, value) => (isLess(best, value) ? value : best))
    case 'min':
      return values.reduce((best, value) => (isLess(value, best) ? value : best))
    default:
      return undefined
  }
}

function product(from: bigint, to: bigint): bigint {
  let result = 1n
  for (let factor = from; factor <= to; factor++) result *= factor
  return result
}

function binomial(n: bigint, k: bigint): Rational | undefined {
  if (n < 0n || n > 1000n) return undefined
  if (k < 0n || k > n) return rational(0n)
  const smaller = k * 2n > n ? n - k : k
  return rational(product(n - smaller + 1n, n) / product(1n, smaller))
}

function gcd(a: bigint, b: bigint): bigint {
  return b === 0n ? (a < 0n ? -a : a) : gcd(b, a % b)
}

function lcm(a: bigint, b: bigint): bigint {
  const divisor = gcd(a, b)
  return divisor === 0n ? 0n : (a / divisor) * (b < 0n ? -b : b)
}

function isLess(a: Rational, b: Rational): boolean {
  return a.numerator * b.denominator < b.numerator * a.denominator
}

/** A complex number; not finite where the expression is not defined. */
export interface Complex {
  readonly re: number
  readonly im: number
}

const undefinedValue: Complex = { re: Number.NaN, im: Number.NaN }

/**
 * Value of an expression in doubles, principal branches. Symbols take the values of `at`; `scale` is the largest
 * magnitude that was added, by which rounding errors are judged. Throws `TooLarge` where a finite computation
 * overflows.
 */
export function numericValue(
  expression: Expression,
  at: (symbol: string) => number,
): Complex & { scale: number } {
  let scale = 0
  const evaluate = (node: Expression): Complex => {
    switch (node.kind) {
      case 'number':
        return { re: numberFromRational(node.value), im: 0 }
      case 'constant':
        return constants[node.name]
      case 'symbol':
        return { re: at(node.name), im: 0 }
      case 'negate': {
        const { re, im } = evaluate(node.of)
        return { re: -re, im: -im }
      }
      case 'add': {
        const a = evaluate(node.left)
        const b = evaluate(node.right)
        scale = Math.max(scale, Math.abs(a.re) + Math.abs(a.im), Math.abs(b.re) + Math.abs(b.im))
        return finite({ re: a.re + b.re, im: a.im + b.im }, a, b)
      }
      case 'multiply':
        return times(evaluate(node.left), evaluate(node.right))
      case 'divide':
        return over(evaluate(node.left), evaluate(node.right))
      case 'power':
        return power(evaluate(node.left), evaluate(node.right))
      case 'call':
        return call(node.name, node.arguments.map(evaluate))
    }
  }
  const { re, im } = evaluate(expression)
  return { re, im, scale }
}

const constants: Readonly<Record<'pi' | 'e' | 'i' | 'infinity', Complex>> = {
  pi: { re: Math.PI, im: 0 },
  e: { re: Math.E, im: 0 },
  i: { re: 0, im: 1 },
  infinity: { re: Number.POSITIVE_INFINITY, im: 0 },
}

/** Finite numbers that give an infinite one have overflowed, and a product of others that is 0 has underflowed. */
function finite(result: Complex, ...operands: readonly Complex[]): Complex {
  const isInfinite = Math.abs(result.re) === Infinity || Math.abs(result.im) === Infinity
  if (isInfinite && operands.every(({ re, im }) => Number.isFinite(re) && Number.isFinite(im)))
    throw new TooLarge('a number too large to compute')
  return result
}

function notLost(value: number, isZero: boolean): number {
  if (value === 0 && !isZero) throw new TooLarge('a number too small to compute')
  return value
}

function times(a: Complex, b: Complex): Complex {
  if (a.im === 0 && b.im === 0)
    return finite({ re: notLost(a.re * b.re, a.re === 0 || b.re === 0), im: 0 }, a, b)
  return finite({ re: a.re * b.re - a.im * b.im, im: a.re * b.im + a.im * b.re }, a, b)
}

function over(a: Complex, b: Complex): Complex {
  if (b.re === 0 && b.im === 0) return undefinedValue
  if (a.im === 0 && b.im === 0)
    return finite({ re: notLost(a.re / b.re, a.re === 0 || !Number.isFinite(b.re)), im: 0 }, a, b)
  const size = b.re * b.re + b.im * b.im
  return finite({ re: (a.re * b.re + a.im * b.im) / size, im: (a.im * b.re - a.re * b.im) / size }, a, b)
}

function logarithm(a: Complex): Complex {
  if (a.re === 0 && a.im === 0) return undefinedValue
  return { re: Math.log(Math.hypot(a.re, a.im)), im: Math.atan2(a.im, a.re) }
}

function exponential(a: Complex): Complex {
  const size = notLost(Math.exp(a.re), a.re === Number.NEGATIVE_INFINITY)
  if (a.im === 0) return finite({ re: size, im: 0 }, a)
  return finite({ re: size * Math.cos(a.im), im: size * Math.sin(a.im) }, a)
}

function power(a: Complex, b: Complex): Complex {
  if (a.im === 0 && b.im === 0 && (a.re >= 0 || Number.isInteger(b.re))) {
    if (a.re === 0 && b.re <= 0) return b.re === 0 ? { re: 1, im: 0 } : undefinedValue
    const isZero = a.re === 0 || !Number.isFinite(a.re) || !Number.isFinite(b.re)
    return finite({ re: notLost(a.re ** b.re, isZero), im: 0 }, a, b)
  }
  if (a.re === 0 && a.im === 0) return b.re > 0 ? { re: 0, im: 0 } : undefinedValue
  // small whole powers exactly: i^2 is -1, not -1 + 1e-16 i
  if (b.im === 0 && Number.isInteger(b.re) && Math.abs(b.re) <= 64) {
    let result: Complex = { re: 1, im: 0 }
    for (let count = Math.abs(b.re); count > 0; count--) result = times(result, a)
    return b.re < 0 ? over({ re: 1, im: 0 }, result) : result
  }
  return exponential(times(b, logarithm(a)))
}

function squareRoot(a: Complex): Complex {
  if (a.im === 0) return a.re >= 0 ? { re: Math.sqrt(a.re), im: 0 } : { re: 0, im: Math.sqrt(-a.re) }
  return power(a, { re: 0.5, im: 0 })
}

function call(name: FunctionName, values: readonly Complex[]): Complex {
  const [a, b] = values as [Complex, Complex | undefined]
  switch (name) {
    case 'sqrt':
      return squareRoot(a)
    case 'root':
      return b ? root(a, b) : undefinedValue
    case 'abs':
      return { re: Math.hypot(a.re, a.im), im: 0 }
    case 'exp':
      return exponential(a)
    case 'ln':
      return logarithm(a)
    case 'log':
      return over(logarithm(a), { re: Math.LN10, im: 0 })
    case 'degrees':
      return times(a, { re: Math.PI / 180, im: 0 })
    case 'factorial':
      return a.im === 0 && Number.isInteger(a.re) && a.re >= 0 ? factorial(a.re) : undefinedValue
    case 'binom':
      return b && a.im === 0 && b.im === 0 ? chooseFrom(a.re, b.re) : undefinedValue
  }
  if (values.some(({ im }) => im !== 0)) return undefinedValue
  return {
    re: real(
      name,
      values.map(({ re }) => re),
    ),
    im: 0,
  }
}

/** The real root where there is one (odd degrees of negative numbers), else the principal one. */
function root(a: Complex, b: Complex): Complex {
  if (a.im === 0 && b.im === 0 && a.re < 0 && b.re % 2 === 1) return { re: -((-a.re) ** (1 / b.re)), im: 0 }
  return power(a, over({ re: 1, im: 0 }, b))
}

function factorial(n: number): Complex {
  if (n > 170) throw new TooLarge('a factorial too large to compute')
  let result = 1
  for (let factor = 2; factor <= n; factor++) result *= factor
  return { re: result, im: 0 }
}

function chooseFrom(n: number, k: number): Complex {
  if (!Number.isInteger(n) || !Number.isInteger(k) || n < 0) return undefinedValue
  if (k < 0 || k > n) return { re: 0, im: 0 }
  const smaller = Math.min(k, n - k)
  if (smaller > 1000) throw new TooLarge('a binomial coefficient too large to compute')
  let result = 1
  for (let index = 1; index <= smaller; index++) result = (result * (n - smaller + index)) / index
  return finite({ re: result, im: 0 })
}

function real(name: FunctionName, values: readonly number[]): number {
  const [a, b] = values as [number, number]
  switch (name) {
    case 'sin':
      return Math.sin(a)
    case 'cos':
      return Math.cos(a)
    case 'tan':
      return Math.tan(a)
    case 'cot':
      return 1 / Math.tan(a)
    case 'sec':
      return 1 / Math.cos(a)
    case 'csc':
      return 1 / Math.sin(a)
    case 'asin':
      return Math.asin(a)
    case 'acos':
      return Math.acos(a)
    case 'atan':
      return Math.atan(a)
    case 'sinh':
      return Math.sinh(a)
    case 'cosh':
      return Math.cosh(a)
    case 'tanh':
      return Math.tanh(a)
    case 'floor':
      return Math.floor(a)
    case 'ceil':
      return Math.ceil(a)
    case 'max':
      return Math.max(...values)
    case 'min':
      return Math.min(...values)
    case 'mod':
      return a - b * Math.floor(a / b)
    default:
      return Number.NaN // gcd and lcm of what is not a whole number
  }
}
