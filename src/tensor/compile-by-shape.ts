import type { Array as JaxArray, JsTree } from '@jax-js/jax'
import { type Compiled, type CompileOptions, compile } from './compile.ts'
import { typedArray } from './onnx.ts'
import { leavesOf, mapLeaves, type Tensor, type TensorData, type Tree } from './tree.ts'

export interface CompileByShapeOptions extends CompileOptions {
  /**
   * The shape that the argument at `path` (such as `1.tokens`) is padded to with zeros, each size at least as large.
   * The function sees padding as data, and results keep it: pass a mask or the lengths along. @default no padding
   */
  readonly bucket?: (path: string, shape: readonly number[]) => readonly number[]
  /** Compiled shapes that are kept; beyond it the one not used for longest is disposed of. @default 16 */
  readonly limit?: number
}

export interface CompiledByShape<Args extends readonly Tree<Tensor>[], Result> {
  /** Compiles for the shapes of the arguments when they are new. */
  run(...args: Args): Promise<Result>
  /** Shapes compiled at present. */
  readonly size: number
  dispose(): Promise<void>
}

interface Entry<Args extends readonly Tree<Tensor>[], Result> {
  readonly compiled: Promise<Compiled<Args, Result>>
  running: number
  evicted: boolean
}

/** `compile` for a function of arguments whose shapes vary: one graph for each shape that comes, on demand. */
export function compileByShape<Args extends readonly Tree<Tensor>[], Result = Tree<Tensor>>(
  fn: (...args: any[]) => JsTree<JaxArray>,
  { bucket, limit = 16, ...options }: CompileByShapeOptions = {},
): CompiledByShape<Args, Result> {
  // In order of last use.
  const entries = new Map<string, Entry<Args, Result>>()
  const disposeIfIdle = async (entry: Entry<Args, Result>) => {
    if (entry.evicted && entry.running === 0)
      await entry.compiled.then(
        (compiled) => compiled.dispose(),
        () => {},
      )
  }
  const evict = async (key: string, entry: Entry<Args, Result>) => {
    entries.delete(key)
    entry.evicted = true
    await disposeIfIdle(entry)
  }
  return {
    get size() {
      return entries.size
    },
    async run(...given: Args) {
      const args = (bucket === undefined ? given : padded(given, bucket)) as Args
      const key = leavesOf(args)
        .map(({ path, leaf }) => `${path}:${leaf.dtype}[${leaf.shape}]`)
        .join(' ')
      const known = entries.get(key)
      const entry = known ?? {
        compiled: compile<Args, Result>(fn, args, options),
        running: 0,
        evicted: false,
      }
      entry.running++
      entries.delete(key)
      entries.set(key, entry)
      try {
        if (known === undefined && entries.size > limit) {
          const [oldest] = entries
          await evict(...oldest!)
        }
        return await (await entry.compiled).run(...args)
      } catch (error) {
        // What could not be compiled is tried again.
        if (
          await entry.compiled.then(
            () => false,
            () => true,
          )
        )
          entries.delete(key)
        throw error
      } finally {
        entry.running--
        await disposeIfIdle(entry)
      }
    },
    async dispose() {
      await Promise.all([...entries].map(([key, entry]) => evict(key, entry)))
    },
  }
}

/** The next of 8, 12, 16, 24, 32, 48, ... that is at least `size`: padding is at most a third, buckets are few. */
export function bucketSize(size: number): number {
  if (size <= 8) return 8
  const half = 2 ** Math.floor(Math.log2(size - 1))
  return size <= 1.5 * half ? 1.5 * half : 2 * half
}

function padded(
  args: readonly Tree<Tensor>[],
  bucket: (path: string, shape: readonly number[]) => readonly number[],
): readonly Tree<Tensor>[] {
  const paths = leavesOf(args).map(({ path }) => path)
  let next = 0
  return mapLeaves(args, (leaf) => {
    const path = paths[next++]!
    return paddedTo(leaf, bucket(path, leaf.shape), path)
  }) as readonly Tree<Tensor>[]
}

function paddedTo(leaf: Tensor, shape: readonly number[], path: string): Tensor {
  if (shape.length === leaf.shape.length && shape.every((size, dim) => size === leaf.shape[dim])) return leaf
  if (shape.length !== leaf.shape.length || shape.some((size, dim) => size < leaf.shape[dim]!))
    throw new RangeError(
      `the bucket [${shape}] of argument ${path} is smaller than its shape [${leaf.shape}]`,
    )
  const data = typedArray(leaf.dtype, new Uint8Array(shape.reduce((a, b) => a * b, 1))) as TensorData
  const row = leaf.shape.at(-1) ?? 1
  const rows = leaf.data.length / row
  for (let index = 0; index < rows; index++) {
    let target = 0
    let rest = index
    let stride = shape.at(-1) ?? 1
    for (let dim = leaf.shape.length - 2; dim >= 0; dim--) {
      target += (rest % leaf.shape[dim]!) * stride
      rest = Math.floor(rest / leaf.shape[dim]!)
      stride *= shape[dim]!
    }
    data.set(leaf.data.subarray(index * row, (index + 1) * row) as never, target)
  }
  return { dtype: leaf.dtype, shape, data }
}
