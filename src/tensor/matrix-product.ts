import type { OnnxGraph } from './onnx.ts'
import { padRank, product, same, type View, withOneDim } from './view.ts'

/**
 * jax-js's `dot`: the sum over the last dim of two views that broadcast to each other, as one matrix product. Dims
 * that both operands store are batch dims; dims of one operand alone are its rows. Transposed operands cost nothing
 * where the product's own transposition flags can say it.
 */
export function dot(graph: OnnxGraph, left: View, right: View, shape: readonly number[], alpha = 1): View {
  const rank = Math.max(left.shape.length, right.shape.length)
  const inner = rank - 1
  let a = padRank(withoutConstant(left), rank)
  let b = padRank(withoutConstant(right), rank)
  if (Math.max(a.shape[inner]!, b.shape[inner]!) > 1) {
    a = storedInner(graph, a, b, inner)
    b = storedInner(graph, b, a, inner)
    ;[a, b] = samePieces(graph, a, b, inner)
  }

  const batch: number[] = []
  const rows: number[] = []
  const columns: number[] = []
  for (let dim = 0; dim < inner; dim++) {
    const [inA, inB] = [a.map[dim]!.length > 0, b.map[dim]!.length > 0]
    if (inA && inB) {
      ;[a, b] = samePieces(graph, a, b, dim)
      batch.push(dim)
    } else if (inA) rows.push(dim)
    else if (inB) columns.push(dim)
  }

  // Inside a matrix dim any order will do, so long as both sides agree: keep what is stored.
  const ascending = (dims: readonly number[]) => [...dims].sort((x, y) => x - y)
  const batchPieces = batch.flatMap((dim) => a.map[dim]!.map((_, piece) => [dim, piece] as const))
  const batchOrder = batchPieces.sort(([d1, p1], [d2, p2]) => a.map[d1]![p1]! - a.map[d2]![p2]!)
  const batchOf = (view: View) => batchOrder.map(([dim, piece]) => view.map[dim]![piece]!)
  const rowsOfA = ascending(rows.flatMap((dim) => a.map[dim]!))
  const columnsOfB = ascending(columns.flatMap((dim) => b.map[dim]!))
  const innerOrder = a.map[inner]!.map((_, piece) => piece).sort(
    (x, y) => a.map[inner]![x]! - a.map[inner]![y]!,
  )
  const innerOf = (view: View) => innerOrder.map((piece) => view.map[inner]![piece]!)

  const matricesA = asMatrices(graph, a, batchOf(a), rowsOfA, innerOf(a), batch.length === 0)
  const matricesB = asMatrices(graph, b, batchOf(b), columnsOfB, innerOf(b))
  const dtype = a.dtype
  const name =
    dtype === 'float32'
      ? graph.emit(
          'FusedMatMul',
          [matricesA.name, matricesB.name],
          {
            transA: matricesA.transposed ? 1 : 0,
            transB: matricesB.transposed ? 0 : 1,
            alpha: { float: alpha },
          },
          'com.microsoft',
        )
      : graph.emit('MatMul', [
          matricesA.transposed ? swapped(graph, matricesA) : matricesA.name,
          matricesB.transposed ? matricesB.name : swapped(graph, matricesB),
        ])

  const batchSizes = batchOf(a).map((dim) => a.physical[dim]!)
  const physical = [
    ...batchSizes,
    ...rowsOfA.map((dim) => a.physical[dim]!),
    ...columnsOfB.map((dim) => b.physical[dim]!),
  ]
  const map: (readonly number[])[] = []
  for (let dim = 0; dim < inner; dim++) {
    if (batch.includes(dim))
      map.push(a.map[dim]!.map((_, piece) => batchOrder.findIndex(([d, p]) => d === dim && p === piece)))
    else if (rows.includes(dim))
      map.push(a.map[dim]!.map((item) => batchSizes.length + rowsOfA.indexOf(item)))
    else if (columns.includes(dim))
      map.push(b.map[dim]!.map((item) => batchSizes.length + rowsOfA.length + columnsOfB.indexOf(item)))
    else map.push([])
  }
  const made = [...batchSizes, ...matricesA.rows, ...matricesB.rows]
  return {
    name: same(made, physical) ? name : graph.reshape(name, physical, made),
    dtype,
    shape,
    physical,
    map,
  }
}

/** A view that stores its inner dim; broadcast ones are written out in the pieces of the other operand. */
function storedInner(graph: OnnxGraph, view: View, other: View, inner: number): View {
  if (view.map[inner]!.length > 0) return view
  const size = Math.max(view.shape[inner]!, other.shape[inner]!)
  const shape = view.shape.map((item, dim) => (dim === inner ? size : item))
  return withOneDim(graph, { ...view, shape }, inner, { expand: true })
}

/** Both views with dim `dim` in the same pieces. */
function samePieces(graph: OnnxGraph, a: View, b: View, dim: number): [View, View] {
  const sizes = (view: View) => view.map[dim]!.map((item) => view.physical[item]!)
  if (same(sizes(a), sizes(b))) return [a, b]
  return [withOneDim(graph, a, dim), withOneDim(graph, b, dim)]
}

/** A tensor [batch..., rows, inner], or [batch..., inner, rows] (transposed). */
interface Matrices {
  readonly name: string
  readonly transposed: boolean
  /** Sizes that the rows have in the product: one, or (not merged) each. */
  readonly rows: readonly number[]
  readonly rank: number
}

/** One operand, in whichever orientation needs no copy; several row dims may stay apart (`apart`) in plain order. */
function asMatrices(
  graph: OnnxGraph,
  view: View,
  batch: readonly number[],
  rows: readonly number[],
  inner: readonly number[],
  apart = false,
): Matrices {
  const sizes = (dims: readonly number[]) => dims.map((dim) => view.physical[dim]!)
  const size = (dims: readonly number[]) => product(sizes(dims))
  const stored = (order: readonly number[]) => order.every((dim, index) => dim === index)
  const [straight, turned] = [
    [...batch, ...rows, ...inner],
    [...batch, ...inner, ...rows],
  ]
  // If a copy must be, what lies innermost stays innermost: whole rows are copied, not single elements.
  const copied = !stored(straight) && !stored(turned)
  const transposed = copied ? rows.includes(view.physical.length - 1) : !stored(straight)
  const order = transposed ? turned : straight
  const name = copied ? graph.emit('Transpose', [view.name], { perm: order }) : view.name
  const rowSizes = apart && !transposed && rows.length > 1 ? sizes(rows) : [size(rows)]
  const matrix = transposed ? [size(inner), ...rowSizes] : [...rowSizes, size(inner)]
  const wanted = [...sizes(batch), ...matrix]
  return {
    name: same(sizes(order), wanted) ? name : graph.reshape(name, wanted, sizes(order)),
    transposed,
    rows: rowSizes,
    rank: wanted.length,
  }
}

function swapped(graph: OnnxGraph, { name, rank }: Matrices): string {
  const perm = Array.from({ length: rank }, (_, dim) => dim)
  return graph.emit('Transpose', [name], { perm: [...perm.slice(0, -2), rank - 1, rank - 2] })
}
/** A view that operators change must not keep calling itself a number. */
function withoutConstant({ constant: _, ...view }: View): View {
  return view
}
