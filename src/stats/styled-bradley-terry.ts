import type { Votes } from './bradley-terry.ts'
import { sigmoid } from './logistic.ts'

export interface StyledVotes extends Votes {
  /**
   * One list for each feature of style, such as length: how much more of it a has than b, one number for each vote.
   * They are brought to mean 0 and deviation 1 over the votes.
   */
  readonly features: Readonly<Record<string, ArrayLike<number>>>
}

export interface StyledBradleyTerry {
  /** One per item, mean 0: `sigmoid(s_i - s_j)` is the probability that i beats j in a vote of average style. */
  readonly logStrengths: Float64Array
  /** By feature: the log-odds that one standard deviation more of it adds; 0 for a feature that never varies. */
  readonly style: Readonly<Record<string, number>>
  /** Standard error of each of them, from the curvature at the fit. */
  readonly styleErrors: Readonly<Record<string, number>>
  readonly iterations: number
}

/**
 * Bradley-Terry strengths with the influence of style taken out ("style control"): a ridge logistic regression of
 * the votes on the items and the features together, by Newton's method. The default ridge is Chatbot Arena's,
 * 0.5 / 2 times the squares of the log-strengths in units of log 10 and of the features' weights.
 */
export function styledBradleyTerry(
  items: number,
  votes: StyledVotes,
  {
    ridge = 0.5,
    unit = Math.log(10),
  }: {
    /** On half the squared parameters. @default 0.5 */
    readonly ridge?: number
    /** Log-odds in one unit of the strengths that the ridge weighs. @default log 10 */
    readonly unit?: number
  } = {},
): StyledBradleyTerry {
  const { a, b, values, weights } = votes
  const names = Object.keys(votes.features)
  const features = names.map((name) => standardised(votes.features[name]!, a.length, name))
  const size = items + names.length
  const parameters = new Float64Array(size)
  const ridges = Float64Array.from({ length: size }, (_, i) => (i < items ? ridge / unit ** 2 : ridge))
  let [iterations, curvature] = [0, new Float64Array(0)]
  for (; iterations < 50; iterations++) {
    const gradient = parameters.map((value, i) => -ridges[i]! * value)
    curvature = new Float64Array(size * size)
    for (let i = 0; i < size; i++) curvature[i * size + i] = ridges[i]!
    const add = (i: number, j: number, value: number) => {
      curvature[i * size + j]! += value
    }
    for (let vote = 0; vote < a.length; vote++) {
      const [i, j, weight] = [a[vote]!, b[vote]!, weights?.[vote] ?? 1]
      let logit = parameters[i]! - parameters[j]!
      for (let f = 0; f < features.length; f++) logit += parameters[items + f]! * features[f]![vote]!
      const p = sigmoid(logit)
      const slope = weight * (values[vote]! - p)
      const bend = weight * p * (1 - p)
      gradient[i]! += slope
      gradient[j]! -= slope
      add(i, i, bend)
      add(j, j, bend)
      add(i, j, -bend)
      add(j, i, -bend)
      for (let f = 0; f < features.length; f++) {
        const x = features[f]![vote]!
        gradient[items + f]! += slope * x
        add(items + f, i, bend * x)
        add(items + f, j, -bend * x)
        for (let g = 0; g <= f; g++) add(items + f, items + g, bend * x * features[g]![vote]!)
      }
    }
    // Only the lower triangle of the features' rows was written.
    for (let i = items; i < size; i++)
      for (let j = 0; j < i; j++) curvature[j * size + i] = curvature[i * size + j]!
    const step = solvePositive(curvature, gradient, size)
    let largest = 0
    for (let i = 0; i < size; i++) {
      // Logistic curvature vanishes far out: steps stay short enough to come back.
      parameters[i]! += Math.max(-4, Math.min(4, step[i]!))
      largest = Math.max(largest, Math.abs(step[i]!))
    }
    if (largest < 1e-10) break
  }
  const centre = parameters.subarray(0, items).reduce((sum, value) => sum + value, 0) / items
  const errorOf = (index: number) => {
    const unitVector = new Float64Array(size)
    unitVector[index] = 1
    return Math.sqrt(solvePositive(curvature, unitVector, size)[index]!)
  }
  return {
    logStrengths: parameters.slice(0, items).map((value) => value - centre),
    style: Object.fromEntries(names.map((name, f) => [name, parameters[items + f]!])),
    styleErrors: Object.fromEntries(names.map((name, f) => [name, errorOf(items + f)])),
    iterations,
  }
}

function standardised(list: ArrayLike<number>, n: number, name: string): Float64Array {
  if (list.length !== n) throw new RangeError(`feature "${name}": ${list.length} values for ${n} votes`)
  let sum = 0
  for (let i = 0; i < n; i++) sum += list[i]!
  if (!Number.isFinite(sum)) throw new RangeError(`feature "${name}" is not a finite number everywhere`)
  let squares = 0
  for (let i = 0; i < n; i++) squares += (list[i]! - sum / n) ** 2
  const deviation = Math.sqrt(squares / n)
  return Float64Array.from(list, (value) => (deviation > 0 ? (value - sum / n) / deviation : 0))
}

/** x of A x = right for a symmetric positive definite A, by Cholesky's factors. */
function solvePositive(matrix: Float64Array, right: Float64Array, size: number): Float64Array {
  const lower = new Float64Array(size * size)
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * size + j]!
      for (let k = 0; k < j; k++) sum -= lower[i * size + k]! * lower[j * size + k]!
      lower[i * size + j] = i === j ? Math.sqrt(Math.max(sum, 1e-300)) : sum / lower[j * size + j]!
    }
  const x = right.slice()
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) x[i]! -= lower[i * size + k]! * x[k]!
    x[i]! /= lower[i * size + i]!
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) x[i]! -= lower[k * size + i]! * x[k]!
    x[i]! /= lower[i * size + i]!
  }
  return x
}
