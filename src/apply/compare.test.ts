import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Rng, type ScoredSample, unscored } from '../core/index.ts'
import { compare } from './compare.ts'
import { comparePairs, pairTable } from './compare-pairs.ts'
import { orderAgreement } from './orders.ts'

const scored = (id: string, group: string, first: number | null, label: number | null): ScoredSample => ({
  sample: { id, prompt: group, output: id, meta: label === null ? {} : { label } },
  scores: { r: first === null ? unscored('timeout', 'slow') : { value: first } },
})

describe('compare', () => {
  test('counts what is left out, correlates what is left, overall and within prompts', async () => {
    // Between prompts the reward and the label agree, within them they are opposed.
    const rows = [
      scored('a1', 'a', 1, 2),
      scored('a2', 'a', 2, 1),
      scored('b1', 'b', 11, 12),
      scored('b2', 'b', 12, 11),
      scored('c1', 'c', null, 3),
      scored('c2', 'c', 3, null),
      scored('c3', 'c', null, null),
    ]
    const result = await compare(rows, { first: 'r', second: 'meta.label' })
    expect(result).toMatchObject({
      samples: 7,
      compared: 4,
      leftOut: { first: 1, second: 1, both: 1 },
      groups: 2,
      resampled: 'prompts',
    })
    expect(result.pearson!.estimate).toBeGreaterThan(0.9)
    expect(result.within.pearson!.estimate).toBeCloseTo(-1, 12)
    expect(result.within.kendall).toMatchObject({ estimate: -1, n: 2 })
    expect(result.within.pairs).toMatchObject({ pairs: 2, right: 0, wrong: 2, accuracy: { estimate: 0 } })
  })
  test('ties on pairs count as stated', async () => {
    const rows = [scored('1', 'a', 1, 1), scored('2', 'a', 1, 2), scored('3', 'a', 2, 2)]
    const accuracy = async (ties: Parameters<typeof compare>[1]['ties']) =>
      (await compare(rows, { first: 'r', second: 'meta.label', ties: ties! })).within.pairs.accuracy!.estimate
    // (1,2): the reward ties; (1,3): right; (2,3): the label ties, the reward does not.
    expect(await accuracy({})).toBe(1.5 / 2)
    expect(await accuracy({ predictedTies: 'drop' })).toBe(1)
    expect(await accuracy({ predictedTies: 'wrong' })).toBe(1 / 2)
    expect(await accuracy({ labelTies: 'match' })).toBe(1.5 / 3)
    expect(await accuracy({ labelTies: 'half', predictedTies: 'drop' })).toBe(1.5 / 2)
  })
  test('pairs from Kendall counts equal pairs listed one by one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(2), fc.integer({ min: -2, max: 2 }), fc.nat(2)), {
          minLength: 2,
          maxLength: 15,
        }),
        fc.constantFrom('half', 'drop', 'wrong'),
        fc.constantFrom('drop', 'match', 'half'),
        async (rows, predictedTies, labelTies) => {
          const samples = rows.map(([group, value, label], i) => scored(String(i), `g${group}`, value, label))
          const { within } = await compare(samples, {
            first: 'r',
            second: 'meta.label',
            ties: { predictedTies, labelTies },
            resamples: 10,
          })
          const table = await pairTable(samples, { label: 'meta.label', rewards: ['r'] })
          const [judge] = comparePairs(table, { predictedTies, labelTies, resamples: 10 }).judges
          expect(within.pairs.counted).toBe(judge!.counts.counted)
          if (judge!.counts.accuracy === null) expect(within.pairs.accuracy).toBeNull()
          else expect(within.pairs.accuracy!.estimate).toBeCloseTo(judge!.counts.accuracy, 12)
        },
      ),
      { numRuns: 60 },
    )
  })
  test('kappa of few values, or of passes', async () => {
    const rows = [0, 1, 1, 0, 1].map((value, i) => scored(String(i), 'p', value, [0, 1, 0, 0, 1][i]!))
    const result = await compare(rows, { first: 'r', second: 'meta.label' })
    expect(result.resampled).toBe('samples')
    expect(result.kappa!.plain.kappa).toBeCloseTo((0.8 - 0.48) / 0.52, 12)
    const many = Array.from({ length: 20 }, (_, i) => scored(String(i), 'p', i, i % 2 ? i : i + 1))
    expect((await compare(many, { first: 'r', second: 'meta.label' })).kappa).toBeNull()
    const passes = await compare(many, {
      first: 'r',
      second: 'meta.label',
      thresholds: { first: 10, second: 10 },
    })
    expect(passes.kappa!.plain.kappa).toBe(1)
  })
  test('the widest gap between the rankings comes first', async () => {
    const rows = [3, 1, 2, 4].map((value, i) => scored(String(i), 'p', value, [1, 2, 3, 4][i]!))
    const { disagreements } = await compare(rows, { first: 'r', second: 'meta.label' })
    expect(disagreements.map(({ id }) => id)).toEqual(['0', '1', '2'])
    expect(disagreements[0]!.rankGap).toBeCloseTo(2 / 3, 12)
  })
})

