import { mean } from '../../stats/moments.ts'

/** How the scores of steps become one of an answer. */
export type StepAggregate = 'mean' | 'min' | 'last' | 'product'

/** One score of an answer from those of its steps; null for an answer without steps. */
export function aggregateSteps(scores: readonly number[], aggregate: StepAggregate): number | null {
  if (scores.length === 0) return null
  switch (aggregate) {
    case 'mean':
      return mean(scores)
    case 'min':
      return Math.min(...scores)
    case 'last':
      return scores.at(-1)!
    case 'product':
      return scores.reduce((product, score) => product * score, 1)
  }
}

/** Place of the best answer, the first of those that tie; null where none has a score. */
export function pickBest(scores: readonly (number | null)[]): number | null {
  let best: number | null = null
  for (const [index, score] of scores.entries())
    if (score !== null && (best === null || score > scores[best]!)) best = index
  return best
}

/** Expected accuracy of the pick when ties are broken at random: prompted scores tie very often. */
export function expectedAccuracy(
  scores: readonly (number | null)[],
  right: readonly boolean[],
): number | null {
  const best = pickBest(scores)
  if (best === null) return null
  const tied = right.filter((_, index) => scores[index] === scores[best])
  return tied.filter(Boolean).length / tied.length
}

/**
 * How much a question favours judging steps: the mean over candidates of the process scores minus that of the output
 * scores. Judges that choose questions by it must not be evaluated on them.
 *
 * @source ViLBench, arXiv 2503.20271 (which scores are averaged over which judges is unverified)
 */
export function processPreference(process: readonly number[], output: readonly number[]): number | null {
  const [a, b] = [mean(process), mean(output)]
  return a === null || b === null ? null : a - b
}

/** A step of a chain in a search tree. */
export interface TreeStep {
  /** Fewest further steps to a correct answer; 0 once it is reached. */
  readonly remaining: number
  /** Probability that the step is wrong, in [0, 1]. */
  readonly wrong: number
}

/**
 * Values of the prefixes of a chain: v_0 = 0, v_k = max(0, v_{k-1} + (1 - v_{k-1}) / (m_k + 1) * (1 - 2 r_k)). The backup
 * of ReST-MCTS*, which is our choice: ViLBench's own is unverified.
 */
export function prefixValues(steps: readonly TreeStep[]): number[] {
  let value = 0
  return steps.map(({ remaining, wrong }) => {
    value = Math.max(0, value + ((1 - value) / (remaining + 1)) * (1 - 2 * wrong))
    return value
  })
}
