import { valueAndGrad } from '@jax-js/jax'
import { expect, test } from 'vitest'
import { Rng } from '../core/index.ts'
import { compile } from '../tensor/compile.ts'
import { leavesOf, mapLeaves, type Tensor, type Tree, tensor } from '../tensor/tree.ts'
import { type DenoiserConfig, initialDenoiser } from './denoiser.ts'
import { denoisingLogp } from './denoising-logp.ts'
import { imageSampler, textTensors } from './image-sampler.ts'

const base: DenoiserConfig = {
  ...{ width: 8, depth: 1, heads: 2, image: { size: 4, patch: 2 }, locality: [1, 0] },
  convolutions: { patch: 1, width: 4, before: 1, after: 1 },
  ...{ schedule: 'cosine', steps: 50 },
  text: { width: 8, depth: 1, heads: 1, vocabulary: 5, context: 3, separators: [3], phrases: 2 },
}
const texts = [[1, 2], [3], [4, 4, 1]]

for (const prediction of ['velocity', 'x0'] as const)
  for (const guidance of [1, 2.5])
    test(`recomputed, steps are as likely as the sampler said (${prediction}, guidance ${guidance})`, async () => {
      const config = { ...base, prediction, figures: prediction === 'x0' }
      const parameters = initialDenoiser(new Rng('logp'), config)
      const sampler = imageSampler(config, { threads: 1 })
      const eta = 0.7
      const { trajectory } = await sampler.sample(parameters, texts, { steps: 5, eta, guidance, seed: 2 })
      await sampler.dispose()
      expect(trajectory).toHaveLength(5)
      const row = (value: number) => tensor(new Float32Array(texts.length).fill(value), [texts.length])
      const inputs = trajectory.map(({ images, next, time, timeNext }) => ({
        ...{ images, next, times: row(time), timesNext: row(timeNext) },
        ...textTensors(texts, 3),
      }))
      const logp = await compile(
        (p: any, steps: any) => denoisingLogp(p, config, steps, { eta, guidance }),
        [parameters, inputs[0]!],
        { threads: 1 },
      )
      for (const [index, steps] of inputs.entries()) {
        const { data } = (await logp.run(parameters, steps)) as Tensor
        trajectory[index]!.logp.forEach((value, image) => {
          expect(data[image]).toBeCloseTo(value, 3)
        })
      }
      // other parameters find the same steps less or more likely, and the gradient says in which direction
      const climb = await compile(
        (p: any, steps: any) =>
          valueAndGrad((q: any) => denoisingLogp(q, config, steps, { eta, guidance }).sum())(p) as never,
        [parameters, inputs[1]!],
        { threads: 1 },
      )
      const [value, gradient] = (await climb.run(parameters, inputs[1]!)) as unknown as [Tensor, Tree<Tensor>]
      const flat = leavesOf(gradient)
      const norm = Math.hypot(...flat.flatMap(({ leaf }) => [...(leaf.data as Float32Array)]))
      expect(norm).toBeGreaterThan(0)
      const moved = mapLeaves(parameters, (leaf, path) => {
        const slope = flat.find((one) => one.path === path)!.leaf.data
        return tensor(
          (leaf.data as Float32Array).map((x, i) => x + (1e-3 / norm) * Number(slope[i])),
          leaf.shape,
        )
      })
      const { data: after } = (await logp.run(moved as typeof parameters, inputs[1]!)) as Tensor
      const gain = [...(after as Float32Array)].reduce((a, b) => a + b) - Number(value.data[0])
      expect(gain / (1e-3 * norm)).toBeCloseTo(1, 1)
      await logp.dispose()
      await climb.dispose()
    })
