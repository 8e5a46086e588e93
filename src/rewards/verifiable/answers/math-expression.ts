import type { Rational } from './rational.ts'

/** A mathematical expression. */
export type Expression =
  | { readonly kind: 'number'; readonly value: Rational }
  | { readonly kind: 'constant'; readonly name: 'pi' | 'e' | 'i' | 'infinity' }
  | { readonly kind: 'symbol'; readonly name: string }
  | {
      readonly kind: 'add' | 'multiply' | 'divide' | 'power'
      readonly left: Expression
      readonly right: Expression
    }
  | { readonly kind: 'negate'; readonly of: Expression }
  | { readonly kind: 'call'; readonly name: FunctionName; readonly arguments: readonly Expression[] }

export type FunctionName = (typeof functionNames)[number]

export const functionNames = [
  'sqrt',
  'root',
  'abs',
  'floor',
  'ceil',
  'factorial',
  'binom',
  'ln',
  'log',
  'exp',
  'sin',
  'cos',
  'tan',
  'cot',
  'sec',
  'csc',
  'asin',
  'acos',
  'atan',
  'sinh',
  'cosh',
  'tanh',
  'gcd',
  'lcm',
  'max',
  'min',
  'mod',
  'degrees',
] as const

/** The answer is beyond what is judged: too deep, too long, a number too big. */
export class TooLarge extends Error {}

/** The text is not mathematics that this parser reads. */
export class Unreadable extends Error {}
