import fc from 'fast-check'
import { expect, test } from 'vitest'
import { duplicateShare, ngramPenalty } from './repetition.ts'

test('hand-worked', () => {
  expect(ngramPenalty('a b c d e f a b c d e f g', { size: 6 })).toBeCloseTo(-0.125, 12)
  expect(ngramPenalty('a b c a b c a b c', { size: 3, maxPenalty: -2 })).toBeCloseTo(-8 / 7, 12)
  expect(ngramPenalty(' A a A A', { size: 3, maxPenalty: -2 })).toBe(-1)
  expect(ngramPenalty('a b c d', { size: 3, maxPenalty: -2 })).toBe(0)
  expect(ngramPenalty('a a', { size: 3 })).toBe(0)
  expect(ngramPenalty('', { size: 1 })).toBe(0)
  expect(duplicateShare(['a', 'a', 'b'])).toBeCloseTo(1 / 3, 12)
})

test('two words are not one: the n-gram of "a b" and "c" is not that of "a" and "b c"', () => {
  expect(ngramPenalty('a b a  b', { size: 2 })).toBeCloseTo(-1 / 3, 12)
})

test('saying everything twice costs more than once, never more than maxPenalty', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 4 }), (text, size) => {
      const once = ngramPenalty(text, { size })
      const twice = ngramPenalty(`${text} ${text}`, { size })
      expect(twice).toBeLessThanOrEqual(once + 1e-12)
      expect(twice).toBeGreaterThanOrEqual(-1)
    }),
  )
})
