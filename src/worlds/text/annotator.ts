import { GuerdonError, type Preference, Rng } from '../../core/index.ts'
import { isWord } from './answer-grammar.ts'
import { taskPreference } from './samples.ts'
import {
  type Candidate,
  type CandidateOptions,
  categoryOfTask,
  drawCandidate,
  judgeTask,
  type TaskCategory,
  type TaskOptions,
  type TextTask,
  taskAt,
} from './task.ts'

export interface AnnotatorOptions {
  /** Probability that a judgement is turned round; may differ by category (those left out: 0). @default 0.1 */
  readonly flip?: number | Partial<Readonly<Record<TaskCategory, number>>>
  /** Answers whose utilities differ by no more than this are called a tie, before any flip. @default 0 */
  readonly tieWithin?: number
  /** Utility added for each word of an answer; negative for a taste for short ones. @default 0 */
  readonly lengthBias?: number
  /** Utility added for the answer that is shown first. @default 0 */
  readonly positionBias?: number
  /**
   * Scale of Bradley-Terry noise: the better answer wins with probability sigmoid(difference / temperature), and a
   * flip comes on top. 0 for none. @default 0
   */
  readonly temperature?: number
  /** Weights of the oracle's parts that this annotator looks at, instead of the oracle's total. */
  readonly weights?: Readonly<Record<string, number>>
}

/** 1: the first is better, 0: the second, 0.5: a tie. */
export type Choice = 0 | 0.5 | 1

export interface Annotator {
  /** What the annotator sees in one answer, biases for length included, for position not. */
  utility(task: TextTask, tokens: readonly string[]): number
  /** Which of two answers is better, `first` shown first. */
  compare(task: TextTask, first: readonly string[], second: readonly string[], rng: Rng): Choice
  /** A rating from 1 to 5: five equal bands of utility in [0, 1]; a flip gives any of the other ratings. */
  rate(task: TextTask, tokens: readonly string[], rng: Rng): number
  /** Probability that a judgement of this task is turned round. */
  flipRate(task: TextTask): number
}

/** An annotator of stated reliability. Throws a `GuerdonError` for a probability outside [0, 1]. */
export function annotator(options: AnnotatorOptions = {}): Annotator {
  const { flip = 0.1, tieWithin = 0, lengthBias = 0, positionBias = 0, temperature = 0, weights } = options
  for (const probability of typeof flip === 'number' ? [flip] : Object.values(flip))
    if (!(probability >= 0 && probability <= 1))
      throw new GuerdonError('bad-config', `a flip probability of ${probability} is not within 0 to 1.`, {
        place: { field: 'flip' },
      })
  const flipRate = (task: TextTask) => (typeof flip === 'number' ? flip : (flip[categoryOfTask(task)] ?? 0))
  const utility = (task: TextTask, tokens: readonly string[]) => {
    const { parts, total } = judgeTask(task, tokens)
    const seen =
      weights === undefined
        ? total
        : Object.entries(weights).reduce((sum, [part, weight]) => sum + weight * (parts[part] ?? 0), 0)
    return lengthBias === 0 ? seen : seen + lengthBias * tokens.filter(isWord).length
  }
  return {
    utility,
    flipRate,
    compare: (task, first, second, rng) => {
      const difference = utility(task, first) - utility(task, second) + positionBias
      if (Math.abs(difference) <= tieWithin) return 0.5
      const firstWins =
        temperature === 0 ? difference > 0 : rng.chance(1 / (1 + Math.exp(-difference / temperature)))
      return firstWins !== rng.chance(flipRate(task)) ? 1 : 0
    },
    rate: (task, tokens, rng) => {
      const band = Math.min(4, Math.max(0, Math.floor(utility(task, tokens) * 5)))
      const rating = rng.chance(flipRate(task)) ? (band + rng.int(1, 5)) % 5 : band
      return rating + 1
    },
  }
}

/** Two different answers to one task, and what an annotator said. */
export interface AnnotatedPair {
  readonly index: number
  readonly task: TextTask
  readonly first: Candidate
  readonly second: Candidate
  readonly choice: Choice
  /** What the oracle says: 1 when the first is better by its total. */
  readonly truth: Choice
}

export interface PairOptions extends TaskOptions {
  /** @default an annotator at default options */
  readonly annotator?: AnnotatorOptions
  readonly candidates?: CandidateOptions
}

/** Pair number `index` of a seed. The truth may be a tie; see `textPreferences` for pairs without ties. */
export function annotatedPair(
  seed: string | number,
  index: number,
  options: PairOptions = {},
): AnnotatedPair {
  const { annotator: annotatorOptions, candidates, ...tasks } = options
  const task = taskAt(seed, index, tasks)
  const rng = new Rng(`text/${seed}/${index}/pair`)
  const first = drawCandidate(task, rng, candidates)
  let second = drawCandidate(task, rng, candidates)
  for (let attempt = 0; attempt < 20 && sameTokens(first, second); attempt++)
    second = drawCandidate(task, rng, candidates)
  const difference = judgeTask(task, first.tokens).total - judgeTask(task, second.tokens).total
  return {
    index,
    task,
    first,
    second,
    choice: annotator(annotatorOptions).compare(task, first.tokens, second.tokens, rng),
    truth: difference > 0 ? 1 : difference < 0 ? 0 : 0.5,
  }
}

function sameTokens(a: Candidate, b: Candidate): boolean {
  return a.tokens.length === b.tokens.length && a.tokens.every((token, index) => token === b.tokens[index])
}

/**
 * Preferences of an annotator, ties left out (of its own and of the oracle). `meta.agrees` says whether the oracle
 * thinks so too, `meta.index` which pair of the seed it is; `margin` is the oracle's difference, negative where the
 * annotator is wrong.
 */
export function textPreferences(
  seed: string | number,
  count: number,
  options: PairOptions = {},
): Preference[] {
  const preferences: Preference[] = []
  for (let index = 0; preferences.length < count; index++) {
    if (index > 100 * count + 1000)
      throw new GuerdonError(
        'bad-config',
        `only ${preferences.length} of the first ${index} pairs are not ties.`,
        {
          fix: 'Lower tieWithin, or draw answers of more qualities.',
        },
      )
    const { task, first, second, choice, truth } = annotatedPair(seed, index, options)
    if (choice === 0.5 || truth === 0.5) continue
    const [chosen, rejected] = choice === 1 ? [first, second] : [second, first]
    const margin = judgeTask(task, chosen.tokens).total - judgeTask(task, rejected.tokens).total
    const preference = taskPreference(`text-pair-${index}`, task, chosen, rejected, margin)
    preferences.push({ ...preference, meta: { ...preference.meta, index, agrees: choice === truth } })
  }
  return preferences
}
