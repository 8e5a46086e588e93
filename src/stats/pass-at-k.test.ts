import fc from 'fast-check'
import { expect, test } from 'vitest'
import { passAtK, passHatK } from './pass-at-k.ts'

const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k)

test('hand-worked', () => {
  expect(passAtK({ n: 4, correct: 1, k: 2 })).toBeCloseTo(0.5, 12)
  expect(passAtK({ n: 4, correct: 0, k: 4 })).toBe(0)
  expect(passAtK({ n: 4, correct: 1, k: 4 })).toBe(1)
  expect(passHatK({ n: 4, correct: 2, k: 2 })).toBeCloseTo(1 / 6, 12)
  expect(passHatK({ n: 4, correct: 1, k: 2 })).toBe(0)
  for (const wrong of [
    { n: 2, correct: 3, k: 1 },
    { n: 2, correct: 1, k: 3 },
    { n: 2, correct: 1, k: 0 },
  ])
    expect(() => passAtK(wrong)).toThrow(RangeError)
})

test('equals the binomials; k = 1 is the share of right ones', () => {
  const counts = fc.integer({ min: 1, max: 40 }).chain((n) =>
    fc.record({
      n: fc.constant(n),
      correct: fc.integer({ min: 0, max: n }),
      k: fc.integer({ min: 1, max: n }),
    }),
  )
  fc.assert(
    fc.property(counts, ({ n, correct, k }) => {
      const none = n - correct < k ? 0 : choose(n - correct, k) / choose(n, k)
      expect(passAtK({ n, correct, k })).toBeCloseTo(1 - none, 9)
      expect(passHatK({ n, correct, k })).toBeCloseTo(correct < k ? 0 : choose(correct, k) / choose(n, k), 9)
      expect(passAtK({ n, correct, k: 1 })).toBeCloseTo(correct / n, 12)
    }),
  )
})
