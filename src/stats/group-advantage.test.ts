import { expect, test } from 'vitest'
import { groupAdvantages } from './group-advantage.ts'

const near = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 6))

test('vectors of the policy objectives card', () => {
  const scores = [1, 0, 0.5, 1]
  expect(groupAdvantages(scores)).toEqual(near([0.783186, -1.30531, -0.261062, 0.783186]))
  expect(groupAdvantages(scores, { ddof: 0 })).toEqual(near([0.904316, -1.507193, -0.301439, 0.904316]))
  expect(groupAdvantages(scores, { scale: 'none' })).toEqual([0.375, -0.625, -0.125, 0.375])
  expect(groupAdvantages([1, 0, 0.25])).toEqual(near([1.120682, -0.800487, -0.320195]))
})
test('an unscored sample enters no baseline and has no advantage', () => {
  expect(groupAdvantages([1, null, 0, 0.5, 1])).toEqual([
    ...near([0.783186]),
    null,
    ...near([-1.30531, -0.261062, 0.783186]),
  ])
  expect(groupAdvantages([1, null])).toEqual([null, null])
  expect(groupAdvantages([0.1, 0.1, 0.1])).toEqual([0, 0, 0])
})
