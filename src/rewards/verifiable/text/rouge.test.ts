import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rougeL, rougeN } from './rouge.ts'
import { tokenise } from './tokens.ts'

const cut = (text: string) => tokenise(text, 'ascii', true)

test("rouge-score's documented example", () => {
  const reference = cut('The quick brown fox jumps over the lazy dog')
  const candidate = cut('The quick brown dog jumps on the log.')
  expect(rougeN(candidate, reference, 1)).toEqual({ precision: 6 / 8, recall: 6 / 9, f1: 12 / 17 })
  expect(rougeL(candidate, reference)).toEqual({ precision: 5 / 8, recall: 5 / 9, f1: 10 / 17 })
})

test("UniVerse's vectors (lower case, white space)", () => {
  const l = (a: string, b: string) => rougeL(a.split(' '), b.split(' ')).f1
  expect(l('the character jumps forward', 'the character moves forward and jumps')).toBeCloseTo(0.6, 12)
  expect(l('moving left', 'the character is moving left')).toBeCloseTo(0.571429, 6)
})

test('repeats count as often as both sides have them', () => {
  expect(rougeN(cut('the the the'), cut('the cat'), 1).precision).toBeCloseTo(1 / 3, 12)
  expect(rougeN(cut('a b'), cut('a b'), 3)).toEqual({ precision: 0, recall: 0, f1: 0 })
})

test('swapping the sides swaps precision and recall; L never beats unigrams', () => {
  const tokens = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 50 })
  fc.assert(
    fc.property(tokens, tokens, (a, b) => {
      const [there, back] = [rougeL(a, b), rougeL(b, a)]
      expect([there.precision, there.recall, there.f1]).toEqual([back.recall, back.precision, back.f1])
      expect(there.f1).toBeLessThanOrEqual(rougeN(a, b, 1).f1 + 1e-12)
      expect(rougeL(a, a).f1).toBe(a.length === 0 ? 0 : 1)
    }),
  )
})
