import { binomialCdf, binomialProbability } from './special.ts'

export interface McNemar {
  /** Items that only the first, and only the second, got right. */
  readonly onlyFirst: number
  readonly onlySecond: number
  /** Two-sided exact binomial p-value: never too small, often too large. */
  readonly exact: number
  /** Two-sided mid-p: close to its nominal level at every sample size (Fagerland, Lydersen and Laake 2013). */
  readonly mid: number
}

/** Do two judges of the same items differ? Only the items on which one is right and the other wrong speak. */
export function mcnemar(onlyFirst: number, onlySecond: number): McNemar {
  for (const count of [onlyFirst, onlySecond])
    if (!(Number.isSafeInteger(count) && count >= 0)) throw new RangeError(`${count} is not a count of items`)
  const n = onlyFirst + onlySecond
  const fewer = Math.min(onlyFirst, onlySecond)
  if (n === 0) return { onlyFirst, onlySecond, exact: 1, mid: 1 }
  const here = binomialProbability(fewer, n, 0.5)
  const exact = Math.min(1, 2 * binomialCdf(fewer, n, 0.5))
  const mid = onlyFirst === onlySecond ? 1 - here / 2 : Math.max(0, exact - here)
  return { onlyFirst, onlySecond, exact, mid }
}
