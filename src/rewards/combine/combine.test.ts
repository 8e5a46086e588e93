import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  defineReward,
  type Range,
  type Reward,
  Rng,
  rewardIdentity,
  type Sample,
  unscored,
} from '../../core/index.ts'
import { type CombinationTerm, recombine } from './combination.ts'
import { combine, type Term } from './combine.ts'
import {
  gate,
  harmonic,
  lagrangian,
  type ModeName,
  modes,
  product,
  sum,
  uncertaintyWeighted,
} from './modes.ts'
import { constantReference, quantileReference } from './reference.ts'
import { linear, stepAt } from './schedule.ts'

const sample = (id: string, meta: Sample['meta'] = {}): Sample => ({ id, prompt: 'p', output: id, meta })

/** A reward that reads its value from the sample's meta. */
const read = (field: string, range: Range = [0, 1], uncertainty?: number): Reward =>
  defineReward({
    name: field,
    range,
    judge: ({ meta }) => {
      const value = meta[field]
      if (typeof value !== 'number') return unscored('outage', `no ${field}`)
      return uncertainty === undefined ? value : { value, uncertainty }
    },
  })

const only = async (reward: Reward, meta: Sample['meta'], step?: number) =>
  (await reward.score([sample('s', meta)], step === undefined ? {} : { step }))[0]!

const totalOf = async (reward: Reward, meta: Sample['meta'], step?: number) =>
  (await only(reward, meta, step)).value

