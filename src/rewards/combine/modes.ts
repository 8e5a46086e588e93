import { GuerdonError, type Json, type Range } from '../../core/index.ts'
import { logSigmoid } from '../../stats/logistic.ts'
import { addRanges, hull, mapRange, multiplyRanges } from './interval.ts'
import { clip } from './threshold.ts'

/** What a mode knows of a term before any sample is scored. */
export interface TermShape {
  readonly name: string
  /** After centring, if the term has a reference. */
  readonly range: Range
  /** Lowest and highest weight; equal unless the weight is a schedule. */
  readonly weights: Range
  readonly centred: boolean
}

/** The scored terms of one sample, in the order of the terms; arrays are reused between samples. */
export interface Operands {
  /** In the term's own units, minus its reference if it has one. */
  readonly values: readonly number[]
  readonly weights: readonly number[]
  /** Standard deviations; filled only for a mode that `weighsUncertainty`. */
  readonly uncertainties: readonly number[]
  /** Sum of all absolute weights over that of the scored terms: 1 unless an unscored term was skipped. */
  readonly rescaling: number
}

/** One way to make one number of several. */
export interface Mode {
  readonly name: string
  readonly params?: Json
  readonly weighsUncertainty?: boolean
  /** How many of the first terms may never be skipped. @default 0 */
  readonly leading?: number
  /** Throws a `GuerdonError` when the mode is meaningless for these terms. `skips`: unscored terms may be left out. */
  check?(terms: readonly TermShape[], skips: boolean): void
  /** The total, where the leading terms' values settle it whatever the others are. */
  settled?(leading: readonly number[]): number | undefined
  /** A number, or undefined where the mode has none (all weights 0). */
  total(operands: Operands): number | undefined
  range(terms: readonly TermShape[], skips: boolean): Range
}

/** Weighted sum, plus `offset`. A skipped term's weight is spread over the others. */
export function sum({ offset = 0 } = {}): Mode {
  return {
    name: 'sum',
    params: offset === 0 ? {} : { offset },
    total: (operands) => offset + weightedSum(operands),
    range: (terms, skips) => addRanges([offset, offset], sumRange(terms, skips)),
  }
}

/** Weighted arithmetic mean. Weights must not be negative. */
export function mean(): Mode {
  return {
    name: 'mean',
    check: refuseNegativeWeights,
    total: ({ values, weights }) => {
      let [total, weight] = [0, 0]
      for (let i = 0; i < values.length; i++) {
        total += weights[i]! * values[i]!
        weight += weights[i]!
      }
      return weight === 0 ? undefined : total / weight
    },
    range: (terms) => hull(terms.map(({ range }) => range)),
  }
}

/**
 * Product of the terms, each to the power of its weight. Any zero is fatal: `floor` is the least that a factor
 * counts, so that one failed term does not silence the others (GoT-R1, arXiv 2505.17022, multiplies without floor).
 */
export function product({ floor }: { floor?: number } = {}): Mode {
  const raised = (value: number) => (floor === undefined ? value : Math.max(value, floor))
  return {
    name: 'product',
    params: floor === undefined ? {} : { floor },
    check: (terms, skips) => {
      refuseNegativeWeights(terms)
      for (const { name, range, weights } of terms) {
        const whole = weights[0] === 1 && weights[1] === 1 && !skips
        if (!whole && raised(range[0]) < 0)
          throw refused(
            `"${name}" may be as low as ${range[0]}, and a negative factor has no power.`,
            'Rescale it to [0, 1], give a floor, or leave its weight at 1 without skipping.',
          )
      }
    },
    total: ({ values, weights, rescaling }) => {
      let total = 1
      for (let i = 0; i < values.length; i++) {
        const power = weights[i]! * rescaling
        total *= power === 1 ? raised(values[i]!) : raised(values[i]!) ** power
      }
      return total
    },
    range: (terms, skips) => {
      if (skips) return [0, Math.max(...terms.map(({ range }) => range[1])) <= 1 ? 1 : Infinity]
      return terms.reduce<Range>(
        (range, term) =>
          multiplyRanges(
            range,
            hull(term.weights.map((power) => mapRange(term.range, (end) => raised(end) ** power))),
          ),
        [1, 1],
      )
    },
  }
}

/**
 * The sum of the others where every one of the first `gates` terms is above `opensAbove`, else `closed`. A closed
 * gate settles the total even where the others could not be judged; an unscored gate never does.
 */
