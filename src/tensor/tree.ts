import { GuerdonError } from '../core/index.ts'
import type { DType } from './onnx.ts'

/** A dense array outside a traced function: row-major `data` of `shape` (bool: one byte each). */
export interface Tensor {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly data: TensorData
}

export type TensorData = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array | BigInt64Array

/** Lists and plain objects with leaves of one type: parameters, optimiser state, a batch. */
export type Tree<Leaf> = Leaf | readonly Tree<Leaf>[] | { readonly [key: string]: Tree<Leaf> }

export function isTensor(value: unknown): value is Tensor {
  return (
    typeof value === 'object' && value !== null && 'dtype' in value && 'shape' in value && 'data' in value
  )
}

/** A tensor of float32 (the default), with its size checked. Throws a `GuerdonError` when data and shape disagree. */
export function tensor(
  data: ArrayLike<number> | TensorData,
  shape: readonly number[],
  dtype: DType = 'float32',
): Tensor {
  const size = shape.reduce((a, b) => a * b, 1)
  if (data.length !== size)
    throw new GuerdonError(
      'shape-mismatch',
      `${data.length} numbers do not fill the shape [${shape}], which holds ${size}.`,
    )
  return { dtype, shape, data: arrayOf(dtype, data) }
}

function arrayOf(dtype: DType, data: ArrayLike<number> | TensorData): TensorData {
  const wanted = arrayTypes[dtype]
  if (data instanceof wanted) return data as TensorData
  if (dtype === 'int64')
    return BigInt64Array.from(Array.from(data as ArrayLike<number>, (value) => BigInt(value)))
  return (wanted as Float32ArrayConstructor).from(data as ArrayLike<number>) as TensorData
}

const arrayTypes = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint8Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
} as const

/** The rows chosen (along the first dim), in that order; a row may be repeated. A copy. */
export function rowsOf({ data, shape, dtype }: Tensor, rows: readonly number[]): Tensor {
  const size = shape.slice(1).reduce((a, b) => a * b, 1)
  const chosen = new (data.constructor as Float32ArrayConstructor)(rows.length * size)
  rows.forEach((row, index) => {
    chosen.set((data as Float32Array).subarray(row * size, (row + 1) * size), index * size)
  })
  return tensor(chosen, [rows.length, ...shape.slice(1)], dtype)
}

/** The leaves in order of appearance, with the path of each, such as `layers.0.weight`. */
export function leavesOf(tree: Tree<Tensor>, path = ''): { path: string; leaf: Tensor }[] {
  if (isTensor(tree)) return [{ path, leaf: tree }]
  const under = (key: string | number) => (path === '' ? `${key}` : `${path}.${key}`)
  if (Array.isArray(tree)) return tree.flatMap((item, index) => leavesOf(item, under(index)))
  if (typeof tree !== 'object' || tree === null)
    throw new GuerdonError(
      'not-a-tensor',
      `${path || 'the value'} is ${String(tree)}, not a tensor, a list or a plain object.`,
    )
  return Object.entries(tree).flatMap(([key, item]) => leavesOf(item as Tree<Tensor>, under(key)))
}

/** The leaves alone, in the same order: what every run needs, fast. */
export function flatLeaves(tree: Tree<Tensor>): Tensor[] {
  const leaves: Tensor[] = []
  const collect = (item: Tree<Tensor>) => {
    if (isTensor(item)) leaves.push(item)
    else if (Array.isArray(item)) for (const part of item) collect(part)
    else if (typeof item === 'object' && item !== null) for (const part of Object.values(item)) collect(part)
    else leavesOf(tree) // throws, with the path
  }
  collect(tree)
  return leaves
}

/** The same structure with each leaf replaced; leaves are visited in the order of `leavesOf`. */
export function mapLeaves<To>(
  tree: Tree<Tensor>,
  change: (leaf: Tensor, path: string) => To,
  path = '',
): Tree<To> {
  if (isTensor(tree)) return change(tree, path) as Tree<To>
  const under = (key: string | number) => (path === '' ? `${key}` : `${path}.${key}`)
  if (Array.isArray(tree)) return tree.map((item, index) => mapLeaves(item, change, under(index))) as Tree<To>
  return Object.fromEntries(
    Object.entries(tree).map(([key, item]) => [key, mapLeaves(item as Tree<Tensor>, change, under(key))]),
  ) as Tree<To>
}

/** Chooses leaves by their path: those that match, or those for which it is true. */
export type PathPattern = RegExp | ((path: string) => boolean)

/** Leaves by path: those that match apart from the others. */
export function partitioned(
  tree: Tree<Tensor>,
  pattern: PathPattern,
): { matching: Record<string, Tensor>; others: Record<string, Tensor> } {
  const matches = typeof pattern === 'function' ? pattern : (path: string) => pattern.test(path)
  const matching: Record<string, Tensor> = {}
  const others: Record<string, Tensor> = {}
  for (const { path, leaf } of leavesOf(tree)) (matches(path) ? matching : others)[path] = leaf
  return { matching, others }
}
