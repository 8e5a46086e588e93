import { expect } from 'vitest'
import { comparePairs, judgeBias, orderAgreement, type PairTable } from '../src/apply/index.ts'
import { krippendorffAlpha } from '../src/stats/index.ts'
import {
  hhRlhf,
  llmbar,
  mtbench,
  type PreferenceSet,
  pandalm,
  rowsOf,
  tableOf,
  ukp,
} from './preference-sets.ts'
import { testOnData } from './shared-data.ts'

// How far do simple measures and published judges agree with people? The whole table: npm run -s bench -- preferences

const agreement = (set: PreferenceSet, ...names: string[]) => {
  const table = tableOf(set, names)
  const compared = comparePairs(table, { resamples: 300 })
  return { table, ...compared, of: (name: string) => compared.judges.find(({ judge }) => judge === name)! }
}
const lengthBias = (table: PairTable) =>
  judgeBias(table, table.judges['longer wins'] as number[], { resamples: 300 })

testOnData('llmbar', 'length decides wrongly on the adversarial subsets and judges follow it', (folder) => {
  const excess: Record<string, { low: number; estimate: number }> = {}
  for (const set of llmbar(folder)) {
    const { of, table, differences } = agreement(set, 'longer wins', 'ChatGPT Vanilla', 'GPT-4 Vanilla')
    const longer = of('longer wins').accuracy!
    if (set.name === 'llmbar Natural') {
      expect(longer.high).toBeGreaterThan(0.5)
      expect(of('GPT-4 Vanilla').accuracy!.estimate).toBe(0.955)
    } else {
      // Adversarial by construction: the worse answer is the longer one.
      expect(longer.high).toBeLessThan(0.3)
      expect(of('ChatGPT Vanilla').accuracy!.high).toBeLessThan(0.4)
      expect(of('GPT-4 Vanilla').accuracy!.low).toBeGreaterThan(0.6)
      const versus = differences.find(
        ({ first, second }) => first === 'ChatGPT Vanilla' && second === 'GPT-4 Vanilla',
      )!
      expect(versus.accuracy!.high).toBeLessThan(-0.3)
      expect(versus.mcnemar.mid).toBeLessThan(1e-6)
    }
    for (const { judge, excess: bias } of lengthBias(table)) excess[`${set.name}: ${judge}`] = bias!
  }
  // The bias is a number with an interval: the share of pairs on which the longer answer is taken beyond people's.
  expect(excess['llmbar Neighbor: ChatGPT Vanilla']!.low).toBeGreaterThan(0.4)
  expect(excess['llmbar GPTInst: ChatGPT Vanilla']!.low).toBeGreaterThan(0.4)
  expect(excess['llmbar Neighbor: GPT-4 Vanilla']!.low).toBeGreaterThan(0.05)
  expect(excess['llmbar Neighbor: GPT-4 Vanilla']!.estimate).toBeLessThan(0.3)
  expect(excess['llmbar Natural: GPT-4 Vanilla']!.low).toBeLessThan(0)
})

testOnData('llmbar', 'position: the weaker the judge, the more the slot decides', (folder) => {
  const natural = llmbar(folder).find(({ name }) => name === 'llmbar Natural')!
  const of = (name: string) => {
    const { aFirst, bFirst } = natural.judges.find(({ judge }) => judge === name)!
    return orderAgreement({ aFirst, bFirst: bFirst! }, { resamples: 300 })
  }
  const [strong, weak] = [of('GPT-4 Vanilla'), of('Falcon Vanilla')]
  expect(strong.consistent).toMatchObject({ estimate: 0.95 })
  expect(weak.consistent!.high).toBeLessThan(strong.consistent!.low)
  expect(Math.abs(weak.slotBias!.estimate)).toBeGreaterThan(Math.abs(strong.slotBias!.estimate))
  expect(strong.kappa).toBeGreaterThan(0.85)
})

testOnData('mtbench-human', 'GPT-4 agrees with people more than length does', (folder) => {
  const { of } = agreement(mtbench(folder), 'longer wins', 'GPT-4 Vanilla_NoRules')
  expect(of('GPT-4 Vanilla_NoRules').accuracy!.estimate).toBeCloseTo(0.81, 12)
  expect(of('longer wins').accuracy!.low).toBeGreaterThan(0.5)
  expect(of('longer wins').accuracy!.high).toBeLessThan(of('GPT-4 Vanilla_NoRules').accuracy!.estimate)
})

testOnData(
  'pandalm-testset',
  'verdicts against the majority; a learned judge is little above length',
  (folder) => {
    const set = pandalm(folder)
    const { of, differences } = agreement(set, 'longer wins', 'GPT-3.5', 'PandaLM-7B')
    expect(of('GPT-3.5')).toMatchObject({ unjudged: 11, counts: { labelTies: 42 } })
    expect(of('longer wins').accuracy!.low).toBeGreaterThan(0.55)
    const versus = differences.find(({ first, second }) => first === 'longer wins' && second === 'GPT-3.5')!
    expect(versus.accuracy!.high).toBeLessThan(0)
    // Labels that tie count when asked to: the accuracy of the whole three-way verdict.
    const counts = comparePairs(tableOf(set, ['PandaLM-7B']), {
      labelTies: 'match',
      predictedTies: 'wrong',
    })
    expect(counts.judges[0]!.accuracy!.estimate).toBeCloseTo(0.668, 10)
  },
)

testOnData('hh-rlhf-harmless-test', 'the shorter answer is the harmless one', (folder) => {
  const { of } = agreement(hhRlhf(folder), 'longer wins', 'less repetition wins')
  expect(of('longer wins').accuracy!.high).toBeLessThan(0.46)
  expect(of('longer wins').kappa).toBeLessThan(0)
})

testOnData('ukp-convarg', 'longer arguments convince; votes agree moderately', (folder) => {
  const { of, prompts } = agreement(ukp(folder), 'longer wins', 'more words of the prompt win')
  expect(prompts).toBe(22)
  const longer = of('longer wins').accuracy!
  expect(longer.estimate).toBeCloseTo(0.784, 3)
  // Resampling the 22 sides of topics, not the 8,066 pairs, which share their arguments.
  expect(longer.high - longer.low).toBeGreaterThan(0.03)
  expect(Math.abs(of('more words of the prompt win').kappa!)).toBeLessThan(0.1)
  const votes = Map.groupBy(rowsOf(folder, 'votes.jsonl.gz'), ({ a1, a2 }) => `${a1}_${a2}`)
  const alpha = krippendorffAlpha(
    [...votes.values()].map((rows) => rows.map(({ label }) => label)),
    'nominal',
  )!
  expect(alpha).toBeGreaterThan(0.2)
  expect(alpha).toBeLessThan(0.8)
})

testOnData('ukp-convarg', 'every text joins', (folder) => {
  const { pairs } = ukp(folder)
  expect(pairs).toHaveLength(8066)
  expect(pairs.filter(({ a, b }) => typeof a !== 'string' || typeof b !== 'string')).toEqual([])
})
