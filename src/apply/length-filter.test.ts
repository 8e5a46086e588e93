import { expect, test } from 'vitest'
import type { Preference } from '../core/index.ts'
import { withoutLongerChosen } from './length-filter.ts'

const pair = (chosen: number, rejected: number): Preference => ({
  id: `${chosen}/${rejected}`,
  prompt: 'p',
  chosen: 'w '.repeat(chosen).trim(),
  rejected: 'v '.repeat(rejected).trim(),
  meta: {},
})
const idsOf = (pairs: readonly Preference[]) => pairs.map(({ id }) => id)

test('the chosen may be as long as the ratio says, the rejected may be longer', () => {
  const { kept, dropped } = withoutLongerChosen([pair(3, 2), pair(4, 2), pair(2, 9), pair(1, 0), pair(0, 0)])
  expect(idsOf(kept)).toEqual(['3/2', '2/9', '0/0'])
  expect(idsOf(dropped)).toEqual(['4/2', '1/0'])
})

test('the ratio and what is counted are options', () => {
  const pairs = [pair(4, 2), pair(6, 2)]
  expect(idsOf(withoutLongerChosen(pairs, { ratio: 2 }).kept)).toEqual(['4/2'])
  expect(withoutLongerChosen(pairs, { lengthOf: () => 1 }).dropped).toEqual([])
  expect(() => withoutLongerChosen(pairs, { ratio: Number.NaN })).toThrow(/ratio of NaN/)
})
