import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { reproduce } from './reproduce.ts'
import { type Criterion, type Reproduction, verdictOf } from './reproduction.ts'
import { reproductionsMarkdown } from './reproductions-markdown.ts'
import { seedResults } from './results.ts'
import { readSummaries, writeSummary } from './verdicts.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reproduce-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const holds = (kind: Criterion['kind'], holds: boolean): Criterion => ({
  name: kind,
  kind,
  holds,
  measured: '',
})

test('the verdict follows from the criteria: validity first, then claims and controls', () => {
  expect(verdictOf([holds('validity', true), holds('claim', true)])).toBe('reproduced')
  expect(verdictOf([holds('validity', false), holds('claim', true)])).toBe('invalid set-up')
  expect(verdictOf([holds('validity', true), holds('claim', false)])).toBe('not reproduced at this scale')
  expect(verdictOf([holds('claim', true), holds('control', false)])).toBe('not reproduced at this scale')
})

test('differences are taken seed by seed, over the seeds that every arm has', () => {
  const run = (arm: string, seed: number, quality: number) => ({
    arm,
    seed,
    seconds: 1,
    metrics: { quality },
    samples: 1,
    rewardCalls: 1,
  })
  const results = seedResults([
    run('a', 0, 3),
    run('b', 0, 1),
    run('a', 1, 2),
    run('b', 1, 4),
    run('a', 2, 9),
  ])
  expect(results.seeds).toEqual([0, 1])
  expect(results.difference('a', 'b', 'quality')).toMatchObject({ differences: [2, -2], mean: 0, above: 1 })
  expect(() => results.values('a', 'colour')).toThrow('There are quality')
})

test('what a run could not measure is left out, said, and counted for nobody', () => {
  const runs = (arm: string, values: readonly (number | null)[]) =>
    values.map((quality, seed) => ({
      arm,
      seed,
      seconds: 1,
      metrics: { quality, size: null },
      samples: 1,
      rewardCalls: 1,
    }))
  const results = seedResults([...runs('a', [3, 5, null, Number.NaN, 4]), ...runs('b', [1, null, -9, 0, 5])])
  const compared = results.difference('a', 'b', 'quality')
  expect(compared).toMatchObject({ differences: [2, -1], mean: 0.5, above: 1 })
  expect(compared.text).toMatch(/1 of 2 seeds \(3 not measured\)$/)
  expect(results.measured('a', 'quality')).toEqual([3, 5, null, null, 4])
  expect(results.mean('a', 'quality')).toBe(4)
  expect(results.interval('a', 'quality')).toMatchObject({ n: 3 })
  expect(() => results.values('a', 'quality')).toThrow('seed 2')
  expect(results.difference('a', 'b', 'size')).toEqual({
    differences: [],
    mean: Number.NaN,
    interval: null,
    above: 0,
    text: 'not measured in any seed',
  })
})

test('a run that fails is reported and its seed left out; what is finished is not done again', async () => {
  const reproduction: Reproduction = {
    id: 'toolrl',
    claim: 'One is more than nothing.',
    module: new URL('../../../tests/reproduction-jobs.ts', import.meta.url).href,
    settings: { added: 1 },
    arms: { method: 'adds one', broken: 'fails at seed 1' },
    equalSamples: ['method', 'broken'],
    prepared: true,
    notes: [],
    criteria: (results) => {
      const { mean, text } = results.difference('method', 'broken', 'quality')
      return [{ name: 'more', kind: 'claim', holds: mean > 0, measured: text }]
    },
  }
  const first = await reproduce(reproduction, { folder, seeds: 3, workers: 2 })
  expect(first.failures).toEqual([{ run: 'broken, seed 1', reason: expect.stringContaining('out of luck') }])
  expect(first).toMatchObject({ verdict: 'reproduced', seeds: 2 })
  expect(first.arms[0]!.metrics.quality!.mean).toBe(11)
  const seen: string[] = []
  const again = await reproduce(reproduction, {
    folder,
    seeds: 3,
    onProgress: ({ running }) => seen.push(...running.map(({ run }) => run)),
  })
  expect(new Set(seen)).toEqual(new Set(['broken, seed 1']))
  expect(again.arms).toEqual(first.arms)
  expect(await readFile(join(folder, 'report.html'), 'utf8')).toContain('reproduced')
  await expect(reproduce({ ...reproduction, settings: { added: 2 } }, { folder })).rejects.toThrow(
    'runs of other settings',
  )
})

test('method and baseline are tuned on the same grid, on seeds that decide nothing else', async () => {
  const reproduction: Reproduction = {
    id: 'toolrl',
    claim: 'The method peaks at 2, the baseline at 3.',
    module: new URL('../../../tests/reproduction-jobs.ts', import.meta.url).href,
    settings: { peaks: [2, 3] },
    arms: { 'peak 2': 'method', 'peak 3': 'baseline', follower: 'as the method' },
    notes: [],
    seeds: 1,
    tuning: {
      what: 'learning rate',
      grid: [3, 2],
      metric: 'quality',
      arms: { 'peak 2': ['follower'], 'peak 3': [] },
    },
    criteria: (results) => [
      { name: 'any', kind: 'claim', holds: results.mean('peak 2', 'quality') === 0, measured: '' },
    ],
  }
  const own = join(folder, 'tuned')
  const result = await reproduce(reproduction, { folder: own, workers: 2 })
  expect(result.tuning).toMatchObject([
    { arm: 'peak 2', chosen: 2, seeds: [1000], usedBy: ['peak 2', 'follower'] },
    { arm: 'peak 3', chosen: 3, usedBy: ['peak 3'] },
  ])
  expect(result.tuning[0]!.trials).toEqual([
    { value: 3, mean: -1 },
    { value: 2, mean: 0 },
  ])
  expect(result.runs.map(({ arm, seed, tuned }) => [arm, seed, tuned])).toEqual([
    ['peak 2', 0, 2],
    ['peak 3', 0, 3],
    ['follower', 0, 2],
  ])
  expect(result.verdict).toBe('reproduced')
  const file = await writeSummary(join(folder, 'results'), result)
  expect(JSON.parse(await readFile(file, 'utf8')).runs[0]).not.toHaveProperty('examples')
  const page = reproductionsMarkdown(readSummaries(join(folder, 'results')))
  expect(page).toContain('peak 2, follower 2 (3: -1, 2: 0)')
})

test('arms that spent different numbers of samples make the set-up invalid', async () => {
  const reproduction: Reproduction = {
    id: 'toolrl',
    claim: '',
    module: new URL('../../../tests/reproduction-jobs.ts', import.meta.url).href,
    settings: {},
    arms: { method: '', spender: '' },
    equalSamples: ['method', 'spender'],
    seeds: 1,
    notes: [],
    criteria: () => [{ name: 'any', kind: 'claim', holds: true, measured: '' }],
  }
  const result = await reproduce(reproduction, { folder: join(folder, 'unequal'), workers: 1 })
  expect(result.verdict).toBe('invalid set-up')
  expect(result.criteria[0]).toMatchObject({ kind: 'validity', measured: '8 to 9' })
})

test('REPRODUCTIONS.md is what lies in reproductions/', async () => {
  await expect(reproductionsMarkdown(readSummaries())).toMatchFileSnapshot('../../../REPRODUCTIONS.md')
})
