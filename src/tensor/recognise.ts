import type { Equation } from './primitives/rule.ts'
import { type Atom, type Program, Uses, withoutUnused } from './program.ts'

/**
 * The program with functions recognised that jax-js spells out and ONNX Runtime has whole: tanh and its derivative,
 * the logistic function, softmax and standardisation over the last dim, quotients. What nothing needs any more is left out.
 * Values are those of the spelt-out form up to rounding; rows of softmax and standardisation have two or more elements.
 */
export function recognised(jaxpr: Program): Program {
  const uses = new Uses(jaxpr)
  const replaced = new Map<Equation, Equation[]>()
  for (const equation of jaxpr.eqns)
    for (const rule of recognisers) {
      const found = rule(uses, equation)
      if (found === undefined) continue
      replaced.set(found.at, found.by)
      if (found.at !== equation) replaced.set(equation, [])
      break
    }
  const equations = jaxpr.eqns.flatMap((equation) => replaced.get(equation) ?? [equation])
  return { inBinders: jaxpr.inBinders, eqns: withoutUnused(equations, jaxpr.outs), outs: jaxpr.outs }
}

/** `by` takes the place of the equation `at`; the equation looked at goes. */
interface Replacement {
  readonly at: Equation
  readonly by: Equation[]
}

type Recogniser = (uses: Uses, equation: Equation) => Replacement | undefined

const recognisers: readonly Recogniser[] = [logistic, softmax, standardised, tanhSlope, tanh, quotient]

/** reciprocal(exp(-x) + 1) */
function logistic(uses: Uses, equation: Equation): Replacement | undefined {
  if (equation.primitive !== 'reciprocal') return undefined
  const sum = uses.withNumber(equation.inputs[0]!, 'add')
  if (sum?.number !== 1) return undefined
  const exponent = uses.operand(sum.value, 'exp')
  const x = exponent === undefined ? undefined : uses.operand(exponent, 'neg')
  if (x === undefined || uses.takers(uses.source(sum.value)) > 1) return undefined
  return { at: equation, by: [made('sigmoid', [x], equation)] }
}

/** x * reciprocal(y), both of the result's shape: one pass */
function quotient(uses: Uses, equation: Equation): Replacement | undefined {
  if (equation.primitive !== 'mul') return undefined
  const wanted = String(equation.outBinders[0]!.aval.shape)
  for (const [x, inverse] of bothWays(equation.inputs)) {
    const y = uses.of(inverse, 'reciprocal')?.inputs[0]
    if (y === undefined || uses.takers(inverse) > 1 || 'value' in x) continue
    if (String(x.aval.shape) === wanted && String(y.aval.shape) === wanted)
      return { at: equation, by: [made('div', [x, y], equation)] }
  }
  return undefined
}

/** exp(x - max x) / sum of the same, over the last dim */
function softmax(uses: Uses, equation: Equation): Replacement | undefined {
  if (equation.primitive !== 'mul') return undefined
  const [first, second] = equation.inputs as [Atom, Atom]
  for (const [exponential, inverse] of [
    [first, second],
    [second, first],
  ] as const) {
    const total = uses.operand(inverse, 'reciprocal')
    const summed = total === undefined ? undefined : uses.overLast(total, 'Add')
    if (summed === undefined || !uses.same(summed, exponential) || uses.takers(uses.source(exponential)) > 2)
      continue
    const shifted = uses.operand(exponential, 'exp')
    const difference = shifted === undefined ? undefined : uses.of(shifted, 'add')
    if (difference === undefined) continue
    const [x, shift] = difference.inputs as [Atom, Atom]
    const largest = uses.operand(shift, 'neg')
    const over = largest === undefined ? undefined : uses.overLast(largest, 'Max')
    if (over !== undefined && uses.same(over, x))
      return { at: equation, by: [made('softmax', [x], equation)] }
  }
  return undefined
}

/** (x - mean x) / sqrt(variance + epsilon) over the last dim, the variance in either of its two forms */
function standardised(uses: Uses, equation: Equation): Replacement | undefined {
  // Of float64, ONNX Runtime gives the deviation in float32.
  if (equation.primitive !== 'mul' || equation.outBinders[0]!.aval.dtype !== 'float32') return undefined
  const [first, second] = equation.inputs as [Atom, Atom]
  for (const [centred, inverse] of [
    [first, second],
    [second, first],
  ] as const) {
    const root = uses.of(inverse, 'reciprocal')
    const raised = root === undefined ? undefined : uses.operand(root.inputs[0]!, 'sqrt')
    const parts = raised === undefined ? undefined : uses.withNumber(raised, 'add')
    const difference = uses.of(centred, 'add')
    if (parts === undefined || difference === undefined) continue
    const [x, shift] = difference.inputs as [Atom, Atom]
    const centre = uses.operand(shift, 'neg')
    const averaged = centre === undefined ? undefined : uses.mean(centre)
    if (averaged === undefined || !uses.same(averaged, x)) continue
    const isSquareOf = (square: Atom | undefined, of: Atom) => {
      const factors = square === undefined ? undefined : uses.of(square, 'mul')?.inputs
      return factors?.every((factor) => uses.same(factor, of)) ?? false
    }
    const minusSquare = (part: Atom) => isSquareOf(uses.operand(part, 'neg'), centre!)
    const squares = uses.other(parts.value, 'add', minusSquare)
    const known =
      isSquareOf(uses.mean(parts.value), centred) ||
      (squares !== undefined && isSquareOf(uses.mean(squares), x))
    if (!known || String(x.aval.shape) !== String(equation.outBinders[0]!.aval.shape)) continue
    const outBinders = [equation.outBinders[0]!, root!.outBinders[0]!]
    const params = { epsilon: parts.number }
    return {
      at: root!,
      by: [{ ...made('layer_norm', [x], equation), outBinders, params } as never as Equation],
    }
  }
  return undefined
}