export function gate({ gates = 1, opensAbove = 0.5, closed = 0 } = {}): Mode {
  const open = (leading: readonly number[]) => leading.every((value) => value > opensAbove)
  return {
    name: 'gate',
    params: { gates, opensAbove, closed },
    leading: gates,
    check: (terms) => {
      if (!(Number.isInteger(gates) && gates >= 1 && gates < terms.length))
        throw refused(
          `a gate over ${terms.length} terms cannot have ${gates} of them as gates.`,
          'Name the gate first, then at least one term that it guards.',
        )
      for (const { name, weights } of terms.slice(0, gates))
        if (weights[0] !== 1 || weights[1] !== 1)
          throw refused(`the gate "${name}" has a weight, but it only opens or closes.`, 'Leave it at 1.')
    },
    settled: (leading) => (open(leading) ? undefined : closed),
    total: (operands) => {
      if (!open(operands.values.slice(0, gates))) return closed
      return weightedSum(operands, gates)
    },
    range: (terms, skips) => hull([[closed, closed], sumRange(terms.slice(gates), skips)]),
  }
}

/** The worst term. Takes no weights: a small weight would make a term more binding, not less. */
export function min(): Mode {
  return {
    name: 'min',
    check: refuseWeights('min'),
    total: ({ values }) => Math.min(...values),
    range: (terms, skips) => {
      const highs = terms.map(({ range }) => range[1])
      return [
        Math.min(...terms.map(({ range }) => range[0])),
        skips ? Math.max(...highs) : Math.min(...highs),
      ]
    },
  }
}

/**
 * Weighted harmonic mean `sum(w) / sum(w / (value + epsilon))` of values that are not negative: the weaker side
 * dominates. A term of weight 0 is left out, and a single term is its own mean, without epsilon (lambda-harmonic
 * reward, arXiv 2407.12164: weights lambda and 1 - lambda).
 */
export function harmonic({ epsilon = 1e-8 } = {}): Mode {
  return {
    name: 'harmonic',
    params: { epsilon },
    check: (terms) => {
      refuseNegativeWeights(terms)
      for (const { name, range } of terms)
        if (range[0] < 0)
          throw refused(
            `"${name}" may be as low as ${range[0]}, and negative values have no harmonic mean.`,
            'Map it to [0, 1] first, such as (cosine + 1) / 2.',
          )
    },
    total: ({ values, weights }) => {
      let [inverse, weight, counted, last] = [0, 0, 0, 0]
      for (let i = 0; i < values.length; i++) {
        if (weights[i] === 0) continue
        counted += 1
        last = values[i]!
        weight += weights[i]!
        inverse += weights[i]! / (last + epsilon)
      }
      if (counted === 0) return undefined
      return counted === 1 ? last : weight / inverse
    },
    range: (terms) => hull(terms.map(({ range }) => range)),
  }
}

/**
 * Sum of `log sigmoid(value - reference)`: the log-probability that the answer is good in every respect, judged
 * independently (arXiv 2402.00742). Every term must say its reference, since the transform means nothing without
 * it (`constantReference(0)` says that there is none); a term matters less by a lower reference, so there are no
 * weights. For Bradley-Terry rewards only, whose differences are log-odds.
 */
export function logSigmoidSum(): Mode {
  return {
    name: 'logSigmoidSum',
    check: (terms) => {
      refuseWeights('logSigmoidSum')(terms)
      const bare = terms.find(({ centred }) => !centred)
      if (bare)
        throw refused(
          `"${bare.name}" has no reference to be centred by.`,
          'Give it one; constantReference(0) says that its zero already is a par answer.',
        )
    },
    total: ({ values, rescaling }) =>
      rescaling * values.reduce((total, value) => total + logSigmoid(value), 0),
    range: () => [-Infinity, 0],
  }
}

/**
 * Weighted sum of `exp(-U) * value`, minus `regulariser * U` for each term, with U the term's stated uncertainty:
 * an unsure judge counts less, and being unsure costs something, or the policy learns to confuse the judge
 * (Ctrl-U, arXiv 2410.11236, where it is a loss per pixel; see `uncertainty.ts`).
 */
