import { expect, test } from 'vitest'
import { banded, exceeds, hardCut, raisedAfter, rescale, squash } from './threshold.ts'

test('squash is strict on both sides: a value equal to a bound stays', () => {
  expect([0.4, 0.5, 0.6, 0.75, 0.76].map((value) => squash(value, [0.5, 0.75]))).toEqual([
    0, 0.5, 0.6, 0.75, 1,
  ])
  expect([0.5, 0.51, 0.49].map((value) => hardCut(value, 0.5))).toEqual([0.5, 1, 0])
})

test('the threshold rises at its step, not before', () => {
  const threshold = raisedAfter(1500, [0.5, 0.75], [0.75, 0.9])
  expect(squash(0.6, threshold(1499))).toBe(0.6)
  expect(squash(0.6, threshold(1500))).toBe(0)
})

test('bands are strict and tried highest first', () => {
  const bands = [
    [0.95, 1],
    [0.9, 0.2],
  ] as const
  expect([0.96, 0.95, 0.9].map((value) => banded(value, bands))).toEqual([1, 0.2, 0])
  expect(exceeds(0.5, 0.5)).toBe(0)
  expect(exceeds(0.5, 0.5, true)).toBe(1)
})

test('rescale clips and refuses an empty interval', () => {
  expect([-0.05, -0.012, 0.01].map((value) => rescale(value, [-0.03, 0]))).toEqual([0, 0.6, 1])
  expect(() => rescale(0, [1, 1])).toThrow(RangeError)
})
