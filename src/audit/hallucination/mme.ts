import { parseVerdict, type Verdict } from '../../rewards/verifiable/text/yes-no.ts'
import { ratio } from './binary-record.ts'

export interface MmeAnswer {
  readonly answer: string
  readonly label: Verdict
}

/** An image's two questions, of which one has the answer yes and one no. */
export type MmePair = readonly [MmeAnswer, MmeAnswer]

export interface MmeTask {
  /** Right answers / questions. */
  readonly accuracy: number | null
  /** Images with both answers right / images. */
  readonly accuracyPlus: number | null
  /** 100 accuracy + 100 accuracyPlus, in [0, 200]. */
  readonly score: number | null
}

/**
 * One task of MME. An answer that says neither is wrong.
 *
 * @source Fu et al. 2023, arXiv 2306.13394
 */
export function mmeTask(pairs: readonly MmePair[]): MmeTask {
  const right = pairs.map((pair) => pair.map(({ answer, label }) => parseVerdict(answer, 'mme') === label))
  const accuracy = ratio(right.flat().filter(Boolean).length, 2 * pairs.length)
  const accuracyPlus = ratio(right.filter((pair) => pair.every(Boolean)).length, pairs.length)
  return {
    accuracy,
    accuracyPlus,
    score: accuracy === null || accuracyPlus === null ? null : 100 * (accuracy + accuracyPlus),
  }
}

/** MME's groups of tasks. Sums over all tasks of a group: at most 2000, 800 and 800. */
export const mmeGroups = {
  perception: [
    'existence',
    'count',
    'position',
    'color',
    'posters',
    'celebrity',
    'scene',
    'landmark',
    'artwork',
    'OCR',
  ],
  cognition: ['commonsense_reasoning', 'numerical_calculation', 'text_translation', 'code_reasoning'],
  hallucination: ['existence', 'count', 'position', 'color'],
} as const

export interface Mme {
  readonly tasks: Readonly<Record<string, MmeTask>>
  /** Sum of the scores of a group's tasks; null unless every one of them is there. */
  readonly perception: number | null
  readonly cognition: number | null
  readonly hallucination: number | null
}

/** MME over its tasks, by name. */
export function mme(pairs: Readonly<Record<string, readonly MmePair[]>>): Mme {
  const tasks = Object.fromEntries(Object.entries(pairs).map(([name, of]) => [name, mmeTask(of)]))
  const sum = (names: readonly string[]) => {
    const scores = names.map((name) => tasks[name]?.score ?? null)
    return scores.includes(null) ? null : scores.reduce<number>((total, score) => total + score!, 0)
  }
  return {
    tasks,
    perception: sum(mmeGroups.perception),
    cognition: sum(mmeGroups.cognition),
    hallucination: sum(mmeGroups.hallucination),
  }
}
