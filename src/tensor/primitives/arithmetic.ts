import { GuerdonError } from '../../core/index.ts'
import type { Attribute, DType, OnnxGraph } from '../onnx.ts'
import {
  constantView,
  elementwise,
  padRank,
  product,
  sameTensor,
  scaled,
  settled,
  type View,
} from '../view.ts'
import { cast, isFloat, outputOf, type Rule, unscaled } from './rule.ts'

/** Element-wise primitives. */
export const arithmetic: Readonly<Record<string, Rule>> = {
  add: floatsOr(sum, binary('Add', { logical: 'Or', wraps: true })),
  mul: floatsOr(productOf, binary('Mul', { logical: 'And', wraps: true })),
  max: binary('Max', { logical: 'Or', unsigned: true }),
  min: binary('Min', { logical: 'And', unsigned: true }),
  mod: (graph, [a, b], equation) => binary('Mod', { fmod: 1 })(graph, [a!, divisor(graph, b!)], equation),
  idiv(graph, [a, b], equation) {
    const [quotient] = binary('Div')(graph, [a!, divisor(graph, b!)], equation)
    if (!isFloat(quotient!.dtype)) return [quotient!]
    const magnitude = graph.emit('Floor', [graph.emit('Abs', [quotient!.name])])
    return [{ ...quotient!, name: graph.emit('Mul', [magnitude, graph.emit('Sign', [quotient!.name])]) }]
  },
  neg(graph, [view], equation) {
    if (isFloat(view!.dtype)) return [scaled(graph, view!, -1)]
    const minusOne = constantView(graph, view!.dtype, -1)
    return binary('Mul', { logical: 'And', wraps: true })(graph, [view!, minusOne], equation)
  },
  reciprocal(graph, [view]) {
    const { scale = 1, constant, ...tensor } = view!
    if (constant !== undefined) return [constantView(graph, view!.dtype, 1 / constant, view!.shape)]
    return [scaled(graph, { ...tensor, name: graph.emit('Reciprocal', [tensor.name]) }, 1 / scale)]
  },
  /** Brought in by `recognised`. */
  div(graph, operands, equation) {
    const { shape, dtype } = outputOf(equation)
    const [above, below] = operands.map((view) => cast(graph, view, dtype))
    const quotient = elementwise(graph, 'Div', [unscaled(above!), unscaled(below!)], shape, dtype)
    return [scaled(graph, quotient, (above!.scale ?? 1) / (below!.scale ?? 1))]
  },
  floor: unary('Floor', Math.floor),
  ceil: unary('Ceil', Math.ceil),
  sin: unary('Sin', Math.sin),
  cos: unary('Cos', Math.cos),
  asin: unary('Asin', Math.asin),
  atan: unary('Atan', Math.atan),
  exp: unary('Exp', Math.exp),
  log: unary('Log', Math.log),
  erf: unary('Erf'),
  erfc(graph, [view], equation) {
    const [erf] = unary('Erf')(graph, [view!], equation)
    return [{ ...erf!, name: graph.emit('Sub', [graph.scalar(erf!.dtype, 1), erf!.name]) }]
  },
  sqrt: unary('Sqrt', Math.sqrt),
  tanh: unary('Tanh', Math.tanh),
  sigmoid: unary('Sigmoid'),
  stop_gradient: (_, [view]) => [view!],
  cast: (graph, [view], equation) => [cast(graph, view!, equation.params.dtype)],
  compare(graph, operands, equation) {
    const { shape } = outputOf(equation)
    const dtype = operands
      .map((view) => view.dtype)
      .reduce((a, b) => (typeOrder.indexOf(a) > typeOrder.indexOf(b) ? a : b))
    const operation: string = equation.params.op
    const carried = operation.startsWith('less') && dtype === 'bool' ? 'int32' : carrier(dtype)
    const cased = operands.map((view) => cast(graph, view, carried))
    switch (operation) {
      case 'less':
        return [elementwise(graph, 'Less', cased, shape, 'bool')]
      case 'less_equal':
        return [elementwise(graph, 'LessOrEqual', cased, shape, 'bool')]
      case 'equal':
        return [elementwise(graph, 'Equal', cased, shape, 'bool')]
      default: {
        const equal = elementwise(graph, 'Equal', cased, shape, 'bool')
        return [{ ...equal, name: graph.emit('Not', [equal.name]) }]
      }
    }
  },
  where(graph, [condition, yes, no], equation) {
    const { shape, dtype } = outputOf(equation)
    const carried = dtype === 'bool' ? 'int32' : carrier(dtype)
    const chosen = [yes!, no!].map((view) => cast(graph, cast(graph, view, dtype), carried))
    return [cast(graph, elementwise(graph, 'Where', [condition!, ...chosen], shape, carried), dtype)]
  },
}

const typeOrder: readonly DType[] = ['bool', 'uint32', 'int32', 'int64', 'float16', 'float32', 'float64']

/** The type that ONNX Runtime computes in: its arithmetic knows no uint32. */
const carrier = (dtype: DType): DType => (dtype === 'uint32' ? 'int64' : dtype)

