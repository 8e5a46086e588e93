import { describe, expect, test } from 'vitest'
import { identityOf, type Sample, type Score, unscored } from '../src/core/index.ts'
import type { Store } from '../src/store/index.ts'

/** A store that also tells how many rows one of its tables has. */
export type OpenStore = Store & { rowsOf(table: string): Promise<number> }

export const sample = (id: string, rest: Partial<Sample> = {}): Sample => ({
  id,
  prompt: 'p',
  output: 'o',
  meta: {},
  ...rest,
})
const reward = (name: string, version = '1') => ({
  name,
  reward: name,
  version,
  params: {},
  range: [0, Number.POSITIVE_INFINITY] as const,
  identity: identityOf({ name, version }),
})
export const newRun = (id: string) => ({ id, created: '2026-01-01T00:00:00.000Z', config: { seed: null } })

/** A store with a run `r` of the rewards `a` and `b`. */
export async function withRun<S extends Store>(open: () => Promise<S>): Promise<S> {
  const store = await open()
  await store.runs.create(newRun('r'))
  await store.runs.addRewards('r', [reward('a'), reward('b')])
  return store
}

/** What every store must do. @param open opens a new, empty store with each call */
export function storeCases(open: () => Promise<OpenStore>): void {
  describe('runs', () => {
    test('a score is what it was', async () => {
      const store = await withRun(open)
      const scores: Score[] = [
        { value: 0.1 + 0.2 },
        {
          value: 0,
          parts: { x: 1, y: null },
          rationale: 'r',
          usage: { costUsd: 0.5, calls: 2 },
          uncertainty: 1,
        },
        { ...unscored('unparsable', 'no verdict', { meta: { reply: '?' } }) },
        { value: null, code: 'not-applicable', reason: 'cannot tell', abstained: true },
      ]
      const samples = scores.map((_, index) => ({ position: index + 1, sample: sample(`s\u0000${index}`) }))
      const positions = samples.map(({ position }) => position)
      await store.runs.record('r', { samples, scores: [{ reward: 'a', positions, scores }] })
      const page = await store.runs.page('r', { after: 0, limit: 10 })
      expect(page.map(({ scores }) => scores.a)).toEqual(scores)
      expect(page.map(({ sample }) => sample)).toEqual(samples.map(({ sample }) => sample))
      expect((await store.runs.page('r', { after: 2, limit: 1 })).map(({ position }) => position)).toEqual([
        3,
      ])
      const { rewards } = await store.runs.totals('r')
      expect(rewards.a).toMatchObject({
        scored: 2,
        unscored: 2,
        unscoredBy: { unparsable: 1, 'not-applicable': 1 },
        abstained: 1,
        retryable: 0,
        waiting: 0,
        mean: expect.closeTo(0.15),
        usage: { costUsd: 0.5, calls: 2 },
      })
      expect(rewards.b).toMatchObject({ scored: 0, waiting: 4, mean: null, minimum: null, usage: {} })
      expect((await store.runs.find('r'))!.rewards[0]).toEqual(reward('a')) // the infinite bound included
      await store.close()
    })

    test('a final score stays, a failure that may pass is replaced, replace replaces', async () => {
      const store = await withRun(open)
      const samples = [1, 2].map((position) => ({ position, sample: sample(`${position}`) }))
      const put = (scores: Score[], replace = false) =>
        store.runs.record('r', { samples, scores: [{ reward: 'a', positions: [1, 2], scores, replace }] })
      const values = async () =>
        (await store.runs.page('r', { after: 0, limit: 9 })).map(({ scores }) => scores.a!.value)
      await put([{ value: 1 }, unscored('outage', 'down')])
      expect((await store.runs.progress('r')).a!.retryable).toEqual([2])
      expect(await store.runs.stretch('r', 1, 2)).toEqual({
        samples: new Set([1, 2]),
        settled: { a: new Set([1]), b: new Set() },
        duplicates: new Set(),
      })
      expect(await store.runs.samples('r', 2, 9)).toEqual(samples.slice(1))
      await put([{ value: 0.5 }, { value: 0.5 }])
      expect(await values()).toEqual([1, 0.5])
      await put([unscored('outage', 'down'), unscored('outage', 'down')])
      expect(await values()).toEqual([1, 0.5])
      await put([{ value: 0.25 }, { value: 0.25 }], true)
      expect(await values()).toEqual([0.25, 0.25])
      expect((await store.runs.totals('r')).samples).toBe(2)
      await store.close()
    })

    test('a batch is kept as a whole or not at all', async () => {
      const store = await withRun(open)
      await expect(
        store.runs.record('r', {
          samples: [{ position: 1, sample: sample('1') }],
          scores: [{ reward: 'a', positions: [1], scores: [{ value: Number.NaN }] }],
        }),
      ).rejects.toThrow(/check/i)
      expect((await store.runs.totals('r')).samples).toBe(0)
      await store.close()
    })

    test('a reward that changed under its name is refused', async () => {
      const store = await withRun(open)
      await store.runs.addRewards('r', [reward('a'), reward('c')])
      await expect(store.runs.addRewards('r', [reward('a', '2')])).rejects.toMatchObject({
        code: 'reward-changed',
        message: expect.stringContaining('reward "a"'),
      })
      await expect(store.runs.create(newRun('r'))).rejects.toMatchObject({ code: 'run-exists' })
      await expect(store.runs.totals('nope')).rejects.toMatchObject({ code: 'unknown-run' })
      await store.close()
    })

    test('groups of equal values are counted, unscored samples are not part of them', async () => {
      const store = await withRun(open)
      const groups = ['x', 'x', 'y', 'y', 'z', 'z', 'single']
      const values = [1, 1, 0, 1, 0.5, null, 1]
      await store.runs.record('r', {
        samples: groups.map((group, index) => ({
          position: index + 1,
          sample: sample(`${index}`, { group }),
        })),
        scores: [
          {
            reward: 'a',
            positions: values.map((_, index) => index + 1),
            scores: values.map((value) => (value === null ? unscored('bad-input', 'none') : { value })),
          },
        ],
      })
      expect(await store.runs.groupTotals('r')).toEqual({
        a: { groups: 2, zeroVariance: 1 },
        b: { groups: 0, zeroVariance: 0 },
      })
      await store.close()
    })

    test.each([['all' as const], [['x', 'y', 'unheard of']]])(
      'later rows of an id become bad rows (%s)',
      async (among) => {
        const store = await withRun(open)
        const ids = ['x', 'y', 'x', 'z', 'x', 'y']
        await store.runs.record('r', {
          samples: ids.map((id, index) => ({ position: index + 1, sample: sample(id) })),
          scores: [
            { reward: 'a', positions: [1, 2, 3, 4, 5, 6], scores: ids.map((_, index) => ({ value: index })) },
          ],
        })
        const message = (id: string, position: number, first: number) => `${id} ${position} ${first}`
        expect(await store.runs.dropDuplicates('r', message, among)).toBe(3)
        expect(await store.runs.dropDuplicates('r', message, among)).toBe(0)
        expect((await store.runs.badRows('r', 9)).map((row) => ({ ...row }))).toEqual([
          { position: 3, kind: 'duplicate-id', message: 'x 3 1' },
          { position: 5, kind: 'duplicate-id', message: 'x 5 1' },
          { position: 6, kind: 'duplicate-id', message: 'y 6 2' },
        ])
        expect((await store.runs.totals('r')).rewards.a).toMatchObject({ scored: 3, waiting: 0, maximum: 3 })
        await store.close()
      },
    )

    test('a removed run leaves nothing, its neighbour everything', async () => {
      const store = await withRun(open)
      await store.runs.create(newRun('other'))
      await store.runs.addRewards('other', [reward('a')])
      for (const id of ['r', 'other'])
        await store.runs.record(id, {
          samples: [{ position: 1, sample: sample('1') }],
          scores: [{ reward: 'a', positions: [1], scores: [{ value: id === 'r' ? 0 : 1 }] }],
          badRows: [{ position: 2, kind: 'broken-json', message: 'm' }],
          finishedSegments: [{ segment: 0, rewards: ['a'] }],
        })
      await store.runs.remove('r')
      expect((await store.runs.list()).map(({ id }) => id)).toEqual(['other'])
      expect((await store.runs.totals('other')).rewards.a!.mean).toBe(1)
      for (const table of ['samples', 'scores', 'bad_rows', 'segments', 'rewards', 'runs'])
        expect(await store.rowsOf(table), table).toBe(1)
      await store.close()
    })
  })

  describe('cached calls', () => {
    test('a failure is never an answer and never displaces one', async () => {
      const store = await open()
      const failure = (key: string) => ({ key, model: 'm', code: 'outage' as const, reason: 'down' })
      await store.calls.keepFailures([failure('k'), failure('l')])
      expect((await store.calls.find(['k', 'l'])).size).toBe(0)
      expect((await store.calls.failures(['k'])).get('k')).toEqual(failure('k'))
      await store.calls.keep([{ key: 'k', model: 'm', answer: null, usage: { inputTokens: 3 } }])
      await store.calls.keepFailures([failure('k')])
      await store.calls.keep([{ key: 'k', model: 'm', answer: 'second', usage: { inputTokens: 5 } }])
      expect(await store.calls.find(['k', 'l', 'unknown'])).toEqual(
        new Map([['k', { key: 'k', model: 'm', answer: null, usage: { inputTokens: 3 } }]]),
      )
      expect((await store.calls.failures(['k'])).size).toBe(0)
      expect(await store.calls.totals()).toEqual({ answers: 1, failures: 1, usage: { inputTokens: 3 } })
      await store.calls.clear('other')
      expect((await store.calls.totals()).answers).toBe(1)
      await store.calls.clear()
      expect(await store.calls.totals()).toEqual({ answers: 0, failures: 0, usage: {} })
      await store.close()
    })
  })

  test('a vote counts once and comes back in order', async () => {
    const store = await open()
    const vote = (id: string, question: string, choice: 1 | 0.5 | null) => ({
      id,
      question,
      choice,
      created: '2026-01-01T00:00:00.000Z',
      a: 'x',
      b: 'y',
      meta: {},
    })
    await store.votes.add([
      vote('2', 'q', 1),
      { ...vote('1', 'q', null), voter: 'ann' },
      vote('3', 'other', 0.5),
    ])
    await store.votes.add([vote('2', 'q', 0.5)])
    expect(await store.votes.list('q')).toEqual([
      vote('2', 'q', 1),
      { ...vote('1', 'q', null), voter: 'ann' },
    ])
    expect(await store.votes.list()).toHaveLength(3)
    await store.close()
  })
}
