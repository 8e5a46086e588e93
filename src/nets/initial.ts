import type { Rng } from '../core/index.ts'
import { type Tensor, tensor } from '../tensor/tree.ts'

/** Numbers from a normal distribution of mean 0. */
export function normal(rng: Rng, shape: readonly number[], deviation: number): Tensor {
  return tensor(
    Float32Array.from({ length: sizeOf(shape) }, () => rng.normal() * deviation),
    shape,
  )
}

/** A tensor of one number. */
export function filled(shape: readonly number[], value: number): Tensor {
  return tensor(new Float32Array(sizeOf(shape)).fill(value), shape)
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1)
}
