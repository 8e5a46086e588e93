import { GuerdonError } from '../core/index.ts'
import { logSigmoid, sigmoid } from './logistic.ts'

/** Votes between pairs of items `0 .. items - 1`, one entry of each array per vote. */
export interface Votes {
  readonly a: ArrayLike<number>
  readonly b: ArrayLike<number>
  /** Share of the win that goes to `a`: 1, 0, or 0.5 for a tie. */
  readonly values: ArrayLike<number>
  /** @default 1 for each */
  readonly weights?: ArrayLike<number>
}

/** Votes added up: one entry of each array per pair that met, `a < b`. */
export interface PairCounts {
  readonly items: number
  readonly a: Int32Array
  readonly b: Int32Array
  readonly winsA: Float64Array
  readonly winsB: Float64Array
}

/** Adds up votes by pair; a tie is half a win for each. Throws a `RangeError` for an item or value that cannot be. */
export function countPairs(items: number, { a, b, values, weights }: Votes): PairCounts {
  const index = new Map<number, number>()
  const keys: number[] = []
  let winsLow = new Float64Array(64)
  let winsHigh = new Float64Array(64)
  for (let vote = 0; vote < a.length; vote++) {
    const [left, right, value] = [a[vote]!, b[vote]!, values[vote]!]
    if (!(left >= 0 && left < items && right >= 0 && right < items && left !== right))
      throw new RangeError(`vote ${vote} is between items ${left} and ${right} of ${items}`)
    if (!(value >= 0 && value <= 1))
      throw new RangeError(`vote ${vote} has the value ${value}, not in [0, 1]`)
    const low = Math.min(left, right)
    const key = low * items + Math.max(left, right)
    let pair = index.get(key)
    if (pair === undefined) {
      pair = keys.length
      index.set(key, pair)
      keys.push(key)
      if (pair === winsLow.length) {
        winsLow = doubled(winsLow)
        winsHigh = doubled(winsHigh)
      }
    }
    const weight = weights?.[vote] ?? 1
    const lowShare = low === left ? value : 1 - value
    winsLow[pair]! += weight * lowShare
    winsHigh[pair]! += weight * (1 - lowShare)
  }
  return {
    items,
    a: Int32Array.from(keys, (key) => Math.floor(key / items)),
    b: Int32Array.from(keys, (key) => key % items),
    winsA: winsLow.slice(0, keys.length),
    winsB: winsHigh.slice(0, keys.length),
  }
}

export interface BradleyTerryOptions {
  /**
   * How many ties with an item of average strength each item is given. 0 is plain maximum likelihood, the same as an
   * unregularised logistic regression on the votes; above 0 a clean sweep stays finite. @default 0
   */
  readonly prior?: number
  /** On the largest slope of the log-likelihood, as a share of the votes. @default 1e-10 */
  readonly tolerance?: number
  /** Log-strengths to start from, such as those of a fit on nearly the same votes. @default all 0 */
  readonly start?: ArrayLike<number>
}

export interface BradleyTerry {
  /**
   * One per item: `sigmoid(s_i - s_j)` is the probability that i beats j. Their mean is 0; without a prior, in each
   * component.
   */
  readonly logStrengths: Float64Array
  /** Which items are linked by votes: equal labels from 0. Across components only a prior relates strengths. */
  readonly components: Int32Array
  readonly componentCount: number
  readonly iterations: number
}

const iterationLimit = 100

/** Newton steps no longer than this [log-odds] raise the likelihood: over them its curvature changes by less than a half. */
const surelyBetter = 0.2

/**
 * Bradley-Terry strengths of maximum likelihood, by Newton's method on the counts (conjugate gradients inside), so
 * that the number of votes does not matter. Throws a `GuerdonError` where there is no finite answer: without a
 * prior, some items never lost to any of the others they are linked with.
 */
export function bradleyTerry(
  pairs: PairCounts,
  { prior = 0, tolerance = 1e-10, start }: BradleyTerryOptions = {},
): BradleyTerry {
  const { items, a, b, winsA, winsB } = pairs
  const { components, componentCount } = componentsOf(pairs)
  if (prior === 0) requireFiniteAnswer(pairs, components, componentCount)
  const strengths = start === undefined ? new Float64Array(items) : Float64Array.from(start)
  const gradient = new Float64Array(items)
  const weights = new Float64Array(a.length)
  const diagonal = new Float64Array(items)
  const votes = winsA.reduce((sum, wins, pair) => sum + wins + winsB[pair]!, prior * items)
  let iterations = 0
  for (; iterations < iterationLimit && votes > 0; iterations++) {
    for (let item = 0; item < items; item++) {
      const p = sigmoid(strengths[item]!)
      gradient[item] = prior * (0.5 - p)
      diagonal[item] = prior * p * (1 - p)
    }
    for (let pair = 0; pair < a.length; pair++) {
      const [i, j, total] = [a[pair]!, b[pair]!, winsA[pair]! + winsB[pair]!]
      const p = sigmoid(strengths[i]! - strengths[j]!)
      const slope = winsA[pair]! - total * p
      gradient[i]! += slope
      gradient[j]! -= slope
      weights[pair] = total * p * (1 - p)
    }
    if (largestOf(gradient) <= tolerance * votes) break
    const step = solve(pairs, weights, diagonal, gradient)
    const from = strengths.slice()
    const before = largestOf(step) <= surelyBetter ? null : logLikelihood(pairs, strengths, prior)
    for (let share = 1; share > 1e-6; share /= 2) {
      for (let item = 0; item < items; item++) strengths[item] = from[item]! + share * step[item]!
      if (before === null) break
      if (logLikelihood(pairs, strengths, prior) >= before - 1e-12 * Math.abs(before)) break
    }
  }
  centre(strengths, prior > 0 ? new Int32Array(items) : components, prior > 0 ? 1 : componentCount)
  return { logStrengths: strengths, components, componentCount, iterations }
}

