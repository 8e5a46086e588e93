import type { OnnxGraph } from '../onnx.ts'
import { elementwise, type View } from '../view.ts'
import { cast, outputOf, type Rule } from './rule.ts'

/** Bits of whole numbers and the counter-based generator (Threefry-2x32) that jax-js draws its random bits with. */
export const bits: Readonly<Record<string, Rule>> = {
  bit_combine(graph, operands, equation) {
    const { shape, dtype } = outputOf(equation)
    const operation: string = equation.params.op
    const kind = operation[0]!.toUpperCase() + operation.slice(1)
    const operator = dtype === 'bool' ? kind : `Bitwise${kind}`
    const cased = operands.map((view) => cast(graph, view, dtype))
    return [elementwise(graph, operator, cased, shape, dtype)]
  },
  bit_shift(graph, operands, equation) {
    const { shape, dtype } = outputOf(equation)
    // Sign bits are not drawn in: the shift is that of the unsigned number.
    const [value, by] = operands.map((view) => cast(graph, view, 'uint32'))
    const direction = equation.params.op === 'shl' ? 'LEFT' : 'RIGHT'
    return [cast(graph, elementwise(graph, 'BitShift', [value!, by!], shape, 'uint32', { direction }), dtype)]
  },
  bitcast(graph, [view], equation) {
    const { dtype } = outputOf(equation)
    if (view!.dtype === dtype) return [view!]
    if (dtype !== 'float32') return [cast(graph, view!, dtype)]
    return [floatOfBits(graph, view!)]
  },
  random_bits(graph, [key0, key1], equation) {
    const { shape } = outputOf(equation)
    const mode: 'xor' | 0 | 1 = equation.params.mode
    const own = shape.slice(key0!.shape.length)
    const count = own.reduce((a, b) => a * b, 1)
    const counter = graph.constant(
      'int64',
      own,
      BigInt64Array.from({ length: count }, (_, index) => BigInt(index)),
    )
    const physical = own.filter((size) => size !== 1)
    let next = 0
    const counters: View = {
      name: physical.length === own.length ? counter : graph.reshape(counter, physical, own),
      dtype: 'int64',
      physical,
      shape,
      map: shape.map((size, dim) => (dim < key0!.shape.length || size === 1 ? [] : [next++])),
    }
    const keyOf = (view: View): View => {
      const wide = cast(graph, view, 'int64')
      const behind = shape.length - wide.shape.length
      return {
        ...wide,
        shape: [...wide.shape, ...Array<number>(behind).fill(1)],
        map: [...wide.map, ...Array<readonly number[]>(behind).fill([])],
      }
    }
    const words = threefry(graph, keyOf(key0!), keyOf(key1!), counters, shape)
    const word =
      mode === 'xor' ? elementwise(graph, 'BitwiseXor', words, shape, 'int64') : words[mode === 0 ? 0 : 1]!
    return [{ ...cast(graph, word, 'uint32'), shape }]
  },
}

/** Whether a bit cast has a lowering: between whole numbers, or to float32. */
export function bitcastKnown(from: string, to: string): boolean {
  return from === to || (/int32$/.test(from) && /^(u?int32|float32)$/.test(to))
}

const mask = 0xffffffff

/** Threefry-2x32 with 20 rounds (Salmon et al. 2011) of the counters (0, `counters`), as two words in int64. */
function threefry(
  graph: OnnxGraph,
  key0: View,
  key1: View,
  counters: View,
  shape: readonly number[],
): [View, View] {
  const apply = (operator: string, a: View, b: View) => elementwise(graph, operator, [a, b], shape, 'int64')
  const number = (value: number): View => ({
    name: graph.scalar('int64', value),
    dtype: 'int64',
    physical: [],
    map: [],
    shape: [],
  })
  const low = (view: View) => apply('BitwiseAnd', view, number(mask))
  const plus = (a: View, b: View) => low(apply('Add', a, b))
  const rotated = (view: View, by: number) => {
    const shifted = apply('Mul', view, number(2 ** by)) // below 2^63
    return apply('Add', low(shifted), apply('Div', shifted, number(2 ** 32)))
  }
  const parity = apply('BitwiseXor', apply('BitwiseXor', key0, key1), number(0x1bd11bda))
  const keys = [key0, key1, parity]
  const rotations = [
    [13, 15, 26, 6],
    [17, 29, 16, 24],
  ]
  let x0 = apply('Add', key0, number(0))
  let x1 = plus(counters, key1)
  for (let group = 0; group < 5; group++) {
    for (const by of rotations[group % 2]!) {
      x0 = plus(x0, x1)
      x1 = apply('BitwiseXor', rotated(x1, by), x0)
    }
    x0 = plus(x0, keys[(group + 1) % 3]!)
    x1 = plus(plus(x1, keys[(group + 2) % 3]!), number(group + 1))
  }
  return [x0, x1]
}

/** The float32 whose bits are given, computed from sign, exponent and fraction; subnormal numbers are zero. */
function floatOfBits(graph: OnnxGraph, view: View): View {
  const unsigned = cast(graph, view, 'uint32')
  const wide = cast(graph, unsigned, 'int64').name
  const on = (operator: string, a: string, b: number) => graph.emit(operator, [a, graph.scalar('int64', b)])
  const fraction = on('BitwiseAnd', wide, 0x7fffff)
  const exponent = on('BitwiseAnd', on('Div', wide, 2 ** 23), 0xff)
  const negative = on('Div', wide, 2 ** 31)
  const table = (values: number[]) => graph.constant('float32', [values.length], Float32Array.from(values))
  const each = Array.from({ length: 256 }, (_, index) => index)
  const unit = table(each.map((e) => (e === 255 ? Number.POSITIVE_INFINITY : e === 0 ? 0 : 2 ** (e - 127))))
  const part = graph.emit('Mul', [
    graph.emit('Cast', [fraction], { to: 1 }),
    graph.scalar('float32', 2 ** -23),
  ])
  const magnitude = graph.emit('Mul', [
    graph.emit('Add', [part, graph.scalar('float32', 1)]),
    graph.emit('Gather', [unit, exponent], { axis: 0 }),
  ])
  const signed = graph.emit('Mul', [magnitude, graph.emit('Gather', [table([1, -1]), negative], { axis: 0 })])
  const undefinedNumber = graph.emit('And', [
    graph.emit('Equal', [exponent, graph.scalar('int64', 255)]),
    graph.emit('Greater', [fraction, graph.scalar('int64', 0)]),
  ])
  const name = graph.emit('Where', [undefinedNumber, graph.scalar('float32', Number.NaN), signed])
  const { constant: _, ...rest } = unsigned
  return { ...rest, dtype: 'float32', name }
}
