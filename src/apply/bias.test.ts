import { expect, test } from 'vitest'
import { judgeBias } from './bias.ts'

const ids = Array.from({ length: 40 }, (_, i) => `${i}`)
const labels = ids.map((_, i) => (i % 4 === 0 ? 1 : -1)) // the longer one is right in a quarter of the pairs
const longer = ids.map((_, i) => (i === 39 ? 0 : 7))

test('a judge of length alone, one that is right, and one that cannot tell', () => {
  const table = {
    ids,
    labels,
    judges: {
      length: longer.map(() => 1),
      right: labels,
      none: ids.map(() => 0),
      absent: ids.map(() => null),
    },
  }
  const [length, right, none, absent] = judgeBias(table, longer)
  expect(length).toMatchObject({
    pairs: 39,
    whenAligned: { estimate: 1 },
    whenOpposed: { estimate: 0 },
    gap: { estimate: 1 },
    judgePrefers: { estimate: 1 },
    labelPrefers: { estimate: 10 / 39 },
  })
  expect(length!.excess!.low).toBeGreaterThan(0.5)
  expect(right).toMatchObject({ gap: { estimate: 0 }, excess: { estimate: 0, low: 0, high: 0 } })
  expect(none).toMatchObject({ gap: { estimate: 0 }, judgePrefers: { estimate: 0.5 } })
  expect(absent).toMatchObject({ pairs: 0, gap: null })
})

test('swapping the sides of pairs changes nothing', () => {
  const judge = ids.map((_, i) => (i % 3) - 1)
  const sign = (i: number) => (i % 5 < 2 ? -1 : 1)
  const flip = (list: readonly number[]) => list.map((value, i) => value * sign(i))
  expect(judgeBias({ ids, labels: flip(labels), judges: { judge: flip(judge) } }, flip(longer))).toEqual(
    judgeBias({ ids, labels, judges: { judge } }, longer),
  )
})
