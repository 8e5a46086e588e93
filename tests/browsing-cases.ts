import fc from 'fast-check'
import { expect, test } from 'vitest'
import { groupOf, identityOf, type Sample, type Score, unscored } from '../src/core/index.ts'
import type { FoundSample, SampleFilter, SampleOrder, SampleQuery, Store } from '../src/store/index.ts'

const reward = (name: string) => ({
  name,
  reward: name,
  version: '1',
  params: {},
  range: [0, 1] as const,
  identity: identityOf({ name }),
})

/** A run `r` of sixty samples and two rewards, and a run `later` of every other id under another order. */
async function filled(store: Store): Promise<void> {
  for (const id of ['r', 'later']) {
    await store.runs.create({ id, created: '2026-01-01T00:00:00.000Z', config: {} })
    await store.runs.addRewards(id, ['a', 'b'].map(reward))
  }
  const { samples, scores } = cases
  const positions = samples.map((_, index) => index * 3 + 1)
  await store.runs.record('r', {
    samples: samples.map((sample, index) => ({ position: positions[index]!, sample })),
    scores: (['a', 'b'] as const).map((name) => ({ reward: name, positions, scores: scores[name] })),
  })
  const again = samples.filter((_, index) => index % 2 === 0).reverse()
  await store.runs.record('later', {
    samples: again.map((sample, index) => ({ position: index + 1, sample })),
    scores: [
      {
        reward: 'a',
        positions: again.map((_, index) => index + 1),
        scores: again.map((_, index) => ({ value: (index % 5) / 4 })),
      },
    ],
  })
}

const cases = (() => {
  const samples: Sample[] = Array.from({ length: 60 }, (_, index) => ({
    id: `s${index}`,
    prompt:
      index % 4 === 0
        ? [
            {
              type: 'image',
              image: { bytes: Buffer.from('needle hidden in pixels'), mediaType: 'image/png' },
            },
            { type: 'text', text: `picture ${index % 8}` },
          ]
        : `prompt ${index % 7}`,
    output: index % 10 === 3 ? `She said "Needle\n100%_\\" ${index}` : `answer ${index}`,
    reference: index % 9 === 0 ? { deep: ['NEEDLE'] } : index,
    ...(index % 3 === 0 ? { group: `g${index % 6}` } : {}),
    meta: { kind: index % 2 ? 'odd' : 'even', 'a"b': index % 5, flag: index % 4 === 0 ? null : true },
  }))
  const a: Score[] = samples.map((_, index) =>
    index % 11 === 5
      ? unscored(index % 2 ? 'outage' : 'bad-input', 'no')
      : { value: (index % 6) / 5, parts: { 'x "y"': index % 6 === 2 ? null : index % 4, z: 0.5 } },
  )
  const b: Score[] = samples.map((_, index) =>
    index % 13 === 5 ? unscored('bad-input', 'no') : { value: ((index * 7) % 10) / 10 },
  )
  return { samples, scores: { a, b } }
})()

/** What a query of run `r` must give, by the words of `SampleFilter` and `SampleOrder`. */
function expected({ filter = {}, order = { by: 'position' }, descending = false }: SampleQuery): string[] {
  const { samples, scores } = cases
  const spread = (name: 'a' | 'b') => {
    const values = scores[name].flatMap(({ value }) => (value === null ? [] : [value]))
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    return [mean, Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)]
  }
  const says = (value: unknown, text: string): boolean =>
    value instanceof Uint8Array
      ? false
      : value !== null && typeof value === 'object'
        ? Object.values(value).some((inner) => says(inner, text))
        : value !== null && value !== undefined && String(value).toLowerCase().includes(text.toLowerCase())
  const scoreAt = (name: string, index: number) => scores[name as 'a' | 'b'][index]!
  const keyOf = (index: number): number | null => {
    if (order.by === 'position') return index
    if (order.by === 'value') return scoreAt(order.reward, index).value
    const [first, second] = [scoreAt(order.first, index).value, scoreAt(order.second.reward, index).value]
    if (first === null || second === null) return null
    const [[m1, d1], [m2, d2]] = [spread(order.first as 'a'), spread(order.second.reward as 'b')]
    const gap = (first - m1!) / d1! - (second - m2!) / d2!
    return order.by === 'gap' ? gap : Math.abs(gap)
  }
  const found = samples.flatMap((sample, index) => {
    const key = keyOf(index)
    const { values = [], unscored, groupOf: position, text, meta, ids } = filter
    const metaIs = meta && sample.meta[meta.field]
    const holds =
      key !== null &&
      values.every(({ reward, low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY }) => {
        const { value } = scoreAt(reward, index)
        return value !== null && value >= low && value <= high
      }) &&
      (unscored === undefined ||
        (scoreAt(unscored.reward, index).value === null &&
          (unscored.code === undefined ||
            (scoreAt(unscored.reward, index) as { code: string }).code === unscored.code))) &&
      (position === undefined || groupOf(sample) === groupOf(samples[(position - 1) / 3]!)) &&
      (text === undefined || says({ ...sample }, text)) &&
      (meta === undefined ||
        (metaIs !== undefined &&
          (typeof metaIs === 'string' ? metaIs : JSON.stringify(metaIs)) === meta.value)) &&
      (ids === undefined || ids.includes(sample.id))
    return holds ? [{ id: sample.id, key: Math.round(key * 1e9), index }] : []
  })
  found.sort((x, y) => (x.key - y.key || x.index - y.index) * (descending ? -1 : 1))
  return found.map(({ id }) => id)
}

