import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { commonSubsequence, levenshtein, levenshteinRatio, levenshteinSimilarity } from './edit-distance.ts'
import { characterSymbols, itemSymbols } from './symbols.ts'

/** The textbook tables, one cell at a time, over code points. */
function slow(textA: string, textB: string): { distance: number; common: number } {
  const [a, b] = [[...textA], [...textB]]
  const distance = Array.from({ length: a.length + 1 }, (_, i) => [i, ...new Array<number>(b.length).fill(0)])
  const common = distance.map((row) => row.map(() => 0))
  for (let j = 0; j <= b.length; j++) distance[0]![j] = j
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      distance[i]![j] = Math.min(
        distance[i - 1]![j]! + 1,
        distance[i]![j - 1]! + 1,
        distance[i - 1]![j - 1]! + (same ? 0 : 1),
      )
      common[i]![j] = same ? common[i - 1]![j - 1]! + 1 : Math.max(common[i - 1]![j]!, common[i]![j - 1]!)
    }
  return { distance: distance[a.length]![b.length]!, common: common[a.length]![b.length]! }
}

/** Few different characters and lengths beyond several blocks of 32, where carries and borders matter. */
const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: fc.constantFrom('a', 'b', 'c', '😀', '\ud800'), maxLength: 140 }),
  fc.string({ unit: 'binary', maxLength: 80 }),
)

describe('edit distance', () => {
  test('agrees with the textbook table', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const expected = slow(a, b)
        expect(levenshtein(a, b)).toBe(expected.distance)
        expect(commonSubsequence(characterSymbols(a, b))).toBe(expected.common)
        expect(commonSubsequence(itemSymbols([...a], [...b]))).toBe(expected.common)
      }),
      { numRuns: 500 },
    )
  })
  test('is a metric', () => {
    fc.assert(
      fc.property(text, text, text, (a, b, c) => {
        expect(levenshtein(a, b)).toBe(levenshtein(b, a))
        expect(levenshtein(a, a)).toBe(0)
        expect(levenshtein(a, c)).toBeLessThanOrEqual(levenshtein(a, b) + levenshtein(b, c))
      }),
    )
  })
  test('hand-worked', () => {
    expect(levenshtein('kitten', 'sitting')).toBe(3)
    expect(levenshtein('', 'abc')).toBe(3)
    expect(levenshtein('😀', '😁')).toBe(1) // one character, though two code units
    expect(levenshteinSimilarity('kitten', 'sitting')).toBeCloseTo(1 - 3 / 7, 12)
    expect(levenshteinRatio('red circle', 'red square')).toBe(0.6)
    expect(levenshteinRatio('kitten', 'sitting')).toBeCloseTo(8 / 13, 12) // not 10/13: a substitution counts twice
    expect([levenshteinRatio('', ''), levenshteinRatio('', 'a'), levenshteinSimilarity('', '')]).toEqual([
      1, 0, 1,
    ])
  })
  test('more different characters than two bytes can name', () => {
    const a = Array.from({ length: 70_000 }, (_, i) => String.fromCodePoint(0x20000 + i)).join('')
    expect(levenshtein(a, `x${a.slice(2)}y`)).toBe(2)
  })
})