describe('each mode', () => {
  const [a, b, c] = [read('a'), read('b'), read('c')]
  test('sum: weights and offset', async () => {
    const reward = combine(
      [
        { reward: a, weight: 0.7 },
        { reward: b, weight: -0.3 },
      ],
      { mode: sum({ offset: 1 }) },
    )
    expect(await totalOf(reward, { a: 0.5, b: 1 })).toBeCloseTo(1.05, 12)
    expect(reward.range).toEqual([0.7, 1.7])
  })
  test('product of a nested sum: GoT-R1 in its two forms', async () => {
    const [pi, sem, spa, ri, hps] = ['pi', 'sem', 'spa', 'ri', 'hps'].map((name) => read(name))
    const plan = (weight: number) =>
      combine(
        [
          { reward: sem!, weight },
          { reward: spa!, weight },
        ],
        { mode: 'sum', name: 'plan' },
      )
    const v1 = combine([{ reward: pi! }, { reward: plan(1) }, { reward: ri! }], { mode: 'product' })
    const meta = { pi: 0.8, sem: 0.75, spa: 0.9, ri: 0.8, hps: 0.28 }
    expect(await totalOf(v1, meta)).toBeCloseTo(1.056, 9)
    expect(v1.range).toEqual([0, 2])
    expect((await only(v1, meta)).parts).toEqual({
      pi: 0.8,
      plan: 1.65,
      'plan.sem': 0.75,
      'plan.spa': 0.9,
      ri: 0.8,
    })
    const conference = combine([{ reward: pi! }, { reward: plan(0.5) }, { reward: ri! }, { reward: hps! }], {
      mode: 'product',
    })
    expect(await totalOf(conference, meta)).toBeCloseTo(0.14784, 9)
    expect(await totalOf(v1, { ...meta, ri: 0 })).toBe(0)
    const floored = combine([{ reward: pi! }, { reward: ri! }], { mode: product({ floor: 0.1 }) })
    expect(await totalOf(floored, { ...meta, ri: 0 })).toBeCloseTo(0.08, 12)
    expect(floored.range[0]).toBeCloseTo(0.01, 12)
  })
  test('gate: closed settles, open pays the rest, a value at the threshold stays closed', async () => {
    const reward = combine([{ reward: a }, { reward: b }, { reward: c, weight: 2 }], {
      mode: gate({ closed: -1 }),
    })
    expect(await totalOf(reward, { a: 1, b: 0.25, c: 1 })).toBe(2.25)
    expect(await totalOf(reward, { a: 0.5, b: 1, c: 1 })).toBe(-1)
    expect(await totalOf(reward, { a: 0 })).toBe(-1)
    expect(await totalOf(reward, { b: 1, c: 1 })).toBe(null)
    expect(await totalOf(reward, { a: 1, b: 1 })).toBe(null)
    expect(reward.range).toEqual([-1, 3])
  })
  test('a lazy gate asks the others only where it is open', async () => {
    let asked = 0
    const dear = defineReward({
      name: 'dear',
      judge: () => {
        asked += 1
        return 1
      },
    })
    const samples = [sample('0', { a: 0 }), sample('1', { a: 1 }), sample('2', { a: 0 }), sample('3')]
    const lazy = combine([{ reward: a }, { reward: dear }], { mode: 'gate', lazy: true })
    const eager = combine([{ reward: a }, { reward: dear }], { mode: 'gate' })
    const scores = await lazy.score(samples)
    expect(scores.map(({ value }) => value)).toEqual([0, 1, 0, null])
    expect(asked).toBe(2)
    expect(scores[0]!.parts).toEqual({ a: 0, dear: null })
    expect((await eager.score(samples)).map(({ value }) => value)).toEqual([0, 1, 0, null])
    expect(rewardIdentity(lazy)).not.toBe(rewardIdentity(eager))
  })
  test('harmonic: the weaker side dominates, lambda 0 and 1 are exact', async () => {
    const at = (lambda: number) =>
      combine(
        [
          { reward: a, weight: lambda },
          { reward: b, weight: 1 - lambda },
        ],
        { mode: 'harmonic' },
      )
    const [image, text] = [0.9, 0.65]
    expect(await totalOf(at(0.5), { a: image, b: text })).toBeCloseTo(0.754839, 6)
    expect(await totalOf(at(0.3), { a: image, b: text })).toBeCloseTo(0.709091, 6)
    expect(await totalOf(at(0), { a: image, b: text })).toBe(text)
    expect(await totalOf(at(1), { a: image, b: text })).toBe(image)
    expect(await totalOf(at(0.5), { a: 1, b: 1 })).toBe(1)
    expect(await totalOf(at(0.5), { a: 0, b: 1 })).toBeCloseTo(0, 6)
  })
  test('logSigmoidSum centres first, per prompt', async () => {
    const wide: Range = [-Infinity, Infinity]
    const reward = combine(
      [
        { reward: read('helpful', wide), reference: quantileReference({ meta: 'helpfulBase' }, 0.5) },
        { reward: read('harmless', wide), reference: constantReference(0.1) },
      ],
      { mode: 'logSigmoidSum' },
    )
    const meta = { helpful: 1.2, helpfulBase: [0.7], harmless: -0.4 }
    const score = await only(reward, meta)
    expect(score.value).toBeCloseTo(-1.448154, 6)
    expect(score.parts).toEqual({
      helpful: 1.2,
      'helpful@reference': 0.7,
      harmless: -0.4,
      'harmless@reference': 0.1,
    })
    expect(await only(reward, { helpful: 1, harmless: 1 })).toMatchObject({
      value: null,
      code: 'bad-input',
      reason: expect.stringContaining('helpfulBase'),
    })
    expect(await totalOf(reward, { helpful: -800, helpfulBase: [0], harmless: 800 })).toBe(-800)
  })
  test('uncertaintyWeighted: exp(-U) and the price of being unsure', async () => {
    const reward = combine(
      [
        { reward: read('a', [0, 1], 0.5), weight: 2 },
        { reward: b, uncertainty: 0 },
      ],
      { mode: uncertaintyWeighted({ regulariser: 0.1 }) },
    )
    expect(await totalOf(reward, { a: 0.8, b: 0.3 })).toBeCloseTo(2 * Math.exp(-0.5) * 0.8 + 0.3 - 0.05, 12)
    const silent = combine([{ reward: a }], { mode: 'uncertaintyWeighted' })
    expect(await totalOf(silent, { a: 1 })).toBe(null)
  })
  test('lagrangian: bounded weights sum to the number of constraints', async () => {
    const wide: Range = [-Infinity, Infinity]
    const terms = (multipliers: number[]): Term[] => [
      { reward: read('kl', wide) },
      { reward: read('x', wide), weight: multipliers[0]! },
      { reward: read('y', wide), weight: multipliers[1]! },
    ]
    const bounded = combine(terms([0.5, 0.731059]), { mode: 'lagrangian' })
    expect(await totalOf(bounded, { kl: 0.3, x: 1, y: -1 })).toBeCloseTo(-0.000376, 5)
    expect(await totalOf(bounded, { kl: -0.2, x: 0.5, y: 0.4 })).toBeCloseTo(0.388635, 5)
    const textbook = combine(
      [
        { reward: read('kl', wide) },
        { reward: read('x', wide), weight: 2, reference: constantReference(0.44) },
      ],
      { mode: lagrangian({ form: 'textbook' }) },
    )
    expect(await totalOf(textbook, { kl: -1, x: 0.54 })).toBeCloseTo(-0.8, 12)
  })
})

