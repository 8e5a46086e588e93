import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { identityOf, type Sample, type Score, unscored } from '../core/index.ts'
import { openStore } from './index.ts'
import { readSampleText, sampleText, textHash } from './sample-text.ts'

const folder = mkdtempSync(join(tmpdir(), 'guerdon-store-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let count = 0
const fresh = () => join(folder, `${++count}`, 'store.db')

const sample = (id: string, rest: Partial<Sample> = {}): Sample => ({
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
const newRun = (id: string) => ({ id, created: '2026-01-01T00:00:00.000Z', config: { seed: null } })

async function withRun(path = fresh()) {
  const store = await openStore(path)
  await store.runs.create(newRun('r'))
  await store.runs.addRewards('r', [reward('a'), reward('b')])
  return store
}

describe('sample text', () => {
  test('bytes, turns and every JSON value come back', () => {
    const rich = sample('x', {
      prompt: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'see' },
            { type: 'image', image: { bytes: Buffer.from([1, 2, 255]), mediaType: 'image/png' } },
          ],
        },
      ],
      reference: null,
      group: 'g',
      meta: { a: [1, { b: null }] },
    })
    const back = readSampleText('x', sampleText(rich))
    expect(back).toEqual(structuredClone(rich))
    expect('reference' in readSampleText('y', sampleText(sample('y')))).toBe(false)
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.jsonValue({ noUnicodeString: false }),
        (output, reference) => {
          const one = sample('x', { output, reference: JSON.parse(JSON.stringify(reference)) })
          expect(readSampleText('x', sampleText(one))).toEqual(one)
        },
      ),
    )
  })
  test('the hash of a text is a safe integer and spreads', () => {
    const hashes = new Set(Array.from({ length: 20_000 }, (_, index) => textHash(`sample-${index}`)))
    expect(hashes.size).toBe(20_000)
    const low = new Set([...hashes].map((hash) => hash % 2 ** 22))
    expect(low.size).toBeGreaterThan(19_900) // 20,000 balls in 4 million bins: about 48 pairs
    for (const hash of hashes) expect(Number.isSafeInteger(hash)).toBe(true)
  })
})

