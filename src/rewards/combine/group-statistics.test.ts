import { expect, test } from 'vitest'
import { groupStatistics, zeroVarianceShare } from './group-statistics.ts'

const scores = [1, 1, null, 0, 1, 5, null, null].map((value) => ({ value }))
const groups = ['a', 'a', 'a', 'b', 'b', 'c', 'c', 'd']

test('unscored samples enter no mean, and groups with fewer than two scores are counted apart', () => {
  expect(groupStatistics(scores, groups)).toEqual([
    { group: 'a', scored: 2, unscored: 1, mean: 1, standardDeviation: 0, zeroVariance: true },
    { group: 'b', scored: 2, unscored: 0, mean: 0.5, standardDeviation: 0.5, zeroVariance: false },
    { group: 'c', scored: 1, unscored: 1, mean: 5, standardDeviation: 0, zeroVariance: null },
    { group: 'd', scored: 0, unscored: 1, mean: null, standardDeviation: null, zeroVariance: null },
  ])
  expect(zeroVarianceShare(scores, groups)).toEqual({
    share: 0.5,
    zeroVariance: 1,
    counted: 2,
    tooFew: 2,
    unscored: 3,
  })
})

test('no groups have no share, and lengths must agree', () => {
  expect(zeroVarianceShare([], []).share).toBe(null)
  expect(() => zeroVarianceShare(scores, [])).toThrow(RangeError)
})
