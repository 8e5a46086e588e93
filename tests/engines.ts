import { expect } from 'vitest'
import type { Rng } from '../src/core/index.ts'
import { compile } from '../src/tensor/compile.ts'
import { leavesOf, type Tensor, type Tree, tensor } from '../src/tensor/tree.ts'

export type Traced = (...arrays: any[]) => any

export const normal = (rng: Rng, ...shape: number[]) =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal()),
    shape,
  )

/** Whole numbers in [0, high). */
export const integers = (rng: Rng, high: number, ...shape: number[]) =>
  tensor(
    Int32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.int(0, high)),
    shape,
    'int32',
  )

/** Both backends run the function on the same tensors; results must agree to `tolerance`, relative to their size. */
export async function expectAgreement(fn: Traced, args: readonly Tree<Tensor>[], tolerance = 1e-4) {
  const [ort, jax] = await Promise.all([compile(fn, args), compile(fn, args, { backend: 'jax' })])
  const [given, wanted] = [leavesOf(await ort.run(...args)), leavesOf(await jax.run(...args))]
  expect(given.map(({ leaf }) => [leaf.dtype, ...leaf.shape])).toEqual(
    wanted.map(({ leaf }) => [leaf.dtype, ...leaf.shape]),
  )
  given.forEach(({ leaf }, index) => {
    expectClose(leaf.data, wanted[index]!.leaf.data, tolerance)
  })
  await ort.dispose()
  await jax.dispose()
}

export function expectClose(
  given: ArrayLike<number | bigint>,
  wanted: ArrayLike<number | bigint>,
  tolerance = 1e-4,
) {
  expect(given.length).toBe(wanted.length)
  for (let i = 0; i < given.length; i++) {
    const [a, b] = [Number(given[i]), Number(wanted[i])]
    if (Number.isNaN(b)) expect(a).toBeNaN()
    else if (Math.abs(b) === Number.POSITIVE_INFINITY) expect(a).toBe(b)
    else if (!(Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b))))
      expect.fail(`element ${i} is ${a}, wanted ${b}`)
  }
}
