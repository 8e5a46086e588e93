import {
  type Comparator,
  type Comparison,
  defineBatchReward,
  defineGroupReward,
  type Pair,
  type Preference,
  type Reward,
  rewardIdentity,
  type Sample,
  type Score,
  type StepReward,
  type Unscored,
  unscored,
} from '../core/index.ts'
import { bradleyTerry, bradleyTerryErrors, countPairs } from '../stats/bradley-terry.ts'
import { sigmoid } from '../stats/logistic.ts'
import { scoresOf } from './scores-of.ts'
import { totalUsage } from './usage.ts'

export interface ComparatorFromRewardOptions {
  /**
   * Units of the reward in which a difference is one unit of log-odds: the comparison is then
   * `sigmoid((a - b) / scale)`, as for a Bradley-Terry reward. Without it the higher reward wins outright.
   */
  readonly scale?: number
  /** Differences up to this are a tie; without `scale` only. @default 0 */
  readonly tie?: number
}

/**
 * Compares by the reward of each output, which does not depend on which stands first. Each sample is judged once,
 * however many pairs it is in; all in one call, so that a reward of groups sees what is compared. A pair with an
 * unscored side is unscored, and says which.
 */
export function comparatorFromReward(reward: Reward, options: ComparatorFromRewardOptions = {}): Comparator {
  const { scale, tie = 0 } = options
  if (scale !== undefined && !(scale > 0)) throw new RangeError(`a scale of ${scale} is not above 0`)
  const preferred = (difference: number) => {
    if (scale !== undefined) return sigmoid(difference / scale)
    return Math.abs(difference) <= tie ? 0.5 : difference > 0 ? 1 : 0
  }
  return {
    name: reward.name,
    version: reward.version,
    params: { reward: rewardIdentity(reward), ...(scale === undefined ? { tie } : { scale }) },
    compare: async (pairs, context) => {
      const samples = [...new Set(pairs.flatMap(({ a, b }) => [a, b]))]
      const scores = await scoresOf(reward, samples, context)
      const scoreOf = new Map(samples.map((sample, index) => [sample, scores[index]!]))
      return pairs.map((pair): Comparison => {
        const [a, b] = [scoreOf.get(pair.a)!, scoreOf.get(pair.b)!]
        if (a.value === null) return { ...a, reason: `a: ${a.reason}` }
        if (b.value === null) return { ...b, reason: `b: ${b.reason}` }
        const value = preferred(a.value - b.value)
        return { value, orders: [value, value] }
      })
    },
  }
}

export interface RewardFromComparatorOptions {
  /** Ties with an average output that each output is given, so that a clean sweep stays finite. @default 1 */
  readonly prior?: number
  /**
   * `logStrength`: Bradley-Terry log-strengths with mean 0 in each group, in log-odds. `winProbability`: the mean
   * probability of beating another output of the group, in [0, 1].
   * @default 'logStrength'
   */
  readonly output?: 'logStrength' | 'winProbability'
}

/**
 * A reward of groups from a comparator: every pair of a group is compared and Bradley-Terry strengths are fitted.
 * Comparisons that could not be judged are left out and counted in `meta`; an output without any is unscored. Where
 * judged pairs do not link all outputs (`meta.components` above 1), only the prior relates the parts. `parts.wins` is
 * the plain share of wins; `uncertainty` is the standard error of a log-strength.
 */
