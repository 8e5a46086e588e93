import { describe, expect, test } from 'vitest'
import { close } from '../../tests/close.ts'
import { Rng } from '../core/index.ts'
import {
  bootstrap,
  bootstrapMean,
  clopperPearsonInterval,
  mean,
  meanInterval,
  wilsonInterval,
} from './index.ts'

const x = [3.1, 1.2, 4.4, 2.2, 5.9, 2.7]

describe('intervals', () => {
  test('proportions and means (SciPy)', () => {
    for (const [k, n, wilson, exact] of [
      [0, 10, [0, 0.27753279986288926], [0, 0.30849710781876294]],
      [7, 10, [0.39677814746114526, 0.892208732593699], [0.3475471499399921, 0.9332604888222655]],
      [10, 10, [0.7224672001371109, 1], [0.6915028921812371, 1]],
      [3, 1000, [0.0010207838811386186, 0.008783014053503173], [0.0006190999316499173, 0.008742023238657654]],
    ] as const) {
      const [w, e] = [wilsonInterval(k, n)!, clopperPearsonInterval(k, n)!]
      ;[w.low, w.high].forEach((bound, i) => void close(bound, wilson[i]!))
      ;[e.low, e.high].forEach((bound, i) => void close(bound, exact[i]!))
    }
    expect(wilsonInterval(0, 0)).toBeNull()
    const interval = meanInterval(x)!
    close(interval.low, 1.4955268943117177)
    close(interval.high, 5.004473105688281)
    expect(meanInterval([1])).toBeNull()
  })
  const rng = new Rng('intervals')
  const data = [0.2, 1.4, 0.1, 3.3, 0.9, 0.4, 2.2, 0.05, 5.1, 0.7, 1.1, 0.3]
  test('bootstrap bounds are near those of SciPy (20,000 resamples)', () => {
    const percentile = bootstrapMean(data, { rng, resamples: 20_000 })!
    expect(Math.abs(percentile.low - 0.575)).toBeLessThan(0.03)
    expect(Math.abs(percentile.high - 2.226)).toBeLessThan(0.05)
    const bca = bootstrapMean(data, { rng, resamples: 20_000, method: 'bca' })!
    expect(Math.abs(bca.low - 0.679)).toBeLessThan(0.03)
    expect(Math.abs(bca.high - 2.465)).toBeLessThan(0.06)
  })
  test('same seed, same interval, whatever was drawn before; the general form equals the fast one', () => {
    const other = new Rng('intervals')
    other.uniform()
    const fast = bootstrapMean(data, { rng })!
    expect(bootstrapMean(data, { rng: other })).toEqual(fast)
    const slow = bootstrap(data.length, (at) => mean(Array.from(at, (i) => data[i]!)), { rng })!
    close(slow.low, fast.low)
    close(slow.high, fast.high)
    expect(slow.units).toBe(12)
  })
  test('clusters are kept whole: copies of a sample do not narrow the interval', () => {
    const copies = data.flatMap((value) => Array<number>(9).fill(value))
    const clusters = data.flatMap((_, i) => Array<string>(9).fill(`prompt ${i}`))
    const single = bootstrapMean(data, { rng })!
    const clustered = bootstrapMean(copies, { rng, clusters })!
    close(clustered.low, single.low)
    expect(clustered).toMatchObject({ n: 108, units: 12 })
    const naive = bootstrapMean(copies, { rng })!
    expect(naive.high - naive.low).toBeLessThan(0.5 * (clustered.high - clustered.low))
    const general = bootstrap(108, (at) => mean(Array.from(at, (i) => copies[i]!)), { rng, clusters })!
    close(general.high, clustered.high)
  })
  test('a ratio of sums; resamples without a value are counted', () => {
    const ratio = bootstrapMean([1, 0, 0], { rng, weights: [1, 0, 0], resamples: 500 })!
    expect(ratio.estimate).toBe(1)
    expect(ratio.undefinedResamples).toBeGreaterThan(100) // (2/3)^3 of 500
    expect(bootstrapMean([], { rng })).toBeNull()
    expect(bootstrapMean([0], { rng, weights: [0] })).toBeNull()
  })
  test('95% intervals cover the truth about 95% of the time', () => {
    let covered = 0
    for (let trial = 0; trial < 300; trial++) {
      const draw = new Rng(`cover ${trial}`)
      const sample = Array.from({ length: 60 }, () => draw.normal() + 1)
      const interval = bootstrapMean(sample, {
        rng: draw,
        resamples: 400,
        method: trial % 2 ? 'bca' : 'percentile',
      })!
      covered += Number(interval.low <= 1 && 1 <= interval.high)
    }
    expect(covered / 300).toBeGreaterThan(0.9)
    expect(covered / 300).toBeLessThan(0.99)
  })
  test('acceleration by groups agrees with leaving out one', () => {
    const draw = new Rng('skewed')
    const sample = Array.from({ length: 800 }, () => Math.exp(2 * draw.normal()))
    const grouped = bootstrapMean(sample, { rng: draw, resamples: 4000, method: 'bca' })!
    const plain = bootstrapMean(sample, { rng: draw, resamples: 4000 })!
    expect(grouped.high).toBeGreaterThan(plain.high) // skewed to the right
    expect(grouped.low).toBeGreaterThan(plain.low)
  })
})
