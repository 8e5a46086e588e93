import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { reproduce } from './reproduce.ts'
import { type Criterion, type Reproduction, verdictOf } from './reproduction.ts'
import { seedResults } from './results.ts'

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

test('a run that fails is reported and its seed left out; what is finished is not done again', async () => {
  const reproduction: Reproduction = {
    id: 'toolrl',
    claim: 'One is more than nothing.',
    module: new URL('../../../tests/reproduction-jobs.ts', import.meta.url).href,
    arms: { method: 'adds one', broken: 'fails at seed 1' },
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
  const again = await reproduce(reproduction, { folder, seeds: 3, onProgress: ({ run }) => seen.push(run) })
  expect(seen).toEqual(['broken, seed 1'])
  expect(again.arms).toEqual(first.arms)
  expect(await readFile(join(folder, 'report.html'), 'utf8')).toContain('reproduced')
  await expect(reproduce({ ...reproduction, arms: { other: 'x' } }, { folder })).rejects.toThrow(
    'another reproduction',
  )
})