describe('weights over time', () => {
  const reward = combine(
    [
      { reward: read('a'), weight: stepAt(30, 1 / 3, 1) },
      { reward: read('b'), weight: linear({ from: 1, to: 0, end: 10 }) },
    ],
    { mode: 'sum' },
  )
  test('a schedule needs the step', async () => {
    expect(reward.needs).toEqual(['step'])
    expect(await totalOf(reward, { a: 1, b: 1 }, 5)).toBeCloseTo(1 / 3 + 0.5, 12)
    expect(await totalOf(reward, { a: 1, b: 1 }, 30)).toBe(1)
    expect(await only(reward, { a: 1, b: 1 })).toMatchObject({ value: null, code: 'bad-input' })
    expect(reward.range).toEqual([0, 2])
  })
})

describe('unscored terms', () => {
  const three = (onUnscored: 'unscored' | 'skip', mode: ModeName = 'sum', required = false) =>
    combine(
      [{ reward: read('a'), weight: 2, required }, { reward: read('b') }, { reward: read('c') }].map(
        (term) => (mode === 'min' ? { reward: term.reward } : term),
      ),
      { mode, onUnscored },
    )
  test('make the total unscored, keep the other parts and say which term and why', async () => {
    expect(await only(three('unscored'), { b: 1, c: 0 })).toMatchObject({
      value: null,
      code: 'outage',
      reason: expect.stringContaining('"a"'),
      parts: { a: null, b: 1, c: 0 },
      meta: { unscored: { a: 'outage: no a' } },
    })
  })
  test('or are skipped: the others share the weight, and the score says so', async () => {
    expect(await only(three('skip'), { a: 0.5, b: 1 })).toMatchObject({
      value: ((2 * 0.5 + 1) * 4) / 3,
      meta: { skipped: ['c'] },
    })
    expect(await totalOf(three('skip', 'mean'), { b: 1, c: 0.5 })).toBe(0.75)
    expect(await totalOf(three('skip', 'min'), { a: 0.4 })).toBe(0.4)
    expect(await totalOf(three('skip', 'product'), { a: 0.5 })).toBeCloseTo(0.5 ** 4, 12)
  })
  test('a required term is not skipped, and nothing scored is not a score', async () => {
    expect(await totalOf(three('skip', 'sum', true), { b: 1, c: 1 })).toBe(null)
    expect(await totalOf(three('skip'), {})).toBe(null)
  })
  test('a term of weight 0 is a part without a say', async () => {
    const terms = (required: boolean): Term[] => [
      { reward: read('a') },
      { reward: read('b'), weight: 0, required },
    ]
    for (const mode of ['sum', 'mean', 'harmonic', 'product'] as const)
      expect(await only(combine(terms(false), { mode }), { a: 0.5 }), mode).toMatchObject({
        value: 0.5,
        parts: { a: 0.5, b: null },
      })
    expect(await totalOf(combine(terms(true), { mode: 'sum' }), { a: 0.5 })).toBe(null)
    expect(await totalOf(combine(terms(false).slice(1), { mode: 'sum' }), {})).toBe(null)
  })
  test('a failure that trying again will not mend decides the code', async () => {
    const lacking = defineReward({ name: 'lacking', judge: () => unscored('bad-input', 'no image') })
    const reward = combine([{ reward: read('a') }, { reward: lacking }], { mode: 'min', onUnscored: 'skip' })
    expect(await only(reward, {})).toMatchObject({ code: 'bad-input' })
  })
  test('rewards written by hand that throw, fall short or give NaN do not spoil the batch', async () => {
    const rough = (name: string, score: Reward['score']): Reward => ({ ...read(name), score })
    const reward = combine(
      [
        { reward: read('a') },
        { reward: rough('b', () => Promise.reject(new Error('down'))) },
        { reward: rough('c', async () => []) },
        { reward: rough('d', async (samples) => samples.map(() => ({ value: Number.NaN }))) },
      ],
      { mode: 'mean', onUnscored: 'skip' },
    )
    expect(await only(reward, { a: 0.5 })).toMatchObject({
      value: 0.5,
      parts: { a: 0.5, b: null, c: null, d: null },
    })
  })
  test('cancelled passes down', async () => {
    const [score] = await three('skip').score([sample('s', { a: 1, b: 1, c: 1 })], {
      signal: AbortSignal.abort(),
    })
    expect(score).toMatchObject({ value: null, code: 'cancelled' })
  })
})

