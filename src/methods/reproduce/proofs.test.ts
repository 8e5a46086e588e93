import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueEntry } from '../catalogue/catalogue.ts'
import { proofOf, provenIds } from './proofs.ts'
import { reproduce } from './reproduce.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'proofs-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const minute = 60_000

test.each(provenIds)(
  'the quick slice of %s runs from start to report',
  { timeout: 2 * minute },
  async (id) => {
    const proof = await proofOf(id)
    const result = await reproduce(proof, { folder: join(folder, id), quick: true, workers: 2 })
    expect(result.failures).toEqual([])
    expect(result.verdict).toBeNull()
    expect(result.arms.map(({ arm }) => arm)).toEqual(proof.quickArms ?? Object.keys(proof.arms))
    for (const { metrics } of result.arms)
      for (const { mean } of Object.values(metrics)) expect(Number.isFinite(mean)).toBe(true)
  },
)

test.each(provenIds)('the proof of %s is well-formed', async (id) => {
  const { arms, tuning, equalSamples = [], quickArms = [], ...proof } = await proofOf(id)
  expect(proof.id).toBe(catalogueEntry(id).id)
  const named = [
    ...equalSamples,
    ...quickArms,
    ...Object.entries(tuning?.arms ?? {}).flatMap(([arm, others]) => [arm, ...others]),
  ]
  for (const arm of named) expect(Object.keys(arms)).toContain(arm)
  const tuned = Object.entries(tuning?.arms ?? {}).flatMap(([arm, others]) => [arm, ...others])
  expect(new Set(tuned).size).toBe(tuned.length)
})