async function allPages(store: Store, query: SampleQuery, limit: number): Promise<FoundSample[]> {
  const found: FoundSample[] = []
  for (let after: string | null | undefined; after !== null; ) {
    const page = await store.samples.page('r', {
      ...query,
      limit,
      ...(after === undefined ? {} : { after }),
    })
    expect(page.samples.length).toBeLessThanOrEqual(limit)
    found.push(...page.samples)
    after = page.next
  }
  return found
}

const rewards = fc.constantFrom('a', 'b')
const bound = fc.option(fc.constantFrom(-1, 0, 0.2, 0.4, 0.8, 1, 2), { nil: undefined })
const present = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as T

const filters: fc.Arbitrary<SampleFilter> = fc
  .record({
    values: fc.option(
      fc.array(fc.record({ reward: rewards, low: bound, high: bound }).map(present), { maxLength: 2 }),
      { nil: undefined },
    ),
    unscored: fc.option(
      fc
        .record({
          reward: rewards,
          code: fc.option(fc.constantFrom('bad-input' as const, 'outage' as const), { nil: undefined }),
        })
        .map(present),
      { nil: undefined, freq: 2 },
    ),
    groupOf: fc.option(
      fc.integer({ min: 0, max: 59 }).map((index) => index * 3 + 1),
      { nil: undefined, freq: 2 },
    ),
    text: fc.option(fc.constantFrom('needle', 'g3', '%_\\"', 'e\n1', 'output', 'bytes', 'bmVlZGxl', '5'), {
      nil: undefined,
    }),
    meta: fc.option(
      fc.constantFrom(
        { field: 'kind', value: 'odd' },
        { field: 'a"b', value: '3' },
        { field: 'flag', value: 'null' },
        { field: 'none', value: 'null' },
      ),
      { nil: undefined },
    ),
    ids: fc.option(fc.constantFrom(['s1', 's12', 's33', 'unheard of'], []), { nil: undefined, freq: 1 }),
  })
  .map(present) as fc.Arbitrary<SampleFilter>

const orders: fc.Arbitrary<SampleOrder> = fc.oneof(
  fc.constant<SampleOrder>({ by: 'position' }),
  rewards.map((reward): SampleOrder => ({ by: 'value', reward })),
  fc.record({
    by: fc.constantFrom('gap' as const, 'disagreement' as const),
    first: rewards,
    second: rewards.map((reward) => ({ reward })),
  }),
)

