import { argmaxShare } from './rank-agreement.ts'

/** Candidates of one question: the score that chooses, the final answer and whether it is right. */
export interface SelectionQuestion {
  readonly scores: readonly number[]
  readonly correct: readonly boolean[]
  /** Final answers, for the majority vote; those that are equal agree. */
  readonly answers?: readonly string[]
}

export interface SelectionAccuracy {
  readonly questions: number
  /** Of the first candidate with the highest score, as published. */
  readonly first: number
  /** Expected, when ties are broken at random: prompted scores tie often. */
  readonly expected: number
  /** Of a candidate drawn at random, of the most frequent answer (ties at random), and of the best there is (pass@n). */
  readonly random: number
  readonly majority: number | null
  readonly oracle: number
}

/**
 * Best-of-n accuracy, shares in [0, 1], beside what it must be read against. Null without questions. Throws a
 * `RangeError` for a question without candidates or with lists of different lengths.
 */
export function selectionAccuracy(questions: readonly SelectionQuestion[]): SelectionAccuracy | null {
  if (questions.length === 0) return null
  const total = { first: 0, expected: 0, random: 0, majority: 0, oracle: 0 }
  for (const { scores, correct, answers } of questions) {
    if (scores.length === 0 || scores.length !== correct.length)
      throw new RangeError(`${scores.length} scores for ${correct.length} candidates`)
    total.first += Number(correct[scores.indexOf(Math.max(...scores))])
    total.expected += argmaxShare(scores, correct)
    total.random += correct.filter(Boolean).length / correct.length
    total.oracle += Number(correct.some(Boolean))
    const counts = answers?.map((answer) => answers.filter((other) => other === answer).length)
    total.majority += counts === undefined ? Number.NaN : argmaxShare(counts, correct)
  }
  const n = questions.length
  return {
    questions: n,
    first: total.first / n,
    expected: total.expected / n,
    random: total.random / n,
    majority: Number.isNaN(total.majority) ? null : total.majority / n,
    oracle: total.oracle / n,
  }
}
