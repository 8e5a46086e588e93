import type { Attribute, DType, OnnxGraph } from './onnx.ts'

/**
 * A value of the traced program: an ONNX tensor and how to read it. `map[d]` lists the tensor's dims that make up
 * logical dim `d`, outermost first; an empty list is a dim of size 1 or a broadcast. So transposes, broadcasts and
 * most reshapes change the map and emit nothing.
 */
export interface View {
  readonly name: string
  readonly dtype: DType
  /** The tensor's own dims (none of size 1). */
  readonly physical: readonly number[]
  readonly map: readonly (readonly number[])[]
  /** Logical shape. */
  readonly shape: readonly number[]
  /** The value is this many times the tensor. Products with numbers wait here until something needs them done. */
  readonly scale?: number
  /** Every element is this number (then `name` is a scalar constant). */
  readonly constant?: number
}

/** A view of a number, broadcast to a shape. */
export function constantView(
  graph: OnnxGraph,
  dtype: DType,
  value: number,
  shape: readonly number[] = [],
): View {
  return {
    name: graph.scalar(dtype, value),
    dtype,
    physical: [],
    map: shape.map(() => []),
    shape,
    constant: value,
  }
}

/** The same value with its scale multiplied out. */
export function settled(graph: OnnxGraph, view: View): View {
  if (view.scale === undefined) return view
  const { scale, ...rest } = view
  const name =
    scale === -1
      ? graph.emit('Neg', [view.name])
      : graph.emit('Mul', [view.name, graph.scalar(view.dtype, scale)])
  return { ...rest, name }
}

export function scaled(graph: OnnxGraph, view: View, factor: number): View {
  if (view.constant !== undefined) return constantView(graph, view.dtype, view.constant * factor, view.shape)
  if (factor === 0) return constantView(graph, view.dtype, 0, view.shape)
  const { scale = 1, ...rest } = view
  return scale * factor === 1 ? rest : { ...rest, scale: scale * factor }
}

/** Both views read the same tensor in the same way (their scales may differ). */
export function sameTensor(a: View, b: View): boolean {
  return a.name === b.name && same(a.shape, b.shape) && a.map.every((dims, dim) => same(dims, b.map[dim]!))
}

export const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1)
export const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((value, index) => value === b[index])

/** The view of a tensor whose dims are those of `shape` without the ones. */
export function plainView(name: string, dtype: DType, shape: readonly number[]): View {
  let next = 0
  return {
    name,
    dtype,
    shape,
    physical: shape.filter((size) => size !== 1),
    map: shape.map((size) => (size === 1 ? [] : [next++])),
  }
}

/** A view of a tensor that has exactly `shape` (ones included). */
export function viewOfTensor(graph: OnnxGraph, name: string, dtype: DType, shape: readonly number[]): View {
  const view = plainView(name, dtype, shape)
  return same(view.physical, shape) ? view : { ...view, name: graph.reshape(name, view.physical, shape) }
}

/** The same value with its tensor's dims in the order of its logical dims. */
export function inLogicalOrder(graph: OnnxGraph, view: View): View {
  const order = view.map.flat()
  if (order.every((dim, index) => dim === index)) return view
  const position: number[] = []
  order.forEach((dim, index) => {
    position[dim] = index
  })
  return {
    ...view,
    name: graph.emit('Transpose', [view.name], { perm: order }),
    physical: order.map((dim) => view.physical[dim]!),
    map: view.map.map((dims) => dims.map((dim) => position[dim]!)),
  }
}

/** A tensor of exactly the logical shape; broadcasts are written out. */
export function materialised(graph: OnnxGraph, view: View): string {
  const ordered = inLogicalOrder(graph, settled(graph, view))
  const stored = ordered.map.map((dims, dim) => (dims.length > 0 ? view.shape[dim]! : 1))
  let name = ordered.name
  if (!same(stored, ordered.physical)) name = graph.reshape(name, stored, ordered.physical)
  if (!same(stored, view.shape)) name = graph.emit('Expand', [name, graph.int64s(view.shape)])
  return name
}