interface BinaryOptions {
  /** The counterpart for booleans. */
  readonly logical?: string
  /** Results may leave 32 bits and come back modulo 2^32. */
  readonly wraps?: boolean
  /** The operator knows uint32 itself. (Max and Min must: those of int64 look at 32 bits only.) */
  readonly unsigned?: boolean
  readonly fmod?: number
}

/** Broadcasting operator whose operands take the result's type. */
function binary(
  operator: string,
  { logical, wraps = false, unsigned = false, fmod }: BinaryOptions = {},
): Rule {
  const attributes: Record<string, Attribute> = fmod === undefined ? {} : { fmod }
  return (graph, operands, equation) => {
    const { shape, dtype } = outputOf(equation)
    const name = dtype === 'bool' ? logical : operator
    if (name === undefined)
      throw new GuerdonError('unsupported-primitive', `${equation.primitive} of booleans cannot be lowered.`)
    const carried = unsigned ? dtype : carrier(dtype)
    const cased = operands.map((view) => cast(graph, cast(graph, view, dtype), carried))
    const result = elementwise(graph, name, cased, shape, carried, attributes)
    if (carried === dtype) return [result]
    const low = wraps
      ? { ...result, name: graph.emit('BitwiseAnd', [result.name, graph.scalar('int64', 0xffffffff)]) }
      : result
    return [cast(graph, low, dtype)]
  }
}

/** A whole-number divisor with ones for zeros: dividing by zero would end the process. */
function divisor(graph: OnnxGraph, view: View): View {
  if (isFloat(view.dtype) || (view.constant !== undefined && view.constant !== 0)) return view
  const wide = cast(graph, view, carrier(view.dtype))
  const [zero, one] = [graph.scalar(wide.dtype, 0), graph.scalar(wide.dtype, 1)]
  const { constant: _, ...rest } = wide
  return { ...rest, name: graph.emit('Where', [graph.emit('Equal', [wide.name, zero]), one, wide.name]) }
}

/** A rule for floats that knows scales and constants, and a plain one for the other types. */
function floatsOr(
  floats: (graph: OnnxGraph, a: View, b: View, shape: readonly number[]) => View,
  others: Rule,
): Rule {
  return (graph, operands, equation) => {
    const { shape, dtype } = outputOf(equation)
    if (!isFloat(dtype)) return others(graph, operands, equation)
    const [a, b] = operands.map((view) => cast(graph, view, dtype))
    return [floats(graph, a!, b!, shape)]
  }
}

/** The view broadcast to a larger shape: a change of map. */
function broadcastTo(view: View, shape: readonly number[]): View {
  return { ...padRank(view, shape.length), shape }
}

/** Sum of two float views. */
function sum(graph: OnnxGraph, a: View, b: View, shape: readonly number[]): View {
  if (a.constant !== undefined && b.constant !== undefined)
    return constantView(graph, a.dtype, a.constant + b.constant, shape)
  if (a.constant === 0) return broadcastTo(b, shape)
  if (b.constant === 0) return broadcastTo(a, shape)
  const [scaleA = 1, scaleB = 1] = [a.scale, b.scale]
  if (sameTensor(a, b)) return broadcastTo(scaled(graph, unscaled(a), scaleA + scaleB), shape)
  const [plainA, plainB] = [unscaled(a), unscaled(b)]
  const sign = scaleB === scaleA ? 'Add' : scaleB === -scaleA ? 'Sub' : undefined
  if (sign !== undefined && (scaleA === 1 || sizeOf(a) === sizeOf(b)))
    return scaled(graph, elementwise(graph, sign, [plainA, plainB], shape, a.dtype), scaleA)
  if (scaleB === -1) return elementwise(graph, 'Sub', [settled(graph, a), plainB], shape, a.dtype)
  if (scaleA === -1) return elementwise(graph, 'Sub', [settled(graph, b), plainA], shape, a.dtype)
  return elementwise(graph, 'Add', [settled(graph, a), settled(graph, b)], shape, a.dtype)
}

/** Product of two float views; a scale waits on, or is multiplied into the operand where that is cheap. */
function productOf(graph: OnnxGraph, a: View, b: View, shape: readonly number[]): View {
  if (b.constant !== undefined) return scaled(graph, broadcastTo(a, shape), b.constant)
  if (a.constant !== undefined) return scaled(graph, broadcastTo(b, shape), a.constant)
  const scale = (a.scale ?? 1) * (b.scale ?? 1)
  const [plainA, plainB] = [unscaled(a), unscaled(b)]
  const [small, large] = sizeOf(a) <= sizeOf(b) ? [plainA, plainB] : [plainB, plainA]
  if (scale !== 1 && 2 * sizeOf(small) < sizeOf(large))
    return elementwise(graph, 'Mul', [settled(graph, scaled(graph, small, scale)), large], shape, a.dtype)
  return scaled(graph, elementwise(graph, 'Mul', [plainA, plainB], shape, a.dtype), scale)
}

const sizeOf = (view: View) => product(view.physical)

/** An operator of one operand; numbers are folded. */
function unary(operator: string, fold?: (value: number) => number): Rule {
  return (graph, [given]) => {
    const { constant, ...view } = given!
    if (constant !== undefined && fold !== undefined)
      return [constantView(graph, view.dtype, fold(constant), view.shape)]
    return [{ ...view, name: graph.emit(operator, [view.name]) }]
  }
}