/** What every store must answer about the samples of a run, and of kept documents. `open` gives an empty store. */
export function browsingCases(open: () => Promise<Store>): void {
  test('pages of any filter and order are what the words say, each sample once', async () => {
    const store = await open()
    await filled(store)
    await fc.assert(
      fc.asyncProperty(
        filters,
        orders,
        fc.boolean(),
        fc.integer({ min: 1, max: 70 }),
        async (filter, order, descending, limit) => {
          const query = { filter, order, descending }
          const found = await allPages(store, query, limit)
          expect(found.map(({ sample }) => sample.id)).toEqual(expected(query))
          if (order.by === 'position') expect(await store.samples.count('r', filter)).toBe(found.length)
        },
      ),
      { numRuns: 150 },
    )
    await store.close()
  })

  test('a found sample is whole: content, every score, its key', async () => {
    const store = await open()
    await filled(store)
    const { samples } = await store.samples.page('r', {
      filter: { ids: ['s8'] },
      order: { by: 'value', reward: 'a' },
    })
    expect(samples).toEqual([
      {
        position: 25,
        sample: structuredClone({
          ...cases.samples[8],
          prompt: [
            {
              type: 'image',
              image: {
                bytes: new Uint8Array(Buffer.from('needle hidden in pixels')),
                mediaType: 'image/png',
              },
            },
            { type: 'text', text: 'picture 0' },
          ],
        }),
        scores: { a: cases.scores.a[8], b: cases.scores.b[8] },
        key: 0.4,
      },
    ])
    await store.close()
  })

  test('two runs are compared by id', async () => {
    const store = await open()
    await filled(store)
    const page = (by: 'gap' | 'disagreement') =>
      store.samples.page('r', {
        order: { by, first: 'a', second: { reward: 'a', run: 'later' } },
        descending: true,
        limit: 100,
      })
    const { samples, next } = await page('disagreement')
    expect(next).toBeNull()
    // Every other id is in both runs; three of them were not judged in the first.
    expect(samples).toHaveLength(
      30 - cases.scores.a.filter(({ value }, i) => i % 2 === 0 && value === null).length,
    )
    for (const { sample, other } of samples) {
      const place = 29 - Number(sample.id.slice(1)) / 2
      expect(other).toEqual({ value: (place % 5) / 4 })
    }
    // In the reward's own units, so that a run that is better throughout is seen to be.
    for (const { scores, other, key } of samples)
      expect(key).toBeCloseTo(Math.abs(scores.a!.value! - other!.value!), 12)
    const keys = samples.map(({ key }) => key!)
    expect(keys).toEqual([...keys].sort((x, y) => y - x))
    const signed = (await page('gap')).samples.map(({ key }) => key!)
    expect(Math.min(...signed)).toBeLessThan(0)
    expect(signed.map(Math.abs).sort()).toEqual([...keys].sort())

    const values = samples.map(({ scores, other }) => [scores.a!.value!, other!.value!] as const)
    const mean = (numbers: readonly number[]) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length
    const gaps = values.map(([here, there]) => here - there)
    const found = await store.samples.differences('r', { reward: 'a', run: 'later' })
    expect(found).toMatchObject({
      pairs: values.length,
      higher: gaps.filter((gap) => gap > 0).length,
      lower: gaps.filter((gap) => gap < 0).length,
    })
    expect(found.here).toBeCloseTo(mean(values.map(([here]) => here)), 12)
    expect(found.there).toBeCloseTo(mean(values.map(([, there]) => there)), 12)
    const square = gaps.reduce((sum, gap) => sum + (gap - mean(gaps)) ** 2, 0)
    expect(found.deviation).toBeCloseTo(Math.sqrt(square / (gaps.length - 1)), 12)
    const one = { reward: 'a', run: 'later', filter: { ids: [samples[0]!.sample.id] } }
    expect(await store.samples.differences('r', one)).toMatchObject({ pairs: 1, deviation: 0 })
    const said = await store.samples.differences('r', { ...one, filter: { text: 'said nowhere' } })
    expect(said).toEqual({ pairs: 0, here: null, there: null, deviation: null, higher: 0, lower: 0 })
    await store.close()
  })

  test('pages of a gap belong together while scores come in', async () => {
    const store = await open()
    await filled(store)
    const query = {
      order: { by: 'disagreement', first: 'a', second: { reward: 'b' } },
      limit: 10,
      descending: true,
    } as const
    const whole = await allPages(store, query, 100)
    const first = await store.samples.page('r', query)
    await store.runs.record('r', {
      samples: [{ position: 500, sample: { id: 'late', prompt: '', output: '', meta: {} } }],
      scores: ['a', 'b'].map((name) => ({
        reward: name,
        positions: [500],
        scores: [{ value: name === 'a' ? 1 : 0 }],
      })),
    })
    const second = await store.samples.page('r', { ...query, after: first.next! })
    const ids = (list: readonly FoundSample[]) =>
      list.map(({ sample }) => sample.id).filter((id) => id !== 'late')
    expect(ids([...first.samples, ...second.samples])).toEqual(
      ids(whole).slice(0, ids([...first.samples, ...second.samples]).length),
    )
    await store.close()
  })

  test('cursors, rewards and runs that are not there are refused', async () => {
    const store = await open()
    await filled(store)
    const { next } = await store.samples.page('r', { limit: 5 })
    const by = (after: string, query: SampleQuery = {}) => store.samples.page('r', { ...query, after })
    await expect(by(next!, { descending: true })).rejects.toMatchObject({ code: 'bad-cursor' })
    await expect(store.samples.page('later', { after: next! })).rejects.toMatchObject({ code: 'bad-cursor' })
    for (const text of [
      '',
      'nonsense',
      Buffer.from('null').toString('base64url'),
      `${next}x'; DROP TABLE runs`,
    ])
      await expect(by(text, { descending: true }), text).rejects.toMatchObject({ code: 'bad-cursor' })
    await expect(store.samples.page('nope')).rejects.toMatchObject({ code: 'unknown-run' })
    await expect(store.samples.histogram('r', { reward: 'nope' })).rejects.toMatchObject({
      code: 'unknown-reward',
    })
    await expect(
      store.samples.page('r', { order: { by: 'gap', first: 'a', second: { reward: 'b', run: 'nope' } } }),
    ).rejects.toMatchObject({ code: 'unknown-run' })
    await store.close()
  })

  test('histograms count every value once, parts too', async () => {
    const store = await open()
    await filled(store)
    const values = cases.scores.a.flatMap(({ value }) => (value === null ? [] : [value]))
    const whole = await store.samples.histogram('r', { reward: 'a', bins: 5 })
    expect(whole).toMatchObject({ low: 0, high: 1, unscored: 60 - values.length })
    const counts = new Array(5).fill(0)
    for (const value of values) counts[Math.min(4, Math.floor(value / 0.2 + 1e-12))]++
    expect(whole.counts.reduce((sum, count) => sum + count)).toBe(values.length)
    expect(whole.counts[4]).toBe(values.filter((value) => value >= 0.8).length)
    expect(await store.samples.parts('r', 'a')).toEqual(['x "y"', 'z'])
    expect(await store.samples.parts('r', 'b')).toEqual([])
    const part = await store.samples.histogram('r', { reward: 'a', part: 'x "y"', bins: 3 })
    const parts = cases.scores.a.flatMap(({ parts }) => (parts ? [parts['x "y"']] : []))
    expect(part).toEqual({
      low: 0,
      high: 3,
      counts: [0, 1, 2].map(
        (bin) => parts.filter((value) => value != null && Math.min(2, Math.floor(value)) === bin).length,
      ),
      unscored: 60 - parts.filter((value) => value != null).length,
    })
    expect(await store.samples.histogram('r', { reward: 'a', part: 'z' })).toMatchObject({
      low: 0.5,
      high: 0.5,
      counts: [values.length],
    })
    expect(await store.samples.histogram('later', { reward: 'b' })).toEqual({
      low: null,
      high: null,
      counts: [],
      unscored: 0,
    })
    await store.close()
  })

  test('values of a field of meta are counted, most frequent first', async () => {
    const store = await open()
    await filled(store)
    expect(await store.samples.metaValues('r', 'kind')).toEqual([
      { value: 'even', count: 30 },
      { value: 'odd', count: 30 },
    ])
    expect(await store.samples.metaValues('r', 'flag')).toEqual([
      { value: 'true', count: 45 },
      { value: 'null', count: 15 },
    ])
    expect(await store.samples.metaValues('r', 'a"b', 2)).toHaveLength(2)
    expect(await store.samples.metaValues('r', 'none')).toEqual([])
    await store.close()
  })

  test('documents are kept by kind and id, newest first', async () => {
    const store = await open()
    const document = (kind: string, id: string, day: number, content = {}) => ({
      kind,
      id,
      created: `2026-01-0${day}T00:00:00.000Z`,
      title: `${kind} ${id}`,
      content,
    })
    await store.documents.keep(document('audit', 'x', 1, { a: [1, null, 'é'] }))
    await store.documents.keep(document('audit', 'y', 3))
    await store.documents.keep(document('leaderboard', 'x', 2))
    expect((await store.documents.list()).map(({ title }) => title)).toEqual([
      'audit y',
      'leaderboard x',
      'audit x',
    ])
    expect(await store.documents.list('audit')).toHaveLength(2)
    expect(await store.documents.find('audit', 'x')).toEqual(document('audit', 'x', 1, { a: [1, null, 'é'] }))
    await store.documents.keep(document('audit', 'x', 4, { b: 2 }))
    expect((await store.documents.list('audit'))[0]).toEqual({
      kind: 'audit',
      id: 'x',
      created: '2026-01-04T00:00:00.000Z',
      title: 'audit x',
    })
    expect((await store.documents.find('audit', 'x'))!.content).toEqual({ b: 2 })
    await store.documents.remove('audit', 'x')
    expect(await store.documents.find('audit', 'x')).toBeUndefined()
    expect(await store.documents.find('leaderboard', 'x')).toBeDefined()
    await store.close()
  })
}
