import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testVectors } from '../../tests/vectors.ts'
import {
  type BenchmarkResult,
  benchmarkNamed,
  checkPublished,
  loadBenchmark,
  rmBenchStyles,
  runBenchmark,
} from '../audit/benchmarks/index.ts'
import { defineReward, textOf } from '../core/index.ts'
import { bradleyTerryLosses, generalisedAdvantages, meanOf } from '../learn/index.ts'
import { pairAccuracy } from '../stats/index.ts'
import { evaluated } from '../tensor/evaluated.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rm-bench-'))
})
afterAll(() => rm(folder, { recursive: true }))

interface StyledScores {
  readonly chosen: readonly number[]
  readonly rejected: readonly number[]
}

/** The benchmark over rows in its published layout, by a reward that gives each answer the score written in it. */
async function rmBenchOf(items: readonly StyledScores[]): Promise<BenchmarkResult> {
  const source = join(folder, 'items.jsonl')
  const rows = items.map(({ chosen, rejected }, id) => {
    const answers = (scores: readonly number[]) => scores.map(String)
    const row = { id, domain: 'chat', prompt: 'p', chosen: answers(chosen), rejected: answers(rejected) }
    return `${JSON.stringify(row)}\n`
  })
  await writeFile(source, rows.join(''))
  const written = defineReward({
    name: 'written',
    range: [-Infinity, Infinity],
    judge: ({ output }) => Number(textOf(output)),
  })
  return runBenchmark(written, await loadBenchmark(benchmarkNamed('rm-bench'), { source }), { resamples: 0 })
}

testVectors('ixc-2-5-reward', {
  bradley_terry: (scores: number[]) => {
    const pairs = Array.from({ length: scores.length / 2 }, (_, pair) => scores.slice(2 * pair, 2 * pair + 2))
    const differences = pairs.map(([chosen, rejected]) => chosen! - rejected!)
    const labels = pairs.map(() => 1)
    return {
      loss: evaluated((x: any) => meanOf(bradleyTerryLosses(x)), { differences }),
      accuracy: pairAccuracy(differences, labels, { predictedTies: 'wrong' }).accuracy,
    }
  },
  rm_bench: async (items: StyledScores[]) => {
    const { sections, headline } = await rmBenchOf(items)
    return {
      ...Object.fromEntries(sections.map(({ name, score }) => [name, score])),
      average: headline.score,
    }
  },
  gae: ({ rewards, values }) => {
    const done = [rewards.map((_: number, at: number) => Number(at === rewards.length - 1))]
    return (
      evaluated((x: any) => generalisedAdvantages(x), { rewards: [rewards], values: [values], done })
        .advantages as number[][]
    )[0]
  },
})

test('a reward of style alone is right where style is, and nowhere else; ties are wrong', async () => {
  const style = rmBenchStyles.map((_, place) => place)
  const { sections } = await rmBenchOf([{ chosen: style, rejected: style }])
  const scores = Object.fromEntries(sections.map(({ name, score }) => [name, score]))
  expect(scores).toEqual({ hard: 0, normal: 0, easy: 1 })
})

test('a row without three styles is refused, and the published average is the mean of its columns', async () => {
  await expect(rmBenchOf([{ chosen: [1, 2], rejected: [0, 0, 0] }])).rejects.toThrow(/chosen.*has 2 answers/)
  const checks = checkPublished(benchmarkNamed('rm-bench'))
  expect(checks.map(({ agrees }) => agrees)).toEqual([true])
})
