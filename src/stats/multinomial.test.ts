import { expect, test } from 'vitest'
import { Rng } from '../core/index.ts'
import { binomialDraw, multinomialDraw } from './multinomial.ts'
import { binomialProbability } from './special.ts'

test.each([
  [5, 0.3],
  [40, 0.1],
  [40, 0.5],
  [400, 0.07],
  [1000, 0.9],
])('draws of binomial(%d, %d) follow its probabilities', (n, p) => {
  const rng = new Rng(`binomial ${n} ${p}`)
  const draws = 20_000
  const counts = new Float64Array(n + 1)
  for (let i = 0; i < draws; i++) counts[binomialDraw(rng, n, p)]!++
  // Chi-square over the cells with enough expected; rare cells pooled.
  let [square, cells, pooled, pooledExpected] = [0, 0, 0, 0]
  for (let k = 0; k <= n; k++) {
    const expected = draws * binomialProbability(k, n, p)
    if (expected < 20) {
      pooled += counts[k]!
      pooledExpected += expected
    } else {
      square += (counts[k]! - expected) ** 2 / expected
      cells++
    }
  }
  if (pooledExpected > 5) square += (pooled - pooledExpected) ** 2 / pooledExpected
  // Mean `cells`, deviation sqrt(2 cells): four deviations.
  expect(square).toBeLessThan(cells + 4 * Math.sqrt(2 * cells) + 4)
})

test('a multinomial draw adds up, leaves cells of weight 0 alone and has the means of its weights', () => {
  const rng = new Rng('multinomial')
  const weights = [3, 0, 5, 2, 0]
  const sums = [0, 0, 0, 0, 0]
  for (let draw = 0; draw < 500; draw++) {
    const counts = multinomialDraw(rng, 1000, weights)
    expect(counts.reduce((sum, count) => sum + count)).toBe(1000)
    counts.forEach((count, cell) => {
      sums[cell]! += count / 500
    })
  }
  expect([sums[1], sums[4]]).toEqual([0, 0])
  // Deviation of a mean of 500 draws: sqrt(1000 * 0.5 * 0.5 / 500) = 0.7.
  expect(Math.abs(sums[0]! - 300)).toBeLessThan(3)
  expect(Math.abs(sums[2]! - 500)).toBeLessThan(3)
  expect(() => multinomialDraw(rng, 5, [0, 0])).toThrow(RangeError)
})