describe('refusals', () => {
  const a = read('a')
  const cosine = read('cosine', [-1, 1])
  test.each<[string, readonly Term[], ModeName, RegExp]>([
    ['an empty list', [], 'sum', /no rewards to combine/],
    ['two terms of one name', [{ reward: a }, { reward: a }], 'sum', /two terms are named "a"/],
    ['a weight that is no number', [{ reward: a, weight: Number.NaN }], 'sum', /weight of "a" is NaN/],
    ['a harmonic mean of cosines', [{ reward: cosine }], 'harmonic', /negative values have no harmonic mean/],
    ['weights of a minimum', [{ reward: a, weight: 2 }], 'min', /no use/],
    ['a power of a negative factor', [{ reward: cosine, weight: 2 }], 'product', /no power/],
    ['a log-sigmoid without reference', [{ reward: a }], 'logSigmoidSum', /no reference/],
    ['a gate without anything behind it', [{ reward: a }], 'gate', /gate/],
    ['a Lagrangian without constraint', [{ reward: a }], 'lagrangian', /objective and a constraint/],
    ['an unknown mode', [{ reward: a }], 'sun' as ModeName, /no mode "sun".*sum, mean/],
  ])('%s', (_, terms, mode, message) => {
    expect(() => combine(terms, { mode })).toThrow(message)
  })
})

test('the identity follows terms, weights, references and mode', () => {
  const [a, b] = [read('a'), read('b')]
  const variants = [
    combine([{ reward: a }, { reward: b }], { mode: 'sum' }),
    combine([{ reward: a }, { reward: b, weight: 0.5 }], { mode: 'sum' }),
    combine([{ reward: a }, { reward: b }], { mode: 'sum', onUnscored: 'skip' }),
    combine([{ reward: a }, { reward: b }], { mode: 'min', name: 'sum' }),
    combine([{ reward: a }, { reward: { ...b, version: '2' } }], { mode: 'sum' }),
    combine([{ reward: a }, { reward: b, reference: constantReference(0) }], { mode: 'sum' }),
    combine([{ reward: a }, { reward: b, weight: stepAt(3, 1, 0) }], { mode: 'sum' }),
    combine([{ reward: a }, { reward: b, weight: stepAt(4, 1, 0) }], { mode: 'sum' }),
    combine([{ reward: a }, { reward: b }], { mode: harmonic({ epsilon: 1e-3 }), name: 'sum' }),
    combine([{ reward: a }, { reward: b }], { mode: 'harmonic', name: 'sum' }),
  ]
  expect(new Set(variants.map(rewardIdentity)).size).toBe(variants.length)
  for (const { params } of variants) expect(JSON.parse(JSON.stringify(params))).toEqual(params)
})

