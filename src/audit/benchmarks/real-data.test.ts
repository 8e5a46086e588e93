import { expect } from 'vitest'
import { testOnData } from '../../../tests/shared-data.ts'
import { defineReward, textOf } from '../../core/index.ts'
import { loadBenchmark, recomputePublished } from './load-benchmark.ts'
import { benchmarkNamed } from './registry.ts'
import { runBenchmark } from './run-benchmark.ts'

const longer = defineReward({
  name: 'longer',
  range: [0, Number.POSITIVE_INFINITY],
  judge: ({ output }) => textOf(output).length,
})

/** Folder, benchmark, items, rows that are no items, and the accuracy of the longer answer over all items. */
const sets = [
  ['llmbar', 'llmbar', 326, 0, 0.259],
  ['mtbench-human', 'mtbench-human', 200, 0, 0.6925],
  ['pandalm-testset', 'pandalm', 500, 0, 0.632],
  ['hhh-alignment', 'hhh-alignment', 111, 0, 0.635],
  ['hh-rlhf-harmless-test', 'hh-rlhf-harmless', 1156, 0, 0.413],
  ['ukp-convarg', 'ukp-convarg', 8066, 0, 0.784],
  ['prmbench-steps', 'prmbench', 3913, 8, 0.255],
  ['sugarcrepe', 'sugarcrepe', 3131, 0, 0.314],
  ['valse', 'valse', 4122, 0, 0.507],
  ['halueval-general', 'halueval', 2253, 1, 0.511],
  ['finegrained-rlhf-qa', 'finegrained-qa', 1330, 0, 0.5],
  ['imageinwords-sxs', 'imageinwords', 255, 0, null],
  ['imagereward-rankings', 'imagereward', 233, 0, null],
  ['image-pairs', 'image-pairs', 60, 0, null],
] as const

for (const [folder, name, items, problems, accuracy] of sets)
  testOnData(
    folder,
    `${name} loads whole, and the longer answer earns what it is known to`,
    async (source) => {
      const benchmark = await loadBenchmark(benchmarkNamed(name), { source })
      expect(benchmark.items).toHaveLength(items)
      expect(benchmark.problems).toHaveLength(problems)
      if (accuracy === null) return
      const { pooled, unscored } = await runBenchmark(longer, benchmark, { resamples: 0 })
      expect(pooled).toBeCloseTo(accuracy, 3)
      expect(unscored.total).toBe(0)
    },
  )

testOnData('llmbar', 'the authors’ cells come out again', async (source) => {
  const checks = await recomputePublished(benchmarkNamed('llmbar'), { source })
  const share = checks.filter(({ measure }) => measure !== 'kappa_agreement')
  expect(share.length).toBeGreaterThan(450)
  expect(share.filter(({ agrees }) => !agrees)).toEqual([])
  // Of judges whose replies were not always readable, kappa was computed on something else.
  expect(checks.filter(({ agrees }) => !agrees)).toHaveLength(13)
})

for (const [folder, name, count] of [
  ['mtbench-human', 'mtbench-human', 3],
  ['pandalm-testset', 'pandalm', 6],
  ['imageinwords-sxs', 'imageinwords', 5],
] as const)
  testOnData(folder, 'published numbers come out again from the data', async (source) => {
    const checks = await recomputePublished(benchmarkNamed(name), { source })
    expect(checks).toHaveLength(count)
    expect(checks.filter(({ agrees }) => !agrees)).toEqual([])
  })
