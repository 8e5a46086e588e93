import { type Array as JaxArray, numpy as np } from '@jax-js/jax'
import { expect, test } from 'vitest'
import { Rng } from '../core/index.ts'
import { compile } from '../tensor/compile.ts'
import { leavesOf, type Tensor, tensor } from '../tensor/tree.ts'
import {
  categoricalEntropy,
  categoricalLogp,
  gaussianEntropy,
  gaussianLogp,
  sampledActions,
  sampledGaussian,
} from './heads.ts'

async function run(fn: (...args: any[]) => JaxArray[], ...args: Tensor[]): Promise<number[][]> {
  const compiled = await compile(fn, args, { threads: 1 })
  const results = leavesOf(await compiled.run(...args))
  await compiled.dispose()
  return results.map(({ leaf }) => Array.from(leaf.data as Float32Array))
}

test('a categorical head: log-probability and entropy in nats, draws in proportion', async () => {
  const logits = Float32Array.from([Math.log(1), Math.log(2), Math.log(5)])
  const [logp, entropy] = await run(
    (l, a) => [categoricalLogp(l.ref, a), categoricalEntropy(l)],
    tensor(logits, [1, 3]),
    tensor([2], [1], 'int32'),
  )
  expect(logp![0]).toBeCloseTo(Math.log(5 / 8), 5)
  expect(entropy![0]).toBeCloseTo(-[1, 2, 5].reduce((sum, w) => sum + (w / 8) * Math.log(w / 8), 0), 5)
  const rows = Float32Array.from({ length: 3 * 4000 }, (_, index) => logits[index % 3]!)
  const drawn = sampledActions(new Rng(1), rows, 3)
  expect(drawn).toHaveLength(4000)
  for (const action of [0, 1, 2])
    expect(drawn.filter((a) => a === action).length / 4000).toBeCloseTo([1, 2, 5][action]! / 8, 1)
})

test('a Gaussian head: density and entropy summed over the actions', async () => {
  const [logp, entropy] = await run(
    (m, s, a) => [gaussianLogp(m, s.ref, a), np.broadcastTo(gaussianEntropy(s), [1])],
    tensor([1, -1], [1, 2]),
    tensor([0, Math.log(2)], [2]),
    tensor([2, 1], [1, 2]),
  )
  // standardised distances 1 and 1
  expect(logp![0]).toBeCloseTo(-1 - Math.log(2 * Math.PI) - Math.log(2), 5)
  expect(entropy![0]).toBeCloseTo(1 + Math.log(2 * Math.PI) + Math.log(2), 5)
  const means = new Float32Array(8000).map((_, index) => (index % 2 === 0 ? 1 : -1))
  const drawn = sampledGaussian(new Rng(2), means, Float32Array.from([0, Math.log(2)]))
  const moments = (start: number) => {
    const own = [...drawn].filter((_, index) => index % 2 === start)
    const mean = own.reduce((a, b) => a + b) / own.length
    return [mean, Math.sqrt(own.reduce((sum, x) => sum + (x - mean) ** 2, 0) / own.length)]
  }
  expect(moments(0)).toEqual([expect.closeTo(1, 1), expect.closeTo(1, 1)])
  expect(moments(1)).toEqual([expect.closeTo(-1, 0), expect.closeTo(2, 1)])
})
