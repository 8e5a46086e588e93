import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Rng } from '../core/index.ts'
import { argsort, sortedNumbers } from './argsort.ts'

/** Long enough for the radix sort, with infinities, subnormals, both zeros and many ties. */
const lists = fc.array(
  fc.oneof(
    fc.double({ noNaN: true }),
    fc.constantFrom(0, -0, Infinity, -Infinity, Number.MIN_VALUE, -Number.MIN_VALUE, 1, -1),
  ),
  { minLength: 200, maxLength: 700, size: 'max' },
)

test('a stable ascending order of any doubles', () => {
  fc.assert(
    fc.property(lists, (list) => {
      const expected = list
        .map((_, i) => i)
        .sort((i, j) => (list[i]! < list[j]! ? -1 : list[i]! > list[j]! ? 1 : i - j))
      expect([...argsort(list)]).toEqual(expected)
    }),
    { numRuns: 50 },
  )
})
test('short lists, lists of one value and of small integers', () => {
  expect([...argsort([])]).toEqual([])
  expect([...argsort([3, -1, 3, 0])]).toEqual([1, 3, 0, 2])
  const same = Array<number>(1000).fill(-2.5)
  expect([...argsort(same)]).toEqual(same.map((_, i) => i))
  const rng = new Rng('sort')
  const integers = Array.from({ length: 5000 }, () => rng.int(-3, 4))
  expect([...sortedNumbers(integers)]).toEqual(integers.toSorted((a, b) => a - b))
})