/**
 * Standard error of each centred log-strength, from the curvature of the likelihood at the fit. Infinite for an item
 * that no vote and no prior speaks of. Time grows with the cube of the number of items.
 */
export function bradleyTerryErrors(
  pairs: PairCounts,
  { logStrengths, components, componentCount }: BradleyTerry,
  { prior = 0 }: BradleyTerryOptions = {},
): Float64Array {
  const { items, a, b, winsA, winsB } = pairs
  const labels = prior > 0 ? new Int32Array(items) : components
  const sizes = new Int32Array(prior > 0 ? 1 : componentCount)
  for (const label of labels) sizes[label]! += 1
  const information = new Float64Array(items * items)
  const add = (i: number, j: number, value: number) => {
    information[i * items + j]! += value
  }
  for (let pair = 0; pair < a.length; pair++) {
    const [i, j] = [a[pair]!, b[pair]!]
    const p = sigmoid(logStrengths[i]! - logStrengths[j]!)
    const weight = (winsA[pair]! + winsB[pair]!) * p * (1 - p)
    add(i, i, weight)
    add(j, j, weight)
    add(i, j, -weight)
    add(j, i, -weight)
  }
  for (let i = 0; i < items; i++) {
    const p = sigmoid(logStrengths[i]!)
    add(i, i, prior * p * (1 - p))
    // Strengths are known up to a shift per component; fixing the mean makes the matrix invertible.
    if (prior === 0)
      for (let j = 0; j < items; j++) if (labels[i] === labels[j]) add(i, j, 1 / sizes[labels[i]!]!)
  }
  const covariance = inverseOfPositive(information, items)
  const rows = new Float64Array(items) // covariance of each item with the sum of its component
  const totals = new Float64Array(sizes.length)
  for (let i = 0; i < items; i++) {
    for (let j = 0; j < items; j++) if (labels[j] === labels[i]) rows[i]! += covariance[i * items + j]!
    totals[labels[i]!]! += rows[i]!
  }
  return Float64Array.from(rows, (row, i) => {
    const size = sizes[labels[i]!]!
    if (size === 1 && prior === 0) return Infinity
    const variance = covariance[i * items + i]! - (2 * row) / size + totals[labels[i]!]! / size ** 2
    return Math.sqrt(Math.max(variance, 0))
  })
}

function largestOf(values: Float64Array): number {
  let largest = 0
  for (const value of values) largest = Math.max(largest, Math.abs(value))
  return largest
}

function logLikelihood({ a, b, winsA, winsB }: PairCounts, strengths: Float64Array, prior: number): number {
  let sum = 0
  for (let pair = 0; pair < a.length; pair++) {
    const gap = strengths[a[pair]!]! - strengths[b[pair]!]!
    // log sigmoid(-x) = log sigmoid(x) - x
    const favoured = logSigmoid(gap)
    sum += winsA[pair]! * favoured + winsB[pair]! * (favoured - gap)
  }
  if (prior > 0) for (const strength of strengths) sum += prior * (logSigmoid(strength) - strength / 2)
  return sum
}

