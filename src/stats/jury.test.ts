import { expect, test } from 'vitest'
import { Rng } from '../core/index.ts'
import { juryAgreement, juryVerdicts } from './jury.ts'
import { pairAccuracy } from './pair-accuracy.ts'

const rng = new Rng('jury')
const labels = Array.from({ length: 2000 }, () => (rng.chance(0.5) ? 1 : -1))
const judge = (accuracy: number) => labels.map((label) => (rng.chance(accuracy) ? label : -label))

test('a jury of independent judges is better than each; one that errs together is not', () => {
  const apart = { a: judge(0.7), b: judge(0.7), c: judge(0.7) }
  const accuracy = pairAccuracy(juryVerdicts(apart) as number[], labels).accuracy!
  expect(accuracy).toBeGreaterThan(0.76) // 0.7^3 + 3 * 0.7^2 * 0.3 = 0.784
  const one = judge(0.7)
  const together = { a: one, b: one, c: one }
  expect(juryAgreement(apart, labels).effectiveJurors!).toBeGreaterThan(2.7)
  expect(juryAgreement(together, labels).effectiveJurors).toBeCloseTo(1, 10)
  expect(juryAgreement(together).alpha).toBeCloseTo(1, 10)
  expect(juryAgreement(apart).between[0]!.kappa!).toBeCloseTo(0.16, 1) // (0.7^2 + 0.3^2 - 0.5) / 0.5
})

test('weights turn a juror who is mostly wrong around', () => {
  const verdicts = { good: judge(0.8), inverted: judge(0.1), weak: judge(0.55) }
  const accuracies = { good: 0.8, inverted: 0.1, weak: 0.55 }
  const majority = pairAccuracy(juryVerdicts(verdicts) as number[], labels).accuracy!
  const weighted = pairAccuracy(juryVerdicts(verdicts, 'weighted', accuracies) as number[], labels).accuracy!
  expect(weighted).toBeGreaterThan(0.87)
  expect(majority).toBeLessThan(0.6)
  expect(() => juryVerdicts(verdicts, 'weighted', { good: 0.8 })).toThrow(/"inverted" is not given/)
})

test('verdicts that are missing are left out, of margins the mean is taken', () => {
  expect(juryVerdicts({ a: [3, null, null], b: [-1, -1, null] }, 'mean')).toEqual([1, -1, null])
  expect(juryVerdicts({ a: [3, null], b: [-1, -1] })).toEqual([0, -1])
  expect(() => juryVerdicts({ a: [1], b: [1, 2] })).toThrow(/"b" has 2 verdicts/)
})
