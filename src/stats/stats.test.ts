import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Rng } from '../core/index.ts'
import {
  areaUnderRoc,
  bestOfKCurve,
  bestOfKDivergence,
  binomialCdf,
  bootstrap,
  bootstrapMean,
  calibrateTies,
  calibration,
  cliffDelta,
  clopperPearsonInterval,
  cohenD,
  cohenKappa,
  expectedBestOfK,
  fleissKappa,
  hedgesG,
  histogram,
  incompleteBeta,
  interquartileMean,
  kendall,
  krippendorffAlpha,
  logGamma,
  mcnemar,
  mean,
  meanInterval,
  median,
  midRanks,
  normalCdf,
  normalQuantile,
  pairAccuracy,
  paired,
  pairedD,
  partialPearson,
  pearson,
  places,
  quantile,
  spearman,
  standardDeviation,
  studentQuantile,
  variance,
  wilsonInterval,
} from './index.ts'

// Constants marked SciPy are from SciPy 1.17.
const x = [3.1, 1.2, 4.4, 2.2, 5.9, 2.7]
const y = [1.0, 0.3, 2.5, 1.9, 2.6, 0.1]
const few = (low: number, high: number, size = 12) =>
  fc.array(fc.tuple(fc.integer({ min: low, max: high }), fc.integer({ min: low, max: high })), {
    maxLength: size,
  })
const close = (actual: number | null, expected: number, tolerance = 1e-12) => {
  expect(actual).not.toBeNull()
  expect(Math.abs(actual! - expected), `${actual} is not ${expected}`).toBeLessThanOrEqual(
    tolerance * Math.max(1, Math.abs(expected)),
  )
}

describe('special functions (SciPy)', () => {
  test('log-gamma, incomplete beta, normal, Student, binomial', () => {
    for (const [at, value] of [
      [0.1, 2.252712651734206],
      [1, 0],
      [3.5, 1.2009736023470743],
      [100, 359.1342053695754],
      [1e6, 12815504.569147611],
    ] as const)
      close(logGamma(at), value)
    close(incompleteBeta(0.4, 2, 3), 0.5247999999999999)
    close(incompleteBeta(0.9, 0.5, 0.5), 0.7951672353008665)
    close(incompleteBeta(0.62, 300, 200), 0.8190699881577963, 1e-11)
    close(incompleteBeta(0.501, 1e5, 1e5), 0.8144532554424423, 1e-9)
    for (const [z, p] of [
      [-3, 0.0013498980316300933],
      [-1.96, 0.024997895148220435],
      [0.3, 0.6179114221889526],
      [5, 0.9999997133484281],
    ] as const)
      close(normalCdf(z), p, 1e-14)
    close(normalQuantile(0.025), -1.9599639845400545)
    close(normalQuantile(1e-9), -5.9978070150076865)
    close(studentQuantile(0.975, 3), 3.1824463052837078)
    close(studentQuantile(0.975, 1), 12.706204736174694)
    close(studentQuantile(0.9, 50), 1.2987136941948096)
    close(studentQuantile(0.975, 100_000), 1.9599877075346095, 1e-9)
    close(binomialCdf(3, 10, 0.3), 0.6496107184000002)
    close(binomialCdf(480, 1000, 0.5), 0.10872414660207075, 1e-10)
  })
})

describe('moments, quantiles, histograms', () => {
  test('ddof is what it says', () => {
    close(variance([1, 2, 3, 4], { ddof: 0 }), 1.25)
    close(variance([1, 2, 3, 4], { ddof: 1 }), 5 / 3)
    expect(standardDeviation([7], { ddof: 1 })).toBeNull()
    expect(standardDeviation([7], { ddof: 0 })).toBe(0)
    expect(mean([])).toBeNull()
  })
  test('quantiles interpolate linearly (NumPy)', () => {
    ;[1.7, 2.325, 2.9, 5.15].forEach((value, i) => {
      close(quantile(x, [0.1, 0.25, 0.5, 0.9][i]!), value)
    })
    expect(median([3, 1, 2])).toBe(2)
    expect(quantile([], 0.5)).toBeNull()
    expect(() => quantile([1], 1.5)).toThrow(RangeError)
    close(interquartileMean(x), 3.1)
    close(interquartileMean([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 100]), 5)
  })
  test('every value is counted once, in the bin whose edges hold it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }),
        fc.integer({ min: 1, max: 30 }),
        (values, bins) => {
          const { counts, edges, below, above } = histogram(values, { bins })
          expect(counts.reduce((a, b) => a + b) + below + above).toBe(values.length)
          expect([below, above]).toEqual([0, 0])
          counts.forEach((count, bin) => {
            const last = bin === bins - 1
            expect(count).toBe(
              values.filter((v) => v >= edges[bin]! && (last ? v <= edges[bin + 1]! : v < edges[bin + 1]!))
                .length,
            )
          })
        },
      ),
    )
    expect(histogram([0, 1, 2, 9], { bins: 2, range: [0, 2] })).toEqual({
      edges: [0, 1, 2],
      counts: [1, 2],
      below: 0,
      above: 1,
    })
  })
  test('numbers that are not finite are refused, scores that are null are counted', () => {
    expect(() => mean([1, Number.NaN])).toThrow(/values\[1\] is NaN/)
    expect(() => pearson([1], [1, 2])).toThrow(/cannot be paired/)
    expect(paired([1, null, 3, null], [null, 2, 4, null])).toEqual({
      a: [3],
      b: [4],
      indices: [2],
      n: 1,
      dropped: { a: 1, b: 1, both: 1 },
    })
  })
})