test('stochastic terms draw apart and do not depend on the batch', async () => {
  const noisy = defineReward({
    name: 'noisy',
    judge: ({ id }, { rng }) => rng!.fork(id).uniform(),
  })
  const reward = combine(
    [
      { reward: noisy, name: 'first' },
      { reward: noisy, name: 'second' },
    ],
    { mode: 'mean' },
  )
  const together = await reward.score([sample('x'), sample('y')], { rng: new Rng(1) })
  const alone = await reward.score([sample('y')], { rng: new Rng(1) })
  expect(alone[0]).toEqual(together[1])
  expect(together[0]!.parts!.first).not.toBe(together[0]!.parts!.second)
})

test('details of the terms are kept: evidence, rationale, usage, meta', async () => {
  const judge = (name: string) =>
    defineReward({
      name,
      judge: () => ({
        value: 1,
        rationale: `${name} says yes`,
        usage: { calls: 1, costUsd: 0.5 },
        evidence: [{ kind: 'step', index: 0 } as const],
        meta: { model: name },
      }),
    })
  const reward = combine([{ reward: judge('x') }, { reward: judge('y') }], { mode: 'mean' })
  expect(await only(reward, {})).toMatchObject({
    rationale: 'x: x says yes\ny: y says yes',
    usage: { calls: 2, costUsd: 1 },
    evidence: [{ index: 0 }, { index: 0 }],
    meta: { x: { model: 'x' }, y: { model: 'y' } },
  })
})