export function uncertaintyWeighted({ regulariser = 1 } = {}): Mode {
  return {
    name: 'uncertaintyWeighted',
    params: { regulariser },
    weighsUncertainty: true,
    check: () => {
      if (!(regulariser >= 0)) throw refused('the regulariser is negative.', 'Give 0 or more.')
    },
    total: ({ values, weights, uncertainties, rescaling }) => {
      let total = 0
      for (let i = 0; i < values.length; i++) {
        if (weights[i] === 0) continue
        total += weights[i]! * Math.exp(-uncertainties[i]!) * values[i]! - regulariser * uncertainties[i]!
      }
      return rescaling * total
    },
    range: (terms, skips) => {
      const shrunk = terms.map((term) => ({ ...term, range: hull([[0, 0], term.range]) }))
      const [low, high] = sumRange(shrunk, skips)
      return [regulariser > 0 ? -Infinity : low, high]
    },
  }
}

/**
 * An objective (the first term) under constraints (the others), whose weights are their multipliers. `bounded`:
 * `(N - sum(lambda)) * objective + sum(lambda_i * value_i)`, N constraints, weights summing to N (arXiv 2310.04373,
 * where the values are standardised advantages and the objective is -KL). `textbook`: `objective + sum(lambda_i *
 * (value_i - theta_i))` with theta_i the term's reference. The multipliers' own update is in `lagrangian.ts`.
 */
export function lagrangian({ form = 'bounded' }: { form?: 'bounded' | 'textbook' } = {}): Mode {
  const objectiveWeight = (count: number, multipliers: number) =>
    form === 'textbook' ? 1 : count - multipliers
  return {
    name: 'lagrangian',
    params: { form },
    leading: Infinity, // a constraint that is left out is a constraint that is broken
    check: (terms) => {
      if (terms.length < 2)
        throw refused('a Lagrangian needs an objective and a constraint.', 'Name the objective first.')
      const objective = terms[0]!
      if (objective.weights[0] !== 1 || objective.weights[1] !== 1)
        throw refused(`the objective "${objective.name}" has a weight.`, 'Only multipliers are weights here.')
    },
    total: ({ values, weights }) => {
      let [total, multipliers] = [0, 0]
      for (let i = 1; i < values.length; i++) {
        total += weights[i]! * values[i]!
        multipliers += weights[i]!
      }
      return objectiveWeight(values.length - 1, multipliers) * values[0]! + total
    },
    range: (terms) => {
      const constraints = terms.slice(1)
      const [low, high] = constraints.map(({ weights }) => weights).reduce(addRanges, [0, 0])
      const weight: Range = [
        objectiveWeight(constraints.length, high),
        objectiveWeight(constraints.length, low),
      ]
      return addRanges(multiplyRanges(weight, terms[0]!.range), sumRange(constraints, false))
    },
  }
}

/** Every mode with its defaults, by name. */
export const modes = {
  sum,
  mean,
  product,
  gate,
  min,
  harmonic,
  logSigmoidSum,
  uncertaintyWeighted,
  lagrangian,
} as const satisfies Record<string, () => Mode>

export type ModeName = keyof typeof modes

function weightedSum({ values, weights, rescaling }: Operands, from = 0): number {
  let total = 0
  for (let i = from; i < values.length; i++) total += weights[i]! * values[i]!
  return rescaling * total
}

function sumRange(terms: readonly TermShape[], skips: boolean): Range {
  const weighted = terms.map(({ range, weights }) => multiplyRanges(weights, range))
  const whole = weighted.reduce(addRanges, [0, 0])
  if (!skips) return whole
  // What is left may carry all the weight: each term then counts as if it stood alone with the sum of |weights|.
  const totals = terms
    .map(({ weights }) => Math.max(...weights.map(Math.abs)))
    .reduce((total, weight) => total + weight, 0)
  const alone = terms.flatMap(({ range, weights }) =>
    weights.map((weight): Range => multiplyRanges([Math.sign(weight), Math.sign(weight)], range)),
  )
  return hull([whole, multiplyRanges([0, totals], hull(alone))])
}

function refuseNegativeWeights(terms: readonly TermShape[]): void {
  const bad = terms.find(({ weights }) => weights[0] < 0)
  if (bad) throw refused(`"${bad.name}" has a negative weight.`, 'Only a sum takes negative weights.')
}

function refuseWeights(mode: string) {
  return (terms: readonly TermShape[]) => {
    const bad = terms.find(({ weights }) => weights[0] !== 1 || weights[1] !== 1)
    if (bad) throw refused(`"${bad.name}" has a weight, which ${mode} has no use for.`, 'Leave it at 1.')
  }
}

function refused(what: string, fix: string): GuerdonError {
  return new GuerdonError('bad-combination', what, { fix })
}

/** Keeps rounding from lifting a total over the ends of its range. */
export function intoRange(total: number, [low, high]: Range): number {
  return clip(total, low, high)
}
