import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  addRational,
  divideRational,
  floorRational,
  numberFromRational,
  powerRational,
  rational,
  rationalFromDecimal,
  rootRational,
  sameRational,
} from './rational.ts'

const whole = fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n })
const positive = fc.bigInt({ min: 1n, max: 10n ** 9n })

test('lowest terms, positive denominator', () => {
  expect(rational(6n, -4n)).toEqual({ numerator: -3n, denominator: 2n })
  expect(rational(0n, -7n)).toEqual({ numerator: 0n, denominator: 1n })
  expect(() => rational(1n, 0n)).toThrow(RangeError)
  expect(divideRational(rational(1n), rational(0n))).toBe(undefined)
})

test('decimals are read exactly', () => {
  expect(rationalFromDecimal('0.50')).toEqual(rational(1n, 2n))
  expect(rationalFromDecimal('-1.5e-3')).toEqual(rational(-3n, 2000n))
  expect(rationalFromDecimal('12e2')).toEqual(rational(1200n))
  for (const text of ['', '.', '-', '1.2.3', 'x', '1e99999', '1'.repeat(2000)])
    expect(rationalFromDecimal(text)).toBe(undefined)
})

test('sums are those of the integers above a common denominator', () => {
  fc.assert(
    fc.property(whole, positive, whole, positive, (a, b, c, d) => {
      const sum = addRational(rational(a, b), rational(c, d))!
      expect(sameRational(sum, rational(a * d + c * b, b * d))).toBe(true)
    }),
  )
})

test('a root undoes its power, and there is no root between two powers', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 2n, max: 10n ** 9n }), fc.integer({ min: 2, max: 7 }), (base, degree) => {
      const power = powerRational(rational(base), rational(BigInt(degree)))!
      expect(rootRational(power, BigInt(degree))).toEqual(rational(base))
      expect(rootRational(rational(power.numerator + 1n), BigInt(degree))).toBe(undefined)
    }),
  )
  expect(rootRational(rational(-8n), 3n)).toEqual(rational(-2n))
  expect(rootRational(rational(-4n), 2n)).toBe(undefined)
  expect(powerRational(rational(4n, 9n), rational(-3n, 2n))).toEqual(rational(27n, 8n))
})

test('powers beyond the limit are not computed, those of one are', () => {
  expect(powerRational(rational(9n), rational(387420489n))).toBe(undefined)
  expect(powerRational(rational(-1n), rational(10n ** 30n + 1n))).toEqual(rational(-1n))
  expect(powerRational(rational(0n), rational(-1n))).toBe(undefined)
})

test('floors go down and doubles are near, also where both sides overflow', () => {
  fc.assert(
    fc.property(whole, positive, (a, b) => {
      const floor = floorRational(rational(a, b))
      expect(floor * b <= a && a < (floor + 1n) * b).toBe(true)
      expect(numberFromRational(rational(a, b))).toBeCloseTo(Number(a) / Number(b), 6)
    }),
  )
  expect(numberFromRational(rational(3n * 10n ** 400n, 2n * 10n ** 400n + 1n))).toBeCloseTo(1.5, 12)
})
