import type { FivePointVerdicts } from '../../stats/net-preference.ts'

/** One verdict of a side-by-side comparison: 2 a substantially better, 1 marginally, 0 neutral, then -1 and -2. */
export type SideBySide = -2 | -1 | 0 | 1 | 2

/**
 * "IIW is marginally better" or "Neutral" from the side of the description called `a` (it may have several names);
 * null for anything else.
 */
export function readSideBySide(verdict: unknown, a: readonly string[]): SideBySide | null {
  if (typeof verdict !== 'string') return null
  if (verdict.trim() === 'Neutral') return 0
  const [, name, strength] = /^(.+) is (marginally|substantially) better$/.exec(verdict.trim()) ?? []
  if (name === undefined) return null
  const size = strength === 'substantially' ? 2 : 1
  return (a.includes(name) ? size : -size) as SideBySide
}

/** How often each verdict was given, for `netPreference`. */
export function countVerdicts(verdicts: readonly SideBySide[]): FivePointVerdicts {
  const count = (level: SideBySide) => verdicts.filter((verdict) => verdict === level).length
  return { muchBetter: count(2), better: count(1), neutral: count(0), worse: count(-1), muchWorse: count(-2) }
}