describe('laws', () => {
  const logSigmoid = (x: number) => -Math.log(1 + Math.exp(-x))
  const total = (list: readonly number[]) => list.reduce((sum, x) => sum + x, 0)
  /** Each mode once more, as its definition reads. */
  const definitions: Record<ModeName, (values: number[], weights: number[]) => number> = {
    sum: (v, w) => total(v.map((x, i) => x * w[i]!)),
    mean: (v, w) => total(v.map((x, i) => x * w[i]!)) / total(w),
    product: (v, w) => v.reduce((product, x, i) => product * x ** w[i]!, 1),
    gate: (v, w) => (v[0]! > 0.5 ? total(v.slice(1).map((x, i) => x * w[i + 1]!)) : 0),
    min: (v) => Math.min(...v),
    harmonic: (v, w) => total(w) / total(v.map((x, i) => w[i]! / (x + 1e-8))),
    logSigmoidSum: (v) => total(v.map((x) => logSigmoid(x - 0.3))),
    uncertaintyWeighted: (v, w) => total(v.map((x, i) => w[i]! * Math.exp(-0.2) * x - 0.2)),
    lagrangian: (v, w) =>
      (v.length - 1 - total(w.slice(1))) * v[0]! + total(v.slice(1).map((x, i) => x * w[i + 1]!)),
  }
  const unweighted = new Set<ModeName>(['min', 'logSigmoidSum'])
  const leading = new Set<ModeName>(['gate', 'lagrangian'])
  const unit = fc.double({ min: 0, max: 1, noNaN: true })

  test.each(Object.keys(modes) as ModeName[])(
    '%s: total = combination of parts, inside its range',
    async (mode) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(unit, fc.double({ min: 0.1, max: 3, noNaN: true })), {
            minLength: 2,
            maxLength: 5,
          }),
          async (pairs) => {
            const values = pairs.map(([value]) => value)
            const weights = pairs.map(([, weight], index) =>
              unweighted.has(mode) || (leading.has(mode) && index === 0) ? 1 : weight,
            )
            const terms = values.map((_, index) => ({
              reward: read(`t${index}`, [0, 1], 0.2),
              weight: weights[index]!,
              ...(mode === 'logSigmoidSum' ? { reference: constantReference(0.3) } : {}),
            }))
            const reward = combine(terms, { mode })
            const score = await only(
              reward,
              Object.fromEntries(values.map((value, index) => [`t${index}`, value])),
            )
            expect(score.value).toBeCloseTo(definitions[mode](values, weights), 6)
            expect(score.value).toBeGreaterThanOrEqual(reward.range[0])
            expect(score.value).toBeLessThanOrEqual(reward.range[1])
            const stored: CombinationTerm[] = terms.map(({ reward, weight }) => ({
              name: reward.name,
              weight,
              range: reward.range,
              centred: mode === 'logSigmoidSum',
            }))
            expect(recombine(score.parts!, stored, { mode }).value).toBe(score.value)
          },
        ),
        { numRuns: 60 },
      )
    },
  )

  test('the computed range holds under skipping, negative weights and any mixture of signs', async () => {
    const range = fc
      .tuple(fc.integer({ min: -5, max: 5 }), fc.integer({ min: 0, max: 5 }))
      .map(([low, width]): Range => [low, low + width])
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ range, at: fc.option(unit), weight: fc.integer({ min: -3, max: 3 }) }), {
          minLength: 1,
          maxLength: 4,
        }),
        async (specs) => {
          const reward = combine(
            specs.map(({ range, weight }, index) => ({ reward: read(`t${index}`, range), weight })),
            { mode: 'sum', onUnscored: 'skip' },
          )
          const meta = Object.fromEntries(
            specs.map(({ range: [low, high], at }, index) => [
              `t${index}`,
              at === null ? null : low + at * (high - low),
            ]),
          )
          const scored = specs.flatMap(({ weight }, index) =>
            typeof meta[`t${index}`] === 'number' ? [{ weight, value: meta[`t${index}`] as number }] : [],
          )
          const all = total(specs.map(({ weight }) => Math.abs(weight)))
          const left = total(scored.map(({ weight }) => Math.abs(weight)))
          const { value } = await only(reward, meta)
          if (scored.length === 0 || (left === 0 && all > 0)) expect(value).toBe(null)
          else
            expect(value).toBeCloseTo(
              (total(scored.map(({ weight, value }) => weight * value)) * (left === 0 ? 1 : all)) /
                (left || 1),
              6,
            )
        },
      ),
    )
  })

  test.each<ModeName>(['sum', 'min', 'mean', 'product', 'harmonic'])(
    '%s does not depend on order',
    async (mode) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(unit, { minLength: 1, maxLength: 5 }),
          fc.integer(),
          async (values, seed) => {
            const meta = Object.fromEntries(values.map((value, index) => [`t${index}`, value]))
            const terms = values.map((_, index): Term => ({ reward: read(`t${index}`) }))
            const straight = await totalOf(combine(terms, { mode }), meta)
            const shuffled = await totalOf(combine(new Rng(seed).shuffled(terms), { mode }), meta)
            expect(shuffled).toBeCloseTo(straight!, 9)
          },
        ),
      )
    },
  )
})

test('recombine says which part is absent, and nested parts can be terms', () => {
  const parts = { plan: 1.65, 'plan.sem': 0.75, 'plan.spa': 0.9 }
  expect(
    recombine(parts, [{ name: 'plan.sem', weight: 2 }, { name: 'plan.spa' }], { mode: 'sum' }).value,
  ).toBe(2.4)
  expect(recombine(parts, [{ name: 'plan.sen' }], { mode: 'sum' })).toMatchObject({
    value: null,
    reason: expect.stringContaining('plan.sem'),
  })
  expect(recombine({ a: null }, [{ name: 'a' }], { mode: 'sum' }).value).toBe(null)
})

test('a weighted mean as MOCHa combines fidelity and adequacy', async () => {
  const wide: Range = [-1, 1]
  const reward = combine(
    [
      { reward: read('fidelity', wide), weight: 0.5 },
      { reward: read('adequacy', wide), weight: 0.5 },
    ],
    { mode: 'mean' },
  )
  const rows = [
    [0.7, 0.4, 0.55],
    [-0.58, 1, 0.21],
    [0.1, -1, -0.45],
  ] as const
  for (const [fidelity, adequacy, expected] of rows)
    expect(await totalOf(reward, { fidelity, adequacy })).toBeCloseTo(expected, 9)
})
