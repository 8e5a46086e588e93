import { describe, expect, test } from 'vitest'
import {
  type Comparator,
  type Comparison,
  defineReward,
  type Pair,
  Rng,
  type Sample,
  type Score,
  type StepReward,
  unscored,
} from '../core/index.ts'
import {
  comparatorFromReward,
  outcomeFromSteps,
  preferenceFromComparison,
  rewardFromComparator,
} from './convert.ts'

const sample = (output: string, group = 'g'): Sample => ({ id: output, prompt: 'p', output, group, meta: {} })
const pair = (a: string, b: string): Pair => ({ id: `${a}-${b}`, a: sample(a), b: sample(b) })

let judged = 0
const numeric = defineReward({
  name: 'numeric',
  range: [-Infinity, Infinity],
  judge: ({ output }) => {
    judged += 1
    return Number.isNaN(Number(output)) ? unscored('unparsable', 'no number') : Number(output)
  },
})

describe('comparatorFromReward', () => {
  test('the higher reward wins, equal is a tie, either order agrees', async () => {
    const comparator = comparatorFromReward(numeric)
    const comparisons = await comparator.compare([
      pair('2', '1'),
      pair('1', '2'),
      pair('1', '1.0'),
      pair('x', '1'),
    ])
    expect(comparisons.map(({ value }) => value)).toEqual([1, 0, 0.5, null])
    expect(comparisons[0]).toMatchObject({ orders: [1, 1] })
    expect(comparisons[3]).toMatchObject({ code: 'unparsable', reason: 'a: no number' })
  })
  test('a margin makes ties or probabilities', async () => {
    const tied = await comparatorFromReward(numeric, { tie: 0.5 }).compare([
      pair('1.5', '1'),
      pair('1.6', '1'),
    ])
    expect(tied.map(({ value }) => value)).toEqual([0.5, 1])
    const [soft] = await comparatorFromReward(numeric, { scale: 2 }).compare([pair('3', '1')])
    expect(soft!.value).toBeCloseTo(1 / (1 + Math.exp(-1)), 12)
    expect(() => comparatorFromReward(numeric, { scale: 0 })).toThrow(RangeError)
  })
  test('each sample is judged once', async () => {
    const [a, b, c] = ['1', '2', '3'].map((output) => sample(output)) as [Sample, Sample, Sample]
    judged = 0
    await comparatorFromReward(numeric).compare([
      { id: '1', a, b },
      { id: '2', a, b: c },
      { id: '3', a: b, b: c },
    ])
    expect(judged).toBe(3)
  })
})

/** Says what a function of the two outputs says. */
const comparing = (compare: (a: string, b: string) => Comparison | number): Comparator => ({
  name: 'test',
  version: '1',
  params: {},
  compare: async (pairs) =>
    pairs.map(({ a, b }) => {
      const said = compare(a.output as string, b.output as string)
      return typeof said === 'number' ? { value: said } : said
    }),
})
const group = (...outputs: string[]) => outputs.map((output) => sample(output))
const values = (scores: readonly Score[]) => scores.map(({ value }) => value)

