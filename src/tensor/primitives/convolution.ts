import type { DType, OnnxGraph } from '../onnx.ts'
import { materialised, product, type View, viewOfTensor } from '../view.ts'
import { outputOf, type Rule } from './rule.ts'

/** Convolutions and the windows that jax-js makes poolings of. */
export const convolutions: Readonly<Record<string, Rule>> = {
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
    name = graph.reshape(name, current)
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
}

function windowIndices(positions: number, size: number, stride: number): number[] {
  return Array.from(
    { length: positions * size },
    (_, item) => Math.floor(item / size) * stride + (item % size),
  )
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
  let name = graph.reshape(materialised(graph, x!), [groups, n, c, ...spatial])
  if (groups > 1)
    name = graph.emit('Transpose', [name], { perm: [1, 0, 2, ...spatial.map((_, dim) => 3 + dim)] })
  let current: number[] = [n, groups * c, ...spatial]
  name = graph.reshape(name, current)
  const weights = graph.reshape(materialised(graph, w!), [groups * o, c, ...kernel])

  lhsDilation.forEach((dilation, item) => {
    if (dilation === 1) return
    // Zeros between the elements: a new dim padded behind them, merged, and the last zeros cut off.
    const dim = 2 + item
    const size = current[dim]!
    const spread = [...current.slice(0, dim), size, 1, ...current.slice(dim + 1)]
    const after = spread.map((_, index) => (index === dim + 1 ? dilation - 1 : 0))
    name = graph.emit(
      'Pad',
      [graph.reshape(name, spread), graph.int64s([...spread.map(() => 0), ...after]), graph.scalar(dtype, 0)],
      { mode: 'constant' },
    )
    current = current.map((old, index) => (index === dim ? size * dilation : old))
    name = graph.reshape(name, current)
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
    name = graph.reshape(name, [n, groups, o, ...result])
    name = graph.emit('Transpose', [name], { perm: [1, 0, 2, ...result.map((_, dim) => 3 + dim)] })
  }
  return viewOfTensor(graph, graph.reshape(name, shape), dtype, shape)
}
