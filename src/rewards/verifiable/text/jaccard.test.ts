import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jaccard, multisetJaccard } from './jaccard.ts'

test('counts matter to the multiset, not to the set', () => {
  expect(multisetJaccard(['a', 'a', 'b'], ['a', 'b', 'c'])).toBe(0.5)
  expect(jaccard(['a', 'a', 'b'], ['a', 'b', 'c'])).toBeCloseTo(2 / 3, 12)
})

test('typed and deep equality', () => {
  expect(multisetJaccard([3], ['3'])).toBe(0)
  expect(multisetJaccard([{ a: 1, b: [2] }], [{ b: [2], a: 1 }])).toBe(1)
  expect(multisetJaccard([{ a: 1 }], ['{"a":1}'])).toBe(0)
  expect(multisetJaccard([[{ a: 1 }], null], [[{ a: 1 }], undefined])).toBeCloseTo(1 / 3, 12)
  expect(jaccard([{ a: 1 }, { a: 1 }], [{ a: 1 }])).toBe(1)
})

test('symmetric, in [0, 1], blind to order; empty lists as stated', () => {
  const list = fc.array(fc.oneof(fc.constantFrom('a', 'b', 1, '1', true), fc.jsonValue({ maxDepth: 1 })))
  fc.assert(
    fc.property(list, list, (a, b) => {
      for (const measure of [jaccard, multisetJaccard]) {
        expect(measure(a, b)).toBe(measure(b, a))
        expect(measure(a, b)).toBe(measure([...a].reverse(), b))
        expect(measure(a, b) >= 0 && measure(a, b) <= 1).toBe(true)
        expect(measure(a, a)).toBe(1)
      }
    }),
  )
  expect([multisetJaccard([], []), multisetJaccard([], ['a'])]).toEqual([1, 0])
})
