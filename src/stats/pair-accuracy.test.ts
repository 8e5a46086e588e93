import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { close } from '../../tests/close.ts'
import { areaUnderRoc, calibrateTies, mcnemar, pairAccuracy } from './index.ts'

const x = [3.1, 1.2, 4.4, 2.2, 5.9, 2.7]
const y = [1.0, 0.3, 2.5, 1.9, 2.6, 0.1]
const few = (low: number, high: number, size = 12) =>
  fc.array(fc.tuple(fc.integer({ min: low, max: high }), fc.integer({ min: low, max: high })), {
    maxLength: size,
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
    close(mcnemar(0, 100).exact * 2 ** 99, 1, 1e-10) // no cancellation in the tail
    expect(mcnemar(5, 5).exact).toBe(1)
    close(mcnemar(5, 5).mid, 1 - 0.24609375 / 2)
    expect(mcnemar(0, 0)).toMatchObject({ exact: 1, mid: 1 })
  })
})
