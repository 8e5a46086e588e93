import { describe, expect, test } from 'vitest'
import { type ScoredSample, unscored } from '../core/index.ts'
import { recombined } from './recombined.ts'
import { rescore } from './rescore.ts'

const row = (id: string, group: string, math: number | null, format: number): ScoredSample => ({
  sample: { id, prompt: group, output: `output ${id}`, meta: {} },
  scores: {
    total:
      math === null
        ? unscored('unparsable', 'no', { parts: { math, format } })
        : { value: math + format, parts: { math, format } },
    other: { value: format },
  },
})
const rows = [
  row('a1', 'a', 1, 0),
  row('a2', 'a', 0, 0.6),
  row('a3', 'a', null, 1),
  row('b1', 'b', 1, 1),
  row('b2', 'b', 0, 0),
]

describe('rescore', () => {
  const after = recombined({
    from: 'total',
    mode: 'sum',
    terms: [{ name: 'math', weight: 0.1 }, { name: 'format' }],
  })
  test('ranks, advantages and pairs that change with the weights', async () => {
    const result = await rescore(rows, { before: 'total', after })
    expect(result).toMatchObject({
      before: 'total',
      after: 'recombined',
      samples: 5,
      scored: { before: 4, after: 4, both: 4 },
      groups: 2,
      ranks: { groups: 2, bestChanged: 1, orderChanged: 1 },
      advantages: { compared: 4, signChanged: 2, flatBefore: 0, flatAfter: 0 },
      pairs: { before: 2, after: 2, same: 1, reversed: 1, lost: 0, gained: 0 },
    })
    expect(result.ranks.kendall!.estimate).toBe(0)
    const change = result.changes.find(({ id }) => id === 'a1')!
    expect(change).toMatchObject({ placeBefore: 1, placeAfter: 2 })
    expect(change.advantageBefore).toBeCloseTo(Math.SQRT1_2, 3)
  })
  test('the same weights change nothing', async () => {
    const same = recombined({ from: 'total', mode: 'sum', terms: [{ name: 'math' }, { name: 'format' }] })
    const result = await rescore(rows, { before: 'total', after: same })
    expect(result.changes).toEqual([])
    expect(result).toMatchObject({
      ranks: { bestChanged: 0, orderChanged: 0 },
      advantages: { largestChange: 0, signChanged: 0 },
      pairs: { same: 2, reversed: 0, lost: 0, gained: 0 },
    })
  })
  test('another stored reward; a term that drops out scores what could not be judged', async () => {
    const result = await rescore(rows, { before: 'total', after: 'other' })
    expect(result.scored).toEqual({ before: 4, after: 5, both: 4 })
    expect(result.changes.find(({ id }) => id === 'a3')).toMatchObject({
      before: null,
      after: 1,
      placeBefore: null,
      placeAfter: 1,
      advantageBefore: null,
    })
  })
  test('terms name rewards, parts by their reward, and bare parts; a misspelt one is an error', async () => {
    const mixed = recombined({ mode: 'sum', terms: [{ name: 'total.math', weight: 2 }, { name: 'other' }] })
    expect(mixed.read(rows[0]!)).toBe(2)
    expect(mixed.read(rows[2]!)).toBeNull()
    const misspelt = recombined({ from: 'total', mode: 'sum', terms: [{ name: 'maths' }] })
    await expect(rescore(rows, { before: 'total', after: misspelt })).rejects.toThrow(/"maths".*"math"/)
    expect(() => recombined({ mode: 'sum', terms: [] })).toThrow(/no rewards/)
  })
})
