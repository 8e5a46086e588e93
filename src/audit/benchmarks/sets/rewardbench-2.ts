import type { Sample } from '../../../core/index.ts'
import { rewardBench2 as convention } from '../../../data/conventions/rated.ts'
import { text } from '../../../worlds/index.ts'
import {
  type BenchmarkItem,
  type BenchmarkSpec,
  defineBenchmark,
  type GenerateOptions,
} from '../benchmark.ts'
import { bestOfReading } from '../items.ts'
import { publishedRows } from '../published.ts'
import { tiesMeasure } from '../ties-score.ts'

const subsets = ['Factuality', 'Precise IF', 'Math', 'Safety', 'Focus', 'Ties'] as const

/**
 * The rules of RewardBench 2. An item is worth 1 / (number of completions that share the highest score) when the right
 * one is among them, and what a guess is worth when nothing could be scored; the headline is the plain mean of the
 * six subsets, whatever their sizes. Rating judges read their replies with `parseScore` and the policy
 * `rewardbench-2`, ranking judges with `parseChoice` and `double-brackets`.
 */
const rules: Pick<BenchmarkSpec, 'kind' | 'chance' | 'aggregation' | 'measures' | 'unscoredCandidate'> = {
  kind: 'best-of',
  chance: 0.25,
  unscoredCandidate: 'loses',
  aggregation: {
    sections: Object.fromEntries(subsets.map((name) => [name, [name]])),
    ties: 'share',
    unresolvedCredit: 0.25,
    top: 'macro',
  },
  measures: { Ties: tiesMeasure() },
}

const subsetNames = new Map(subsets.map((name) => [name.toLowerCase(), name]))

export const rewardBench2 = defineBenchmark({
  name: 'rewardbench-2',
  title: 'RewardBench 2',
  source: 'arXiv 2506.01937',
  summary:
    'Scores the one right answer above three wrong ones, and many right answers alike, far above wrong ones.',
  hub: ['hf://allenai/reward-bench-2/test'],
  ...rules,
  read: (row) => {
    const written = row.text('subset')
    const subset = subsetNames.get(written.toLowerCase()) ?? written
    const item = bestOfReading(convention.read(row), subset)
    if (subset !== 'Ties') return [item]
    // The ref and the tied prompt of one number are a pair: they are resampled together.
    return [{ ...item, cluster: `ties ${item.id.replace(/^\w+:/, '')}` }]
  },
  published: {
    rows: publishedRows(['average', ...subsets], {
      'gemini-2.5-flash-preview': [77.2, 65.7, 55.3, 81.1, 90.9, 86.7, 83.4],
      'QRM-Gemma-2-27B': [76.7, 78.5, 37.2, 69.9, 95.8, 95.4, 83.2],
      'INF-ORM-Llama3.1-70B': [76.5, 74.1, 41.9, 69.9, 96.4, 90.3, 86.2],
      'claude-opus-4': [76.5, 82.7, 41.9, 74.9, 89.5, 86.2, 83.7],
      'Llama-3.1-70B-Instruct-RM-RB2': [76.1, 81.3, 41.9, 69.9, 88.4, 86.5, 88.3],
      'Skywork-Reward-Gemma-2-27B': [75.8, 73.7, 40.3, 70.5, 94.2, 93.2, 82.6],
      'Skywork-Reward-Llama-3.1-8B': [73.1, 69.9, 42.5, 62.8, 93.3, 96.2, 74.1],
      'gpt-4.1': [72.3, 82.9, 39.7, 65.2, 87.3, 73.4, 85.4],
      'ArmoRM-Llama3-8B': [66.5, 65.7, 41.9, 66.1, 82.2, 76.6, 66.3],
      'gpt-4o-2024-08-06': [64.9, 56.8, 33.1, 62.3, 86.2, 72.9, 78.2],
    }),
    recompute: (values) => ({
      average: subsets.reduce((sum, name) => sum + values[name]!, 0) / subsets.length,
    }),
    tolerance: 0.1,
  },
})

/** The same six kinds of question in the closed vocabulary of the text world. */
export const textRewardBench2 = defineBenchmark({
  name: 'text-rewardbench-2',
  title: 'Text world: best of four, and ties',
  source: 'generated, scored as RewardBench 2',
  summary:
    'Scores the one right answer above three wrong ones, and many right answers alike, far above wrong ones.',
  ...rules,
  generate: bestOfFourItems,
})

/** `size` items of each subset (of ties, that many pairs). */
function* bestOfFourItems({ seed = 0, size = 50 }: GenerateOptions): Generator<BenchmarkItem> {
  for (const { id, subset, task, chosen, rejected } of text.bestOfFour(`benchmark/${seed}`, size)) {
    const prompt = text.textVocabulary.join(text.taskPrompt(task))
    const candidates = [...chosen, ...rejected].map(
      (tokens, index): Sample => ({
        id: `${id}#${index}`,
        group: id,
        prompt,
        output: text.textVocabulary.join(tokens),
        reference: task,
        meta: { world: 'text' },
      }),
    )
    yield {
      kind: 'best-of',
      id,
      subset,
      cluster: subset === 'Ties' ? `ties ${id.replace(/^\w+:/, '')}` : id,
      candidates,
      correct: candidates.map((_, index) => index < chosen.length),
    }
  }
}
