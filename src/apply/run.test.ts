import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import {
  abstained,
  defineGroupReward,
  defineReward,
  GuerdonError,
  groupOf,
  type Reward,
  Rng,
  type Sample,
  textOf,
  unscored,
} from '../core/index.ts'
import { openStore, type Store } from '../store/index.ts'
import { type RunOptions, scoreRun } from './run.ts'
import { runsOf, scoredSamples } from './scored-samples.ts'

const folder = mkdtempSync(join(tmpdir(), 'guerdon-run-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let count = 0
const file = (name: string) => join(folder, `${++count}-${name}`)
const freshStore = () => openStore(file('store.db'))

const sample = (id: string, rest: Partial<Sample> = {}): Sample => ({
  id,
  prompt: 'p',
  output: 'o',
  meta: {},
  ...rest,
})
const samplesOf = (length: number, rest?: (index: number) => Partial<Sample>) =>
  Array.from({ length }, (_, index) => sample(`s${index}`, rest?.(index)))
const batchesOf = (samples: readonly Sample[], size = 100) =>
  Array.from({ length: Math.ceil(samples.length / size) }, (_, index) => ({
    samples: samples.slice(index * size, (index + 1) * size),
  }))
const one = defineReward({ name: 'one', judge: () => 1 })
const run = (store: Store, options: Partial<RunOptions>) =>
  scoreRun({ store, samples: batchesOf(samplesOf(10)), rewards: { one }, runId: 'run', ...options })
const valuesOf = async (store: Store, reward: string) =>
  (await Array.fromAsync(scoredSamples(store, 'run'))).map(({ scores }) => scores[reward]?.value)

/** A reward that notes what it was asked. */
function noting(judge: (sample: Sample) => ReturnType<Parameters<typeof defineReward>[0]['judge']>) {
  const asked: string[] = []
  const reward = defineReward({
    name: 'noting',
    judge: (sample) => {
      asked.push(sample.id)
      return judge(sample)
    },
  })
  return { asked, reward }
}

describe('what a run says', () => {
  test('denominators: samples, bad rows, scored, unscored by code, abstained, groups', async () => {
    const store = await freshStore()
    const judged = [1, 0.5, null, 'cannot tell', 1, 1]
    const mixed = defineReward({
      name: 'mixed',
      judge: ({ meta }) => {
        const value = meta.value as number | string | null
        if (value === null) return unscored('bad-input', 'no value')
        return typeof value === 'string' ? abstained(value) : { value, parts: { half: value / 2 } }
      },
    })
    const samples = judged.map((value, index) =>
      sample(`s${index}`, { group: `${index >> 1}`, meta: { value } }),
    )
    const progress: number[] = []
    const summary = await run(store, {
      samples: [
        { samples, errors: [new GuerdonError('broken-json', 'is broken.', { place: { line: 7 } })] },
        { samples: [sample('s0'), sample('late', { meta: { value: 0 } })] },
      ],
      rewards: { one, mixed },
      onProgress: ({ rows }) => progress.push(rows),
    })
    expect(summary).toMatchObject({
      run: 'run',
      status: 'complete',
      rows: { read: 9, samples: 7, bad: 2, badBy: { 'broken-json': 1, 'duplicate-id': 1 } },
      rewards: {
        mixed: {
          scored: 5,
          unscored: 2,
          unscoredBy: { 'bad-input': 1, 'not-applicable': 1 },
          abstained: 1,
          waiting: 0,
          mean: expect.closeTo(3.5 / 5),
          minimum: 0,
          maximum: 1,
          groups: { groups: 2, zeroVariance: 1, zeroVarianceShare: 0.5 },
        },
      },
      failures: 3,
      timing: { rows: 9, newScores: 14 },
    })
    expect(summary.rows.firstBad.map(({ message }) => message)).toEqual([
      'line 7: is broken.',
      expect.stringContaining('line 8, sample "s0": the id stands on line 1 already'),
    ])
    expect(progress.at(-1)).toBe(9)
    expect((await runsOf(store)).map(({ id }) => id)).toEqual(['run'])
    await store.close()
  })

  test('no rewards, an unknown run and an unknown name are errors', async () => {
    const store = await freshStore()
    await expect(run(store, { rewards: {} })).rejects.toMatchObject({ code: 'no-rewards' })
    await expect(run(store, { rewards: { math: 'mth' } })).rejects.toThrow(/Did you mean "math"/)
    await run(store, {})
    await expect(Array.fromAsync(scoredSamples(store, 'rum'))).rejects.toThrow(/Did you mean "run"/)
    await store.close()
  })

  test('a reward that breaks its contract is unscored, the others are not touched', async () => {
    const store = await freshStore()
    const broken = (name: string, score: Reward['score']): Reward => ({ ...one, name, score })
    const summary = await run(store, {
      rewards: {
        one,
        throws: broken('throws', async () => Promise.reject(new Error('no'))),
        short: broken('short', async () => []),
        nan: broken('nan', async (samples) => samples.map(() => ({ value: Number.NaN }))),
        high: broken('high', async (samples) => samples.map((_, index) => ({ value: index }))),
      },
    })
    expect(summary.rewards.one).toMatchObject({ scored: 10, mean: 1 })
    for (const name of ['throws', 'short', 'nan'])
      expect(summary.rewards[name], name).toMatchObject({ scored: 0, unscoredBy: { crashed: 10 } })
    expect(summary.rewards.high).toMatchObject({ scored: 2, unscoredBy: { crashed: 8 } })
    await store.close()
  })
})

describe('resuming', () => {
  test('what has a final score is not asked again, failures that may pass are, new rewards are asked of all', async () => {
    const store = await freshStore()
    let down = true
    const { asked, reward } = noting(({ id }) =>
      id === 's3' ? unscored('unparsable', 'never') : down && id >= 's7' ? unscored('outage', 'down') : 1,
    )
    await run(store, { rewards: { noting: reward } })
    expect(asked.splice(0)).toHaveLength(10)
    down = false
    const summary = await run(store, { rewards: { noting: reward, one } })
    expect(asked).toEqual(['s7', 's8', 's9'])
    expect(summary.timing.newScores).toBe(13)
    expect(summary.rewards.noting).toMatchObject({ scored: 9, unscoredBy: { unparsable: 1 }, retryable: 0 })
    expect(summary.rewards.one).toMatchObject({ scored: 10 })
    await store.close()
  })

  test('stopping keeps what is known, and the rest is done later', async () => {
    const store = await freshStore()
    const stop = new AbortController()
    const samples = samplesOf(1000)
    const { asked, reward } = noting(async ({ id }) => {
      await new Promise((resolve) => setImmediate(resolve))
      if (id === 's250') stop.abort()
      return 1
    })
    const options = {
      samples: batchesOf(samples),
      rewards: { noting: reward },
      batchSize: 10,
      concurrency: 2,
    }
    const stopped = await run(store, { ...options, signal: stop.signal })
    expect(stopped.status).toBe('stopped')
    const { scored } = stopped.rewards.noting!
    expect(scored).toBeGreaterThanOrEqual(250)
    expect(scored).toBeLessThan(400)
    expect(scored).toBe(asked.length)
    expect((await run(store, options)).rewards.noting).toMatchObject({ scored: 1000, waiting: 0 })
    expect(asked.length).toBe(1000)
    expect(new Set(asked).size).toBe(1000)
    await store.close()
  })

  test('the same call goes on with what it left unfinished, and only then', async () => {
    const store = await freshStore()
    const source = file('data.jsonl')
    writeFileSync(
      source,
      samplesOf(500)
        .map((row) => `${JSON.stringify(row)}\n`)
        .join(''),
    )
    const stop = new AbortController()
    const { asked, reward } = noting(async ({ id }) => {
      await new Promise((resolve) => setImmediate(resolve))
      if (id === 's100') stop.abort()
      return 1
    })
    const call = { samples: source, rewards: { noting: reward }, store, resume: true, batchSize: 10 }
    const first = await scoreRun({ ...call, signal: stop.signal })
    expect(first.status).toBe('stopped')
    const other = await scoreRun({ ...call, rewards: { one } })
    const otherSeed = await scoreRun({ ...call, rewards: { one }, context: { rng: new Rng(1) } })
    const second = await scoreRun(call)
    const third = await scoreRun(call)
    expect(second).toMatchObject({ run: first.run, status: 'complete', rewards: { noting: { scored: 500 } } })
    expect(asked.length).toBe(1000) // 500 of the first two together, 500 of the third
    expect(new Set([first, other, otherSeed, third].map(({ run }) => run)).size).toBe(4)
    await store.close()
  })

  test('what the reader warned of is kept, once however often it is read', async () => {
    const store = await freshStore()
    const source = file('data.jsonl')
    writeFileSync(source, '{"prompt":"p","output":"o","a":12345678901234567890,"b":12345678901234567891}\n')
    for (let time = 0; time < 2; time++) {
      const { rows, failures } = await run(store, { samples: source })
      expect(rows).toMatchObject({ samples: 1, bad: 0, warnings: 2, warningsBy: { 'inexact-number': 2 } })
      expect(rows.firstWarnings.map(({ message }) => message)).toEqual(
        expect.arrayContaining([expect.stringMatching(/:1, field "a": 12345678901234567890 is read as/)]),
      )
      expect(failures).toBe(0)
    }
    await store.close()
  })

  test('changed data, rewards, seeds and ways of reading are noticed', async () => {
    const store = await freshStore()
    await run(store, {})
    const changed = samplesOf(10, (index) => (index === 4 ? { output: 'other' } : {}))
    await expect(run(store, { samples: batchesOf(changed) })).rejects.toMatchObject({
      code: 'data-changed',
      message: expect.stringContaining('line 5, sample "s4"'),
    })
    await expect(run(store, { rewards: { one: { ...one, version: '2' } } })).rejects.toMatchObject({
      code: 'reward-changed',
    })
    await expect(run(store, { context: { rng: new Rng(1) } })).rejects.toMatchObject({ code: 'run-changed' })
    await expect(run(store, { read: { promptsOnly: true } })).rejects.toMatchObject({ code: 'run-changed' })

    const source = file('data.jsonl')
    writeFileSync(source, '{"id":"a","prompt":"p","output":"o"}\n')
    const fromFile = (store: Store) => run(store, { samples: source, runId: 'file' })
    await fromFile(store)
    writeFileSync(source, '{"id":"a","prompt":"p","output":"x"}\n')
    await expect(fromFile(store)).rejects.toMatchObject({
      code: 'data-changed',
      message: expect.stringContaining(source),
    })
    await store.close()
  })

  test('a full store stops the run; with space it goes on from there', async () => {
    const path = file('full.db')
    const small = await openStore(path, { maximumBytes: 400 * 1024 })
    const samples = batchesOf(samplesOf(3000, () => ({ output: 'x'.repeat(200) })))
    await expect(run(small, { samples })).rejects.toMatchObject({ code: 'store-full' })
    await small.close()
    const store = await openStore(path)
    expect((await store.runs.find('run'))!.rewards).toHaveLength(1)
    const before = (await store.runs.totals('run')).rewards.one!.scored
    const summary = await run(store, { samples })
    expect(summary.rewards.one).toMatchObject({ scored: 3000, waiting: 0 })
    expect(summary.timing.newScores).toBe(3000 - before)
    await store.close()
  })
})

describe('rewards side by side', () => {
  test('a slow reward does not hold up a fast one, and memory stays bounded', async () => {
    const store = await freshStore()
    let open = () => {}
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    let [fast, pulled] = [0, 0]
    const batches = function* () {
      for (const batch of batchesOf(samplesOf(50_000), 500)) {
        pulled += batch.samples.length
        yield batch
      }
    }
    const running = run(store, {
      samples: batches(),
      rewards: {
        slow: defineReward({ name: 'slow', judge: () => gate.then(() => 1) }),
        fast: defineReward({ name: 'fast', judge: () => ++fast && 1 }),
      },
    })
    for (
      let last = -1;
      last !== pulled || fast < 1000;
      await new Promise((resolve) => setTimeout(resolve, 50))
    )
      last = pulled
    expect(fast).toBeGreaterThan(4000)
    expect(pulled).toBeLessThan(6000)
    open()
    const { rewards } = await running
    expect(rewards.slow).toMatchObject({ scored: 50_000 })
    expect(rewards.fast).toMatchObject({ scored: 50_000 })
    await store.close()
  })

  test('concurrency and batch size are kept', async () => {
    const store = await freshStore()
    let [running, most, largest] = [0, 0, 0]
    const reward: Reward = {
      ...one,
      score: async (samples) => {
        most = Math.max(most, ++running)
        largest = Math.max(largest, samples.length)
        await new Promise((resolve) => setTimeout(resolve, 1))
        running--
        return samples.map(() => ({ value: 1 }))
      },
    }
    await run(store, {
      samples: batchesOf(samplesOf(1000), 7),
      rewards: { reward },
      concurrency: 3,
      batchSize: 10,
    })
    expect([most, largest]).toEqual([3, 10])
    await store.close()
  })
})

describe('groups', () => {
  const size = defineGroupReward({
    name: 'size',
    range: [0, 100],
    judgeGroup: (samples) => samples.map(() => samples.length),
  })
  test('stay whole, whatever the batches and however mixed', async () => {
    const store = await freshStore()
    // Groups of 3 samples; every second group is mixed with the next one.
    const samples = samplesOf(300, (index) => ({
      group: `${Math.floor(index / 6)}-${index % 6 < 4 ? index % 2 : 0}`,
    }))
    const sizes = Map.groupBy(samples, groupOf)
    await run(store, { samples: batchesOf(samples, 7), rewards: { size }, batchSize: 5, groupWindow: 8 })
    expect(await valuesOf(store, 'size')).toEqual(samples.map((one) => sizes.get(groupOf(one))!.length))
    await store.close()
  })

  test('that come back too late, or are too large to hold, stop the run with a clear error', async () => {
    const store = await freshStore()
    const late = samplesOf(50, (index) => ({ group: index === 0 || index === 40 ? 'split' : `${index}` }))
    await expect(
      run(store, { samples: batchesOf(late), rewards: { size }, groupWindow: 30 }),
    ).rejects.toMatchObject({
      code: 'group-split',
      message: expect.stringContaining('line 41, sample "s40"'),
      fix: expect.stringContaining('groupWindow'),
    })
    expect(
      (await run(store, { samples: batchesOf(late), rewards: { size }, groupWindow: 41 })).rewards.size,
    ).toMatchObject({
      scored: 50,
      maximum: 2,
    })
    const large = samplesOf(50, () => ({ group: 'all' }))
    await expect(
      run(store, { samples: batchesOf(large), rewards: { size }, groupWindow: 4, runId: 'large' }),
    ).rejects.toMatchObject({ code: 'group-split' })
    await store.close()
  })

  test('are judged again as a whole when one member failed', async () => {
    const store = await freshStore()
    let down = true
    const asked: number[] = []
    const reward = defineGroupReward({
      name: 'group',
      judgeGroup: (samples) => {
        asked.push(samples.length)
        return samples.map(({ id }) => (down && id === 's4' ? unscored('timeout', 'slow') : down ? 0 : 1))
      },
    })
    const samples = batchesOf(samplesOf(9, (index) => ({ group: `${Math.floor(index / 3)}` })))
    await run(store, { samples, rewards: { reward } })
    down = false
    await run(store, { samples, rewards: { reward } })
    expect(asked).toEqual([3, 3, 3, 3])
    expect(await valuesOf(store, 'reward')).toEqual([0, 0, 0, 1, 1, 1, 0, 0, 0])
    await store.close()
  })
})

// What threads are given must be made anew in each of them: these modules are written to files.
const core = JSON.stringify(new URL('../core/index.ts', import.meta.url).href)
const module = (text: string) => {
  const path = file('module.ts')
  writeFileSync(path, `import { defineReward, textOf } from ${core}\n${text}`)
  return `file://${path}`
}
const lengthReward = (scale: number) =>
  defineReward({
    name: 'length',
    range: [0, 1000],
    params: { scale },
    judge: ({ output }) => textOf(output).length * scale,
  })

describe('a large file', () => {
  const rows = 20_000
  const source = file('large.jsonl')
  const lines = Array.from({ length: rows }, (_, index) =>
    JSON.stringify({ id: `row-${index}`, prompt: 'p'.repeat(200), output: 'o'.repeat(index % 100) }),
  )
  lines[777] = '{"id": "broken", '
  lines[15_000] = lines[3]! // in another segment
  lines[15_001] = lines[14_999]! // in the same one
  lines[16_000] = ''
  writeFileSync(source, lines.join('\n'))
  writeFileSync(`${source}.gz`, gzipSync(lines.join('\n')))
  const lookup = {
    module: module(`export default (name, { scale }) => defineReward({ name, range: [0, 1000],
    params: { scale }, judge: ({ output }) => textOf(output).length * scale })`),
  }
  const content = async (store: Store) =>
    JSON.stringify(await Array.fromAsync(scoredSamples(store, 'run', { pageSize: 3000 })))

  test('gives the same in order, by segments and in threads, resumed or not', {
    timeout: 60_000,
  }, async () => {
    const ordered = await freshStore()
    const inOrder = await run(ordered, { samples: `${source}.gz`, rewards: { length: lengthReward(2) } })
    const expected = await content(ordered)
    expect(inOrder.rows).toMatchObject({
      read: rows - 1,
      samples: rows - 4,
      badBy: { 'broken-json': 1, 'duplicate-id': 2 },
    })
    expect((await valuesOf(ordered, 'length')).slice(0, 3)).toEqual([0, 2, 4])
    await ordered.close()

    for (const rewards of [{ length: lengthReward(2) }, { length: 'length(scale=2)' }]) {
      const store = await freshStore()
      const stop = new AbortController()
      const options: Partial<RunOptions> = { samples: source, rewards, lookup, workers: 2, concurrency: 2 }
      const first = await run(store, {
        ...options,
        signal: stop.signal,
        onProgress: ({ newScores }) => newScores > 1000 && stop.abort(),
      })
      expect(first.status).toBe('stopped')
      const summary = await run(store, options)
      expect(summary.status).toBe('complete')
      expect(first.timing.newScores + summary.timing.newScores).toBeGreaterThanOrEqual(rows - 4)
      expect(summary.rows.badBy).toEqual(inOrder.rows.badBy)
      expect((await content(store)) === expected).toBe(true)
      const again = await run(store, options)
      expect(again.timing).toMatchObject({ rows: 0, newScores: 0 })
      expect({ ...again.rewards.length, seconds: 0 }).toEqual({ ...inOrder.rewards.length, seconds: 0 })
      await store.close()
    }
  })

  test('a thread that ends, and a reward that differs between threads, stop the run', {
    timeout: 60_000,
  }, async () => {
    const store = await freshStore()
    const ends = module(`let calls = 0
      export default () => defineReward({ name: 'ends', judge: () => { if (++calls > 500) process.exit(); return 1 } })`)
    await expect(
      run(store, { samples: source, rewards: { ends: { module: ends } }, workers: 2 }),
    ).rejects.toMatchObject({ code: 'worker-failed' })
    expect((await store.runs.find('run'))!.status).toBe('stopped')
    const differs = module(`import { threadId } from 'node:worker_threads'
      export default () => defineReward({ name: 'differs', params: { threadId }, judge: () => 1 })`)
    await expect(
      run(store, { samples: source, rewards: { differs: { module: differs } }, workers: 2, runId: 'other' }),
    ).rejects.toThrow(/reward "differs": is not the reward here/)
    await store.close()
  })
})