/** A view whose dim `dim` is one dim of the tensor (a broadcast dim is written out when `expand`). */
export function withOneDim(graph: OnnxGraph, view: View, dim: number, { expand = false } = {}): View {
  const dims = view.map[dim]!
  if (dims.length === 1) return view
  if (dims.length === 0) {
    if (!expand) return view
    const physical = [...view.physical, view.shape[dim]!]
    const grown = graph.reshape(view.name, [...view.physical, 1], view.physical)
    return {
      ...view,
      name: view.shape[dim] === 1 ? grown : graph.emit('Expand', [grown, graph.int64s(physical)]),
      physical,
      map: view.map.map((item, index) => (index === dim ? [view.physical.length] : item)),
    }
  }
  return repieced(graph, view, dim, [view.shape[dim]!])
}

/** A view whose logical dim `dim` is made of pieces of the given sizes. */
function repieced(graph: OnnxGraph, view: View, dim: number, sizes: readonly number[]): View {
  const pieces = view.map[dim]!
  if (
    same(
      pieces.map((piece) => view.physical[piece]!),
      sizes,
    )
  )
    return view
  const adjacent = pieces.every((piece, index) => index === 0 || piece === pieces[index - 1]! + 1)
  const from = adjacent ? view : inLogicalOrder(graph, view)
  const first = from.map[dim]![0]!
  const removed = from.map[dim]!.length
  const physical = [...from.physical.slice(0, first), ...sizes, ...from.physical.slice(first + removed)]
  const shift = sizes.length - removed
  return {
    ...from,
    name: graph.reshape(from.name, physical, from.physical),
    physical,
    map: from.map.map((dims, index) =>
      index === dim
        ? sizes.map((_, piece) => first + piece)
        : dims.map((item) => (item >= first + removed ? item + shift : item)),
    ),
  }
}

/** Leading ones added, so that the view has `rank` logical dims. */
export function padRank(view: View, rank: number): View {
  const missing = rank - view.shape.length
  if (missing === 0) return view
  return {
    ...view,
    shape: [...Array<number>(missing).fill(1), ...view.shape],
    map: [...Array<readonly number[]>(missing).fill([]), ...view.map],
  }
}

/**
 * An element-wise operator on views that broadcast to `shape`. The result keeps the layout of the largest operand;
 * the others are transposed, if they must be, while they are still small.
 */
export function elementwise(
  graph: OnnxGraph,
  operator: string,
  operands: readonly View[],
  shape: readonly number[],
  dtype: DType,
  attributes: Readonly<Record<string, Attribute>> = {},
): View {
  const views = operands.map(({ constant: _, ...view }) => padRank(settled(graph, view), shape.length))
  const base = views.reduce((largest, view) =>
    product(view.physical) > product(largest.physical) ? view : largest,
  )
  const layout = commonLayout(base, views)
  const names = views.map((view) => laidOut(graph, view, layout))
  return {
    name: graph.emit(operator, names, attributes),
    dtype,
    shape,
    physical: layout.map(({ size }) => size),
    map: shape.map((_, dim) => piecesOf(layout, dim).map((item) => layout.indexOf(item))),
  }
}

interface Piece {
  readonly dim: number
  readonly piece: number
  readonly size: number
}

/** The pieces of one logical dim, outermost first (in the layout they may stand in another order). */
function piecesOf(layout: readonly Piece[], dim: number): Piece[] {
  return layout.filter((item) => item.dim === dim).sort((a, b) => a.piece - b.piece)
}

/** The base's own order; dims that it lacks are put behind the dim before them. */
function commonLayout(base: View, views: readonly View[]): Piece[] {
  const layout: Piece[] = []
  base.map.forEach((dims, dim) => {
    dims.forEach((physical, piece) => {
      layout[physical] = { dim, piece, size: base.physical[physical]! }
    })
  })
  base.map.forEach((dims, dim) => {
    if (dims.length > 0) return
    const owner = views.find((view) => view.map[dim]!.length > 0)
    if (owner === undefined) return
    const pieces = owner.map[dim]!.map((physical, piece) => ({ dim, piece, size: owner.physical[physical]! }))
    const before = layout.findLastIndex((item) => item.dim < dim)
    layout.splice(before + 1, 0, ...pieces)
  })
  return layout
}

