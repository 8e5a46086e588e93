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

/** Percent that find a better minus percent that find b better, whatever the strength; neutral verdicts count below. Null without verdicts. */
export function netPreference(verdicts: readonly SideBySide[]): number | null {
  if (verdicts.length === 0) return null
  return (100 * verdicts.reduce<number>((sum, verdict) => sum + Math.sign(verdict), 0)) / verdicts.length
}

/** Mean verdict in [-2, 2]; null without verdicts. */
export function gradedPreference(verdicts: readonly SideBySide[]): number | null {
  if (verdicts.length === 0) return null
  return verdicts.reduce<number>((sum, verdict) => sum + verdict, 0) / verdicts.length
}