/** Conjugate gradients for (graph Laplacian with `weights` + `diagonal`) x = `right`, preconditioned by its diagonal. */
function solve(
  { items, a, b }: PairCounts,
  weights: Float64Array,
  diagonal: Float64Array,
  right: Float64Array,
): Float64Array {
  const full = diagonal.slice()
  for (let pair = 0; pair < a.length; pair++) {
    full[a[pair]!]! += weights[pair]!
    full[b[pair]!]! += weights[pair]!
  }
  const apply = (x: Float64Array, into: Float64Array) => {
    for (let item = 0; item < items; item++) into[item] = full[item]! * x[item]!
    for (let pair = 0; pair < a.length; pair++) {
      const [i, j, weight] = [a[pair]!, b[pair]!, weights[pair]!]
      into[i]! -= weight * x[j]!
      into[j]! -= weight * x[i]!
    }
  }
  const x = new Float64Array(items)
  const residual = right.slice()
  const preconditioned = residual.map((value, item) => (full[item]! > 0 ? value / full[item]! : 0))
  const direction = preconditioned.slice()
  const image = new Float64Array(items)
  let product = dot(residual, preconditioned)
  const enough = 1e-20 * product
  for (let iteration = 0; iteration < 4 * items + 20 && product > enough; iteration++) {
    apply(direction, image)
    const curvature = dot(direction, image)
    if (!(curvature > 0)) break
    const length = product / curvature
    for (let item = 0; item < items; item++) {
      x[item]! += length * direction[item]!
      residual[item]! -= length * image[item]!
      preconditioned[item] = full[item]! > 0 ? residual[item]! / full[item]! : 0
    }
    const next = dot(residual, preconditioned)
    for (let item = 0; item < items; item++)
      direction[item] = preconditioned[item]! + (next / product) * direction[item]!
    product = next
  }
  return x
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** Inverse of a symmetric matrix by Gauss-Jordan without pivoting; zero rows stay zero. */
function inverseOfPositive(matrix: Float64Array, size: number): Float64Array {
  const work = matrix.slice()
  for (let k = 0; k < size; k++) {
    const pivot = work[k * size + k]!
    if (!(pivot > 0)) continue
    work[k * size + k] = 1
    for (let j = 0; j < size; j++) work[k * size + j]! /= pivot
    for (let i = 0; i < size; i++) {
      const factor = work[i * size + k]!
      if (i === k || factor === 0) continue
      work[i * size + k] = 0
      for (let j = 0; j < size; j++) work[i * size + j]! -= factor * work[k * size + j]!
    }
  }
  return work
}

/** The usual case, quickly: pairs in which both won link all items of a component. */
function isLinkedBothWays(pairs: PairCounts, componentCount: number): boolean {
  const { winsA, winsB } = pairs
  const root = unionFind(pairs, (pair) => winsA[pair]! > 0 && winsB[pair]! > 0)
  let roots = 0
  for (let item = 0; item < pairs.items; item++) if (root(item) === item) roots++
  return roots === componentCount
}

/** Names the set of each item, where the pairs that `joins` accepts put their two into one. */
function unionFind({ items, a, b }: PairCounts, joins: (pair: number) => boolean): (item: number) => number {
  const parent = Int32Array.from({ length: items }, (_, item) => item)
  const root = (item: number) => {
    let at = item
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]!]!
      at = parent[at]!
    }
    return at
  }
  for (let pair = 0; pair < a.length; pair++) if (joins(pair)) parent[root(a[pair]!)] = root(b[pair]!)
  return root
}

function componentsOf(pairs: PairCounts) {
  const root = unionFind(pairs, () => true)
  const labels = new Map<number, number>()
  const components = Int32Array.from({ length: pairs.items }, (_, item) => {
    const top = root(item)
    if (!labels.has(top)) labels.set(top, labels.size)
    return labels.get(top)!
  })
  return { components, componentCount: labels.size }
}

/** A finite maximum exists only where, within a component, every item can be reached from every other by wins. */
function requireFiniteAnswer(pairs: PairCounts, components: Int32Array, componentCount: number): void {
  const { items, a, b, winsA, winsB } = pairs
  if (isLinkedBothWays(pairs, componentCount)) return
  const beats: number[][] = Array.from({ length: items }, () => [])
  const losesTo: number[][] = Array.from({ length: items }, () => [])
  const won = (winner: number, loser: number) => {
    beats[winner]!.push(loser)
    losesTo[loser]!.push(winner)
  }
  for (let pair = 0; pair < a.length; pair++) {
    if (winsA[pair]! > 0) won(a[pair]!, b[pair]!)
    if (winsB[pair]! > 0) won(b[pair]!, a[pair]!)
  }
  for (let component = 0; component < componentCount; component++) {
    const members = Array.from({ length: items }, (_, item) => item).filter(
      (item) => components[item] === component,
    )
    for (const neighbours of [beats, losesTo]) {
      const reached = reachedFrom(members[0]!, neighbours)
      const apart = members.filter((item) => !reached.has(item))
      if (apart.length === 0) continue
      const unbeaten = neighbours === beats ? apart : members.filter((item) => reached.has(item))
      throw new GuerdonError(
        'no-finite-strengths',
        `the items ${unbeaten.slice(0, 10).join(', ')} never lost to the others, so their strength has no bound.`,
        { fix: 'Give a prior, such as 1.' },
      )
    }
  }
}

function reachedFrom(start: number, neighbours: readonly (readonly number[])[]): Set<number> {
  const reached = new Set([start])
  for (const item of reached) for (const next of neighbours[item]!) reached.add(next)
  return reached
}

function centre(strengths: Float64Array, labels: Int32Array, count: number): void {
  const sums = new Float64Array(count)
  const sizes = new Float64Array(count)
  strengths.forEach((strength, item) => {
    sums[labels[item]!]! += strength
    sizes[labels[item]!]! += 1
  })
  for (let item = 0; item < strengths.length; item++)
    strengths[item]! -= sums[labels[item]!]! / sizes[labels[item]!]!
}

function doubled(values: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(2 * values.length)
  larger.set(values)
  return larger
}
