import type { Jaxpr } from '@jax-js/jax'
import { dot } from './matrix-product.ts'
import type { DType, OnnxGraph } from './onnx.ts'
import {
  constantView,
  elementwise,
  materialised,
  padRank,
  product,
  reshaped,
  reshapeTensor,
  sameTensor,
  scaled,
  settled,
  type View,
  viewOfTensor,
  withOneDim,
} from './view.ts'

type Equation = Jaxpr['eqns'][number]

/** Primitives of a traced program that cannot be lowered, each once. Empty: the program can be compiled. */
export function unsupportedPrimitives(jaxpr: Jaxpr): string[] {
  const missing = new Set<string>()
  const walk = (program: Jaxpr) => {
    for (const equation of program.eqns) {
      if (equation.primitive === 'jit') walk(equation.params.jaxpr)
      else if (!(equation.primitive in rules)) missing.add(equation.primitive)
    }
  }
  walk(jaxpr)
  return [...missing].sort()
}

/** Emits a traced program into `graph`; `inputs` are the views of its arguments, the result those of its outputs. */
export function lower(graph: OnnxGraph, jaxpr: Jaxpr, inputs: readonly View[]): View[] {
  const views = new Map<unknown, View>()
  jaxpr.inBinders.forEach((binder, index) => {
    views.set(binder, inputs[index]!)
  })
  const viewOf = (atom: Jaxpr['outs'][number]): View =>
    'value' in atom ? constantView(graph, atom.aval.dtype as DType, Number(atom.value)) : views.get(atom)!
  for (const equation of jaxpr.eqns) {
    const operands = equation.inputs.map(viewOf)
    const results =
      equation.primitive === 'jit'
        ? lower(graph, equation.params.jaxpr, operands)
        : ruleOf(equation.primitive)(graph, operands, equation)
    equation.outBinders.forEach((binder, index) => {
      views.set(binder, results[index]!)
    })
  }
  return jaxpr.outs.map(viewOf)
}

/** Rules that know what to do with scales; all others get their operands multiplied out. */
const scaleAware = new Set(['add', 'mul', 'neg', 'dot', 'reduce', 'where', 'reciprocal'])
/** Linear in their one operand: the scale passes through. */
const movements = new Set([
  'transpose',
  'broadcast',
  'reshape',
  'shrink',
  'flip',
  'split',
  'pad',
  'stop_gradient',
])

function ruleOf(primitive: string): Rule {
  const rule = rules[primitive]!
  if (scaleAware.has(primitive)) return rule
  return (graph, operands, equation) => {
    if (!movements.has(primitive))
      return rule(
        graph,
        operands.map((view) => settled(graph, view)),
        equation,
      )
    const { scale, ...view } = operands[0]!
    if (view.constant !== undefined && primitive !== 'pad')
      return equation.outBinders.map(({ aval }) =>
        constantView(graph, view.dtype, view.constant!, aval.shape),
      )
    return rule(graph, [view], equation).map((result) =>
      scale === undefined ? result : { ...result, scale },
    )
  }
}

type Rule = (graph: OnnxGraph, operands: readonly View[], equation: Equation) => View[]

const typeOrder: readonly DType[] = ['bool', 'uint32', 'int32', 'int64', 'float16', 'float32', 'float64']

function cast(graph: OnnxGraph, given: View, dtype: DType): View {
  if (given.dtype === dtype) return given
  if (given.constant !== undefined && dtype !== 'bool' && isFloat(dtype))
    return constantView(graph, dtype, given.constant, given.shape)
  const { constant: _, ...view } = settled(graph, given)
  const onnxType = { float32: 1, int32: 6, int64: 7, bool: 9, float16: 10, float64: 11, uint32: 12 }[dtype]
  return { ...view, dtype, name: graph.emit('Cast', [view.name], { to: onnxType }) }
}