describe('rewardFromComparator', () => {
  const higher = comparing((a, b) => (a === b ? 0.5 : Number(a) > Number(b) ? 1 : 0))
  test('two outputs: the log odds of the win and the prior', async () => {
    const scores = await rewardFromComparator(higher).score(group('2', '1'))
    // One win, and a tie of each with strength 0: 1 - sigmoid(2s) = sigmoid(s) - 1/2.
    const s = scores[0]!.value!
    expect(1 - 1 / (1 + Math.exp(-2 * s))).toBeCloseTo(1 / (1 + Math.exp(-s)) - 0.5, 9)
    expect(scores[1]!.value).toBeCloseTo(-s, 12)
    expect(scores[0]).toMatchObject({
      parts: { wins: 1 },
      uncertainty: expect.any(Number),
      meta: { comparisons: 1, unscored: 0, components: 1 },
    })
  })
  test('a clean sweep is finite, ordered, and does not depend on the order of the batch', async () => {
    const samples = group('5', '1', '4', '2', '3')
    const reward = rewardFromComparator(higher)
    const scores = values(await reward.score(samples))
    expect(scores.every((value) => Number.isFinite(value))).toBe(true)
    expect([...scores].sort((a, b) => b! - a!)).toEqual([0, 2, 4, 3, 1].map((index) => scores[index]))
    const biased = rewardFromComparator(comparing(() => 0.8)) // prefers whichever stands first
    const straight = await biased.score(samples)
    const turned = await biased.score(new Rng(3).shuffled(samples))
    for (const [index, { id }] of samples.entries())
      expect(turned[new Rng(3).shuffled(samples).findIndex((other) => other.id === id)]).toEqual(
        straight[index],
      )
  })
  test('unscored comparisons are left out and counted; an output without any is unscored', async () => {
    const partial = comparing((a, b) =>
      a === 'x' || b === 'x'
        ? unscored('refused', 'not that one')
        : a < 'c' !== b < 'c'
          ? unscored('outage', 'down')
          : a < b
            ? 1
            : 0,
    )
    const scores = await rewardFromComparator(partial).score(group('a', 'b', 'c', 'd', 'x'))
    expect(scores[4]).toMatchObject({ value: null, code: 'refused' })
    expect(scores[0]).toMatchObject({ meta: { comparisons: 1, unscored: 3, components: 3 } })
    expect(scores[0]!.value).toBeGreaterThan(scores[1]!.value!)
    expect(scores[0]!.value).toBeCloseTo(scores[2]!.value!, 9)
  })
  test('win probabilities are in [0, 1] and average one half', async () => {
    const scores = values(
      await rewardFromComparator(higher, { output: 'winProbability' }).score(group('1', '2', '3')),
    )
    expect(scores.reduce<number>((sum, value) => sum + value!, 0) / 3).toBeCloseTo(0.5, 9)
  })
  test('one output has nothing to be compared with; groups stay apart', async () => {
    const scores = await rewardFromComparator(higher).score([sample('9', 'lone'), ...group('1', '2')])
    expect(scores[0]).toMatchObject({ value: null, code: 'not-applicable' })
    expect(scores[2]!.value).toBeGreaterThan(0)
    expect(() => rewardFromComparator(higher, { prior: 0 })).toThrow(RangeError)
  })
  test('a round trip through pairs keeps the order of a reward', async () => {
    const there = rewardFromComparator(comparatorFromReward(numeric, { scale: 1 }))
    const scores = values(await there.score(group('0.1', '0.9', '-2', '0.5')))
    expect([...scores.keys()].sort((i, j) => scores[j]! - scores[i]!)).toEqual([1, 3, 0, 2])
  })
})

describe('outcomeFromSteps', () => {
  /** Steps are the characters; digits score tenths, "?" cannot be judged. */
  const digits: StepReward = {
    name: 'digits',
    version: '1',
    params: {},
    unit: 'step',
    range: [0, 1],
    scoreSteps: async (samples) =>
      samples.map(({ output }) =>
        output === 'none'
          ? unscored('bad-input', 'no steps to be found')
          : [...(output as string)].map((step) =>
              step === '?' ? unscored('outage', 'down') : { value: Number(step) / 10 },
            ),
      ),
  }
  const outcomes = async (options: Parameters<typeof outcomeFromSteps>[1], ...outputs: string[]) =>
    outcomeFromSteps(digits, options).score(outputs.map((output) => sample(output)))

  test('four ways, each also among the parts', async () => {
    for (const [reduce, expected] of [
      ['min', 0.2],
      ['product', 0.08],
      ['last', 0.8],
      ['mean', 0.5],
    ] as const) {
      const [score] = await outcomes({ reduce }, '528')
      expect(score!.value).toBeCloseTo(expected, 12)
      expect(score!.parts).toMatchObject({ min: 0.2, last: 0.8 })
    }
  })
  test('no steps, an unscored step, an unscored output', async () => {
    expect(await outcomes({}, '', '5?8', 'none')).toMatchObject([
      { value: null, code: 'not-applicable' },
      { value: null, code: 'outage' },
      { value: null, code: 'bad-input' },
    ])
    const skipping = await outcomes({ reduce: 'mean', onUnscored: 'skip' }, '5?8', '??')
    expect(skipping).toMatchObject([{ value: 0.65, meta: { steps: 3, skipped: 1 } }, { value: null }])
    expect(values(await outcomes({ reduce: 'last', onUnscored: 'skip' }, '58?', '?58'))).toEqual([null, 0.8])
  })
})

test('a comparison becomes a preference; ties and the unscored do not', () => {
  expect(preferenceFromComparison(pair('x', 'y'), { value: 0.2 })).toMatchObject({
    chosen: 'y',
    rejected: 'x',
    margin: 0.6,
    meta: { chosen: 'y', rejected: 'x' },
  })
  expect(preferenceFromComparison(pair('x', 'y'), { value: 1 })).toMatchObject({ chosen: 'x', margin: 1 })
  expect(preferenceFromComparison(pair('x', 'y'), { value: 0.5 })).toBeUndefined()
  expect(preferenceFromComparison(pair('x', 'y'), unscored('outage', 'down'))).toBeUndefined()
})
