import { expect, test } from 'vitest'
import { testVectors } from '../../../../tests/vectors.ts'
import { text } from '../../../worlds/index.ts'
import { aggregate, type Verdict } from '../aggregate.ts'
import { loadBenchmark } from '../load-benchmark.ts'
import { labelAgreement, multilingualSummary } from '../multilingual.ts'
import { checkPublished } from '../published.ts'
import { runBenchmark } from '../run-benchmark.ts'
import { averageAndVariance, mRewardBench, textLanguagesBenchmark } from './m-rewardbench.ts'
import { rewardBench, rewardBenchCounts, rewardBenchPriorSets, rewardBenchSections } from './rewardbench.ts'

const graded = (accuracies: Readonly<Record<string, number>>): Verdict[] =>
  Object.entries(accuracies).map(([subset, credit]) => ({ subset, outcome: 'graded', credit }))
const subsets = Object.values(rewardBenchSections).flat()

testVectors('m-rewardbench', {
  'm_rewardbench.score': ({ counts, accuracies }, { expected }) => {
    const weights = rewardBenchCounts[counts as 'original' | 'filtered']
    const byName = Object.fromEntries(subsets.map((name, index) => [name, accuracies[index]]))
    const { headline, sections } = aggregate(graded(byName), { ...rewardBench.aggregation, weights })
    const flat = aggregate(graded(byName), { sections: { all: subsets }, weights }).headline.score
    return {
      sections: sections.map(({ score }) => score),
      score: headline.score,
      ...('flat' in (expected as object) ? { flat } : {}),
    }
  },
  'm_rewardbench.kappa': ([a, b]) => labelAgreement(a, b),
  'm_rewardbench.average': (columns: number[]) => {
    // The last column is the mean of two scripts; as 23 columns it stands twice.
    const names = columns.map((_, index) => `language ${index}`)
    const others = Object.fromEntries(names.slice(0, -1).map((name, index) => [name, columns[index]!]))
    const both = { ...others, zho_Hans: columns.at(-1)!, zho_Hant: columns.at(-1)! }
    const { average, mergedAverage, variance } = averageAndVariance(both)
    return { of22: mergedAverage, of23: average, variance }
  },
})

test('published averages and variances follow from the columns', () => {
  const checks = checkPublished(mRewardBench)
  expect(checks).toHaveLength(4)
  expect(checks.filter(({ agrees }) => !agrees)).toEqual([])
})

test('weights name every subset of every section', () => {
  for (const spec of [rewardBench, rewardBenchPriorSets, mRewardBench]) {
    const { sections, weights } = spec.aggregation
    for (const subset of Object.values(sections!).flat()) expect(weights, subset).toHaveProperty([subset])
  }
})

test('prior sets weigh half, and a section without rows is left out of the mean', () => {
  const scores = { 'alpacaeval-easy': 1, 'llmbar-natural': 0.5, donotanswer: 0.5, 'hep-cpp': 0.5 }
  const rules = rewardBenchPriorSets.aggregation
  const without = aggregate(graded(scores), rules)
  expect(without.headline.score).toBeCloseTo(2.5 / 4)
  expect(without.missing).toEqual(['Prior Sets'])
  const withThem = aggregate(graded({ ...scores, shp: 0.8, summarize: 0.6 }), rules)
  expect(withThem.headline.score).toBeCloseTo((2.5 + 0.5 * 0.7) / 4.5)
})

test('a scalar tie is wrong, a judge that cannot tell earns half', async () => {
  const tie: Verdict[] = [{ subset: 'donotanswer', outcome: 'tie' }]
  expect(aggregate(tie, rewardBench.aggregation).headline.score).toBe(0)
  expect(aggregate(tie, { ...rewardBench.aggregation, ...rewardBench.comparatorRules }).headline.score).toBe(
    0.5,
  )
})

test('verdicts that say one thing throughout agree; those that differ throughout do not', () => {
  expect(labelAgreement([1, 1, 1], [1, 1, 1])).toBe(1)
  expect(labelAgreement([0, 1, 0, 1], [1, 0, 1, 0])).toBe(-1)
  expect(labelAgreement([], [])).toBe(null)
})

test('a reward that reads the base language only drops in the others', async () => {
  const benchmark = await loadBenchmark(textLanguagesBenchmark, { size: 8 })
  const result = await runBenchmark(text.textOracle(), benchmark, { resamples: 0 })
  const summary = multilingualSummary(result, { sections: ['describe', 'lookup', 'name'], base: 'eng' })
  expect(summary.byLanguage.eng).toBe(1)
  expect(summary.drop).toBeGreaterThan(0.2)
  expect(summary.meanAgreement).toBeLessThan(0.7)
  expect(Object.keys(summary.agreement)).toEqual(['language-1', 'language-2'])
})