/** The tensor of a view with its dims in the order of `layout` and ones where it lacks one (leading ones dropped). */
function laidOut(graph: OnnxGraph, view: View, layout: readonly Piece[]): string {
  let laid = view
  view.map.forEach((dims, dim) => {
    if (dims.length > 0)
      laid = repieced(
        graph,
        laid,
        dim,
        piecesOf(layout, dim).map(({ size }) => size),
      )
  })
  const order = layout.map(({ dim, piece }) => laid.map[dim]![piece] ?? -1)
  const present = order.filter((dim) => dim >= 0)
  const inOrder = present.every((dim, index) => dim === index)
  const name = inOrder ? laid.name : graph.emit('Transpose', [laid.name], { perm: present })
  const sizes = order.map((dim) => (dim < 0 ? 1 : laid.physical[dim]!))
  const lead = sizes.findIndex((size) => size !== 1)
  const wanted = lead < 0 ? [] : sizes.slice(lead)
  const stored = present.map((dim) => laid.physical[dim]!)
  return same(wanted, stored) ? name : graph.reshape(name, wanted, stored)
}

/** The same elements in row-major order under another shape. */
export function reshaped(graph: OnnxGraph, view: View, shape: readonly number[]): View {
  const plan = reshapePlan(view, shape)
  if (plan === null) {
    const stored = shape.filter((size) => size !== 1)
    const name = graph.reshape(materialised(graph, view), stored, view.shape)
    return plainView(name, view.dtype, shape)
  }
  const physical: number[] = []
  const start: number[] = []
  view.physical.forEach((size, dim) => {
    start[dim] = physical.length
    physical.push(...(plan.cuts[dim] ?? [size]))
  })
  const cut = physical.length !== view.physical.length
  return {
    name: cut ? graph.reshape(view.name, physical, view.physical) : view.name,
    dtype: view.dtype,
    shape,
    physical,
    map: plan.map.map((pieces) => pieces.map(([dim, part]) => start[dim]! + part)),
  }
}

/** For each new dim the (tensor dim, part of it) that make it up, and how tensor dims are cut; null: not as a view. */
function reshapePlan(
  view: View,
  shape: readonly number[],
): { map: (readonly (readonly [dim: number, part: number])[])[]; cuts: (number[] | undefined)[] } | null {
  const map: (readonly (readonly [number, number])[])[] = shape.map(() => [])
  const cuts: (number[] | undefined)[] = []
  for (const [olds, news] of matchingRuns(view.shape, shape)) {
    const real = olds.filter((dim) => view.shape[dim] !== 1)
    const wanted = news.filter((dim) => shape[dim] !== 1)
    const stored = real.filter((dim) => view.map[dim]!.length > 0)
    if (stored.length === 0) continue // broadcast stays broadcast
    const unchanged = same(
      real.map((dim) => view.shape[dim]!),
      wanted.map((dim) => shape[dim]!),
    )
    if (unchanged) {
      wanted.forEach((dim, index) => {
        map[dim] = view.map[real[index]!]!.map((physical) => [physical, 0] as const)
      })
      continue
    }
    if (stored.length < real.length) return null
    const pieces = real.flatMap((dim) => view.map[dim]!)
    let at = 0
    let left = view.physical[pieces[0]!]!
    for (const dim of wanted) {
      let need = shape[dim]!
      const parts: (readonly [number, number])[] = []
      while (need > 1) {
        if (left === 1) {
          at++
          left = view.physical[pieces[at]!]!
        }
        const physical = pieces[at]!
        const taken = need % left === 0 ? left : left % need === 0 ? need : 0
        if (taken === 0) return null
        cuts[physical] ??= []
        const made = cuts[physical]
        made.push(taken)
        parts.push([physical, made.length - 1])
        need /= taken
        left /= taken
      }
      map[dim] = parts
    }
  }
  return { map, cuts }
}

/** Smallest runs of old dims and new dims with equal products. */
function matchingRuns(from: readonly number[], to: readonly number[]): [olds: number[], news: number[]][] {
  const runs: [number[], number[]][] = []
  let [i, k] = [0, 0]
  while (i < from.length || k < to.length) {
    const olds: number[] = []
    const news: number[] = []
    let [a, b] = [1, 1]
    if (i < from.length) {
      olds.push(i)
      a = from[i++]!
    }
    if (k < to.length) {
      news.push(k)
      b = to[k++]!
    }
    while (a !== b) {
      if (a < b) {
        olds.push(i)
        a *= from[i++]!
      } else {
        news.push(k)
        b *= to[k++]!
      }
    }
    runs.push([olds, news])
  }
  return runs
}
