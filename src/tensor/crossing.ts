import type * as Ort from 'onnxruntime-node'
import type { DType, OnnxGraph, ValueInfo } from './onnx.ts'
import { flatLeaves, type Tensor, type TensorData, type Tree } from './tree.ts'
import { materialised, product, reshaped, settled, type View, viewOfTensor } from './view.ts'

// How tensors cross to native code and back. A crossing costs microseconds, whatever the size: small tensors of float32
// cross together, packed into one, and are taken apart on the other side.

interface Spec {
  readonly dtype: DType
  readonly shape: readonly number[]
}

/** Tensors of up to so many numbers cost more to take one by one than to copy together. */
export const smallSize = 4096
const packedInput = 'small'

/** Places of the tensors that cross together. */
function smallOnes(specs: readonly Spec[]): number[] {
  const small = specs.flatMap(({ dtype, shape }, index) =>
    dtype === 'float32' && product(shape) <= smallSize ? [index] : [],
  )
  return small.length > 2 ? small : []
}

export interface Entering {
  readonly inputs: readonly ValueInfo[]
  /** Of each tensor, in order. */
  readonly views: readonly View[]
  /** What one run is fed. `done` is to be called after it. */
  feed(
    ort: typeof Ort,
    tensors: readonly Tensor[],
  ): { readonly feeds: Record<string, Ort.Tensor>; readonly done: () => void }
}

/** Declares the inputs of a graph. */
export function entering(graph: OnnxGraph, specs: readonly Spec[]): Entering {
  const small = smallOnes(specs)
  const packed = new Set(small)
  const names = specs.map((_, index) => `in${index}`)
  const views = specs.map(({ dtype, shape }, index) =>
    packed.has(index) ? undefined : viewOfTensor(graph, names[index]!, dtype, shape),
  )
  const inputs: ValueInfo[] = specs.flatMap(({ dtype, shape }, index) =>
    packed.has(index) ? [] : [{ name: names[index]!, dtype, shape }],
  )
  const sizes = small.map((index) => product(specs[index]!.shape))
  const total = sizes.reduce((a, b) => a + b, 0)
  if (total > 0) {
    inputs.push({ name: packedInput, dtype: 'float32', shape: [total] })
    graph.split(packedInput, sizes, 0).forEach((name, place) => {
      const { shape } = specs[small[place]!]!
      views[small[place]!] = reshaped(graph, viewOfTensor(graph, name, 'float32', [sizes[place]!]), shape)
    })
  }
  const spare: Float32Array[] = []
  return {
    inputs,
    views: views as View[],
    feed(ort, tensors) {
      const feeds: Record<string, Ort.Tensor> = {}
      tensors.forEach((tensor, index) => {
        if (!packed.has(index)) feeds[names[index]!] = ortTensor(ort, tensor)
      })
      if (total === 0) return { feeds, done: () => {} }
      const numbers = spare.pop() ?? new Float32Array(total)
      let offset = 0
      for (const index of small) {
        const data = tensors[index]!.data as Float32Array
        numbers.set(data, offset)
        offset += data.length
      }
      feeds[packedInput] = new ort.Tensor('float32', numbers, [total])
      return { feeds, done: () => spare.push(numbers) }
    },
  }
}

export interface Leaving {
  readonly outputs: readonly ValueInfo[]
  /** The results of one run, in order. */
  tensors(results: Readonly<Record<string, Ort.Tensor>>): Tensor[]
}

/** Declares the outputs of a graph. */
export function leaving(graph: OnnxGraph, views: readonly View[], specs: readonly Spec[]): Leaving {
  const small = smallOnes(specs)
  const packed = new Set(small)
  const outputs: ValueInfo[] = []
  const declared = (name: string, { dtype, shape }: Spec) => {
    const free = graph.isProduced(name) && outputs.every((output) => output.name !== name)
    const own = free ? name : graph.emitAll('Identity', [name], 1)[0]!
    outputs.push({ name: own, dtype, shape })
    return own
  }
  const names = views.map((view, index) =>
    packed.has(index) ? '' : declared(materialised(graph, view), specs[index]!),
  )
  const sizes = small.map((index) => product(specs[index]!.shape))
  const parts = small.map((index, place) =>
    materialised(graph, reshaped(graph, settled(graph, views[index]!), [sizes[place]!])),
  )
  const together =
    small.length === 0
      ? ''
      : declared(graph.concat(parts, 0), {
          dtype: 'float32',
          shape: [sizes.reduce((a, b) => a + b, 0)],
        })
  return {
    outputs,
    tensors(results) {
      const numbers = results[together]?.data as Float32Array | undefined
      let offset = 0
      return specs.map(({ dtype, shape }, index) => {
        if (!packed.has(index)) return made(results[names[index]!]!)
        const data = numbers!.subarray(offset, offset + product(shape))
        offset += data.length
        // A number or two must not keep the others alive.
        return { dtype, shape, data: data.length < 64 ? data.slice() : data }
      })
    },
  }
}

const native = new WeakMap<Tensor, Ort.Tensor>()

function ortTensor(ort: typeof Ort, leaf: Tensor): Ort.Tensor {
  return (
    native.get(leaf) ??
    new ort.Tensor(leaf.dtype as 'float32', leaf.data as Float32Array, leaf.shape as number[])
  )
}

/** A result that remembers its native tensor, so that the next run takes it as it is. */
function made(result: Ort.Tensor): Tensor {
  const leaf: Tensor = { dtype: result.type as DType, shape: result.dims, data: result.data as TensorData }
  native.set(leaf, result)
  return leaf
}

/**
 * Gives back at once the memory of tensors that runs returned, such as the weights before a step, instead of when
 * garbage is collected: the next results take their place. To be used on what nobody reads any more; a run that gets
 * such a tensor says so. Small ones may stay, and what no run made does.
 */
export function release(tensors: Tree<Tensor>): void {
  for (const leaf of flatLeaves(tensors)) {
    if (!native.delete(leaf)) continue
    ;(leaf.data.buffer as ArrayBuffer).transfer(0)
  }
}
