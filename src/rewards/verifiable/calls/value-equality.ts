import type { Json } from '../../../core/index.ts'

/**
 * When two JSON values count as equal.
 *
 * - `json`: deep and typed. Numbers are equal by value (3, 3.0 and 3e0 are one JSON number), `"3"` is not 3, `true`
 *   is not 1, the order of keys does not matter and the order of list items does.
 * - `python`: the same, except that `true` equals 1 and `false` equals 0 at any depth, as `==` has it in Python.
 * - `loose`: the same as `json`, except that texts are compared by `looseText`, and a number equals the text that
 *   spells it ("3" equals 3).
 */
export type ValueEquality = 'json' | 'python' | 'loose'

/** Nesting beyond which two values are taken to differ, so that comparing cannot overflow the stack. */
const deepest = 200

export function sameValue(a: unknown, b: unknown, equality: ValueEquality = 'json', depth = 0): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null)
    return equality === 'json' ? false : sameScalar(a, b, equality)
  if (depth >= deepest) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!sameValue(a[i], b[i], equality, depth + 1)) return false
    return true
  }
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  for (const key of keys) {
    if (!Object.hasOwn(b, key)) return false
    const [x, y] = [(a as Record<string, Json>)[key], (b as Record<string, Json>)[key]]
    if (!sameValue(x, y, equality, depth + 1)) return false
  }
  return true
}

function sameScalar(a: unknown, b: unknown, equality: 'python' | 'loose'): boolean {
  if (equality === 'python') {
    const number = (value: unknown) => (typeof value === 'boolean' ? Number(value) : value)
    const [x, y] = [number(a), number(b)]
    return typeof x === 'number' && x === y
  }
  if (typeof a === 'string' && typeof b === 'string') return looseText(a) === looseText(b)
  return spells(a, b) || spells(b, a)
}

function spells(text: unknown, number: unknown): boolean {
  return (
    typeof text === 'string' && typeof number === 'number' && text.trim() !== '' && Number(text) === number
  )
}

/**
 * A text without case, blanks and the signs `, . / - _ * ^`, single quotes as double ones: the comparison of texts
 * on the Berkeley function-calling leaderboard ("New York, NY" = "new york ny").
 */
export function looseText(text: string): string {
  return text
    .replace(/[ ,./\-_*^]/g, '')
    .toLowerCase()
    .replaceAll("'", '"')
}