describe('correlation (SciPy)', () => {
  const a = [1, 2, 2, 3, 5, 4, 4, 1]
  const b = [2.5, 1, 3, 3, 4, 4, 6, 0]
  test('with ties', () => {
    close(pearson(a, b), 0.7677419354838708)
    close(spearman(a, b), 0.8711820390349005)
    expect([...places([1, 3, 2, 3])]).toEqual([4, 1, 3, 1])
    expect([...midRanks(a)]).toEqual([1.5, 3.5, 3.5, 5, 8, 6.5, 6.5, 1.5])
    close(kendall(a, b).tauB, 0.7452413135250994)
    close(kendall(a, b).tauC, 0.7421875)
    const [c, d] = [
      [1, 1, 2, 2, 3, 3, 3, 1, 2, 2],
      [1, 2, 1, 2, 1, 2, 2, 1, 1, 2],
    ]
    close(kendall(c!, d!).tauB, 0.24370871833797697)
    close(kendall(c!, d!).tauC, 0.28)
    close(partialPearson(x, y, [1, 2, 3, 4, 5, 7]), 0.7941721540834676)
  })
  test('what is not defined is null, not NaN', () => {
    expect(pearson([1, 1, 1], [1, 2, 3])).toBeNull()
    expect(spearman([1], [1])).toBeNull()
    expect(kendall([2, 2], [1, 3])).toMatchObject({ tauA: 0, tauB: null, tauC: null })
    expect(kendall([], [])).toMatchObject({ n: 0, tauA: null })
    expect(pearson([0.1, 0.1, 0.1], [1, 2, 3])).toBeNull() // 0.1 + 0.1 + 0.1 is not 0.3
  })
  test('Kendall counts what a double loop counts', () => {
    const lists = fc.oneof(few(-3, 3, 80), few(-1000, 1000, 80))
    fc.assert(
      fc.property(lists, (points) => {
        const counts = { concordant: 0, discordant: 0, tiedA: 0, tiedB: 0, tiedBoth: 0 }
        points.forEach(([a, b], i) => {
          for (const [c, d] of points.slice(0, i)) {
            const sign = Math.sign(a - c) * Math.sign(b - d)
            if (sign > 0) counts.concordant++
            if (sign < 0) counts.discordant++
            if (a === c) counts.tiedA++
            if (b === d) counts.tiedB++
            if (a === c && b === d) counts.tiedBoth++
          }
        })
        expect(
          kendall(
            points.map(([a]) => a),
            points.map(([, b]) => b),
          ),
        ).toMatchObject(counts)
      }),
    )
  })
  test('symmetric, odd under negation, unmoved by rising maps', () => {
    fc.assert(
      fc.property(few(-20, 20), (points) => {
        const [a, b] = [points.map(([a]) => a), points.map(([, b]) => b)]
        const cubed = a.map((v) => v ** 3 + v)
        const negated = a.map((v) => -v)
        for (const statistic of [spearman, (p: number[], q: number[]) => kendall(p, q).tauB]) {
          const value = statistic(a, b)
          if (value === null) {
            expect(statistic(b, a)).toBeNull()
            continue
          }
          close(statistic(b, a), value)
          close(statistic(cubed, b), value)
          close(statistic(negated, b), -value)
          expect(Math.abs(value)).toBeLessThanOrEqual(1)
        }
      }),
    )
  })
})

