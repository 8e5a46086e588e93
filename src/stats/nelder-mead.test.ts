import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nelderMead, nelderMeadSearch } from './nelder-mead.ts'

const corner = (point: readonly number[]) => [
  [...point],
  ...point.map((_, at) => point.map((value, other) => value + Number(other === at))),
]

test('it finds the minimum of bowls, in as many dimensions as there are', async () => {
  const coordinate = fc.double({ min: -3, max: 3, noNaN: true })
  const bowls = fc.integer({ min: 1, max: 3 }).chain((size) =>
    fc.record({
      lowest: fc.array(coordinate, { minLength: size, maxLength: size }),
      start: fc.array(coordinate, { minLength: size, maxLength: size }),
    }),
  )
  await fc.assert(
    fc.asyncProperty(bowls, async ({ lowest, start }) => {
      const bowl = (point: readonly number[]) =>
        point.reduce((sum, value, at) => sum + (1 + at) * (value - lowest[at]!) ** 2, 0)
      const { simplex } = await nelderMead(bowl, corner(start), { spread: 0, sameWithin: 0 })
      simplex[0]!.point.forEach((value, at) => {
        expect(Math.abs(value - lowest[at]!)).toBeLessThan(0.01)
      })
    }),
    { seed: 1, numRuns: 50 },
  )
})

test('the best is never lost, and points near earlier ones are not asked again', async () => {
  const asked: (readonly number[])[] = []
  const values: number[] = []
  const search = nelderMeadSearch([[0], [1]], { spread: 0, maxSteps: 40, sameWithin: 0.1 })
  let next = search.next()
  while (!next.done) {
    asked.push(next.value)
    values.push(Math.abs(next.value[0]! - 0.3))
    next = search.next(values.at(-1)!)
  }
  expect(next.value.simplex[0]!.value).toBe(Math.min(...values))
  expect(next.value.evaluations).toBe(asked.length)
  expect(next.value.steps).toHaveLength(40)
  for (const [index, [point]] of asked.entries())
    for (const [earlier] of asked.slice(0, index))
      expect(Math.abs(point! - earlier!)).toBeGreaterThanOrEqual(0.1)
})

test('an expanded point that is worse than the reflected one is taken by the published test alone', async () => {
  // best at 0; reflected to -1 (better), expanded to -2 (better than the best, worse than the reflected)
  const value = ([x]: readonly number[]) => ({ '1': 3, '0': 2, '-1': 0, '-2': 1 })[String(x)]!
  const step = { maxSteps: 1, spread: 0 }
  const published = await nelderMead(value, [[1], [0]], step)
  expect(published.steps).toEqual(['expand'])
  expect(published.simplex[0]!.point).toEqual([-2])
  const textbook = await nelderMead(value, [[1], [0]], { ...step, expansionTest: 'reflected' })
  expect(textbook.steps).toEqual(['reflect'])
  expect(textbook.simplex[0]!.point).toEqual([-1])
})

test('where nothing is better all shrink towards the best, and the released rule ends there alone', async () => {
  const flat = () => 1
  expect((await nelderMead(flat, [[0], [1]])).steps).toEqual(['shrink'])
  const bowl = ([x]: readonly number[]) => 1e-6 * x! ** 2
  const [soon, late] = await Promise.all([
    nelderMead(bowl, [[4], [5]]),
    nelderMead(bowl, [[4], [5]], { endsAfter: 'shrink' }),
  ])
  expect(soon.steps).toEqual(['expand'])
  expect(late.steps.length).toBeGreaterThan(1)
  expect(late.steps.at(-1)).toBe('shrink')
})

test('bad input', async () => {
  await expect(
    nelderMead(
      () => 0,
      [
        [0, 0],
        [1, 1],
      ],
    ),
  ).rejects.toThrow(/2 points of 2 numbers make no simplex/)
  await expect(nelderMead(() => Number.NaN, [[0], [1]])).rejects.toThrow(/value of \[0\] is NaN/)
})
