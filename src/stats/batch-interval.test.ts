import { expect, test } from 'vitest'
import { Rng } from '../core/index.ts'
import { batchInterval, bootstrap, bootstrapMean, kendall } from './index.ts'

const rng = new Rng('batches')
const prompts = 1500
const clusters = Array.from({ length: 4 * prompts }, (_, i) => i >> 2)
const offsets = Array.from({ length: prompts }, () => rng.normal())
const a = clusters.map((prompt) => offsets[prompt]! + rng.normal())
const b = clusters.map((prompt, i) => offsets[prompt]! + 0.5 * a[i]! + rng.normal())
const tau = (at: Uint32Array) =>
  kendall(
    Array.from(at, (i) => a[i]!),
    Array.from(at, (i) => b[i]!),
  ).tauB

test('as wide as the bootstrap, clusters kept whole', () => {
  const batched = batchInterval(a.length, tau, { rng, clusters })!
  const resampled = bootstrap(a.length, tau, { rng, clusters, resamples: 150 })!
  expect(batched).toMatchObject({ estimate: resampled.estimate, units: prompts, resamples: 50, n: 6000 })
  expect(batched.standardError / resampled.standardError).toBeGreaterThan(0.65)
  expect(batched.standardError / resampled.standardError).toBeLessThan(1.5)
  // Without clusters it would claim to know more than it does.
  expect(batchInterval(a.length, tau, { rng })!.standardError).toBeLessThan(batched.standardError)
})

test('not defined is null', () => {
  expect(batchInterval(0, () => 1, { rng })).toBeNull()
  expect(batchInterval(10, () => null, { rng })).toBeNull()
  expect(batchInterval(10, (at) => (at.length === 10 ? 1 : null), { rng })).toBeNull()
})

test('a mean of very many units has the interval that resampling tends to', () => {
  const values = Array.from({ length: 30_000 }, (_, i) => Math.exp(rng.normal()) * (i % 3))
  const weights = values.map((_, i) => i % 3)
  const closed = bootstrapMean(values, { rng, weights })!
  const resampled = bootstrapMean(values, { rng, weights, resamples: 400 })!
  expect(closed).toMatchObject({ method: 'normal', estimate: resampled.estimate, resamples: 0 })
  expect(closed.standardError / resampled.standardError).toBeGreaterThan(0.88)
  expect(closed.standardError / resampled.standardError).toBeLessThan(1.14)
  const clustered = values.map((_, i) => i % 25_000)
  expect(bootstrapMean(values, { rng, clusters: clustered })).toMatchObject({
    method: 'normal',
    units: 25_000,
  })
})
