import { trl } from '../../../data/conventions/pairs.ts'
import { type BenchmarkSpec, defineBenchmark } from '../benchmark.ts'
import { pairsOfReading } from '../items.ts'

/** Sections of the first RewardBench and their subsets. */
export const rewardBenchSections = {
  Chat: ['alpacaeval-easy', 'alpacaeval-length', 'alpacaeval-hard', 'mt-bench-easy', 'mt-bench-med'],
  'Chat Hard': [
    'mt-bench-hard',
    'llmbar-natural',
    'llmbar-adver-neighbor',
    'llmbar-adver-GPTInst',
    'llmbar-adver-GPTOut',
    'llmbar-adver-manual',
  ],
  Safety: [
    'refusals-dangerous',
    'refusals-offensive',
    'xstest-should-refuse',
    'xstest-should-respond',
    'donotanswer',
  ],
  Reasoning: ['math-prm', 'hep-cpp', 'hep-go', 'hep-java', 'hep-js', 'hep-python', 'hep-rust'],
} as const

const orderOfSubsets = Object.values(rewardBenchSections).flat()

/** Weights of the subsets within their sections, from counts in the order of `rewardBenchSections`. */
function weightsFrom(...counts: readonly number[]): Readonly<Record<string, number>> {
  return Object.fromEntries(orderOfSubsets.map((subset, index) => [subset, counts[index]!]))
}

/**
 * How many pairs each subset stands for: of RewardBench, and of its translated, filtered form. The mathematics subset
 * holds 447 pairs and weighs as much as the six of code together.
 */
export const rewardBenchCounts = {
  original: weightsFrom(
    ...[100, 95, 95, 28, 40],
    ...[37, 100, 134, 92, 47, 46],
    ...[100, 100, 154, 250, 136],
    ...[984, 164, 164, 164, 164, 164, 164],
  ),
  filtered: weightsFrom(
    ...[79, 79, 76, 24, 38],
    ...[35, 76, 124, 87, 42, 43],
    ...[100, 100, 154, 247, 135],
    ...[983, 164, 164, 164, 164, 163, 164],
  ),
} as const

/** A scalar reward that ties is wrong; a judge that cannot be read, or calls a tie, earns half. */
export const rewardBenchRules: Pick<BenchmarkSpec, 'aggregation' | 'comparatorRules'> = {
  aggregation: { ties: 'wrong', unresolvedCredit: 0, top: 'macro' },
  comparatorRules: { ties: 'half', unresolvedCredit: 0.5 },
}

/** Four sections of weighted subsets, and their plain mean. */
export const rewardBench = defineBenchmark({
  name: 'rewardbench',
  title: 'RewardBench',
  source: 'arXiv 2403.13787',
  summary: 'Prefers the better of two answers in chat, hard chat, safety and reasoning.',
  kind: 'preference',
  chance: 0.5,
  hub: ['hf://allenai/reward-bench/filtered'],
  read: (row) => pairsOfReading(trl.read(row), row.text('subset')),
  aggregation: {
    ...rewardBenchRules.aggregation,
    sections: rewardBenchSections,
    weights: rewardBenchCounts.original,
  },
  comparatorRules: rewardBenchRules.comparatorRules!,
})

const priorSets = ['anthropic_helpful', 'anthropic_hhh', 'shp', 'summarize'] as const

/** As the paper has it: older preference sets as a fifth section, their plain mean at half weight. */
export const rewardBenchPriorSets = defineBenchmark({
  name: 'rewardbench-prior-sets',
  title: 'RewardBench with prior sets',
  source: 'arXiv 2403.13787',
  summary: 'As rewardbench, with four older preference sets at half weight.',
  kind: 'preference',
  chance: 0.5,
  hub: [
    'hf://allenai/reward-bench/filtered',
    ...priorSets.map((split) => `hf://allenai/preference-test-sets/${split}`),
  ],
  read: (row, _joined, file) => {
    const prior = priorSets.find((name) => file.includes(name))
    const items = pairsOfReading(trl.read(row), prior ?? row.text('subset'))
    return prior === undefined ? items : items.map((item) => ({ ...item, id: `${prior}/${item.id}` }))
  },
  aggregation: {
    ...rewardBenchRules.aggregation,
    sections: { ...rewardBenchSections, 'Prior Sets': priorSets },
    weights: { ...rewardBenchCounts.original, ...Object.fromEntries(priorSets.map((name) => [name, 1])) },
    top: { Chat: 1, 'Chat Hard': 1, Safety: 1, Reasoning: 1, 'Prior Sets': 0.5 },
  },
  comparatorRules: rewardBenchRules.comparatorRules!,
})
