import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { testVectors } from '../../tests/vectors.ts'
import { type Comparator, Rng, type ScoredSample, unscored } from '../core/index.ts'
import { anchoredChoice, anchoredPairs } from './anchored-pairs.ts'
import { argMaxMin, buildPairs } from './pairs.ts'
import { siftedPairs } from './sifted-pairs.ts'
import { splitByPrompt } from './split.ts'

const scored = (
  id: string,
  group: string,
  value: number | null,
  rest: { output?: string; parts?: Record<string, number | null> } = {},
): ScoredSample => ({
  sample: { id, prompt: group, output: rest.output ?? `output ${id}`, meta: {} },
  scores: {
    r: value === null ? unscored('refused', 'no') : { value, ...(rest.parts ? { parts: rest.parts } : {}) },
  },
})
const ids = (set: { preferences: readonly { id: string }[] }) => set.preferences.map(({ id }) => id)

describe('buildPairs', () => {
  // Card 14: four images, four aspects, the overall score is the mean of the aspects.
  const aspects = { i0: [5, 4, 3, 5], i1: [3, 4, 4, 5], i2: [4, 2, 4, 5], i3: [5, 4, 3, 5] }
  const images = Object.entries(aspects).map(([id, [prompt, aesthetic, fidelity, harmless]]) =>
    scored(id, 'p', (prompt! + aesthetic! + fidelity! + harmless!) / 4, {
      parts: { aesthetic: aesthetic!, harmless: harmless! },
    }),
  )
  test('every two of a prompt, ties dropped', async () => {
    const set = await buildPairs(images, { by: 'r', strategy: 'all' })
    expect(ids(set)).toEqual(['i0>i1', 'i0>i2', 'i1>i2', 'i3>i1', 'i3>i2'])
    expect(set.counts).toMatchObject({ proposed: 6, tied: 1, kept: 5, groupsWithoutPair: 0 })
    expect(set.preferences[0]).toEqual({
      id: 'i0>i1',
      prompt: 'p',
      chosen: 'output i0',
      rejected: 'output i1',
      margin: 0.25,
      meta: {
        reward: 'r',
        group: 'p',
        chosenId: 'i0',
        rejectedId: 'i1',
        chosenScore: 4.25,
        rejectedScore: 4,
      },
    })
  })
  test('by dimension: each keeps its own winners', async () => {
    const set = await buildPairs(images, { by: ['r.aesthetic', 'r.harmless'], strategy: 'all' })
    expect(ids(set)).toEqual(['i0>i2#r.aesthetic', 'i1>i2#r.aesthetic', 'i3>i2#r.aesthetic'])
    expect(set.counts).toMatchObject({ proposed: 12, tied: 9 })
  })
  test('an output may win one dimension and lose another', async () => {
    const rows = [
      scored('x', 'p', 0, { parts: { a: 1, b: 0 } }),
      scored('y', 'p', 0, { parts: { a: 0, b: 1 } }),
      scored('z', 'p', 0, { parts: { a: 0.5, b: null } }),
    ]
    const set = await buildPairs(rows, { by: ['r.a', 'r.b'] })
    expect(ids(set)).toEqual(['x>y#r.a', 'y>x#r.b'])
    expect(set.counts.unscored).toBe(1)
  })
  test('best against worst takes the first of those that tie; unscored candidates take no part', async () => {
    const rows = [2, 5, null, 1, 5, 1].map((value, i) => scored(`${i}`, 'p', value))
    const set = await buildPairs(rows, { by: 'r' })
    expect(ids(set)).toEqual(['1>3'])
    expect(set.counts).toMatchObject({ candidates: 6, unscored: 1 })
    expect(argMaxMin([3, 3])).toBeNull()
    expect(argMaxMin([])).toBeNull()
  })
  test('the m best against all below, with a margin and a gate (card 46)', async () => {
    const scores = { a: 23.23, b: 22.266667, c: 20.496667, d: 22.535, e: 18.046667 }
    const gated = new Set(['a', 'b', 'd'])
    const rows = Object.entries(scores).map(([id, value]) => scored(id, 'u', value))
    const set = await buildPairs(rows, {
      by: 'r',
      strategy: { top: 2 },
      minMargin: 1.4,
      chosenIf: ({ sample }) => gated.has(sample.id),
    })
    expect(ids(set)).toEqual(['a>c', 'a>e', 'd>c', 'd>e'])
  })
  test('limits, lengths and equal outputs; every proposed pair is accounted for', async () => {
    const rows = [
      scored('1', 'p', 4, { output: 'a very long answer indeed' }),
      scored('2', 'p', 3, { output: 'short' }),
      scored('3', 'p', 2, { output: 'short' }),
      scored('4', 'p', 0, { output: 'tiny!' }),
      scored('5', 'q', 1),
      scored('6', 'q', null),
    ]
    const set = await buildPairs(rows, { by: 'r', strategy: 'all', maxLengthRatio: 2, minMargin: 0.5 })
    expect(ids(set)).toEqual(['2>4', '3>4'])
    expect(set.counts).toMatchObject({ identical: 1, tooLong: 3, groups: 2, groupsWithoutPair: 1 })
    const widest = await buildPairs(rows, { by: 'r', strategy: 'all', maxPairsPerPrompt: 1 })
    expect(ids(widest)).toEqual(['1>4'])
    expect(widest.counts.overLimit).toBe(4)
    const { proposed, groups, candidates, unscored: left, groupsWithoutPair, ...parts } = set.counts
    expect(Object.values(parts).reduce((a, b) => a + b)).toBe(proposed)
  })
  test('a prompt of thousands of candidates is refused for all pairs, not for the best and worst', async () => {
    const rows = Array.from({ length: 4000 }, (_, i) => scored(`${i}`, '', i))
    await expect(buildPairs(rows, { by: 'r', strategy: 'all' })).rejects.toThrow(
      /4000 candidates.*7998000 pairs/,
    )
    expect(ids(await buildPairs(rows, { by: 'r' }))).toEqual(['3999>0'])
    expect((await buildPairs(rows, { by: 'r', strategy: 'best-rest' })).counts.kept).toBe(3999)
  })
  test('a random draw depends on the seed and the prompt alone', async () => {
    const rows = Array.from({ length: 30 }, (_, i) => scored(`${i}`, `g${i % 3}`, i))
    const draw = async (seed: number, list = rows) =>
      ids(
        await buildPairs(list, {
          by: 'r',
          strategy: 'all',
          maxPairsPerPrompt: 2,
          keep: 'random',
          rng: new Rng(seed),
        }),
      )
    expect(await draw(1)).toEqual(await draw(1))
    expect(await draw(1)).not.toEqual(await draw(2))
    expect(
      await draw(
        1,
        rows.filter(({ sample }) => sample.prompt === 'g1'),
      ),
    ).toEqual((await draw(1)).filter((id) => Number(id.split('>')[0]) % 3 === 1))
  })
  test('chosen scores above rejected, always', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(3), fc.option(fc.integer({ min: -3, max: 3 }))), { maxLength: 25 }),
        fc.constantFrom('all' as const, 'best-worst' as const, 'best-rest' as const, { top: 2 }),
        fc.integer({ min: 0, max: 3 }),
        async (rows, strategy, minMargin) => {
          const samples = rows.map(([group, value], i) => scored(`${i}`, `g${group}`, value))
          const { preferences, counts } = await buildPairs(samples, { by: 'r', strategy, minMargin })
          for (const { margin, meta } of preferences) {
            expect(margin).toBeGreaterThan(minMargin)
            expect((meta.chosenScore as number) - (meta.rejectedScore as number)).toBe(margin)
          }
          expect(new Set(preferences.map(({ id }) => id)).size).toBe(counts.kept)
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('siftedPairs', () => {
  const byLength: Comparator = {
    name: 'longer',
    version: '1',
    params: {},
    compare: async (pairs) =>
      pairs.map(({ a, b }) => {
        const gap = String(a.output).length - String(b.output).length
        return gap === 0 ? { value: 0.5 } : { value: gap > 0 ? 1 : 0 }
      }),
  }
  test('highest of the winners, lowest of the losers, across meetings', async () => {
    const rows = Array.from({ length: 10 }, (_, i) =>
      scored(`${i}`, 'p', i % 2 ? i : 10 - i, { output: 'x'.repeat(i + 1) }),
    )
    const { preferences, counts } = await siftedPairs(rows, { comparator: byLength, by: 'r' })
    expect(counts).toMatchObject({ groups: 1, compared: 5, tied: 0, unpaired: 0 })
    const { meta } = preferences[0]!
    expect(meta.chosenScore as number).toBeGreaterThan(meta.rejectedScore as number)
    expect(await siftedPairs(rows, { comparator: byLength, by: 'r' })).toEqual({ preferences, counts })
  })
  test('vector of card 37: consecutive meetings, winners 9 10 7 8 6, losers 5 4 6 8 3', async () => {
    const [winners, losers] = [
      [9, 10, 7, 8, 6],
      [5, 4, 6, 8, 3],
    ]
    const rows = winners!.flatMap((value, i) => [
      scored(`w${i}`, 'p', value, { output: `longer ${i}` }),
      scored(`l${i}`, 'p', losers![i]!, { output: `${i}` }),
    ])
    const given = { comparator: byLength, by: 'r', order: 'given' } as const
    expect(ids(await siftedPairs(rows, given))).toEqual(['w1>l4'])
  })
  test('the first wins a tie, where that is asked for', async () => {
    const rows = [scored('1', 'p', 3, { output: 'a' }), scored('2', 'p', 2, { output: 'b' })]
    const options = { comparator: byLength, by: 'r', order: 'given', onTie: 'first' } as const
    expect(ids(await siftedPairs(rows, options))).toEqual(['1>2'])
    expect((await siftedPairs(rows.toReversed(), options)).counts).toMatchObject({ tied: 1, notAbove: 1 })
  })
  test('tied and unscored candidates are dropped and counted', async () => {
    const rows = [
      scored('1', 'p', 1, { output: 'a' }),
      scored('2', 'p', 2, { output: 'b' }),
      scored('3', 'p', 3),
    ]
    const dropped = await siftedPairs(rows.slice(0, 2), { comparator: byLength, by: 'r' })
    expect(dropped).toMatchObject({ preferences: [], counts: { tied: 1, undecided: 1 } })
    expect((await siftedPairs(rows, { comparator: byLength, by: 'r' })).counts.unpaired).toBe(1)
    const odd = [scored('1', 'p', null, { output: 'long' }), scored('2', 'p', 2, { output: 'b' })]
    expect((await siftedPairs(odd, { comparator: byLength, by: 'r' })).counts).toMatchObject({
      unscored: 1,
      undecided: 1,
    })
  })
})

const choice = (scores: Parameters<typeof anchoredChoice>[0]) => {
  const found = anchoredChoice(scores)
  return found && [found.chosen.policy, found.chosen.index, found.rejected.policy, found.rejected.index]
}
testVectors('temporal-self-rewarding', { phase_1: choice, phase_2: choice })

describe('anchored pairs (card 36)', () => {
  test('as preferences, with where each side came from', async () => {
    const { preferences, counts } = await anchoredPairs(
      {
        present: [scored('c1', 'p', 3), scored('c2', 'p', null), scored('c3', 'q', 1)],
        past: [scored('p1', 'p', 1)],
        future: [scored('f1', 'p', 4)],
      },
      { by: 'r' },
    )
    expect(ids({ preferences })).toEqual(['f1>p1'])
    expect(preferences[0]!.meta).toMatchObject({ chosenFrom: 'future', rejectedFrom: 'past' })
    expect(counts).toEqual({ groups: 2, dropped: 1, rejectedFromPast: 1, chosenFromFuture: 1 })
  })
})

describe('splitByPrompt', () => {
  const items = Array.from({ length: 600 }, (_, i) => ({ prompt: `Question ${i % 200}`, i }))
  test('no prompt on both sides, about the share asked for, nothing lost', () => {
    const { train, test: held } = splitByPrompt(items, { test: 0.25 })
    const seen = new Set(train.map(({ prompt }) => prompt))
    expect(held.some(({ prompt }) => seen.has(prompt))).toBe(false)
    expect(train.length + held.length).toBe(600)
    expect(held.length / 600).toBeGreaterThan(0.15)
    expect(held.length / 600).toBeLessThan(0.35)
  })
  test('adding data moves nothing; letter case and spaces make no other prompt', () => {
    const held = new Set(splitByPrompt(items).test.map(({ prompt }) => prompt))
    const more = [...items, { prompt: 'another', i: -1 }, { prompt: 'QUESTION  7 ', i: -2 }]
    const again = splitByPrompt(more).test
    expect(new Set(again.filter(({ i }) => i >= 0).map(({ prompt }) => prompt))).toEqual(held)
    expect(again.some(({ i }) => i === -2)).toBe(held.has('Question 7'))
    expect(splitByPrompt(items, { test: 0 }).test).toEqual([])
    expect(splitByPrompt(items, { test: 1 }).train).toEqual([])
    expect(splitByPrompt(items, { rng: new Rng(5) })).not.toEqual(splitByPrompt(items))
  })
  test('another image makes another prompt', () => {
    const shown = (path: string) => ({
      prompt: [
        { type: 'text' as const, text: 'What is this?' },
        { type: 'image' as const, image: { path } },
      ],
    })
    const many = Array.from({ length: 50 }, (_, i) => shown(`${i}.png`))
    expect(splitByPrompt(many, { test: 0.5 }).test.length).toBeGreaterThan(5)
  })
})
