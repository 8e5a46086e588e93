import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { testVectors } from '../../tests/vectors.ts'
import { changedSegment, namesSegment } from '../rewards/verifiable/text/changed-segment.ts'
import { vicrit } from './vicrit.ts'

type Variant = 'released' | 'paper' | 'guarded'
interface VectorInput {
  readonly original: string
  readonly changed: string
  readonly prediction: string
}

testVectors('vicrit', {
  'vicrit.score': ({ original, changed, prediction }: VectorInput, { variant }) => {
    const segment = changedSegment(original, changed)
    return { segment, score: Number(namesSegment(prediction, segment, { variant: variant as Variant })) }
  },
})

describe('what the variants pay for', () => {
  const caption =
    'On the path walks a woman with a large green backpack and two small dogs beside her in the sun'
  const names = (prediction: string, segment: string[], variant: Variant) =>
    namesSegment(`\\boxed{${prediction}}`, segment, { variant, caption })

  test.each<[string, string[], boolean, boolean, boolean]>([
    // prediction, segment, released, paper, guarded
    ['green', ['green'], true, true, true],
    ['["a large green backpack"]', ['green'], true, true, true],
    [caption, ['green'], true, true, false], // echoing the caption
    ['evergreen', ['green'], true, false, false], // no word boundary
    ['green hat', ['green'], true, false, false], // not copied from the caption
    ['large', ['large', 'green'], true, false, false], // only the first word
    ['large green', ['large', 'green'], true, true, true],
    ['green large', ['large', 'green'], true, false, false], // not contiguous
    ['12 dogs', ['2'], true, false, false],
    ['["green", "sun"]', ['green'], true, false, false], // a list of guesses
  ])('%s for %j', (prediction, segment, released, paper, guarded) => {
    expect(names(prediction, segment, 'released')).toBe(released)
    expect(names(prediction, segment, 'paper')).toBe(paper)
    expect(names(prediction, segment, 'guarded')).toBe(guarded)
  })

  test('guarded wants a box', () => {
    expect(namesSegment('green', ['green'], { variant: 'released' })).toBe(true)
    expect(namesSegment('green', ['green'])).toBe(false)
  })
})

test('the segment is what replaced a part of the original', () => {
  const word = fc.constantFrom('a', 'b', 'c', 'd')
  const phrase = fc.array(word, { maxLength: 6 })
  fc.assert(
    fc.property(phrase, phrase, phrase, phrase, (start, old, fresh, end) => {
      const original = [...start, ...old, ...end].join(' ')
      const changed = [...start, ...fresh, ...end].join(' ')
      const segment = changedSegment(original, changed)
      expect(segment.length).toBeLessThanOrEqual(fresh.length)
      if (original === changed) expect(segment).toEqual([])
    }),
  )
  expect(changedSegment('a b a', 'a b a b a')).toEqual(['b', 'a'])
})

test('rows of the benchmark, and edits that cannot be judged', async () => {
  const base = { id: 's', prompt: '', output: '\\boxed{three}' }
  const row = { ...base, meta: { original_noun_phrases: 'two dogs', changed_noun_phrases: 'three dogs' } }
  const [fromRow, deletion, released, same] = await Promise.all([
    vicrit().score([row]),
    vicrit().score([{ ...base, meta: {}, reference: { original: 'a b', changed: 'a' } }]),
    vicrit({ variant: 'released' }).score([
      { ...base, meta: {}, reference: { original: 'a b', changed: 'a' } },
    ]),
    vicrit().score([{ ...base, meta: {}, reference: { original: 'a', changed: 'a' } }]),
  ])
  expect(fromRow[0]!.value).toBeCloseTo(0.9)
  expect(deletion[0]).toMatchObject({ value: null, code: 'bad-input' })
  expect(released[0]).toMatchObject({ value: 0, rationale: expect.stringContaining('deletes') })
  expect(same[0]).toMatchObject({ value: null, code: 'bad-input' })
})
