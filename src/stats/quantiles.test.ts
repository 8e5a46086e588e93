import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { close } from '../../tests/close.ts'
import {
  histogram,
  interquartileMean,
  mean,
  median,
  paired,
  pearson,
  quantile,
  standardDeviation,
  variance,
} from './index.ts'

const x = [3.1, 1.2, 4.4, 2.2, 5.9, 2.7]

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
        fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }),
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