function outputOf(equation: Equation): { shape: readonly number[]; dtype: DType } {
  const { shape, dtype } = equation.outBinders[0]!.aval
  return { shape, dtype: dtype as DType }
}

/** Broadcasting operator whose operands take the result's type; `logical` is its counterpart for booleans. */
function binary(operator: string, logical?: string, attributes = {}): Rule {
  return (graph, operands, equation) => {
    const { shape, dtype } = outputOf(equation)
    const name = dtype === 'bool' ? logical : operator
    if (name === undefined) throw new TypeError(`${equation.primitive} of booleans has no lowering`)
    return [
      elementwise(
        graph,
        name,
        operands.map((view) => cast(graph, view, dtype)),
        shape,
        dtype,
        attributes,
      ),
    ]
  }
}

/** A rule for floats that knows scales and constants, and a plain one for the other types. */
function arithmetic(
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
  const padded = padRank(view, shape.length)
  return { ...padded, shape }
}

const isFloat = (dtype: DType) => dtype.startsWith('float')

/** Sum of two float views. */
function sum(graph: OnnxGraph, a: View, b: View, shape: readonly number[]): View {
  if (a.constant !== undefined && b.constant !== undefined)
    return constantView(graph, a.dtype, a.constant + b.constant, shape)
  if (a.constant === 0) return broadcastTo(b, shape)
  if (b.constant === 0) return broadcastTo(a, shape)
  const [scaleA = 1, scaleB = 1] = [a.scale, b.scale]
  if (sameTensor(a, b)) {
    const { scale: _, ...tensor } = a
    return broadcastTo(scaled(graph, tensor, scaleA + scaleB), shape)
  }
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

function unscaled({ scale: _, ...view }: View): View {
  return view
}

function unary(operator: string): Rule {
  return (graph, [view]) => [{ ...view!, name: graph.emit(operator, [view!.name]) }]
}

/** An operator on tensors of the full logical shape, for what has no form on views. */
function fullShape(emit: (graph: OnnxGraph, names: readonly string[], equation: Equation) => string): Rule {
  return (graph, operands, equation) => {
    const { shape, dtype } = outputOf(equation)
    const name = emit(
      graph,
      operands.map((view) => materialised(graph, view)),
      equation,
    )
    return [viewOfTensor(graph, name, dtype, shape)]
  }
}

const rules: Readonly<Record<string, Rule>> = {
  add: arithmetic(sum, binary('Add', 'Or')),
  mul: arithmetic(productOf, binary('Mul', 'And')),
  max: binary('Max', 'Or'),
  min: binary('Min', 'And'),
  mod: (graph, operands, equation) => binary('Mod', undefined, { fmod: 1 })(graph, operands, equation),
  idiv(graph, operands, equation) {
    const [quotient] = binary('Div')(graph, operands, equation)
    if (!quotient!.dtype.startsWith('float')) return [quotient!]
    const magnitude = graph.emit('Floor', [graph.emit('Abs', [quotient!.name])])
    return [{ ...quotient!, name: graph.emit('Mul', [magnitude, graph.emit('Sign', [quotient!.name])]) }]
  },
  neg: (graph, [view]) =>
    isFloat(view!.dtype) ? [scaled(graph, view!, -1)] : [{ ...view!, name: graph.emit('Neg', [view!.name]) }],
  reciprocal(graph, [view]) {
    const { scale = 1, constant: _, ...tensor } = view!
    return [scaled(graph, { ...tensor, name: graph.emit('Reciprocal', [tensor.name]) }, 1 / scale)]
  },
  floor: unary('Floor'),
  ceil: unary('Ceil'),
  sin: unary('Sin'),
  cos: unary('Cos'),
  asin: unary('Asin'),
  atan: unary('Atan'),
  exp: unary('Exp'),
  log: unary('Log'),
  erf: unary('Erf'),
  erfc: (graph, [view]) => [
    {
      ...view!,
      name: graph.emit('Sub', [graph.scalar(view!.dtype, 1), graph.emit('Erf', [view!.name])]),
    },
  ],
  sqrt: unary('Sqrt'),
  stop_gradient: (_, [view]) => [view!],
  cast: (graph, [view], equation) => [cast(graph, view!, equation.params.dtype)],
  compare(graph, operands, equation) {
    const { shape } = outputOf(equation)
    const dtype = operands
      .map((view) => view.dtype)
      .reduce((a, b) => (typeOrder.indexOf(a) > typeOrder.indexOf(b) ? a : b))
    // ONNX orders numbers only.
    const numeric = dtype === 'bool' && /less/.test(equation.params.op) ? 'int32' : dtype
    const cased = operands.map((view) => cast(graph, view, numeric))
    switch (equation.params.op as string) {
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
    return [
      elementwise(
        graph,
        'Where',
        [condition!, cast(graph, yes!, dtype), cast(graph, no!, dtype)],
        shape,
        dtype,
      ),
    ]
  },

  // Movement: most of it only changes the map.
  transpose: (_, [view], { params }) => [
    {
      ...view!,
      map: params.perm.map((dim: number) => view!.map[dim]!),
      shape: params.perm.map((dim: number) => view!.shape[dim]!),
    },
  ],
  broadcast(_, [view], { params }) {
    const shape: number[] = params.shape
    let next = 0
    return [
      {
        ...view!,
        shape,
        map: shape.map((_size, dim) => (params.axis.includes(dim) ? [] : view!.map[next++]!)),
      },
    ]
  },
  reshape: (graph, [view], equation) => [reshaped(graph, view!, outputOf(equation).shape)],
  shrink(graph, [view], equation) {
    const { shape } = outputOf(equation)
    const slice: [number, number][] = equation.params.slice
    let result = view!
    slice.forEach(([start, end], dim) => {
      if (end - start === view!.shape[dim]) return
      if (result.map[dim]!.length > 0) {
        result = withOneDim(graph, result, dim)
        const axis = result.map[dim]![0]!
        const name = graph.emit('Slice', [
          result.name,
          graph.int64s([start]),
          graph.int64s([end]),
          graph.int64s([axis]),
        ])
        result = {
          ...result,
          name,
          physical: result.physical.map((size, index) => (index === axis ? end - start : size)),
        }
      }
      result = dropOnes(graph, {
        ...result,
        shape: result.shape.map((size, index) => (index === dim ? end - start : size)),
      })
    })
    return [{ ...result, shape }]
  },
  pad(graph, [view], equation) {
    const { shape, dtype } = outputOf(equation)
    const width: [number, number][] = equation.params.width
    let result = view!
    const before: number[] = []
    const after: number[] = []
    width.forEach(([low, high], dim) => {
      if (low === 0 && high === 0) return
      result = withOneDim(graph, result, dim, { expand: true })
    })
    result.physical.forEach((_, physical) => {
      const dim = result.map.findIndex((dims) => dims.length === 1 && dims[0] === physical)
      const [low, high] = dim < 0 ? [0, 0] : width[dim]!
      before.push(low)
      after.push(high)
    })
    if ([...before, ...after].every((amount) => amount === 0)) return [result]
    const zero = dtype === 'bool' ? graph.scalar('bool', 0) : graph.scalar(dtype, 0)
    const name = graph.emit('Pad', [result.name, graph.int64s([...before, ...after]), zero], {
      mode: 'constant',
    })
    const physical = result.physical.map((size, dim) => size + before[dim]! + after[dim]!)
    return [{ ...result, name, physical, shape }]
  },
  flip(graph, [view], { params }) {
    let result = view!
    for (const dim of params.axis as number[]) {
      if (result.map[dim]!.length === 0) continue
      result = withOneDim(graph, result, dim)
      const axis = result.map[dim]![0]!
      const size = result.physical[axis]!
      const backwards = graph.int64s(Array.from({ length: size }, (_, index) => size - 1 - index))
      result = { ...result, name: graph.emit('Gather', [result.name, backwards], { axis }) }
    }
    return [result]
  },
  concatenate: fullShape((graph, names, { params }) => graph.emit('Concat', names, { axis: params.axis })),
  split(graph, [view], equation) {
    const { axis, sizes }: { axis: number; sizes: number[] } = equation.params as never
    const shapeOf = (size: number) => view!.shape.map((old, dim) => (dim === axis ? size : old))
    if (view!.map[axis]!.length === 0) return sizes.map((size) => ({ ...view!, shape: shapeOf(size) }))
    const whole = withOneDim(graph, view!, axis)
    const stored = whole.map[axis]![0]!
    return graph
      .emitAll('Split', [whole.name, graph.int64s(sizes)], sizes.length, { axis: stored })
      .map((name, index) => {
        const size = sizes[index]!
        const physical = whole.physical.map((old, dim) => (dim === stored ? size : old))
        return dropOnes(graph, { ...whole, name, physical, shape: shapeOf(size) })
      })
  },

  // Reductions and products.
  reduce(graph, [view], equation) {
    const { shape, dtype } = outputOf(equation)
    const { op, axis }: { op: string; axis: number[] } = equation.params as never
    const operator = { Add: 'ReduceSum', Mul: 'ReduceProd', Max: 'ReduceMax', Min: 'ReduceMin' }[op]
    if (operator === undefined) throw new TypeError(`reduction ${op} has no lowering`)
    if (view!.constant !== undefined && op === 'Add' && isFloat(dtype)) {
      const count = product(axis.map((dim) => view!.shape[dim]!))
      return [constantView(graph, dtype, view!.constant * count, shape)]
    }
    const passes = op === 'Add' || ((op === 'Max' || op === 'Min') && (view!.scale ?? 1) > 0)
    const given = passes ? view! : settled(graph, view!)
    const { scale, constant: _, ...number } = dtype === 'bool' ? cast(graph, given, 'int32') : given
    const axes = axis.flatMap((dim) => number.map[dim]!)
    const broadcast = product(
      axis.filter((dim) => number.map[dim]!.length === 0).map((dim) => number.shape[dim]!),
    )
    const kept = number.physical.map((_, dim) => dim).filter((dim) => !axes.includes(dim))
    let name = number.name
    if (axes.length > 0)
      name = graph.emit(operator, [name, graph.int64s([...axes].sort((a, b) => a - b))], { keepdims: 0 })
    if (broadcast > 1 && op === 'Add') name = graph.emit('Mul', [name, graph.scalar(number.dtype, broadcast)])
    if (broadcast > 1 && op === 'Mul') name = graph.emit('Pow', [name, graph.scalar(number.dtype, broadcast)])
    const result: View = {
      name,
      dtype: number.dtype,
      shape,
      physical: kept.map((dim) => number.physical[dim]!),
      map: number.map
        .filter((_, dim) => !axis.includes(dim))
        .map((dims) => dims.map((dim) => kept.indexOf(dim))),
    }
    return [cast(graph, scale === undefined ? result : { ...result, scale }, dtype)]
  },
  dot(graph, operands, equation) {
    const { shape, dtype } = outputOf(equation)
    const [left, right] = operands.map((view) => cast(graph, view, dtype))
    const scale = (left!.scale ?? 1) * (right!.scale ?? 1)
    if (dtype !== 'float32')
      return [scaled(graph, dot(graph, unscaled(left!), unscaled(right!), shape), scale)]
    return [dot(graph, unscaled(left!), unscaled(right!), shape, scale)]
  },
  conv(graph, operands, equation) {
    const { shape, dtype } = outputOf(equation)
    return [convolution(graph, operands, equation.params as never, shape, dtype)]
  },
  pool(graph, [view], equation) {
    const { shape, dtype } = outputOf(equation)
    const { window, strides }: { window: number[]; strides: number[] } = equation.params as never
    const first = view!.shape.length - window.length
    // Gathering windows along each dim in turn puts [positions, offsets] where the dim was.
    let name = materialised(graph, view!)
    for (let item = window.length - 1; item >= 0; item--) {
      const positions = shape[first + item]!
      const index = graph.constant(
        'int64',
        [positions, window[item]!],
        BigInt64Array.from(windowIndices(positions, window[item]!, strides[item]!).map(BigInt)),
      )
      name = graph.emit('Gather', [name, index], { axis: first + item })
    }
    const leading = Array.from({ length: first }, (_, dim) => dim)
    const order = [
      ...leading,
      ...window.map((_, item) => first + 2 * item),
      ...window.map((_, item) => first + 2 * item + 1),
    ]
    return [viewOfTensor(graph, graph.emit('Transpose', [name], { perm: order }), dtype, shape)]
  },
  pool_transpose(graph, [view], equation) {
    const { shape, dtype } = outputOf(equation)
    const { window, strides }: { window: number[]; strides: number[] } = equation.params as never
    const first = shape.length - window.length
    const positions = window.map((_, item) => view!.shape[first + item]!)
    // The transpose of gathering is a product with the 0/1 matrix of which window element came from where.
    let name = materialised(graph, view!)
    const leading = Array.from({ length: first }, (_, dim) => dim)
    name = graph.emit('Transpose', [name], {
      perm: [...leading, ...window.flatMap((_, item) => [first + item, first + window.length + item])],
    })
    let current = [...shape.slice(0, first), ...window.map((size, item) => positions[item]! * size)]
    name = reshapeTensor(graph, name, current)
    window.forEach((size, item) => {
      const dim = first + item
      const from = windowIndices(positions[item]!, size, strides[item]!)
      const matrix = new Float32Array(from.length * shape[dim]!)
      from.forEach((to, row) => {
        matrix[row * shape[dim]! + to] = 1
      })
      const selection = graph.constant(
        dtype,
        [from.length, shape[dim]!],
        dtype === 'float64' ? Float64Array.from(matrix) : matrix,
      )
      const last = [...current.keys()].filter((other) => other !== dim)
      const forward = [...last, dim]
      const back = current.map((_, index) => forward.indexOf(index))
      name = graph.emit('MatMul', [graph.emit('Transpose', [name], { perm: forward }), selection])
      name = graph.emit('Transpose', [name], { perm: back })
      current = current.map((old, index) => (index === dim ? shape[dim]! : old))
    })
    return [viewOfTensor(graph, name, dtype, shape)]
  },

  // Indexing and sorting.
  gather(graph, [view, ...indices], equation) {
    const { shape, dtype } = outputOf(equation)
    const { axis, outDim }: { axis: number[]; outDim: number } = equation.params as never
    const { index, indexShape } = flatIndex(
      graph,
      indices,
      axis.map((dim) => view!.shape[dim]!),
    )
    const free = view!.shape.map((_, dim) => dim).filter((dim) => !axis.includes(dim))
    const source = reshapeTensor(
      graph,
      materialised(graph, {
        ...view!,
        map: [...axis, ...free].map((dim) => view!.map[dim]!),
        shape: [...axis, ...free].map((dim) => view!.shape[dim]!),
      }),
      [product(axis.map((dim) => view!.shape[dim]!)), ...free.map((dim) => view!.shape[dim]!)],
    )
    const name = graph.emit('Gather', [source, index], { axis: 0 })
    const gathered = viewOfTensor(graph, name, dtype, [
      ...indexShape,
      ...free.map((dim) => view!.shape[dim]!),
    ])
    // The index dims go where the result wants them: a change of map.
    const order = free.map((_, item) => indexShape.length + item)
    order.splice(outDim, 0, ...indexShape.map((_, item) => item))
    return [{ ...gathered, map: order.map((dim) => gathered.map[dim]!), shape }]
  },
  scatter(graph, [updates, ...indices], equation) {
    const { shape, dtype } = outputOf(equation)
    const { axis, outDim, op }: { axis: number[]; outDim: number; op: string } = equation.params as never
    const { index, indexShape } = flatIndex(
      graph,
      indices,
      axis.map((dim) => shape[dim]!),
    )
    const free = shape.map((_, dim) => dim).filter((dim) => !axis.includes(dim))
    const indexDims = indexShape.map((_, item) => outDim + item)
    const freeDims = updates!.shape.map((_, dim) => dim).filter((dim) => !indexDims.includes(dim))
    const order = [...indexDims, ...freeDims]
    const rows = reshapeTensor(
      graph,
      materialised(graph, {
        ...updates!,
        map: order.map((dim) => updates!.map[dim]!),
        shape: order.map((dim) => updates!.shape[dim]!),
      }),
      [product(indexShape), ...free.map((dim) => shape[dim]!)],
    )
    const targetShape = [product(axis.map((dim) => shape[dim]!)), ...free.map((dim) => shape[dim]!)]
    const zeros = graph.emit('Expand', [graph.scalar(dtype, 0), graph.int64s(targetShape)])
    const column = reshapeTensor(graph, index, [product(indexShape), 1])
    const name = graph.emit('ScatterND', [zeros, graph.emit('Cast', [column], { to: 7 }), rows], {
      reduction: op === 'update' ? 'none' : 'add',
    })
    const axisFirst = [...axis, ...free]
    const result = viewOfTensor(
      graph,
      reshapeTensor(
        graph,
        name,
        axisFirst.map((dim) => shape[dim]!),
      ),
      dtype,
      axisFirst.map((dim) => shape[dim]!),
    )
    return [{ ...result, map: shape.map((_, dim) => result.map[axisFirst.indexOf(dim)]!), shape }]
  },
  sort: fullShape((graph, [name], equation) => sorted(graph, name!, equation)[0]!),
  argsort(graph, [view], equation) {
    const { shape, dtype } = outputOf(equation)
    const [values, order] = sorted(graph, materialised(graph, view!), equation)
    return [
      viewOfTensor(graph, values!, dtype, shape),
      viewOfTensor(graph, graph.emit('Cast', [order!], { to: 6 }), 'int32', shape),
    ]
  },
}

/** Ascending along the last dim; equal elements keep their order. */
function sorted(graph: OnnxGraph, name: string, equation: Equation): string[] {
  const { shape } = outputOf(equation)
  return graph.emitAll('TopK', [name, graph.int64s([shape.at(-1)!])], 2, { axis: -1, largest: 0, sorted: 1 })
}

function windowIndices(positions: number, size: number, stride: number): number[] {
  return Array.from(
    { length: positions * size },
    (_, item) => Math.floor(item / size) * stride + (item % size),
  )
}

/** Several index arrays as one into the flattened dims; a tensor of `indexShape`. */
function flatIndex(
  graph: OnnxGraph,
  indices: readonly View[],
  sizes: readonly number[],
): { index: string; indexShape: readonly number[] } {
  const rank = Math.max(...indices.map((view) => view.shape.length))
  const indexShape = Array.from({ length: rank }, (_, dim) =>
    Math.max(...indices.map((view) => view.shape[view.shape.length - rank + dim] ?? 1)),
  )
  let flat: View | undefined
  indices.forEach((view, item) => {
    const index = cast(graph, view, 'int64')
    flat =
      flat === undefined
        ? index
        : elementwise(
            graph,
            'Add',
            [{ ...flat, name: graph.emit('Mul', [flat.name, graph.scalar('int64', sizes[item]!)]) }, index],
            indexShape,
            'int64',
          )
  })
  return { index: materialised(graph, { ...padTo(flat!, indexShape) }), indexShape }
}

function padTo(view: View, shape: readonly number[]): View {
  const missing = shape.length - view.shape.length
  return { ...view, shape, map: [...Array<readonly number[]>(missing).fill([]), ...view.map] }
}

/** Tensor dims of size 1 removed. */
function dropOnes(graph: OnnxGraph, view: View): View {
  const kept = view.physical.map((_, dim) => dim).filter((dim) => view.physical[dim] !== 1)
  if (kept.length === view.physical.length) return view
  const physical = kept.map((dim) => view.physical[dim]!)
  return {
    ...view,
    name: reshapeTensor(graph, view.name, physical),
    physical,
    map: view.map.map((dims) => dims.filter((dim) => kept.includes(dim)).map((dim) => kept.indexOf(dim))),
  }
}

interface Convolution {
  readonly vmapDims: number
  readonly strides: readonly number[]
  readonly padding: readonly (readonly [number, number])[]
  readonly lhsDilation: readonly number[]
  readonly rhsDilation: readonly number[]
}

/** `lax.conv_general_dilated` of [N, C, ...] with [O, C, ...]; mapped dims become groups. */
function convolution(
  graph: OnnxGraph,
  operands: readonly View[],
  { vmapDims, strides, padding, lhsDilation, rhsDilation }: Convolution,
  shape: readonly number[],
  dtype: DType,
): View {
  const [x, w] = operands
  const mapped = x!.shape.slice(0, vmapDims)
  const groups = product(mapped)
  const [n, c, ...spatial] = x!.shape.slice(vmapDims) as [number, number, ...number[]]
  const [o, , ...kernel] = w!.shape.slice(vmapDims) as [number, number, ...number[]]
  let name = reshapeTensor(graph, materialised(graph, x!), [groups, n, c, ...spatial])
  if (groups > 1)
    name = graph.emit('Transpose', [name], { perm: [1, 0, 2, ...spatial.map((_, dim) => 3 + dim)] })
  let current: number[] = [n, groups * c, ...spatial]
  name = reshapeTensor(graph, name, current)
  const weights = reshapeTensor(graph, materialised(graph, w!), [groups * o, c, ...kernel])

  lhsDilation.forEach((dilation, item) => {
    if (dilation === 1) return
    // Zeros between the elements: a new dim padded behind them, merged, and the last zeros cut off.
    const dim = 2 + item
    const size = current[dim]!
    const spread = [...current.slice(0, dim), size, 1, ...current.slice(dim + 1)]
    const after = spread.map((_, index) => (index === dim + 1 ? dilation - 1 : 0))
    name = graph.emit(
      'Pad',
      [
        reshapeTensor(graph, name, spread),
        graph.int64s([...spread.map(() => 0), ...after]),
        graph.scalar(dtype, 0),
      ],
      { mode: 'constant' },
    )
    current = current.map((old, index) => (index === dim ? size * dilation : old))
    name = reshapeTensor(graph, name, current)
    const end = (size - 1) * dilation + 1
    name = graph.emit('Slice', [name, graph.int64s([0]), graph.int64s([end]), graph.int64s([dim])])
    current = current.map((old, index) => (index === dim ? end : old))
  })
  padding.forEach(([low, high], item) => {
    if (low >= 0 && high >= 0) return
    const start = Math.max(0, -low)
    const end = current[2 + item]! - Math.max(0, -high)
    name = graph.emit('Slice', [name, graph.int64s([start]), graph.int64s([end]), graph.int64s([2 + item])])
  })
  name = graph.emit('Conv', [name, weights], {
    strides,
    pads: [...padding.map(([low]) => Math.max(0, low)), ...padding.map(([, high]) => Math.max(0, high))],
    dilations: rhsDilation,
    group: groups,
  })
  const result = shape.slice(vmapDims + 2)
  if (groups > 1) {
    name = reshapeTensor(graph, name, [n, groups, o, ...result])
    name = graph.emit('Transpose', [name], { perm: [1, 0, 2, ...result.map((_, dim) => 3 + dim)] })
  }
  return viewOfTensor(graph, reshapeTensor(graph, name, shape), dtype, shape)
}
