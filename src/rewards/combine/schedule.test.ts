import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  constant,
  cosine,
  followedBy,
  isSchedule,
  linear,
  piecewise,
  productOf,
  schedule,
  stepAt,
} from './schedule.ts'

test('a step holds from its own step on, and the first value before everything', () => {
  const scale = stepAt(30, 1 / 3, 1)
  expect([-1, 0, 29, 30, 200].map(scale)).toEqual([1 / 3, 1 / 3, 1 / 3, 1, 1])
  expect(
    [0, 10, 19, 20].map(
      piecewise([
        [10, 'a'],
        [20, 'b'],
      ]),
    ),
  ).toEqual(['a', 'a', 'a', 'b'])
})

test('ramps are flat outside and exact at both ends', () => {
  const warmUp = linear({ from: 0, to: 0.1, end: 5000 })
  expect([0, 1250, 5000, 9000].map(warmUp)).toEqual([0, 0.025, 0.1, 0.1])
  const decay = cosine({ from: 1, to: 0.2, start: 10, end: 20 })
  expect([0, 10, 20, 99].map(decay)).toEqual([1, 1, 0.2, 0.2])
  expect(decay(15)).toBeCloseTo(0.6, 12)
  expect(decay(12)).toBeCloseTo(0.2 + (0.8 * (1 + Math.cos(0.2 * Math.PI))) / 2, 12)
})

test('ramps stay between their ends and move one way', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(linear, cosine),
      fc.integer({ min: -9, max: 9 }),
      fc.integer({ min: -9, max: 9 }),
      fc.integer({ min: 0, max: 100 }),
      fc.integer({ min: 0, max: 100 }),
      (shape, from, to, a, b) => {
        const ramp = shape({ from, to, start: 20, end: 70 })
        const [early, late] = [ramp(Math.min(a, b)), ramp(Math.max(a, b))]
        expect(Math.sign(late - early) * Math.sign(to - from)).toBeGreaterThanOrEqual(0)
        for (const value of [early, late]) {
          expect(value).toBeGreaterThanOrEqual(Math.min(from, to) - 1e-12)
          expect(value).toBeLessThanOrEqual(Math.max(from, to) + 1e-12)
        }
      },
    ),
  )
})

test('schedules compose, and their extremes and params follow', () => {
  const both = productOf(linear({ from: 0, to: 1, end: 10 }), stepAt(5, 2, -4))
  expect([0, 4, 5, 10].map(both)).toEqual([0, 0.8, -2, -4])
  expect(Math.min(...both.extremes)).toBe(-4)
  expect(Math.max(...both.extremes)).toBe(2)
  const later = followedBy(constant(7), 100, linear({ from: 7, to: 0, end: 7 }))
  expect([99, 100, 103, 200].map(later)).toEqual([7, 7, 4, 0])
  expect(both.params).not.toEqual(productOf(linear({ from: 0, to: 1, end: 11 }), stepAt(5, 2, -4)).params)
  expect(constant(both)).toBe(both)
  expect(isSchedule(both)).toBe(true)
  expect(isSchedule((step: number) => step)).toBe(false)
  expect(schedule((step) => step ** 2, { square: true }, [0, 100])(3)).toBe(9)
})

test('impossible schedules are refused', () => {
  expect(() => piecewise([])).toThrow(RangeError)
  expect(() =>
    piecewise([
      [5, 1],
      [5, 2],
    ]),
  ).toThrow(/ascend/)
  expect(() => linear({ from: 0, to: 1, start: 5, end: 5 })).toThrow(RangeError)
})
