import { defaultDevice, lax, numpy as np } from '@jax-js/jax'
import { expect, test } from 'vitest'
import { evaluated, evaluatedGradient } from './evaluated.ts'

test('numbers, lists and objects of them go in and come out, in float64', () => {
  const inputs = { scale: 1 / 3, nested: { rows: [[1, 2]] }, absent: undefined }
  const result = evaluated(
    ({ scale, nested, ...rest }) => ({ keys: Object.keys(rest).length, rows: nested.rows.mul(scale) }),
    inputs,
  )
  expect(result).toEqual({ keys: 0, rows: [[1 / 3, 2 / 3]] })
  expect(evaluated((x) => np.exp(x), 1)).toBeCloseTo(Math.E, 14)
})

test('derivatives have the structure of the inputs', () => {
  const { value, gradient } = evaluatedGradient(
    ({ a, b }) => np.sum(np.square(a).mul(lax.stopGradient(b.c))),
    { a: [1, 2], b: { c: [3, 4] } },
  )
  expect(value).toBe(19)
  expect(gradient).toEqual({ a: [6, 16], b: { c: [0, 0] } })
})

test('the default device is left as it was, after an error too', () => {
  const before = defaultDevice()
  expect(() =>
    evaluated(() => {
      throw new Error('within')
    }, 1),
  ).toThrow('within')
  expect(defaultDevice()).toBe(before)
})

test('ragged lists and what is no number are refused, with their place', () => {
  const same = (x: any) => x
  expect(() => evaluated<any, any>(same, { a: { b: [[1, 2], [3]] } })).toThrow(
    /the lists in a\.b differ in length/,
  )
  expect(() => evaluated<any, any>(same, { a: ['one'] })).toThrow(/a holds one, not a number/)
  expect(() => evaluated<any, any>(same, { a: null })).toThrow(/a is null/)
})
