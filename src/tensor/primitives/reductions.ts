import { GuerdonError } from '../../core/index.ts'
import { dot } from '../matrix-product.ts'
import { constantView, product, scaled, settled, type View } from '../view.ts'
import { cast, isFloat, outputOf, type Rule, unscaled } from './rule.ts'

/** Sums, products and extremes over dims, and the sum of products. */
export const reductions: Readonly<Record<string, Rule>> = {
  reduce(graph, [view], equation) {
    const { shape, dtype } = outputOf(equation)
    const { op, axis }: { op: string; axis: number[] } = equation.params as never
    const operator = { Add: 'ReduceSum', Mul: 'ReduceProd', Max: 'ReduceMax', Min: 'ReduceMin' }[op]
    if (operator === undefined)
      throw new GuerdonError('unsupported-primitive', `the reduction ${op} cannot be lowered.`)
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
    // Set by `productsFolded`.
    const { alpha = 1, order }: { alpha?: number; order?: readonly number[] } = equation.params
    const [left, right] = operands.map((view) => cast(graph, view, dtype))
    const scale = (left!.scale ?? 1) * (right!.scale ?? 1) * alpha
    const plain = [unscaled(left!), unscaled(right!)] as const
    const swapped = order !== undefined && readsColumnsFirst(...plain, order)
    const [first, second] = swapped ? [plain[1], plain[0]] : plain
    if (dtype !== 'float32') return [scaled(graph, dot(graph, first, second, shape), scale)]
    return [dot(graph, first, second, shape, scale)]
  },
}

/** Whether, in this order of the product's dims, those of the right operand alone precede those of the left alone. */
function readsColumnsFirst(left: View, right: View, order: readonly number[]): boolean {
  const inner = Math.max(left.shape.length, right.shape.length) - 1
  const stores = ({ map }: View, dim: number) => (map[map.length - 1 - inner + dim]?.length ?? 0) > 0
  const rows = order.filter((dim) => dim >= 0 && stores(left, dim) && !stores(right, dim))
  const columns = order.filter((dim) => dim >= 0 && stores(right, dim) && !stores(left, dim))
  return rows.length > 0 && columns.length > 0 && order.indexOf(columns.at(-1)!) < order.indexOf(rows[0]!)
}
