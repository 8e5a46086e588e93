import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  canonicalJson,
  defineBatchReward,
  defineGroupReward,
  defineReward,
  GuerdonError,
  identityOf,
  nearest,
  Rng,
  rewardIdentity,
  type Sample,
  textOf,
  unscored,
} from './index.ts'

const sample = (id: string, output: string, rest: Partial<Sample> = {}): Sample => ({
  id,
  prompt: 'p',
  output,
  meta: {},
  ...rest,
})

describe('canonical JSON and identities', () => {
  test('key order does not matter, values do', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse())
        expect(canonicalJson(reversed)).toBe(canonicalJson(value))
      }),
    )
    expect(identityOf({ a: 1 })).not.toBe(identityOf({ a: 2 }))
    expect(identityOf(Number.NaN)).not.toBe(identityOf(null))
    expect(identityOf({ a: undefined })).toBe(identityOf({}))
  })
  test('a cycle is refused', () => {
    const cycle: Record<string, unknown> = {}
    cycle.self = cycle
    expect(() => identityOf(cycle)).toThrow(/contains itself/)
  })
  test('variants of a reward have identities of their own', () => {
    const base = { name: 'r', version: '1', params: { variant: 'released' } }
    expect(rewardIdentity(base)).not.toBe(rewardIdentity({ ...base, params: { variant: 'guarded' } }))
  })
})

describe('Rng', () => {
  test('same seed, same numbers; forks do not depend on what was drawn', () => {
    const a = new Rng(7)
    const fork = a.fork('x').uint32()
    a.uniform()
    expect(a.fork('x').uint32()).toBe(fork)
    expect(new Rng('7').uint32()).toBe(new Rng(7).uint32())
    expect(new Rng(8).uint32()).not.toBe(new Rng(7).uint32())
  })
  test('golden first draws: a change here breaks every recorded seed', () => {
    const rng = new Rng(0)
    expect([rng.uint32(), rng.uint32(), rng.uint32()]).toMatchInlineSnapshot(`
      [
        2509014512,
        3082929939,
        1649742777,
      ]
    `)
  })
  test('moments and bounds', () => {
    const rng = new Rng('moments')
    let [sum, squares, normal, normalSquares] = [0, 0, 0, 0]
    const n = 40_000
    for (let i = 0; i < n; i++) {
      const u = rng.uniform()
      sum += u
      squares += u * u
      const z = rng.normal()
      normal += z
      normalSquares += z * z
    }
    expect(sum / n).toBeCloseTo(0.5, 2)
    expect(squares / n - (sum / n) ** 2).toBeCloseTo(1 / 12, 2)
    expect(Math.abs(normal / n)).toBeLessThan(0.02)
    expect(normalSquares / n).toBeCloseTo(1, 1)
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: -100, max: 100 }),
        fc.integer({ min: 1, max: 50 }),
        (seed, low, width) => {
          const draw = new Rng(seed).int(low, low + width)
          expect(draw >= low && draw < low + width).toBe(true)
        },
      ),
    )
    expect(() => rng.int(3, 3)).toThrow(RangeError)
  })
  test('shuffled keeps the elements, sample does not repeat', () => {
    const items = [1, 2, 3, 4, 5]
    expect(new Rng(1).shuffled(items).sort()).toEqual(items)
    expect(new Set(new Rng(1).sample(items, 4)).size).toBe(4)
  })
})

describe('defineReward', () => {
  const throwing = defineReward({
    name: 'throws on b, NaN on c, too high on d',
    judge: ({ output }) => {
      if (output === 'b') throw new Error('no b')
      return output === 'c' ? Number.NaN : output === 'd' ? 2 : 1
    },
  })
  test('a throw, NaN or a value out of range is unscored; the rest of the batch is kept', async () => {
    const scores = await throwing.score(['a', 'b', 'c', 'd'].map((text) => sample(text, text)))
    expect(scores.map(({ value }) => value)).toEqual([1, null, null, null])
    expect(scores[1]).toMatchObject({ code: 'crashed', reason: expect.stringContaining('no b') })
    expect(scores[3]).toMatchObject({ reason: expect.stringContaining('2') })
  })
  test('a rejected promise is unscored too', async () => {
    const reward = defineReward({ name: 'r', judge: async () => Promise.reject(new Error('down')) })
    expect(await reward.score([sample('a', '')])).toMatchObject([{ value: null, code: 'crashed' }])
  })
  test('a missing reference is unscored without asking; null is a reference', async () => {
    const reward = defineReward({ name: 'r', needs: ['reference'], judge: () => 1 })
    const scores = await reward.score([sample('a', ''), sample('b', '', { reference: null })])
    expect(scores.map(({ value }) => value)).toEqual([null, 1])
  })
  test('cancelled samples are unscored', async () => {
    const reward = defineReward({ name: 'r', judge: () => 1 })
    expect(await reward.score([sample('a', '')], { signal: AbortSignal.abort() })).toMatchObject([
      { code: 'cancelled' },
    ])
  })
  test('batch and group rewards keep order and survive a throw', async () => {
    const batch = defineBatchReward({
      name: 'b',
      judgeAll: async (samples) => samples.map(({ output }) => Number(output)),
    })
    expect((await batch.score([sample('a', '0.25'), sample('b', 'x')])).map(({ value }) => value)).toEqual([
      0.25,
      null,
    ])
    const short = defineBatchReward({ name: 's', judgeAll: async () => [] })
    expect(await short.score([sample('a', '')])).toMatchObject([{ value: null, code: 'crashed' }])
    const group = defineGroupReward({
      name: 'g',
      judgeGroup: (samples) => samples.map(({ output }) => (output === samples[0]!.output ? 1 : 0)),
    })
    expect(group.needs).toEqual(['group'])
    const mixed = [
      sample('a', 'x', { group: '1' }),
      sample('b', 'y', { group: '2' }),
      sample('c', 'z', { group: '1' }),
    ]
    expect((await group.score(mixed)).map(({ value }) => value)).toEqual([1, 1, 0])
  })
  test('an unscored score passes through', async () => {
    const reward = defineReward({ name: 'r', judge: () => unscored('unparsable', 'no verdict') })
    expect(await reward.score([sample('a', '')])).toMatchObject([{ value: null, code: 'unparsable' }])
  })
})

test('errors say where, what and how to mend it', () => {
  const error = new GuerdonError('bad-row', 'is not a number.', {
    place: { file: 'a.jsonl', line: 3, field: 'score' },
    fix: 'Write a number or null.',
  })
  expect(error.message).toBe('a.jsonl:3, field "score": is not a number. Write a number or null.')
  expect(nearest('tolrl', ['toolrl', 'math'])).toBe('toolrl')
  expect(nearest('zzz', ['toolrl', 'math'])).toBeUndefined()
})

test('the text of an output is its text parts, or the last assistant turn', () => {
  expect(
    textOf([
      { type: 'text', text: 'a' },
      { type: 'json', json: 1 },
      { type: 'text', text: 'b' },
    ]),
  ).toBe('ab')
  expect(
    textOf([
      { role: 'assistant', content: 'first' },
      { role: 'user', content: 'more' },
      { role: 'assistant', content: 'last' },
    ]),
  ).toBe('last')
  expect(textOf([])).toBe('')
})
