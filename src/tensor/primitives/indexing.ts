import type { OnnxGraph } from '../onnx.ts'
import { materialised, product, type View, viewOfTensor } from '../view.ts'
import { cast, type Equation, outputOf, type Rule } from './rule.ts'

/**
 * Looking up, adding at indices, and sorting. A negative index counts from the end; one outside of its dim fails the
 * run with a message (jax-js reads whatever is there).
 */
export const indexing: Readonly<Record<string, Rule>> = {
  gather(graph, [view, ...indices], equation) {
    const { shape, dtype } = outputOf(equation)
    const { axis, outDim }: { axis: number[]; outDim: number } = equation.params as never
    const free = otherDims(view!.shape.length, axis)
    const source = materialised(graph, permuted(view!, [...axis, ...free]))
    const indexShape = commonShape(indices)
    const name =
      axis.length === 1
        ? graph.emit('Gather', [source, wholeIndex(graph, indices[0]!, indexShape)], { axis: 0 })
        : graph.emit('GatherND', [source, rowsOfIndices(graph, indices, indexShape)])
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
    const indexShape = commonShape(indices)
    const free = otherDims(shape.length, axis)
    const indexDims = indexShape.map((_, item) => outDim + item)
    const order = [...indexDims, ...otherDims(updates!.shape.length, indexDims)]
    const axisFirst = [...axis, ...free]
    const targetShape = axisFirst.map((dim) => shape[dim]!)
    const zeros = graph.emit('Expand', [graph.scalar(dtype, 0), graph.int64s(targetShape)])
    const name = graph.emit(
      'ScatterND',
      [zeros, rowsOfIndices(graph, indices, indexShape), materialised(graph, permuted(updates!, order))],
      { reduction: op === 'update' ? 'none' : 'add' },
    )
    const result = viewOfTensor(graph, name, dtype, targetShape)
    return [{ ...result, map: shape.map((_, dim) => result.map[axisFirst.indexOf(dim)]!), shape }]
  },
  sort: (graph, [view], equation) => [sorted(graph, view!, equation).values],
  argsort(graph, [view], equation) {
    const { values, order } = sorted(graph, view!, equation)
    return [values, order]
  },
}

const otherDims = (rank: number, dims: readonly number[]) =>
  Array.from({ length: rank }, (_, dim) => dim).filter((dim) => !dims.includes(dim))

function permuted(view: View, order: readonly number[]): View {
  return {
    ...view,
    map: order.map((dim) => view.map[dim]!),
    shape: order.map((dim) => view.shape[dim]!),
  }
}

/** The shape that index arrays broadcast to. */
function commonShape(indices: readonly View[]): number[] {
  const rank = Math.max(...indices.map((view) => view.shape.length))
  return Array.from({ length: rank }, (_, dim) =>
    Math.max(...indices.map((view) => view.shape[view.shape.length - rank + dim] ?? 1)),
  )
}

/** An index array of exactly `shape`. */
function wholeIndex(graph: OnnxGraph, given: View, shape: readonly number[]): string {
  const view = cast(graph, given, 'int64')
  const missing = shape.length - view.shape.length
  return materialised(graph, {
    ...view,
    shape,
    map: [...Array<readonly number[]>(missing).fill([]), ...view.map],
  })
}

/** Index arrays side by side: Int[...shape, count]. */
function rowsOfIndices(graph: OnnxGraph, indices: readonly View[], shape: readonly number[]): string {
  const columns = indices.map((view) => graph.reshape(wholeIndex(graph, view, shape), [...shape, 1]))
  return columns.length === 1 ? columns[0]! : graph.emit('Concat', columns, { axis: shape.length })
}

/** Ascending along the last dim; equal elements keep their order, NaN goes last. */
function sorted(graph: OnnxGraph, given: View, equation: Equation): { values: View; order: View } {
  const { shape, dtype } = outputOf(equation)
  const size = shape.at(-1)!
  const carried = dtype === 'bool' ? 'int32' : dtype === 'uint32' ? 'int64' : dtype
  const whole = materialised(graph, cast(graph, given, carried))
  const topK = (name: string) =>
    graph.emitAll('TopK', [name, graph.int64s([size])], 2, { axis: -1, largest: 0, sorted: 1 })
  const asOrder = (name: string) => viewOfTensor(graph, graph.emit('Cast', [name], { to: 6 }), 'int32', shape)
  if (product(shape) === 0 || !carried.startsWith('float')) {
    const [values, order] = topK(whole)
    return {
      values: cast(graph, viewOfTensor(graph, values!, carried, shape), dtype),
      order: asOrder(order!),
    }
  }
  // TopK puts NaN anywhere: it is sorted as infinity, behind the infinities by a second, stable sort.
  const nan = graph.emit('IsNaN', [whole])
  const infinity = graph.scalar(carried, Number.POSITIVE_INFINITY)
  const [, first] = topK(graph.emit('Where', [nan, infinity, whole]))
  const late = graph.emit('GatherElements', [graph.emit('Cast', [nan], { to: 6 }), first!], { axis: -1 })
  const [, second] = topK(late)
  const order = graph.emit('GatherElements', [first!, second!], { axis: -1 })
  const values = graph.emit('GatherElements', [whole, order], { axis: -1 })
  return { values: viewOfTensor(graph, values, dtype, shape), order: asOrder(order) }
}
