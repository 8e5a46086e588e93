import { expect } from 'vitest'

/** Within `tolerance` of the expected number, relative to it above 1 and absolute below; constants marked SciPy are from SciPy 1.17. */
export function close(actual: number | null, expected: number, tolerance = 1e-12): void {
  expect(actual).not.toBeNull()
  expect(Math.abs(actual! - expected), `${actual} is not ${expected}`).toBeLessThanOrEqual(
    tolerance * Math.max(1, Math.abs(expected)),
  )
}