describe('comparePairs', () => {
  const table = {
    ids: ['1', '2', '3', '4', '5'],
    labels: [1, 1, -1, 0, 1],
    clusters: ['x', 'x', 'y', 'y', 'z'],
    judges: { good: [2, 1, -1, 0.5, null], poor: [-3, 1, 0, 0, -1] },
  }
  test('accuracy, kappa, unjudged pairs, the difference and McNemar', () => {
    const { judges, differences, prompts } = comparePairs(table)
    expect(prompts).toBe(3)
    expect(judges[0]).toMatchObject({ judge: 'good', unjudged: 1, counts: { right: 3, labelTies: 1 } })
    expect(judges[0]!.accuracy!.estimate).toBe(1)
    expect(judges[1]!.accuracy!.estimate).toBe(1.5 / 4)
    expect(judges[1]!.disagreements.map(({ id }) => id)).toEqual(['1', '5'])
    expect(differences).toHaveLength(1)
    expect(differences[0]).toMatchObject({ pairs: 3, mcnemar: { onlyFirst: 1, onlySecond: 0 } })
    expect(differences[0]!.accuracy!.estimate).toBe(1.5 / 3)
  })
  test('swapping the two sides of any pair changes nothing', () => {
    const flip = [true, false, true, true, false]
    const swapped = {
      ...table,
      labels: table.labels.map((label, i) => (flip[i] ? 0 - label : label)),
      judges: Object.fromEntries(
        Object.entries(table.judges).map(([name, margins]) => [
          name,
          margins.map((margin, i) => (flip[i] && margin !== null ? 0 - margin : margin)),
        ]),
      ),
    }
    const strip = (comparison: ReturnType<typeof comparePairs>) => ({
      ...comparison,
      judges: comparison.judges.map(({ disagreements, ...judge }) => ({
        ...judge,
        disagreements: disagreements.map(({ id, confidence }) => ({ id, confidence })),
      })),
    })
    expect(strip(comparePairs(swapped))).toEqual(strip(comparePairs(table)))
  })
  test('kappa without ties is 2 accuracy - 1', () => {
    const labels = [1, 1, -1, 1, -1, 1]
    const margins = [1, -1, -1, 1, 1, 1]
    const { judges } = comparePairs({ ids: labels.map(String), labels, judges: { j: margins } })
    expect(judges[0]!.kappa).toBeCloseTo(2 * (4 / 6) - 1, 12)
  })
  test('a list of another length is refused', () => {
    expect(() => comparePairs({ ...table, labels: [1] })).toThrow(/labels: 1 places for 5 pairs/)
  })
})

describe('orderAgreement', () => {
  test('a judge that always takes the first slot', () => {
    const result = orderAgreement(
      { aFirst: [1, 1, 1, 1], bFirst: [-1, -1, -1, -1] },
      { labels: [1, -1, 1, -1] },
    )
    expect(result.slotBias!.estimate).toBe(1)
    expect(result.consistent!.estimate).toBe(0)
    expect(result.accuracy!.mean!.estimate).toBe(0.5)
    expect(result.accuracy!.both!.estimate).toBe(0)
  })
  test('unjudged verdicts are left out or wrong, as asked', () => {
    const verdicts = { aFirst: [1, null, -1], bFirst: [1, 1, -1] }
    const labels = [1, 1, -1]
    expect(orderAgreement(verdicts, { labels }).accuracy!.mean).toMatchObject({ estimate: 1, n: 2 })
    expect(orderAgreement(verdicts, { labels, unjudged: 'wrong' }).accuracy!.mean!.estimate).toBe(2.5 / 3)
    expect(orderAgreement(verdicts)).toMatchObject({ both: 2, accuracy: null, kappa: 1 })
  })
})

test('intervals resample prompts: a set with every prompt copied is no surer', async () => {
  const rng = new Rng('copies')
  const rows = Array.from({ length: 40 }, (_, i) => scored(`${i}`, `g${i >> 1}`, rng.normal(), rng.normal()))
  const copies = rows.flatMap((row) =>
    ['', "'", '"'].map((mark) => ({ ...row, sample: { ...row.sample, id: row.sample.id + mark } })),
  )
  const options = { first: 'r', second: 'meta.label', resamples: 300 } as const
  const [one, three] = [await compare(rows, options), await compare(copies, options)]
  const width = (interval: { low: number; high: number } | null) => interval!.high - interval!.low
  expect(width(three.pearson)).toBeCloseTo(width(one.pearson), 10)
})