export function rewardFromComparator(
  comparator: Comparator,
  { prior = 1, output = 'logStrength' }: RewardFromComparatorOptions = {},
): Reward {
  if (!(prior > 0))
    throw new RangeError(`a prior of ${prior} is not above 0: a clean sweep would have no strength`)
  const { name, version, params } = comparator
  return defineGroupReward({
    name: `bradley-terry(${name})`,
    version,
    range: output === 'logStrength' ? [-Infinity, Infinity] : [0, 1],
    params: { comparator: rewardIdentity({ name, version, params }), prior, output },
    judgeGroup: async (group, context) => {
      if (group.length < 2)
        return group.map(() => unscored('not-applicable', 'the group has no other output to compare with'))
      // In an order of the outputs' own, so that who stands first in a pair does not depend on the batch.
      const order = [...group.keys()].sort((i, j) => byCodeUnits(group[i]!.id, group[j]!.id))
      const pairs = allPairs(order.map((position) => group[position]!))
      const comparisons = await comparator.compare(
        pairs.map(({ pair }) => pair),
        context,
      )
      if (comparisons.length !== pairs.length)
        throw new Error(`returned ${comparisons.length} comparisons for ${pairs.length} pairs`)
      const scores = strengthScores(group.length, pairs, comparisons, prior, output)
      return group.map((_, position) => scores[order.indexOf(position)]!)
    },
  })
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

interface IndexedPair {
  readonly i: number
  readonly j: number
  readonly pair: Pair
}

function allPairs(samples: readonly Sample[]): IndexedPair[] {
  return samples.flatMap((a, i) =>
    samples
      .slice(i + 1)
      .map((b, offset) => ({ i, j: i + 1 + offset, pair: { id: `${a.id} ${b.id}`, a, b } })),
  )
}

function strengthScores(
  size: number,
  pairs: readonly IndexedPair[],
  comparisons: readonly Comparison[],
  prior: number,
  output: 'logStrength' | 'winProbability',
): Score[] {
  const judged = pairs.flatMap(({ i, j }, index) => {
    const { value } = comparisons[index]!
    return value === null ? [] : [{ i, j, value }]
  })
  const counts = countPairs(size, {
    a: judged.map(({ i }) => i),
    b: judged.map(({ j }) => j),
    values: judged.map(({ value }) => value),
  })
  const fit = bradleyTerry(counts, { prior })
  const errors = bradleyTerryErrors(counts, fit, { prior })
  const strengths = [...fit.logStrengths]
  return strengths.map((strength, item) => {
    const mine = judged.filter(({ i, j }) => i === item || j === item)
    if (mine.length === 0) {
      const failure = comparisons.find(
        (comparison, index): comparison is Unscored =>
          comparison.value === null && (pairs[index]!.i === item || pairs[index]!.j === item),
      )
      return unscored(failure?.code ?? 'not-applicable', `no comparison was judged: ${failure?.reason}`)
    }
    const wins = mine.reduce((sum, { i, value }) => sum + (i === item ? value : 1 - value), 0)
    // What a comparison cost stands once, at the first of its two.
    const usage = totalUsage(
      comparisons.flatMap(({ usage }, index) => (usage && pairs[index]!.i === item ? [usage] : [])),
    )
    const beats = strengths.filter((_, other) => other !== item).map((other) => sigmoid(strength - other))
    return {
      value: output === 'logStrength' ? strength : beats.reduce((sum, p) => sum + p, 0) / beats.length,
      parts: { wins: wins / mine.length },
      ...(output === 'logStrength' ? { uncertainty: errors[item]! } : {}),
      ...(Object.keys(usage).length === 0 ? {} : { usage }),
      meta: { comparisons: mine.length, unscored: size - 1 - mine.length, components: fit.componentCount },
    }
  })
}

export interface OutcomeFromStepsOptions {
  /** How the steps' scores become one. @default 'min' */
  readonly reduce?: 'min' | 'product' | 'last' | 'mean'
  /** Whether a step that could not be judged makes the output unscored, or is left out and counted. @default 'unscored' */
  readonly onUnscored?: 'unscored' | 'skip'
}

/**
 * One score for an output from the scores of its steps. All four ways are in `parts` (`min`, `product`, `last`,
 * `mean`), so that another can be chosen later without judging again. An output without steps is unscored; a last
 * step that could not be judged is never replaced by the one before it.
 */
export function outcomeFromSteps(
  steps: StepReward,
  { reduce = 'min', onUnscored = 'unscored' }: OutcomeFromStepsOptions = {},
): Reward {
  const { name, version, params, unit } = steps
  const outcome = (judged: readonly Score[] | Unscored): Score => {
    if ('code' in judged) return judged
    if (judged.length === 0) return unscored('not-applicable', `the output has no ${unit} to judge`)
    const scored = judged.filter((score) => score.value !== null)
    const failure = judged.find((score): score is Unscored => score.value === null)
    const last = judged.at(-1)!.value
    const values = scored.map(({ value }) => value as number)
    const skipped = judged.length - scored.length
    if (failure && (onUnscored === 'unscored' || values.length === 0 || (reduce === 'last' && last === null)))
      return unscored(failure.code, `a ${unit} could not be judged: ${failure.reason}`, {
        meta: { [`${unit}s`]: judged.length, skipped },
      })
    const parts = {
      min: Math.min(...values),
      product: values.reduce((product, value) => product * value, 1),
      last,
      mean: values.reduce((sum, value) => sum + value, 0) / values.length,
    }
    return {
      value: parts[reduce] as number,
      parts,
      meta: { [`${unit}s`]: judged.length, ...(skipped ? { skipped } : {}) },
      evidence: judged.map(({ value }, index) => ({
        kind: 'step',
        index,
        label: value === null ? 'unscored' : String(value),
      })),
    }
  }
  return defineBatchReward({
    name: `${reduce}(${name})`,
    version,
    range: reduce === 'product' ? productRange(steps.range) : steps.range,
    params: { steps: rewardIdentity({ name, version, params }), reduce, onUnscored },
    judgeAll: async (samples, context) => (await steps.scoreSteps(samples, context)).map(outcome),
  })
}

/** Of a product of any number of factors. */
function productRange([low, high]: StepReward['range']): StepReward['range'] {
  if (low >= 0 && high <= 1) return [0, high]
  if (low >= 0) return [0, Infinity]
  return low >= -1 && high <= 1 ? [-1, 1] : [-Infinity, Infinity]
}

/**
 * The preference that a comparison states, with the distance from a tie (in [0, 1]) as its margin; undefined for a
 * tie and for what could not be judged, since neither teaches a preference.
 */
export function preferenceFromComparison(pair: Pair, comparison: Comparison): Preference | undefined {
  if (comparison.value === null || comparison.value === 0.5) return undefined
  const [chosen, rejected] = comparison.value > 0.5 ? [pair.a, pair.b] : [pair.b, pair.a]
  return {
    id: pair.id,
    prompt: chosen.prompt,
    chosen: chosen.output,
    rejected: rejected.output,
    margin: Math.abs(2 * comparison.value - 1),
    meta: { chosen: chosen.id, rejected: rejected.id },
  }
}
