import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { numpy as np } from '@jax-js/jax'
import { expect, test } from 'vitest'
import { GuerdonError, type Rng } from '../core/index.ts'
import { loadCheckpoint } from './checkpoint.ts'
import { sgd } from './optimiser.ts'
import { openTraining, type StepReport, type TrainOptions, train } from './train.ts'
import { leavesOf, type Tensor, type Tree, tensor } from './tree.ts'

const start = {
  body: { w: tensor([0.5, -0.3, 0.2, 0.1, 0.4, -0.6], [3, 2]) },
  head: tensor([0.3, -0.2], [2]),
}

/** Learns y = sum of x; batches of 4 or 6 rows in turn. */
const options = {
  parameters: start,
  loss: ({ body, head }: any, { x, y }: any) => {
    const error = np.matmul(np.tanh(np.matmul(x, body.w.ref)), head.ref).sub(y)
    return { loss: np.square(error.ref).mean(), metrics: { bias: error.mean() } }
  },
  batches: (step: number, rng: Rng) => {
    const rows = 4 + 2 * (step % 2)
    const x = Float32Array.from({ length: rows * 3 }, () => rng.normal() * 0.3)
    const y = Float32Array.from({ length: rows }, (_, row) => x[row * 3]! + x[row * 3 + 1]! + x[row * 3 + 2]!)
    return { x: tensor(x, [rows, 3]), y: tensor(y, [rows]) }
  },
  steps: 40,
  schedule: 0.05,
  seed: 7,
  threads: 1,
} satisfies TrainOptions<typeof start>

const numbers = (tree: Tree<Tensor>) =>
  leavesOf(tree).flatMap(({ leaf }) => Array.from(leaf.data as Float32Array))
const fresh = () => join(mkdtempSync(join(tmpdir(), 'guerdon-')), 'training.safetensors')

test('the loss falls, every step is reported, batches of several shapes are mixed', async () => {
  const reports: StepReport[] = []
  const { parameters, last } = await train({ ...options, onStep: (report) => reports.push(report) })
  expect(reports.map(({ step }) => step)).toEqual(Array.from({ length: 40 }, (_, step) => step))
  expect(last).toEqual(reports.at(-1))
  const mean = (part: StepReport[]) => part.reduce((sum, { loss }) => sum + loss, 0) / part.length
  expect(mean(reports.slice(-10))).toBeLessThan(0.5 * mean(reports.slice(0, 10)))
  expect(
    reports.every(({ metrics, gradientNorm }) => Number.isFinite(metrics.bias) && gradientNorm > 0),
  ).toBe(true)
  expect(Object.keys(parameters)).toEqual(['body', 'head'])
  expect(numbers((await train(options)).parameters)).toEqual(numbers(parameters))
  expect(numbers((await train({ ...options, seed: 8 })).parameters)).not.toEqual(numbers(parameters))
})

test('interrupted and resumed, training goes on bit for bit', async () => {
  const checkpoint = { path: fresh(), every: 7 }
  const common = { ...options, average: 0.9 }
  const whole = await train(common)
  const stop = new AbortController()
  await expect(
    train({
      ...common,
      checkpoint,
      signal: stop.signal,
      onStep: ({ step }) => step === 16 && stop.abort(new Error('enough')),
    }),
  ).rejects.toThrow('enough')
  expect((await loadCheckpoint(checkpoint.path)).metadata).toMatchObject({ step: '17', seed: '7' })
  const steps: number[] = []
  const resumed = await train({ ...common, checkpoint, onStep: ({ step }) => steps.push(step) })
  expect(steps[0]).toBe(17)
  expect(numbers(resumed.parameters)).toEqual(numbers(whole.parameters))
  expect(numbers(resumed.averaged!)).toEqual(numbers(whole.averaged!))
  expect(numbers(resumed.averaged!)).not.toEqual(numbers(resumed.parameters))
  const done = await train({ ...common, checkpoint })
  expect(done.last).toBeUndefined()
  expect(numbers(done.parameters)).toEqual(numbers(whole.parameters))
  await expect(train({ ...common, seed: 8, checkpoint })).rejects.toThrow(
    /seed 7, not of a training with seed 8/,
  )
})

test.each([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
])('%s stops with step, seed and the last good checkpoint', async (name, number) => {
  const checkpoint = { path: fresh(), every: 5 }
  const poisoned = {
    ...options,
    checkpoint,
    batches: (step: number, rng: Rng) => {
      const batch = options.batches(step, rng)
      if (step === 12) (batch.y.data as Float32Array)[0] = number
      return batch
    },
  }
  const error = await train(poisoned).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(GuerdonError)
  expect((error as GuerdonError).code).toBe('diverged')
  expect((error as GuerdonError).message).toMatch(
    new RegExp(`step 12 with seed 7: loss ${name}.*step 10`, 's'),
  )
  const { metadata, tensors } = await loadCheckpoint(checkpoint.path)
  expect(metadata.step).toBe('10')
  for (const { data } of tensors.values())
    expect(Array.from(data as Float32Array).every(Number.isFinite)).toBe(true)
})

test('parameters that were read of a training stay what they are while it goes on', async () => {
  const large = tensor(
    Float32Array.from({ length: 6400 }, (_, i) => Math.sin(i)),
    [80, 80],
  )
  const training = await openTraining({
    loss: ({ w }: any, { x }: any) => np.square(np.matmul(x, w)).mean(),
    parameters: { w: large },
    average: 0.9,
  })
  const batch = { x: tensor(new Float32Array(160).fill(0.1), [2, 80]) }
  await training.advance(batch, 0.01)
  const { parameters, averaged } = training
  const [then, thenAveraged] = [numbers(parameters), numbers(averaged!)]
  for (let step = 0; step < 3; step++) await training.advance(batch, 0.01)
  expect(numbers(parameters)).toEqual(then)
  expect(numbers(averaged!)).toEqual(thenAveraged)
  expect(numbers(training.parameters)).not.toEqual(then)
  await training.dispose()
  expect(numbers(training.parameters).every(Number.isFinite)).toBe(true)
})

test('shapes that do not fit in the loss are said with operation, shapes and line', async () => {
  const wrong = {
    ...options,
    loss: ({ body }: any, { x }: any) => np.matmul(body.w, x).mean(),
  }
  await expect(train(wrong)).rejects.toThrow(/\[2\] != \[4\] \(in matmul, at .*train\.test\.ts:\d+/)
})

test('only what matches `trainable` changes, and it must match something', async () => {
  const { parameters } = await train({ ...options, trainable: /^body/ })
  expect(parameters.head).toBe(start.head)
  expect(numbers(parameters.body)).not.toEqual(numbers(start.body))
  await expect(train({ ...options, trainable: /nothing/ })).rejects.toThrow(/Paths look like body\.w/)
})

test('gradients are clipped by their global norm', async () => {
  const moved = async (clip: number) => {
    const { parameters, last } = await train({ ...options, optimiser: sgd(), schedule: 1, steps: 1, clip })
    const [from, to] = [numbers(start), numbers(parameters)]
    return { distance: Math.hypot(...to.map((value, i) => value - from[i]!)), norm: last!.gradientNorm }
  }
  const free = await moved(Number.POSITIVE_INFINITY)
  expect(free.distance).toBeCloseTo(free.norm, 5)
  const clipped = await moved(free.norm / 3)
  expect(clipped.norm).toBeCloseTo(free.norm, 6)
  expect(clipped.distance).toBeCloseTo(free.norm / 3, 5)
})
