import { expect, test } from 'vitest'
import { Rng } from '../core/index.ts'
import { halfBits, halfValues } from './half.ts'

const all = Uint16Array.from({ length: 65536 }, (_, index) => index)
const isNaNBits = (bits: number) => (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0

test('every half-precision number is read and written back', () => {
  const again = halfBits(halfValues(all))
  for (const bits of all) {
    if (isNaNBits(bits)) expect(again[bits]! & 0x7fff).toBe(0x7e00)
    else if (again[bits] !== bits) expect.fail(`${bits} came back as ${again[bits]}`)
  }
})

test('rounding: to the nearest, ties to even, at every edge', () => {
  const values = [
    1 + 2 ** -11,
    1 + 3 * 2 ** -11,
    65504,
    65519.99,
    65520,
    2 ** -25,
    1.0001 * 2 ** -25,
    -(2 ** -24),
    6.1e-5,
  ]
  expect([...halfBits(values)]).toEqual([0x3c00, 0x3c02, 0x7bff, 0x7bff, 0x7c00, 0, 1, 0x8001, 0x03ff])
})

test.runIf('Float16Array' in globalThis)('agrees with Float16Array', () => {
  const rng = new Rng('half')
  const values = Float32Array.from({ length: 20000 }, () => rng.normal() * 2 ** rng.int(-28, 18))
  expect(halfBits(values)).toEqual(new Uint16Array(new Float16Array(values).buffer))
  const numbers = all.filter((bits) => !isNaNBits(bits))
  expect(halfValues(numbers)).toEqual(Float32Array.from(new Float16Array(numbers.buffer)))
})
