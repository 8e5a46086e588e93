import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Rng } from '../core/index.ts'
import { calibration } from './calibration.ts'
import { fitRecalibration, recalibrated } from './recalibration.ts'

const p = [0.9, 0.8, 0.95, 0.3, 0.6, 0.2, 0.99, 0.55, 0.45, 0.7]
const outcomes = [1, 0, 1, 0, 1, 0, 1, 0, 1, 1]

// Expected numbers: scipy 1.17 (Nelder-Mead on the losses; isotonic_regression).
test('the three fits', () => {
  expect(fitRecalibration('temperature', p, outcomes)).toMatchObject({
    temperature: expect.closeTo(0.98480173, 5),
  })
  expect(fitRecalibration('platt', p, outcomes)).toMatchObject({
    slope: expect.closeTo(0.57398629, 5),
    offset: expect.closeTo(-0.09784864, 5),
  })
  const isotonic = fitRecalibration('isotonic', p, outcomes)!
  const steps = [0, 0, 0.5, 0.5, 2 / 3, 2 / 3, 2 / 3, 1, 1, 1]
  ;[...p]
    .sort((a, b) => a - b)
    .forEach((value, i) => {
      expect(recalibrated(isotonic, value)).toBeCloseTo(steps[i]!, 10)
    })
})

test('each undoes what made an overconfident judge, on judgements it was not fitted to', () => {
  const rng = new Rng('overconfident')
  const draw = (n: number) => {
    const truth = Array.from({ length: n }, () => rng.uniform())
    return {
      said: truth.map((value) => 1 / (1 + ((1 - value) / value) ** 3)), // log-odds three times too large
      outcomes: truth.map((value) => Number(rng.chance(value))),
    }
  }
  const [seen, fresh] = [draw(3000), draw(3000)]
  const before = calibration(fresh.said, fresh.outcomes)!.expectedError
  expect(before).toBeGreaterThan(0.1)
  for (const kind of ['temperature', 'platt', 'isotonic'] as const) {
    const fit = fitRecalibration(kind, seen.said, seen.outcomes)!
    const after = calibration(
      fresh.said.map((value) => recalibrated(fit, value)),
      fresh.outcomes,
    )!.expectedError
    expect(after, kind).toBeLessThan(0.04)
  }
})

test('order is kept and results are probabilities, whatever was fitted', () => {
  const judged = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 1)), {
    minLength: 1,
    maxLength: 30,
  })
  fc.assert(
    fc.property(judged, fc.constantFrom('temperature', 'isotonic'), (pairs, kind) => {
      const fit = fitRecalibration(
        kind,
        pairs.map(([value]) => value),
        pairs.map(([, y]) => y),
      )
      if (fit === null) return
      let last = -1
      for (let value = 0; value <= 1; value += 0.05) {
        const now = recalibrated(fit, value)
        expect(now).toBeGreaterThanOrEqual(last - 1e-12)
        expect(now <= 1 && now >= 0).toBe(true)
        last = now
      }
    }),
  )
})

test('what cannot be fitted is null, what cannot be is refused', () => {
  expect(fitRecalibration('platt', [], [])).toBeNull()
  expect(fitRecalibration('platt', [0.4, 0.4], [0, 1])).toBeNull()
  expect(fitRecalibration('temperature', [0.5, 0.5], [0, 1])).toBeNull()
  expect(() => fitRecalibration('platt', [1.2], [1])).toThrow(/not in \[0, 1\]/)
  expect(() => fitRecalibration('isotonic', [0.2], [0.5])).toThrow(/not 0 or 1/)
  // A clean separation stays finite.
  expect(fitRecalibration('platt', [0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])).toMatchObject({
    slope: expect.closeTo(0.590432, 5),
  })
})
