import { expect, test } from 'vitest'
import { testVectors } from '../../../../tests/vectors.ts'
import { overallJudgment } from '../../../rewards/judge/verdict.ts'
import { aggregate, type Verdict } from '../aggregate.ts'
import { checkPublished } from '../published.ts'
import { rejectedPosition, vlRewardBench, vlRewardBenchClass, vlRewardBenchSource } from './vl-rewardbench.ts'

const outcomes = { agree: 'right', reject: 'wrong', doesntMatch: 'unresolved', other: 'unresolved' } as const

testVectors('vl-rewardbench', {
  'vl_rewardbench.score': (rows: [string, number, number, number][]) => {
    const classes = rows.map(([, ...votes]) => vlRewardBenchClass(...votes))
    const verdicts = rows.map(([subset], i): Verdict => ({ subset, outcome: outcomes[classes[i]!] }))
    const { sections, pooled, macro } = aggregate(verdicts, vlRewardBench.aggregation)
    return {
      classes,
      ...Object.fromEntries(sections.map(({ name, score }) => [name, 100 * score!])),
      Overall: 100 * pooled!,
      Macro: 100 * macro!,
    }
  },
  'vl_rewardbench.parse': (reply) => {
    const digits = overallJudgment(reply)
    return digits === undefined ? null : Number(digits)
  },
  'vl_rewardbench.rejected': ([ranking, swapped]) => rejectedPosition(ranking, swapped === 1),
  'vl_rewardbench.source': vlRewardBenchSource,
})

test('every published macro is the mean of its three groups, overall the pool but for dropped rows', () => {
  const checks = checkPublished(vlRewardBench)
  expect(checks).toHaveLength(28)
  const disagreeing = checks.filter(({ agrees }) => !agrees).map(({ row, measure }) => `${row} ${measure}`)
  expect(disagreeing).toEqual(['Llama-3.2-11B Overall', 'Qwen2-VL-7B Overall', 'LLaVA-OneVision-7B Overall'])
})

test('a group without a resolved row has no score and is in no mean', () => {
  const { macro, missing } = aggregate(
    [
      { subset: 'povid', outcome: 'right' },
      { subset: 'vlfeedback', outcome: 'unresolved' },
    ],
    vlRewardBench.aggregation,
  )
  expect(macro).toBe(1)
  expect(missing).toEqual(['General', 'Reasoning'])
})
