import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { close } from '../../tests/close.ts'
import { bestOfKCurve, bestOfKDivergence, expectedBestOfK } from './index.ts'

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
