import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ScoredSample, unscored } from '../core/index.ts'
import { rank } from './rank.ts'

const candidate = (
  id: string,
  group: string,
  value: number | null,
  gold: number | null = null,
): ScoredSample => ({
  sample: { id, prompt: group, output: `output ${id}`, meta: gold === null ? {} : { gold } },
  scores: { r: value === null ? unscored('outage', 'no answer') : { value, parts: { half: value / 2 } } },
})

const data = [
  candidate('a1', 'a', 1, 0),
  candidate('b1', 'b', null, 5),
  candidate('a2', 'a', 3, 2),
  candidate('a3', 'a', 3, 7),
  candidate('b2', 'b', -1, 1),
  candidate('c1', 'c', null, 9),
]

describe('rank', () => {
  test('by its own reward: places, the first of a tie, unscored candidates last and never chosen', async () => {
    const ranking = await rank(data, { by: 'r' })
    expect(ranking).toMatchObject({ by: 'r', gold: 'r', candidates: 6, unscored: 2, unrankable: ['c'] })
    expect(ranking.groups[0]).toEqual({
      group: 'a',
      candidates: [
        { id: 'a2', value: 3, gold: 3, place: 1 },
        { id: 'a3', value: 3, gold: 3, place: 1 },
        { id: 'a1', value: 1, gold: 1, place: 3 },
      ],
      unscored: 0,
      chosen: ['a2'],
      outcomes: { chosen: 3, random: 7 / 3, first: 1, oracle: 3, majority: null },
    })
    expect(ranking.groups[1]!.candidates.map(({ id }) => id)).toEqual(['b2', 'b1'])
    expect(ranking.groups[1]!.outcomes).toMatchObject({ chosen: -1, first: null, random: -1 })
    expect(ranking.groups[2]).toMatchObject({ chosen: [], outcomes: { chosen: null, oracle: null } })
  })
  test('by gold: what the choice is worth, paired gains over prompts where both are known', async () => {
    const ranking = await rank(data, { by: 'r', gold: 'meta.gold' })
    expect(ranking.groups.map(({ outcomes }) => outcomes)).toEqual([
      { chosen: 2, random: 3, first: 0, oracle: 7, majority: null },
      { chosen: 1, random: 3, first: 5, oracle: 5, majority: null },
      { chosen: null, random: 9, first: 9, oracle: 9, majority: null },
    ])
    expect(ranking.outcomes.random).toMatchObject({ estimate: 5, n: 3 })
    expect(ranking.gains.overRandom).toMatchObject({ estimate: -1.5, n: 2 })
    expect(ranking.gains.overOracle).toMatchObject({ estimate: -4.5, n: 2 })
  })
  test('ties by expectation', async () => {
    const ranking = await rank(data, { by: 'r', gold: 'meta.gold', ties: 'expectation' })
    expect(ranking.groups[0]).toMatchObject({ chosen: ['a2', 'a3'], outcomes: { chosen: 4.5 } })
  })
  test('the curve counts the prompts that reach k', async () => {
    const { curve } = await rank(data, { by: 'r', gold: 'meta.gold' })
    expect(curve.map(({ k, groups }) => [k, groups])).toEqual([
      [1, 2],
      [2, 1],
      [3, 1],
    ])
    expect(curve[0]!.expected.estimate).toBe((3 + 1) / 2)
    // of the three pairs of a: {a1,a2} -> 2, {a1,a3} -> 7, {a2,a3} -> 4.5
    expect(curve[1]!.expected.estimate).toBeCloseTo(4.5, 12)
    expect(curve[0]!.divergence).toBe(0)
  })
  test('a majority vote over answers stands beside it', async () => {
    const ranking = await rank(data, {
      by: 'r',
      gold: 'meta.gold',
      answer: ({ id }) => (id === 'a1' ? 'x' : id.startsWith('a') ? 'y' : null),
    })
    expect(ranking.groups[0]!.outcomes.majority).toBe(2)
    expect(ranking.gains.overMajority).toMatchObject({ estimate: 0, n: 1 })
  })
  test('a part can rank; a misspelt name is an error, not a set without scores', async () => {
    expect((await rank(data, { by: 'r.half' })).groups[0]!.outcomes.chosen).toBe(1.5)
    await expect(rank(data, { by: 'rr' })).rejects.toThrow(/no sample has a reward or field "rr".*"r"/)
    await expect(rank(data, { by: 'r', gold: 'meta.golden' })).rejects.toThrow(/meta\.golden/)
    expect((await rank([], { by: 'r' })).outcomes.chosen).toBeNull()
  })
  test('a gold label that is missing is counted, not taken as 0', async () => {
    const ranking = await rank([candidate('x', 'p', 2), candidate('y', 'p', 1, 4)], {
      by: 'r',
      gold: 'meta.gold',
    })
    expect(ranking).toMatchObject({ goldUnknown: 1 })
    expect(ranking.groups[0]!.outcomes).toMatchObject({ chosen: null, random: 4, first: null, oracle: 4 })
  })
  test('random <= chosen = oracle by its own reward; the best of all is the last point of the curve', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(3), fc.option(fc.nat(5))), { maxLength: 20 }),
        async (rows) => {
          const samples = rows.map(([group, value], i) => candidate(String(i), `g${group}`, value))
          const { groups, curve } = await rank(samples, { by: 'r', ties: 'expectation', resamples: 20 })
          for (const { outcomes } of groups) {
            if (outcomes.chosen === null) continue
            expect(outcomes.chosen).toBe(outcomes.oracle)
            expect(outcomes.random).toBeLessThanOrEqual(outcomes.chosen + 1e-12)
          }
          const full = groups.filter(
            ({ candidates, unscored }) => candidates.length - unscored === curve.length,
          )
          if (curve.length > 0)
            expect(curve.at(-1)!.expected.estimate).toBeCloseTo(
              full.reduce((sum, { outcomes }) => sum + outcomes.chosen!, 0) / full.length,
              10,
            )
        },
      ),
      { numRuns: 50 },
    )
  })
})