describe('agreement', () => {
  test('kappa of the textbook table, weights by an independent formula', () => {
    const a = [...Array(25).fill('yes'), ...Array(25).fill('no')]
    const b = [
      ...Array(20).fill('yes'),
      ...Array(5).fill('no'),
      ...Array(10).fill('yes'),
      ...Array(15).fill('no'),
    ]
    close(cohenKappa(a, b)!.kappa, 0.4)
    const [c, d] = [
      [0, 1, 2, 3, 3, 2, 1, 0, 2, 2],
      [0, 2, 2, 3, 1, 2, 0, 0, 3, 1],
    ]
    close(cohenKappa(c!, d!, { weights: 'linear' })!.kappa, 0.5)
    close(cohenKappa(c!, d!, { weights: 'quadratic' })!.kappa, 0.6551724137931034)
    close(cohenKappa(c!, d!)!.kappa, 0.32432432432432434)
  })
  test('two raters who only ever say one thing have no kappa', () => {
    expect(cohenKappa([1, 1], [1, 1])).toMatchObject({ observed: 1, kappa: null })
    expect(cohenKappa([], [])).toBeNull()
    expect(() => cohenKappa(['a'], ['b'], { order: ['a'] })).toThrow(/"b" is not in the order/)
  })
  test('an unused category in the middle counts for the distance', () => {
    const [a, b] = [
      [1, 1, 3, 3],
      [1, 3, 3, 1],
    ]
    close(cohenKappa(a!, b!, { weights: 'linear', order: [1, 2, 3] })!.observed, 0.5)
    expect(cohenKappa([10, 9], [9, 10], { weights: 'linear' })!.kappa).toBe(-1) // sorted as numbers
  })
  test('Fleiss on the table of his paper', () => {
    const table = [
      [0, 0, 0, 0, 14],
      [0, 2, 6, 4, 2],
      [0, 0, 3, 5, 6],
      [0, 3, 9, 2, 0],
      [2, 2, 8, 1, 1],
      [7, 7, 0, 0, 0],
      [3, 2, 6, 3, 0],
      [2, 5, 3, 2, 2],
      [6, 5, 2, 1, 0],
      [0, 2, 2, 3, 7],
    ]
    const ratings = table.map((row) => row.flatMap((count, category) => Array<number>(count).fill(category)))
    expect(fleissKappa(ratings)).toBeCloseTo(0.2099, 4)
    expect(() => fleissKappa([['a', 'b'], ['a']])).toThrow(/krippendorffAlpha/)
  })
  test('Krippendorff on the example of his manual', () => {
    const raters = [
      [1, 2, 3, 3, 2, 1, 4, 1, 2, null, null, null],
      [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, null, 3],
      [null, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, null],
      [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, null],
    ]
    const items = raters[0]!.map((_, item) => raters.map((rater) => rater[item]!))
    expect(krippendorffAlpha(items, 'nominal')).toBeCloseTo(0.743, 3)
    expect(krippendorffAlpha(items, 'ordinal')).toBeCloseTo(0.815, 3)
    expect(krippendorffAlpha(items, 'interval')).toBeCloseTo(0.849, 3)
    expect(krippendorffAlpha(items, 'ratio')).toBeCloseTo(0.797, 3)
    expect(krippendorffAlpha([[1, null], [2]], 'nominal')).toBeNull()
  })
})

describe('accuracy on pairs', () => {
  test('ties are counted as stated', () => {
    const margins = [2, -1, 0, 0.5, 0, 1]
    const labels = [1, 1, 1, 0, 0, 1]
    expect(pairAccuracy(margins, labels)).toEqual({
      accuracy: 2.5 / 4,
      n: 6,
      counted: 4,
      right: 2,
      wrong: 1,
      predictedTies: 1,
      labelTies: 2,
    })
    expect(pairAccuracy(margins, labels, { predictedTies: 'drop' }).accuracy).toBe(2 / 3)
    expect(pairAccuracy(margins, labels, { predictedTies: 'wrong' }).accuracy).toBe(2 / 4)
    expect(pairAccuracy(margins, labels, { labelTies: 'match', predictedTies: 'wrong' }).accuracy).toBe(3 / 6)
    expect(pairAccuracy(margins, labels, { labelTies: 'half' }).accuracy).toBe(3.5 / 6)
    expect(pairAccuracy(margins, labels, { tolerance: 1, labelTies: 'match' })).toMatchObject({
      accuracy: (1 + 0.5 + 0.5 + 1 + 1 + 0.5) / 6,
    })
    expect(pairAccuracy([1], [0]).accuracy).toBeNull()
  })
  test('the order inside a pair does not matter', () => {
    fc.assert(
      fc.property(few(-2, 2), fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }), (pairs, flips) => {
        const sign = (i: number) => (flips[i] ? -1 : 1)
        const options = { labelTies: 'match', predictedTies: 'half' } as const
        expect(
          pairAccuracy(
            pairs.map(([m], i) => m * sign(i)),
            pairs.map(([, l], i) => l * sign(i)),
            options,
          ),
        ).toEqual(
          pairAccuracy(
            pairs.map(([m]) => m),
            pairs.map(([, l]) => l),
            options,
          ),
        )
      }),
    )
  })
  test('tie calibration finds the best tolerance of all', () => {
    fc.assert(
      fc.property(few(-4, 4), (pairs) => {
        const [margins, labels] = [pairs.map(([m]) => m), pairs.map(([, l]) => Math.sign(l))]
        const found = calibrateTies(margins, labels)
        if (found === null) return
        const at = (tolerance: number) =>
          pairAccuracy(margins, labels, { tolerance, labelTies: 'match', predictedTies: 'wrong' }).accuracy!
        close(at(found.tolerance), found.accuracy)
        close(Math.max(...[0, 1, 2, 3, 4].map(at)), found.accuracy)
      }),
    )
  })
  test('area under the ROC curve counts every pair (SciPy)', () => {
    close(areaUnderRoc(x, y), 0.8611111111111112)
    expect(areaUnderRoc([], [1])).toBeNull()
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 5 })),
        fc.array(fc.integer({ min: 0, max: 5 })),
        (p, n) => {
          fc.pre(p.length > 0 && n.length > 0)
          let wins = 0
          for (const a of p) for (const b of n) wins += a > b ? 1 : a === b ? 0.5 : 0
          close(areaUnderRoc(p, n), wins / p.length / n.length)
        },
      ),
    )
  })
  test('McNemar (SciPy)', () => {
    for (const [b, c, exact, mid] of [
      [3, 12, 0.03515625, 0.02127075195312501],
      [12, 3, 0.03515625, 0.02127075195312501],
      [0, 4, 0.125, 0.0625],
      [100, 140, 0.01166409231767769, 0.009831541178608735],
    ] as const) {
      close(mcnemar(b, c).exact, exact, 1e-11)
      close(mcnemar(b, c).mid, mid, 1e-11)
    }
    expect(mcnemar(5, 5).exact).toBe(1)
    close(mcnemar(5, 5).mid, 1 - 0.24609375 / 2)
    expect(mcnemar(0, 0)).toMatchObject({ exact: 1, mid: 1 })
  })
})

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

