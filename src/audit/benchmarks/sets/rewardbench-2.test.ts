import { expect, test } from 'vitest'
import { testVectors } from '../../../../tests/vectors.ts'
import { defineReward, type Sample, textOf, unscored } from '../../../core/index.ts'
import { creditOf } from '../aggregate.ts'
import type { BestOfItem } from '../benchmark.ts'
import { bestOfResult } from '../judge-items.ts'
import { loadBenchmark } from '../load-benchmark.ts'
import { checkPublished } from '../published.ts'
import { runBenchmark } from '../run-benchmark.ts'
import { type TiesPrompt, tiesScore, tiesStatistics } from '../ties-score.ts'
import { rewardBench2, textRewardBench2 } from './rewardbench-2.ts'

const sample = (index: number): Sample => ({ id: String(index), prompt: 'p', output: '', meta: {} })

function itemOf(size: number): BestOfItem {
  return {
    kind: 'best-of',
    id: 'item',
    subset: 'Math',
    candidates: Array.from({ length: size }, (_, index) => sample(index)),
    correct: Array.from({ length: size }, (_, index) => index === 0),
  }
}

const creditFor = (scores: readonly (number | null)[]) =>
  creditOf(
    bestOfResult(
      itemOf(scores.length),
      scores.map((value) => (value === null ? unscored('unparsable', 'no rating') : { value })),
      rewardBench2,
    ),
    rewardBench2.aggregation,
  )

function promptsOf(input: Readonly<Record<string, [number[], number[]]>>): TiesPrompt[] {
  return Object.entries(input).map(([id, [correct, incorrect]]) => {
    const [kind, key] = id.split(':') as ['ref' | 'tied', string]
    return { key, kind, correct, incorrect }
  })
}

testVectors('rewardbench-2', {
  'rewardbench2.best_of_four': creditFor,
  'rewardbench2.ratings': (ratings: number[]) =>
    creditFor(ratings.map((rating) => (rating === -1 ? null : rating))),
  'rewardbench2.ties': (input) => {
    const prompts = promptsOf(input)
    return {
      score: tiesScore(prompts),
      prompts: prompts.map((prompt) => {
        const { accurate, spread, gap } = tiesStatistics(prompt)
        return [Number(accurate), spread, gap]
      }),
    }
  },
})

test('published averages are plain means of six subsets', () => {
  const checks = checkPublished(rewardBench2)
  expect(checks).toHaveLength(10)
  expect(checks.filter(({ agrees }) => !agrees)).toEqual([])
})

test('the ties score does not change with the unit or the zero of a reward, but with its shape', () => {
  const input = { 'ref:0': [[5], [1]], 'tied:0': [[4, 3], [1.5]], 'ref:1': [[2], [1]] } as never
  const scaled = (change: (x: number) => number) =>
    tiesScore(
      promptsOf(input).map((prompt) => ({
        ...prompt,
        correct: prompt.correct.map(change),
        incorrect: prompt.incorrect.map(change),
      })),
    )!
  const before = scaled((x) => x)
  expect(scaled((x) => 7 * x - 3)).toBeCloseTo(before, 12)
  expect(scaled((x) => Math.exp(x))).not.toBeCloseTo(before, 6)
})

test('the oracle is perfect on the generated items, a constant earns a guess', async () => {
  const benchmark = await loadBenchmark(textRewardBench2, { size: 12 })
  const { text } = await import('../../../worlds/index.ts')
  const oracle = await runBenchmark(text.textOracle(), benchmark, { resamples: 50 })
  expect(oracle.headline.score).toBeGreaterThan(0.99)
  expect(oracle.headline.interval!.low).toBeGreaterThan(0.98)
  const constant = defineReward({ name: 'constant', judge: () => 0.5 })
  const { sections } = await runBenchmark(constant, benchmark, { resamples: 0 })
  expect(Object.fromEntries(sections.map(({ name, score }) => [name, score]))).toEqual({
    Factuality: 0.25,
    'Precise IF': 0.25,
    Math: 0.25,
    Safety: 0.25,
    Focus: 0.25,
    Ties: 0,
  })
})

test('what a reward cannot score is counted by why', async () => {
  const benchmark = await loadBenchmark(textRewardBench2, { size: 3 })
  const moody = defineReward({
    name: 'moody',
    judge: ({ output }) => (textOf(output).length % 2 ? unscored('refused', 'not today') : 1),
  })
  const { unscored: gone, rows } = await runBenchmark(moody, benchmark, { resamples: 0 })
  expect(gone.total).toBe(rows.filter(({ outcome }) => outcome === 'unresolved').length)
  for (const code of Object.keys(gone.byCode)) expect(code).toBe('refused')
})
