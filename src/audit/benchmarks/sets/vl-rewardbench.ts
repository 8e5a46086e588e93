import { vlRewardBench as convention } from '../../../data/conventions/rated.ts'
import { majorityOf } from '../ask-items.ts'
import { defineBenchmark } from '../benchmark.ts'
import { pairsOfReading } from '../items.ts'
import { publishedRows } from '../published.ts'

/** Sources in the order of the official scorer, by group. */
const groups = {
  General: ['wildvision-battle', 'vlfeedback'],
  Hallucination: ['povid', 'rlhf-v', 'rlaif-v'],
  Reasoning: ['reasoning_tasks'],
} as const

const sourceByPrefix: Readonly<Record<string, string>> = {
  RLAIF: 'rlaif-v',
  RLHF: 'rlhf-v',
  hallucination: 'povid',
  mathverse: 'reasoning_tasks',
  mmmu: 'reasoning_tasks',
  wildvision: 'wildvision-battle',
}

/** The source of a row by what stands before the first "_" or "-" of its id; `vlfeedback` for any other. */
export function vlRewardBenchSource(id: string): string {
  const prefix = /^[^_-]*/.exec(id)![0]
  return Object.hasOwn(sourceByPrefix, prefix) ? sourceByPrefix[prefix]! : 'vlfeedback'
}

/** Where the worse answer was displayed, 1 or 2; `swapped` when the second answer was shown first. */
export function rejectedPosition(humanRanking: readonly [number, number], swapped: boolean): 1 | 2 {
  return humanRanking[0] === (swapped ? 0 : 1) ? 1 : 2
}

/** What the votes on a row come to. `other`: no side, and not silence either, has more than half of all votes. */
export function vlRewardBenchClass(
  agree: number,
  reject: number,
  noMatch: number,
): 'agree' | 'reject' | 'doesntMatch' | 'other' {
  const { outcome, code } = majorityOf({ right: agree, wrong: reject, none: noMatch })
  if (outcome === 'right') return 'agree'
  if (outcome === 'wrong') return 'reject'
  return code === 'split' ? 'other' : 'doesntMatch'
}

const rows = publishedRows(['General', 'Hallucination', 'Reasoning', 'Overall', 'Macro'], {
  'Gemini-1.5-Pro': [50.8, 72.5, 64.2, 67.2, 62.5],
  'GPT-4o (2024-08-06)': [49.1, 67.6, 70.5, 65.8, 62.4],
  'Gemini-1.5-Flash': [47.8, 59.6, 58.4, 57.6, 55.3],
  'Claude-3.5-Sonnet': [43.4, 55.0, 62.3, 55.3, 53.6],
  'GPT-4o-mini': [41.7, 34.5, 58.2, 41.5, 44.8],
  'Llama-3.2-90B': [42.6, 57.3, 61.7, 56.2, 53.9],
  'Llama-3.2-11B': [33.3, 38.4, 56.6, 42.9, 42.8],
  'Qwen2-VL-72B': [38.1, 32.8, 58.0, 39.5, 43.0],
  'Qwen2-VL-7B': [31.6, 19.1, 51.1, 28.3, 33.9],
  'NVLM-D-72B': [38.9, 31.6, 62.0, 40.1, 44.1],
  'Molmo-72B': [33.9, 42.3, 54.9, 44.1, 43.7],
  'InternVL2-8B': [35.6, 41.1, 59.0, 44.5, 45.2],
  'Pixtral-12B': [35.6, 25.9, 59.9, 35.8, 40.4],
  'LLaVA-OneVision-7B': [32.2, 20.1, 57.1, 29.6, 36.5],
})

/**
 * Sizes of the groups (unverified). They give the published overall within 0.6 points for 11 of 14 rows; weak judges
 * leave more rows unresolved, and those are dropped.
 */
const groupSizes = { General: 183, Hallucination: 749, Reasoning: 318 }

/**
 * Answers on pictures that small judges consistently get wrong, so that 50% is no floor. A judge is asked
 * several times in random order and needs more than half of all votes; rows without a majority leave the
 * denominator. The headline is the pooled accuracy (`Overall`), which the hallucination rows dominate; `macro` is the
 * mean of the three groups.
 * A judge's reply is read by `parseChoice` with the policy `overall-judgment`.
 *
 * A row whose judge names an answer other than 1 and 2 counts as agreement in the released scorer; here such a
 * verdict is the judge's to refuse.
 */
export const vlRewardBench = defineBenchmark({
  name: 'vl-rewardbench',
  title: 'VL-RewardBench',
  source: 'arXiv 2411.17451',
  summary: 'Picks the answer on a picture that people verified as the better one.',
  kind: 'preference',
  chance: 0.5,
  hub: ['hf://MMInstruction/VL-RewardBench/test'],
  read: (row) => pairsOfReading(convention.read(row), vlRewardBenchSource(row.id())),
  aggregation: { sections: groups, denominator: 'resolved', ties: 'drop', top: 'pooled' },
  votes: 5,
  published: {
    rows,
    recompute: ({ General, Hallucination, Reasoning }) => ({
      Macro: (General! + Hallucination! + Reasoning!) / 3,
      Overall:
        (General! * groupSizes.General +
          Hallucination! * groupSizes.Hallucination +
          Reasoning! * groupSizes.Reasoning) /
        1250,
    }),
    tolerance: { Macro: 0.1, Overall: 0.6 },
  },
})
