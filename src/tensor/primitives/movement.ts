import type { OnnxGraph } from '../onnx.ts'
import { reshaped, type View, withOneDim } from '../view.ts'
import { fullShape, outputOf, type Rule } from './rule.ts'

/** Primitives that move elements without changing them. Most of it only changes the map of a view. */
export const movement: Readonly<Record<string, Rule>> = {
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
    const { shape } = outputOf(equation)
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
    const zero = graph.scalar(result.dtype, 0)
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
  concatenate: fullShape((graph, names, { params }) => graph.concat(names, params.axis)),
  split(graph, [view], equation) {
    const { axis, sizes }: { axis: number; sizes: number[] } = equation.params as never
    const shapeOf = (size: number) => view!.shape.map((old, dim) => (dim === axis ? size : old))
    if (view!.map[axis]!.length === 0) return sizes.map((size) => ({ ...view!, shape: shapeOf(size) }))
    const whole = withOneDim(graph, view!, axis)
    const stored = whole.map[axis]![0]!
    return graph.split(whole.name, sizes, stored).map((name, index) => {
      const size = sizes[index]!
      const physical = whole.physical.map((old, dim) => (dim === stored ? size : old))
      return dropOnes(graph, { ...whole, name, physical, shape: shapeOf(size) })
    })
  },
}

/** Tensor dims of size 1 removed. */
function dropOnes(graph: OnnxGraph, view: View): View {
  const kept = view.physical.map((_, dim) => dim).filter((dim) => view.physical[dim] !== 1)
  if (kept.length === view.physical.length) return view
  const physical = kept.map((dim) => view.physical[dim]!)
  return {
    ...view,
    name: graph.reshape(view.name, physical, view.physical),
    physical,
    map: view.map.map((dims) => dims.filter((dim) => kept.includes(dim)).map((dim) => kept.indexOf(dim))),
  }
}
