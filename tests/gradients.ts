// biome-ignore-all lint/suspicious/noExplicitAny: traced functions take whatever arrays a network takes
import { type Array as JaxArray, tree, valueAndGrad } from '@jax-js/jax'
import { expect } from 'vitest'
import { Rng } from '../src/core/index.ts'
import { compile } from '../src/tensor/compile.ts'
import { leavesOf, mapLeaves, type Tensor, type Tree, tensor } from '../src/tensor/tree.ts'

type Traced = (...args: any[]) => JaxArray

export interface GradientDifferences {
  /** Numbers differentiated with respect to. */
  readonly numbers: number
  /** The largest derivative. */
  readonly largest: number
  /** Of the loss in ONNX Runtime to jax-js's, relative to it (to 1 where it is smaller). */
  readonly value: number
  /** The largest of one derivative in ONNX Runtime to jax-js's, relative to the largest derivative. */
  readonly gradient: number
  /** Of the change of the loss along a random direction to what the gradient says, relative to it (to 1), in float64. */
  readonly slope: number
}

/** How far the backends are from each other, and the gradient from finite differences. */
export async function gradientDifferences(
  loss: Traced,
  parameters: Tree<Tensor>,
  batch: Tree<Tensor>,
): Promise<GradientDifferences> {
  const both = (p: any, b: any) =>
    valueAndGrad((q: any) => loss(q, b))(tree.ref(p)) as unknown as Record<string, never>
  const [ort, jax] = [
    await gradientsOf(both, parameters, batch, 'ort'),
    await gradientsOf(both, parameters, batch, 'jax'),
  ]
  const numbers = ({ gradient }: typeof ort) =>
    gradient.flatMap(({ leaf }) => [...(leaf.data as Float32Array)])
  const [given, wanted] = [numbers(ort), numbers(jax)]
  const largest = wanted.reduce((most, one) => Math.max(most, Math.abs(one)), 0)
  const apart = given.reduce((most, one, index) => Math.max(most, Math.abs(one - wanted[index]!)), 0)
  return {
    numbers: wanted.length,
    largest,
    value: Math.abs(ort.value - jax.value) / Math.max(1, Math.abs(jax.value)),
    gradient: apart / largest,
    slope: await slopeDifference(loss, both, parameters, batch),
  }
}

/**
 * A scalar loss has the same value and gradient in ONNX Runtime as in jax-js, to 1e-4 of the largest gradient, and the
 * gradient predicts how the loss changes along a random direction.
 */
export async function expectGradients(
  loss: Traced,
  parameters: Tree<Tensor>,
  batch: Tree<Tensor>,
): Promise<void> {
  const { largest, value, gradient, slope } = await gradientDifferences(loss, parameters, batch)
  expect(largest).toBeGreaterThan(0)
  expect(value, 'the loss').toBeLessThanOrEqual(1e-4)
  expect(gradient, 'the gradient').toBeLessThanOrEqual(1e-4)
  expect(slope, 'finite differences').toBeLessThanOrEqual(1e-5)
}

async function gradientsOf(both: any, parameters: Tree<Tensor>, batch: Tree<Tensor>, backend: 'ort' | 'jax') {
  const compiled = await compile(both, [parameters, batch], { backend, threads: 1 })
  const [value, gradient] = (await compiled.run(parameters, batch)) as unknown as [Tensor, Tree<Tensor>]
  await compiled.dispose()
  return { value: Number(value.data[0]), gradient: leavesOf(gradient) }
}

/** In ONNX Runtime, as jax-js computes exp in the precision of float32 even in float64. */
async function slopeDifference(
  loss: Traced,
  both: any,
  parameters: Tree<Tensor>,
  batch: Tree<Tensor>,
): Promise<number> {
  const [p, b] = [inDouble(parameters), inDouble(batch)]
  const rng = new Rng('direction')
  const direction = leavesOf(p).map(({ leaf }) =>
    Float64Array.from({ length: leaf.data.length }, () => rng.normal()),
  )
  const { gradient } = await gradientsOf(both, p, b, 'ort')
  const predicted = gradient.reduce((sum, { leaf }, index) => {
    const d = direction[index]!
    return sum + (leaf.data as Float64Array).reduce((inner, g, i) => inner + g * d[i]!, 0)
  }, 0)
  const value = await compile((q: any, c: any) => [loss(q, c)] as never, [p, b], { threads: 1 })
  const at = async (shift: number) => {
    let next = 0
    const moved = mapLeaves(p, ({ data, shape, dtype }) => {
      const d = direction[next++]!
      return tensor(
        Float64Array.from(data as Float64Array, (x, i) => x + shift * d[i]!),
        shape,
        dtype,
      )
    })
    const [result] = (await value.run(moved as never, b as never)) as unknown as [Tensor]
    return Number(result.data[0])
  }
  const h = 1e-6 // the direction is as long as there are many parameters, and the error grows with its cube
  const measured = ((await at(h)) - (await at(-h))) / (2 * h)
  await value.dispose()
  return Math.abs(measured - predicted) / Math.max(1, Math.abs(measured))
}

function inDouble(given: Tree<Tensor>): Tree<Tensor> {
  return mapLeaves(given, (leaf) =>
    leaf.dtype === 'float32'
      ? tensor(Float64Array.from(leaf.data as Float32Array), leaf.shape, 'float64')
      : leaf,
  )
}
