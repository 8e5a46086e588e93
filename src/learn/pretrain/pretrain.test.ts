import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Array as JaxArray } from '@jax-js/jax'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DecoderConfig, decoderLoss, initialDecoder } from '../../nets/decoder.ts'
import { manifestOf } from '../../nets/embedded/manifest.ts'
import { loadCheckpoint } from '../../tensor/checkpoint.ts'
import { type Tensor, type Tree, tensor } from '../../tensor/tree.ts'
import { modelCard } from './card.ts'
import { type PretrainOptions, pretrain } from './pretrain.ts'
import { type Recipe, scheduleOf } from './recipe.ts'
import { recipeNames, recipeOf } from './recipes.ts'

const config: DecoderConfig = { width: 8, depth: 1, heads: 2, vocabulary: 5, context: 6 }
const tiny: Recipe = {
  name: 'tiny',
  summary: 'A model for a test.',
  data: 'Random tokens.',
  limits: ['Knows nothing.'],
  model: {
    network: { kind: 'decoder', config },
    tokenizer: { tokens: ['<eos>', 'a', 'b', 'c', 'd'], marks: ['<eos>'] },
    dialogue: { before: [], between: [], end: '<eos>' },
  },
  stages: [
    { steps: 4, peak: 0.01, warmup: 1 },
    { steps: 4, peak: 0.005, warmup: 1 },
  ],
  initial: (rng) => initialDecoder(rng, config),
  loss: (parameters, batch) => decoderLoss(parameters, config, batch),
  batches: (seed) => (rng, stage) => ({
    tokens: tensor(
      Int32Array.from({ length: 12 }, () => (rng.int(0, 5) + stage + seed.length) % 5),
      [2, 6],
      'int32',
    ),
    targetMask: tensor(new Float32Array(12).fill(1), [2, 6]),
  }),
  evaluate: async () => [],
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pretrain-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('interrupted and gone on with, training gives the same bytes', async () => {
  const settings = { seed: '7', every: 3, threads: 1 }
  const whole = await pretrain(tiny, { ...settings, directory: join(folder, 'whole') })
  const directory = join(folder, 'parts')
  const stop = new AbortController()
  const options: PretrainOptions = { ...settings, directory }
  await expect(
    pretrain(tiny, {
      ...options,
      signal: stop.signal,
      onStep: ({ step }) => step === 4 && stop.abort(new Error('stopped by the test')),
    }),
  ).rejects.toThrow('stopped by the test')
  const steps: number[] = []
  const parts = await pretrain(tiny, { ...options, resume: true, onStep: ({ step }) => steps.push(step) })
  expect(steps).toEqual([5, 6, 7])
  expect(await readFile(parts.path)).toEqual(await readFile(whole.path))
  expect(parts.seconds).toBeGreaterThan(0)

  const other = await pretrain(tiny, { ...settings, seed: '8', directory: join(folder, 'other') })
  expect(await readFile(other.path)).not.toEqual(await readFile(whole.path))
  await expect(pretrain(tiny, { ...options, resume: true, steps: 20 })).rejects.toThrow(
    /is of 8 steps, not of 20/,
  )
  await expect(
    pretrain(tiny, { ...settings, directory: join(folder, 'none'), resume: true }),
  ).rejects.toThrow(/no interrupted training/)
})

test('weights say what they are, and the card what was measured', async () => {
  const made = await pretrain(tiny, { steps: 2, directory: join(folder, 'card'), threads: 1 })
  const manifest = manifestOf(await loadCheckpoint(made.path), made.path)
  expect(manifest.training.command).toBe('guerdon pretrain tiny --seed 0 --steps 2')
  expect(manifest.network).toEqual(tiny.model.network)
  const interval = { estimate: 0.4, low: 0.3, high: 0.5, level: 0.95, n: 10 }
  const card = modelCard({
    recipe: tiny,
    made,
    parameters: { a: tensor([1, 2], [2]) },
    bytes: 2000,
    metrics: [
      { name: 'skill', interval, least: 0.5 },
      { name: 'form', interval, most: 0.6 },
    ],
    evaluation: { seed: 'x', samples: 10 },
    machine: 'a machine',
  })
  expect(card).toContain('| skill | 0.400 | 0.300 to 0.500 | 10 | at least 0.5 |')
  expect(card).toContain('- Outside what was wanted: skill is 0.400 (wanted at least 0.5).')
  expect(card).not.toContain('wanted: form')
  expect(card).toContain('- Knows nothing.')
})

test('what served training only is not kept with the weights', async () => {
  const recipe: Recipe = {
    ...tiny,
    initial: (rng) => ({ model: initialDecoder(rng, config), scaffold: tensor([1], [1]) }),
    loss: (parameters: { model: never; scaffold: JaxArray }, batch) =>
      decoderLoss(parameters.model, config, batch).mul(parameters.scaffold.ref.sum()),
    kept: (parameters) => (parameters as { model: Tree<Tensor> }).model,
  }
  const { path } = await pretrain(recipe, { steps: 2, directory: join(folder, 'kept'), threads: 1 })
  const names = [...(await loadCheckpoint(path)).tensors.keys()]
  expect(names).toContain('embedding')
  expect(names.some((name) => name.includes('scaffold'))).toBe(false)
})

test('the schedule starts anew in each stage and stretches with the steps', () => {
  const { rate, stage } = scheduleOf(tiny, 8)
  expect([0, 3, 4, 7].map(stage)).toEqual([0, 0, 1, 1])
  expect(rate(0)).toBeCloseTo(0.01)
  expect(rate(4)).toBeCloseTo(0.005)
  expect(rate(3)).toBeLessThan(rate(1))
  expect([7, 8].map(scheduleOf(tiny, 16).stage)).toEqual([0, 1])
  // a cosine of 8 steps that the stage leaves after 4, and a stretched one alike
  const early = { stages: [{ steps: 4, peak: 1, warmup: 0, decay: 8 }] }
  expect(scheduleOf(early, 4).rate(2)).toBeCloseTo((1 + Math.cos(Math.PI / 4)) / 2)
  expect(scheduleOf(early, 8).rate(4)).toBeCloseTo((1 + Math.cos(Math.PI / 4)) / 2)
})

test('every recipe makes a batch that depends on seed and step alone', async () => {
  const { Rng } = await import('../../core/index.ts')
  for (const name of recipeNames) {
    const recipe = await recipeOf(name)
    expect(recipe.name).toBe(name)
    const batch = () => recipe.batches('1')(new Rng('step'), 0)
    expect(batch()).toEqual(batch())
    expect(recipe.batches('2')(new Rng('step'), 0)).not.toEqual(batch())
  }
  await expect(recipeOf('text-ml')).rejects.toThrow(/Did you mean "text-lm"/)
})