/** The parts that jax-js makes tanh(x) of: with e = exp(2 |x|), (e - 1) / (e + 1) times the sign. */
interface TanhParts {
  readonly x: Atom
  readonly sign: Atom
  readonly exponential: Atom
}

function tanhParts(uses: Uses, exponential: Atom): TanhParts | undefined {
  const exponent = uses.operand(exponential, 'exp')
  const doubled = exponent === undefined ? undefined : uses.withNumber(exponent, 'mul')
  const product = doubled?.number === 2 ? uses.of(doubled.value, 'mul') : undefined
  if (product === undefined) return undefined
  const [first, second] = product.inputs as [Atom, Atom]
  for (const [x, sign] of [
    [first, second],
    [second, first],
  ] as const) {
    const choice = uses.of(sign, 'where')
    const [condition, yes, no] = choice?.inputs ?? []
    if (condition === undefined || !isNumber(yes!, 1) || !isNumber(no!, -1)) continue
    const comparison = uses.of(condition, 'compare')
    if (comparison?.params.op !== 'less' || !isNumber(comparison.inputs[1]!, 0)) continue
    if (uses.same(comparison.inputs[0]!, x)) return { x, sign, exponential }
  }
  return undefined
}

const isNumber = (atom: Atom, number: number) => 'value' in atom && Number(atom.value) === number

/** 1 / (e + 1) with the parts of e, if the value is that. */
function overPlusOne(uses: Uses, atom: Atom): TanhParts | undefined {
  const denominator = uses.operand(atom, 'reciprocal')
  const sum = denominator === undefined ? undefined : uses.withNumber(denominator, 'add')
  return sum?.number === 1 ? tanhParts(uses, sum.value) : undefined
}

function isMinusOne(uses: Uses, atom: Atom, { exponential }: TanhParts): boolean {
  const sum = uses.withNumber(atom, 'add')
  return sum?.number === -1 && uses.same(sum.value, exponential)
}

/** ((e - 1) * 1 / (e + 1)) * sign */
function tanh(uses: Uses, equation: Equation): Replacement | undefined {
  if (equation.primitive !== 'mul') return undefined
  for (const [quotient, sign] of bothWays(equation.inputs)) {
    for (const [numerator, inverse] of bothWays(uses.of(quotient, 'mul')?.inputs)) {
      const parts = overPlusOne(uses, inverse)
      if (parts !== undefined && isMinusOne(uses, numerator, parts) && uses.same(sign, parts.sign))
        return { at: equation, by: [made('tanh', [parts.x], equation)] }
    }
  }
  return undefined
}

/**
 * What differentiation makes of tanh for a gradient g: with r = 1 / (e + 1) and m = g * sign,
 * 2 * sign * e * (m r - r^2 (e - 1) m). Becomes g (1 - tanh^2).
 */
function tanhSlope(uses: Uses, equation: Equation): Replacement | undefined {
  if (equation.primitive !== 'mul') return undefined
  for (const [doubled, sign] of bothWays(equation.inputs)) {
    const twice = uses.withNumber(doubled, 'mul')
    if (twice?.number !== 2) continue
    for (const [exponential, rest] of bothWays(uses.of(twice.value, 'mul')?.inputs)) {
      const parts = tanhParts(uses, exponential)
      if (parts === undefined || !uses.same(parts.sign, sign)) continue
      const gradient = gradientOfQuotient(uses, rest, parts)
      if (gradient === undefined) continue
      const { aval } = equation.outBinders[0]!
      const [value, square, negated, slope] = [0, 1, 2, 3].map(() => ({ aval }) as never as Atom)
      const one = { value: 1, aval: { ...aval, shape: [] } } as never as Atom
      return {
        at: equation,
        by: [
          step('tanh', [parts.x], value!),
          step('mul', [value!, value!], square!),
          step('neg', [square!], negated!),
          step('add', [negated!, one], slope!),
          made('mul', [gradient, slope!], equation),
        ],
      }
    }
  }
  return undefined
}

/** g, if the value is m r + (-(r r)) ((e - 1) m) with m = g * sign. */
function gradientOfQuotient(uses: Uses, atom: Atom, parts: TanhParts): Atom | undefined {
  const isInverse = (part: Atom) => {
    const found = overPlusOne(uses, part)
    return found !== undefined && uses.same(found.exponential, parts.exponential)
  }
  for (const [direct, indirect] of bothWays(uses.of(atom, 'add')?.inputs)) {
    const signed = uses.other(direct, 'mul', isInverse)
    if (signed === undefined) continue
    const gradient = uses.other(signed, 'mul', (part) => uses.same(part, parts.sign))
    const change = uses.other(indirect, 'mul', (part) => {
      const square = uses.operand(part, 'neg')
      return square !== undefined && (uses.of(square, 'mul')?.inputs.every(isInverse) ?? false)
    })
    const again = uses.other(change, 'mul', (part) => isMinusOne(uses, part, parts))
    if (gradient !== undefined && again !== undefined && uses.same(again, signed)) return gradient
  }
  return undefined
}

function bothWays(inputs: readonly Atom[] | undefined): [Atom, Atom][] {
  const [a, b] = inputs ?? []
  return a === undefined || b === undefined
    ? []
    : [
        [a, b],
        [b, a],
      ]
}

/** Another primitive in the place of an equation. */
function made(primitive: string, inputs: readonly Atom[], { outBinders }: Equation): Equation {
  return { primitive, inputs, params: {}, outBinders } as never as Equation
}

function step(primitive: string, inputs: readonly Atom[], output: Atom): Equation {
  return { primitive, inputs, params: {}, outBinders: [output] } as never as Equation
}
