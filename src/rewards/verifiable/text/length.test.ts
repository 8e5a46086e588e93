import { expect, test } from 'vitest'
import { cosineLength, length, lengthWithin, overlongPenalty, textLength } from './length.ts'

test('units', () => {
  expect(textLength(' two  words\n', 'words')).toBe(2)
  expect(textLength('', 'words')).toBe(0)
  expect(textLength('a😀', 'characters')).toBe(2)
  expect(textLength('a\n\n \nb', 'lines')).toBe(2)
})

test("VLM-R1's cosine: right and wrong answers, clamped or as released", () => {
  const right = { start: 1, end: 0.5, limit: 1024 }
  expect([0, 256, 512, 1024].map((n) => Number(cosineLength(n, right).toFixed(6)))).toEqual([
    1, 0.926777, 0.75, 0.5,
  ])
  expect(cosineLength(2048, right)).toBe(0.5)
  expect(cosineLength(2048, { ...right, clamp: false })).toBeCloseTo(1, 12)
  const wrong = { start: -0.5, end: 0, limit: 1024 }
  expect(cosineLength(0, wrong)).toBe(-0.5)
  expect(cosineLength(1024, wrong)).toBeCloseTo(0, 12)
})

test('overlong penalty: its three pieces meet', () => {
  const limits = { limit: 100, buffer: 20 }
  expect([0, 80, 90, 100, 500].map((n) => overlongPenalty(n, limits))).toEqual([0, 0, -0.5, -1, -1])
  expect([100, 101].map((n) => overlongPenalty(n, { limit: 100, buffer: 0 }))).toEqual([0, -1])
})

test('within: both limits included, falls over the slope', () => {
  const limits = { minimum: 10, maximum: 20, slope: 5 }
  expect([4, 5, 8, 10, 20, 24, 25].map((n) => Number(lengthWithin(n, limits).toFixed(9)))).toEqual([
    0, 0, 0.6, 1, 1, 0.2, 0,
  ])
  expect(lengthWithin(21, { maximum: 20 })).toBe(0)
})

test('limits that contradict each other are refused', () => {
  expect(() => length.create({ shape: 'within', minimum: 5, maximum: 2 })).toThrow(/minimum/)
})
