import { expect, test } from 'vitest'
import { Rng } from '../core/index.ts'
import { clusteredProportion } from './clustered-proportion.ts'
import { correlationInterval } from './correlation-interval.ts'
import { wilsonInterval } from './intervals.ts'
import { overoptimisation } from './overoptimisation.ts'

test('independent observations: Wilson; copies in a cluster count once', () => {
  const outcomes = Array.from({ length: 40 }, (_, i) => i % 4 === 0)
  const alone = clusteredProportion(
    outcomes,
    outcomes.map((_, i) => i),
  )!
  const wilson = wilsonInterval(10, 40)!
  // The design effect of clusters of one is n / (n - 1).
  expect(alone.designEffect).toBeCloseTo(40 / 39, 10)
  expect(Math.abs(alone.low - wilson.low)).toBeLessThan(0.003)
  const copied = clusteredProportion(
    outcomes.flatMap((outcome) => Array<boolean>(5).fill(outcome)),
    outcomes.flatMap((_, i) => Array<number>(5).fill(i)),
  )!
  expect(copied).toMatchObject({ n: 200, clusters: 40, estimate: 0.25 })
  expect(copied.low).toBeCloseTo(alone.low, 10)
  expect(copied.high).toBeCloseTo(alone.high, 10)
})

test('none at all of many clusters: as many clusters as were seen, not as many outcomes', () => {
  const none = clusteredProportion(
    Array<0>(100).fill(0),
    Array.from({ length: 100 }, (_, i) => i % 10),
  )!
  expect(none.low).toBe(0)
  expect(none.high).toBeCloseTo(wilsonInterval(0, 10)!.high, 10)
  expect(clusteredProportion([], [])).toBeNull()
})

test('correlations: Fisher and its factors for ranks', () => {
  // atanh(0.5) ± 1.959964 / sqrt(97)
  expect(correlationInterval(0.5, 100)).toMatchObject({
    low: expect.closeTo(0.3366433, 6),
    high: expect.closeTo(0.6341398, 6),
  })
  const [pearson, spearman, kendall] = (['pearson', 'spearman', 'kendall'] as const).map(
    (of) => correlationInterval(0.5, 100, { of })!,
  )
  expect(spearman!.low).toBeLessThan(pearson!.low)
  expect(kendall!.low).toBeGreaterThan(pearson!.low)
  expect(correlationInterval(1, 10)).toMatchObject({ low: 1, high: 1 })
  expect(correlationInterval(0.5, 4)).toBeNull()
  expect(correlationInterval(null, 100)).toBeNull()
  expect(() => correlationInterval(1.5, 100)).toThrow(RangeError)
})

test('a proxy that is right in the middle and wrong at its top is over-optimised', () => {
  const rng = new Rng('proxy')
  const prompts = Array.from({ length: 60 }, () => {
    const proxy = Array.from({ length: 64 }, () => rng.normal())
    // The top of the proxy is a hack.
    return { proxy, gold: proxy.map((value) => (value > 1.6 ? -1 : value) + 0.2 * rng.normal()) }
  })
  const { curve, peak, loss, fit } = overoptimisation(prompts, { rng, resamples: 200 })!
  expect(curve.map(({ k }) => k)).toEqual([1, 2, 4, 8, 16, 32, 64])
  expect([4, 8, 16]).toContain(peak.k)
  expect(loss!.low).toBeGreaterThan(0.5)
  expect(fit!.bend).toBeGreaterThan(0)
  const honest = prompts.map(({ proxy }) => ({ proxy, gold: proxy }))
  const straight = overoptimisation(honest, { rng, resamples: 200 })!
  expect(straight.peak.k).toBe(64)
  expect(straight.loss!.estimate).toBe(0)
  expect(overoptimisation([], { rng })).toBeNull()
})