describe('runs', () => {
  test('a score is what it was', async () => {
    const store = await withRun()
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
    expect((await store.runs.page('r', { after: 2, limit: 1 })).map(({ position }) => position)).toEqual([3])
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
    const store = await withRun()
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
    const store = await withRun()
    await expect(
      store.runs.record('r', {
        samples: [{ position: 1, sample: sample('1') }],
        scores: [{ reward: 'a', positions: [1], scores: [{ value: Number.NaN }] }],
      }),
    ).rejects.toThrow(/CHECK/)
    expect((await store.runs.totals('r')).samples).toBe(0)
    await store.close()
  })

  test('a reward that changed under its name is refused', async () => {
    const store = await withRun()
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
    const store = await withRun()
    const groups = ['x', 'x', 'y', 'y', 'z', 'z', 'single']
    const values = [1, 1, 0, 1, 0.5, null, 1]
    await store.runs.record('r', {
      samples: groups.map((group, index) => ({ position: index + 1, sample: sample(`${index}`, { group }) })),
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
      const store = await withRun()
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
    const path = fresh()
    const store = await withRun(path)
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
    await store.close()
    const database = new DatabaseSync(path)
    for (const table of ['samples', 'contents', 'scores', 'bad_rows', 'segments', 'rewards', 'runs'])
      expect({ ...database.prepare(`SELECT count(*) AS rows FROM ${table}`).get() }, table).toEqual({
        rows: 1,
      })
    database.close()
  })
})

describe('cached calls', () => {
  test('a failure is never an answer and never displaces one', async () => {
    const store = await openStore(fresh())
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
  const store = await openStore(fresh())
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
  expect(await store.votes.list('q')).toEqual([vote('2', 'q', 1), { ...vote('1', 'q', null), voter: 'ann' }])
  expect(await store.votes.list()).toHaveLength(3)
  await store.close()
})

describe('what goes wrong with the file', () => {
  test('a newer store, a foreign database, text and a damaged store are refused and left alone', async () => {
    const newer = fresh()
    await (await openStore(newer)).close()
    const database = new DatabaseSync(newer)
    database.exec('PRAGMA user_version = 99')
    database.close()
    await expect(openStore(newer)).rejects.toMatchObject({
      code: 'store-newer',
      message: expect.stringContaining('version 99'),
    })

    const foreign = join(folder, 'foreign.db')
    const other = new DatabaseSync(foreign)
    other.exec('CREATE TABLE mine (x)')
    other.close()
    const before = readFileSync(foreign)
    await expect(openStore(foreign)).rejects.toMatchObject({ code: 'not-a-store' })
    expect(readFileSync(foreign).equals(before)).toBe(true)

    const text = join(folder, 'text.db')
    writeFileSync(text, 'this is a diary, not a database. '.repeat(100))
    await expect(openStore(text)).rejects.toMatchObject({ code: 'store-corrupt' })
    expect(statSync(text).size).toBe(3300)

    const damaged = fresh()
    const store = await withRun(damaged)
    await store.runs.record('r', {
      samples: Array.from({ length: 2000 }, (_, index) => ({
        position: index + 1,
        sample: sample(`${index}`),
      })),
    })
    await store.close()
    const bytes = readFileSync(damaged)
    writeFileSync(damaged, bytes.fill(7, bytes.length / 2))
    const half = await openStore(damaged)
    await expect(half.runs.page('r', { after: 0, limit: 2000 })).rejects.toMatchObject({
      code: 'store-corrupt',
      message: expect.stringContaining(damaged),
    })
    await half.close()
  })

  test('a full store says so and keeps what it had', async () => {
    const path = fresh()
    const store = await withRun(path)
    await store.close()
    const small = await openStore(path, { maximumBytes: 256 * 1024 })
    const batch = (first: number) => ({
      samples: Array.from({ length: 200 }, (_, index) => ({
        position: first + index,
        sample: sample(`${first + index}`, { output: 'x'.repeat(200) }),
      })),
    })
    let kept = 0
    const fill = async () => {
      for (;;) {
        await small.runs.record('r', batch(kept + 1))
        kept += 200
      }
    }
    await expect(fill()).rejects.toMatchObject({ code: 'store-full', fix: expect.stringContaining('kept') })
    expect(kept).toBeGreaterThan(0)
    expect((await small.runs.totals('r')).samples).toBe(kept)
    await small.close()
    const large = await openStore(path)
    await large.runs.record('r', batch(kept + 1))
    expect((await large.runs.totals('r')).samples).toBe(kept + 200)
    await large.close()
  })

  test('a folder that cannot be made, a folder in the place of the file, a missing store', async () => {
    writeFileSync(join(folder, 'file'), '')
    await expect(openStore(join(folder, 'file', 'store.db'))).rejects.toMatchObject({
      message: expect.stringContaining('store'),
      fix: expect.any(String),
    })
    mkdirSync(join(folder, 'taken.db'))
    await expect(openStore(join(folder, 'taken.db'))).rejects.toMatchObject({ code: 'store-failed' })
    await expect(openStore(fresh(), { mustExist: true })).rejects.toMatchObject({ code: 'store-missing' })
  })

  test('a locked store gives up after its time', async () => {
    const path = fresh()
    const store = await openStore(path, { busyTimeout: 50 })
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    await expect(store.runs.create(newRun('r'))).rejects.toMatchObject({ code: 'store-locked' })
    other.exec('ROLLBACK')
    await store.runs.create(newRun('r'))
    other.close()
    await store.close()
  })
})

// A file system of its own needs the right to mount; where there is none, `maximumBytes` above stands in.
describe.skipIf(!canMount())('on a small file system', () => {
  const mounted = join(folder, 'mounted')
  beforeAll(() => {
    mkdirSync(mounted)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=600k', 'tmpfs', mounted])
  })
  afterAll(() => {
    execFileSync('umount', ['-l', mounted])
  })
  test('a full disk, then a read-only one', async () => {
    const path = join(mounted, 'store.db')
    const store = await withRun(path)
    let kept = 0
    const fill = async () => {
      for (;;) {
        await store.runs.record('r', {
          samples: Array.from({ length: 50 }, (_, index) => ({
            position: kept + index + 1,
            sample: sample(`${kept + index}`, { output: 'x'.repeat(500) }),
          })),
        })
        kept += 50
      }
    }
    await expect(fill()).rejects.toMatchObject({ code: 'store-full' })
    expect((await store.runs.totals('r')).samples).toBe(kept)
    await store.close()
    execFileSync('mount', ['-o', 'remount,ro', mounted])
    const readOnly = await openStore(path)
    await expect(readOnly.runs.create(newRun('new'))).rejects.toMatchObject({ code: 'store-read-only' })
    expect((await readOnly.runs.totals('r')).samples).toBe(kept)
    await readOnly.close()
    await expect(openStore(join(mounted, 'new', 'store.db'))).rejects.toMatchObject({
      code: 'store-read-only',
    })
  })
})

function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  const probe = join(folder, 'probe')
  mkdirSync(probe, { recursive: true })
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', probe], { stdio: 'ignore' })
    execFileSync('umount', [probe], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

test('processes that open and write one new store at the same moment do not disturb each other', async () => {
  const path = fresh()
  const program = `
    import { openStore } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)}
    const store = await openStore(${JSON.stringify(path)})
    await store.runs.create({ id: process.argv[1], created: '', config: {} })
    for (let first = 1; first < 500; first += 50)
      await store.runs.record(process.argv[1], {
        samples: Array.from({ length: 50 }, (_, i) => ({
          position: first + i, sample: { id: String(first + i), prompt: '', output: '', meta: {} },
        })),
      })
    await store.close()`
  const codes = await Promise.all(
    Array.from({ length: 6 }, (_, index) => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program, `run-${index}`], {
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      return new Promise((resolve) => child.on('exit', resolve))
    }),
  )
  expect(codes).toEqual([0, 0, 0, 0, 0, 0])
  const store = await openStore(path)
  for (let index = 0; index < 6; index++) expect((await store.runs.totals(`run-${index}`)).samples).toBe(500)
  await store.close()
})