test('calibration: bins, expected error, Brier', () => {
  const p = [0.05, 0.1, 0.15, 0.85, 0.95, 0.95, 1, 0]
  const outcomes = [0, 1, 0, 1, 1, 0, 1, 0]
  const result = calibration(p, outcomes)!
  close(result.expectedError, 0.25625)
  close(result.brier, 0.2203125)
  expect(result.bins[0]).toMatchObject({ count: 3 })
  expect(result.bins[5]).toMatchObject({ count: 0, meanProbability: null, frequency: null })
  expect(calibration(p, outcomes, { bins: 4, binning: 'count' })!.bins.map(({ count }) => count)).toEqual([
    2, 2, 3, 1,
  ])
  expect(calibration([], [])).toBeNull()
  expect(() => calibration([1.2], [1])).toThrow(/not in \[0, 1\]/)
})

describe('best of k', () => {
  test('vectors of the policy objectives card', () => {
    const rewards = [0.1, 0.4, 0.9, 0.3]
    close(expectedBestOfK(rewards, 1), 0.425)
    close(expectedBestOfK(rewards, 2), 0.633333, 1e-6)
    close(expectedBestOfK(rewards, 4), 0.9)
    close(bestOfKDivergence(4), 0.636294, 1e-6)
    close(bestOfKDivergence(16), 1.835089, 1e-6)
    expect(() => expectedBestOfK(rewards, 5)).toThrow(RangeError)
  })
  test('equals the mean over all subsets, ties broken at random', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3), fc.nat(9)), { minLength: 1, maxLength: 7 }), (samples) => {
        const [rewards, gold] = [samples.map(([r]) => r), samples.map(([, g]) => g)]
        const sums = samples.map(() => ({ total: 0, subsets: 0 }))
        for (let subset = 1; subset < 2 ** samples.length; subset++) {
          const members = samples.filter((_, i) => subset & (1 << i))
          const best = Math.max(...members.map(([r]) => r))
          const tied = members.filter(([r]) => r === best)
          const entry = sums[members.length - 1]!
          entry.total += tied.reduce((sum, [, g]) => sum + g, 0) / tied.length
          entry.subsets++
        }
        bestOfKCurve(rewards, gold).forEach((value, i) => {
          close(value, sums[i]!.total / sums[i]!.subsets)
        })
      }),
    )
  })
  test('many samples of one value stay that value', () => {
    close(expectedBestOfK(Array<number>(2000).fill(0.3), 1000), 0.3)
  })
})

test('effect sizes', () => {
  close(cohenD(x, y), 1.31027848051995)
  close(hedgesG(x, y), 1.2094878281722616)
  close(pairedD(x, y), 1.6839069652956882)
  close(cliffDelta(x, y), 2 * 0.8611111111111112 - 1)
  expect(cohenD([1, 1], [1, 1])).toBeNull()
})
