import { expect, test } from 'vitest'
import { close } from '../../tests/close.ts'
import { calibration } from './index.ts'

test('calibration: bins, expected error, Brier', () => {
  const p = [0.05, 0.1, 0.15, 0.85, 0.95, 0.95, 1, 0]
  const outcomes = [0, 1, 0, 1, 1, 0, 1, 0]
  const result = calibration(p, outcomes)!
  close(result.expectedError, 0.25625)
  close(result.brier, 0.2203125)
  expect(result.bins[0]).toMatchObject({ count: 3 })
  expect(result.bins[5]).toMatchObject({ count: 0, meanProbability: null, frequency: null })
  expect(calibration(p, outcomes, { bins: 4, binning: 'count' })!.bins.map(({ count }) => count)).toEqual([
    2, 2, 3, 1,
  ])
  expect(calibration([], [])).toBeNull()
  expect(() => calibration([1.2], [1])).toThrow(/not in \[0, 1\]/)
})
