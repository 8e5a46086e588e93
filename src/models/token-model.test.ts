import fc from 'fast-check'
import { expect, test } from 'vitest'
import { choiceProbabilities, logSoftmax } from './token-model.ts'

test('variants of a choice are added up', () => {
  const { full, among } = choiceProbabilities({
    yes: [Math.log(0.3), Math.log(0.1)],
    no: [Math.log(0.1)],
  })
  expect(full.yes).toBeCloseTo(0.4, 12)
  expect(full.no).toBeCloseTo(0.1, 12)
  expect(among.yes).toBeCloseTo(0.8, 12)
  expect(among.no).toBeCloseTo(0.2, 12)
})

test('among the choices they sum to 1, however unlikely all are', () => {
  const logps = fc.array(fc.double({ min: -5000, max: 0, noNaN: true }), { minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(logps, logps, (a, b) => {
      const { among } = choiceProbabilities({ a, b })
      expect(among.a + among.b).toBeCloseTo(1, 9)
    }),
  )
  expect(choiceProbabilities({ a: [-Infinity], b: [-Infinity] }).among).toEqual({ a: 0.5, b: 0.5 })
  expect(() => choiceProbabilities({ a: [] })).toThrow(RangeError)
})

test('log-probabilities of logits', () => {
  const logp = logSoftmax(Float32Array.of(1000, 1000 + Math.log(3)))
  expect(logp[0]).toBeCloseTo(Math.log(0.25), 4)
  expect(logp[1]).toBeCloseTo(Math.log(0.75), 4)
})
