import { argsort, sortedNumbers } from './argsort.ts'
import { requireFinite, requirePaired } from './numbers.ts'

/**
 * What becomes of a pair that one side calls a tie: half right (what a coin would earn), left out, or wrong.
 */
export type TieRule = 'half' | 'drop' | 'wrong'

export interface PairAccuracyOptions {
  /** The prediction is a tie, the label is not. @default 'half' */
  readonly predictedTies?: TieRule
  /**
   * The label is a tie. `match`: right when the prediction is a tie too, wrong when it is not (then a predicted tie
   * on a strict label is wrong under every rule but its own). @default 'drop'
   */
  readonly labelTies?: 'drop' | 'match' | 'half'
  /** Predictions at most this far from 0 are ties. @default 0 */
  readonly tolerance?: number
}

export interface PairAccuracy {
  /** Points earned / pairs counted; null when no pair counts. */
  readonly accuracy: number | null
  readonly n: number
  /** Pairs in the denominator. */
  readonly counted: number
  readonly right: number
  readonly wrong: number
  /** Predicted ties on strict labels, and tied labels (whatever was predicted), before the rules apply. */
  readonly predictedTies: number
  readonly labelTies: number
}

/**
 * How often the sign of a margin agrees with the sign of a label: above 0 says the first of the pair is better, 0 a
 * tie. Swapping the two sides of any pair (negating both) changes nothing.
 */
export function pairAccuracy(
  margins: readonly number[],
  labels: readonly number[],
  options: PairAccuracyOptions = {},
): PairAccuracy {
  requirePaired(margins, labels)
  let [right, wrong, predictedTies, labelTies, earned, counted] = [0, 0, 0, 0, 0, 0]
  for (let i = 0; i < margins.length; i++) {
    const predicted = signOf(margins[i]!, options.tolerance)
    const label = Math.sign(labels[i]!)
    if (label === 0) labelTies++
    else if (predicted === 0) predictedTies++
    else if (predicted === label) right++
    else wrong++
    const points = pairPoints(margins[i]!, labels[i]!, options)
    if (points === null) continue
    counted++
    earned += points
  }
  return {
    accuracy: counted === 0 ? null : earned / counted,
    n: margins.length,
    counted,
    right,
    wrong,
    predictedTies,
    labelTies,
  }
}

/** What one pair earns: 1, 0.5 or 0, or null when the rules leave it out. The mean over pairs is the accuracy. */
export function pairPoints(margin: number, label: number, options: PairAccuracyOptions = {}): number | null {
  const { predictedTies = 'half', labelTies = 'drop', tolerance = 0 } = options
  const predicted = signOf(margin, tolerance)
  if (label === 0) {
    if (labelTies === 'drop') return null
    if (labelTies === 'half') return 0.5
    return predicted === 0 ? 1 : 0
  }
  if (predicted === 0) return predictedTies === 'drop' ? null : predictedTies === 'half' ? 0.5 : 0
  return predicted === Math.sign(label) ? 1 : 0
}

/** 1, 0 or -1: margins at most `tolerance` from 0 are ties. */
export function signOf(margin: number, tolerance = 0): number {
  return Math.abs(margin) <= tolerance ? 0 : Math.sign(margin)
}

/**
 * The tolerance under which a reward's near-ties best match tied labels, and the accuracy there (ties of both kinds
 * judged by `match` and `wrong`): a reward of real numbers never ties by itself, and would otherwise lose every tied
 * label. O(n log n). Choose it on other data than it is reported on.
 *
 * @source Deutsch, Foster and Freitag 2023, arXiv 2305.14324 (tie calibration)
 */
export function calibrateTies(
  margins: readonly number[],
  labels: readonly number[],
): { readonly tolerance: number; readonly accuracy: number } | null {
  requirePaired(margins, labels)
  const n = margins.length
  if (n === 0) return null
  const order = argsort(margins.map(Math.abs))
  // Below every margin: only exact zeros are ties.
  let right = 0
  for (let i = 0; i < n; i++) right += Number(signOf(margins[i]!) === Math.sign(labels[i]!))
  let [best, tolerance] = [right, 0]
  for (let at = 0; at < n; at++) {
    const i = order[at]!
    const size = Math.abs(margins[i]!)
    if (size === 0) continue
    // This pair becomes a tie.
    right += Number(labels[i] === 0) - Number(Math.sign(margins[i]!) === Math.sign(labels[i]!))
    const last = at + 1 === n || Math.abs(margins[order[at + 1]!]!) > size
    if (last && right > best) [best, tolerance] = [right, size]
  }
  return { tolerance, accuracy: best / n }
}

/**
 * P(a positive's score > a negative's) + P(equal) / 2: the area under the ROC curve, the probability of superiority
 * and the Mann-Whitney U divided by the number of pairs, which are one number. O(n log n). Null when either is empty.
 */
export function areaUnderRoc(positives: readonly number[], negatives: readonly number[]): number | null {
  requireFinite(positives, 'positives')
  requireFinite(negatives, 'negatives')
  if (positives.length === 0 || negatives.length === 0) return null
  const high = sortedNumbers(positives)
  const low = sortedNumbers(negatives)
  let [below, equalUpTo, wins] = [0, 0, 0]
  for (const value of high) {
    while (below < low.length && low[below]! < value) below++
    equalUpTo = Math.max(equalUpTo, below)
    while (equalUpTo < low.length && low[equalUpTo]! === value) equalUpTo++
    wins += below + (equalUpTo - below) / 2
  }
  return wins / (high.length * low.length)
}
