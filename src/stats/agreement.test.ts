import { describe, expect, test } from 'vitest'
import { close } from '../../tests/close.ts'
import { cohenKappa, fleissKappa, krippendorffAlpha } from './index.ts'

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
