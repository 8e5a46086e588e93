// biome-ignore-all lint/suspicious/noExplicitAny: traced functions take whatever arrays a network takes
import { type Array as JaxArray, tree, valueAndGrad } from '@jax-js/jax'
import { expect } from 'vitest'
import { Rng } from '../src/core/index.ts'
import { compile } from '../src/tensor/compile.ts'
import { leavesOf, mapLeaves, type Tensor, type Tree, tensor } from '../src/tensor/tree.ts'

type Traced = (...args: any[]) => JaxArray

/**
 * Where gradients are compared with finite differences: in float64 with jax-js (which mixes up the sizes of constants
 * in some programs) or with ONNX Runtime, or in float32.
 */
export type Precision = 'double-jax' | 'double-ort' | 'single'

/**
 * A scalar loss has the same value and gradient in ONNX Runtime as in jax-js, to 1e-4 of the largest gradient, and the
 * gradient predicts how the loss changes along a random direction.
 */
export async function expectGradients(
  loss: Traced,
  parameters: Tree<Tensor>,
  batch: Tree<Tensor>,
  precision: Precision = 'double-jax',
): Promise<void> {
  const both = (p: any, b: any) =>
    valueAndGrad((q: any) => loss(q, b))(tree.ref(p)) as unknown as Record<string, never>
  const [ort, jax] = [
    await gradientsOf(both, parameters, batch, 'ort'),
    await gradientsOf(both, parameters, batch, 'jax'),
  ]
  expect(Math.abs(ort.value - jax.value)).toBeLessThanOrEqual(1e-4 * Math.max(1, Math.abs(jax.value)))
  const largest = Math.max(
    ...jax.gradient.flatMap(({ leaf }) => [...(leaf.data as Float32Array)].map(Math.abs)),
  )
  expect(largest).toBeGreaterThan(0)
  jax.gradient.forEach(({ path, leaf }, index) => {
    const given = ort.gradient[index]!.leaf.data as Float32Array
    ;(leaf.data as Float32Array).forEach((wanted, i) => {
      expect(Math.abs(given[i]! - wanted), `gradient of ${path}[${i}]`).toBeLessThanOrEqual(1e-4 * largest)
    })
  })
  await expectSlope(loss, both, parameters, batch, precision)
}

async function gradientsOf(both: any, parameters: Tree<Tensor>, batch: Tree<Tensor>, backend: 'ort' | 'jax') {
  const compiled = await compile(both, [parameters, batch], { backend, threads: 1 })
  const [value, gradient] = (await compiled.run(parameters, batch)) as unknown as [Tensor, Tree<Tensor>]
  await compiled.dispose()
  return { value: Number(value.data[0]), gradient: leavesOf(gradient) }
}

async function expectSlope(
  loss: Traced,
  both: any,
  parameters: Tree<Tensor>,
  batch: Tree<Tensor>,
  precision: Precision,
) {
  const single = precision === 'single'
  const backend = precision === 'double-jax' ? 'jax' : 'ort'
  const [p, b] = single ? [parameters, batch] : [inDouble(parameters), inDouble(batch)]
  const made = (length: number, fill: (index: number) => number) =>
    single
      ? Float32Array.from({ length }, (_, i) => fill(i))
      : Float64Array.from({ length }, (_, i) => fill(i))
  const rng = new Rng('direction')
  const direction = leavesOf(p).map(({ leaf }) => made(leaf.data.length, () => rng.normal()))
  const { gradient } = await gradientsOf(both, p, b, backend)
  const predicted = gradient.reduce((sum, { leaf }, index) => {
    const d = direction[index]!
    return sum + (leaf.data as Float64Array).reduce((inner, g, i) => inner + g * d[i]!, 0)
  }, 0)
  const value = await compile((q: any, c: any) => [loss(q, c)] as never, [p, b], { backend, threads: 1 })
  const at = async (shift: number) => {
    let next = 0
    const moved = mapLeaves(p, ({ data, shape, dtype }) => {
      const d = direction[next++]!
      return tensor(
        made(data.length, (i) => Number(data[i]) + shift * d[i]!),
        shape,
        dtype,
      )
    })
    const [result] = (await value.run(moved as never, b as never)) as unknown as [Tensor]
    return Number(result.data[0])
  }
  const h = single ? 1e-4 : 1e-5
  const measured = ((await at(h)) - (await at(-h))) / (2 * h)
  await value.dispose()
  expect(Math.abs(measured - predicted)).toBeLessThanOrEqual(
    (single ? 1e-2 : 1e-4) * Math.max(1, Math.abs(measured)),
  )
}

function inDouble(given: Tree<Tensor>): Tree<Tensor> {
  return mapLeaves(given, (leaf) =>
    leaf.dtype === 'float32'
      ? tensor(Float64Array.from(leaf.data as Float32Array), leaf.shape, 'float64')
      : leaf,
  )
}
