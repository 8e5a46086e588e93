import { expect, test } from 'vitest'
import { bleuCounts, bleuOfCounts, corpusBleu } from './bleu.ts'

const cut = (text: string) => text.split(' ')
const guide = cut(
  'It is a guide to action which ensures that the military always obeys the commands of the party',
)
const guides = [
  'It is a guide to action that ensures that the military will forever heed Party commands',
  'It is the guiding principle which guarantees the military forces always being under the command of the Party',
  'It is the practical guide for the army always to heed the directions of the party',
].map(cut)
const book = cut('he read the book because he was interested in world history')
const books = [cut('he was interested in world history because he read the book')]

test("NLTK's documented examples (no smoothing)", () => {
  expect(bleuOfCounts(bleuCounts(guide, guides), { smoothing: 'none' })).toBeCloseTo(0.5045666840058485, 12)
  expect(corpusBleu([guide, book], [guides, books], { smoothing: 'none' })).toBeCloseTo(
    0.5920778868801042,
    12,
  )
})

test("the paper's example: a word counts no more often than one reference has it", () => {
  const counts = bleuCounts(cut('the the the the the the the'), [
    cut('the cat is on the mat'),
    cut('there is a cat on the mat'),
  ])
  expect([counts.matches[0], counts.total[0]]).toEqual([2, 7])
  expect(counts.referenceLength).toBe(7)
})

test('closest reference length, the shorter of two equally close', () => {
  const ofLengths = (...lengths: number[]) =>
    bleuCounts(
      cut('a b c d'),
      lengths.map((n) => new Array<string>(n).fill('a')),
    ).referenceLength
  expect([ofLengths(6, 3), ofLengths(5, 3), ofLengths(3, 5), ofLengths(9)]).toEqual([3, 3, 3, 9])
})

test('smoothings of "the cat sat down" against "the cat sat up": 3/4, 2/3, 1/2, 0/1', () => {
  const counts = bleuCounts(cut('the cat sat down'), [cut('the cat sat up')])
  const expected = {
    none: 0,
    exp: (3 / 4) * (2 / 3) * (1 / 2) * (1 / 2),
    floor: (3 / 4) * (2 / 3) * (1 / 2) * 0.1,
    'add-1': (3 / 4) * (3 / 4) * (2 / 3) * (1 / 2),
  }
  for (const [smoothing, product] of Object.entries(expected))
    expect(bleuOfCounts(counts, { smoothing: smoothing as 'exp' }), smoothing).toBeCloseTo(
      product ** 0.25,
      12,
    )
})

test('exp smoothing halves again at each empty order', () => {
  // "a x b y" against "a b z w v": 2/4, then 0/3 -> 1/6, 0/2 -> 1/8, 0/1 -> 1/8; brevity exp(1 - 5/4)
  const counts = bleuCounts(cut('a x b y'), [cut('a b z w v')])
  expect(bleuOfCounts(counts)).toBeCloseTo(
    Math.exp(-0.25) * ((2 / 4) * (1 / 6) * (1 / 8) * (1 / 8)) ** 0.25,
    12,
  )
})

test('effective order: two words have no 3-grams', () => {
  const counts = bleuCounts(cut('the cat'), [cut('the cat')])
  expect(bleuOfCounts(counts)).toBe(0)
  expect(bleuOfCounts(counts, { effectiveOrder: true })).toBe(1)
})

test('nothing matches, nothing said, no corpus: 0', () => {
  expect(bleuOfCounts(bleuCounts(cut('x'), [cut('y')]))).toBe(0)
  expect(bleuOfCounts(bleuCounts([], [cut('y')]))).toBe(0)
  expect(corpusBleu([], [])).toBe(0)
})
