import type { Thresholds } from '../../learn/trainers/constrained-actor-critic.ts'
import type { IterationRecord } from '../../learn/trainers/monitors.ts'
import { mean } from '../../stats/moments.ts'
import { type NelderMeadOptions, nelderMeadSearch } from '../../stats/nelder-mead.ts'

export interface ThresholdSearchOptions extends NelderMeadOptions {
  /** N + 1 vectors of the N components' thresholds, to begin with. */
  readonly simplex: readonly Thresholds[]
  /** What judges, from an iteration's record. @default the oracle's mean */
  readonly gold?: (record: IterationRecord) => number
  /** Iterations whose responses measure components and gold together. @default 2 */
  readonly every?: number
  /** A vector is judged once every component is within this share of its threshold. @default 0.05 */
  readonly tolerance?: number
  /** Or after this many iterations. */
  readonly patience: number
}

export interface SearchedThresholds {
  /** Of the next iteration: the vector being tried, or once the search is over the best one. */
  readonly thresholds: Thresholds
  readonly isOver: boolean
  /** Vectors tried so far, in order, with their gold. */
  readonly tried: readonly { readonly thresholds: Thresholds; readonly gold: number }[]
}

/**
 * NM-PPO: thresholds are searched by Nelder and Mead within one run of constrained PPO, from what its records measured so
 * far. A vector of thresholds is set, training goes on from the current policy until the components are there, and the gold
 * that it then has is the vector's value.
 *
 * @example
 * constrainedActorCritic({ constraints: 'equal', thresholds: (records) => searchedThresholds(records, search).thresholds, ... })
 * @source arXiv 2310.04373 and its released code
 */
export function searchedThresholds(
  records: readonly IterationRecord[],
  options: ThresholdSearchOptions,
): SearchedThresholds {
  const {
    simplex,
    every = 2,
    tolerance = 0.05,
    patience,
    gold = ({ oracle }) => oracle ?? Number.NaN,
  } = options
  const names = Object.keys(simplex[0] ?? {})
  const named = (point: readonly number[]): Thresholds =>
    Object.fromEntries(names.map((name, at) => [name, point[at]!]))
  const search = nelderMeadSearch(
    simplex.map((point) => names.map((name) => point[name]!)),
    options,
  )
  const tried: { thresholds: Thresholds; gold: number }[] = []
  let asked = search.next()
  let since = 0
  for (let done = 1; done <= records.length && !asked.done; done++) {
    const spent = done - since
    if (spent % every !== 0 && spent < patience) continue
    const window = records.slice(Math.max(since, done - every), done)
    const isThere = asked.value.every((threshold, at) => {
      const measured = mean(window.map(({ parts }) => parts[names[at]!]!))!
      return Math.abs(measured - threshold) <= tolerance * Math.abs(threshold)
    })
    if (!isThere && spent < patience) continue
    const value = mean(window.map(gold))!
    tried.push({ thresholds: named(asked.value), gold: value })
    asked = search.next(-value)
    since = done
  }
  if (!asked.done) return { thresholds: named(asked.value), isOver: false, tried }
  return { thresholds: named(asked.value.simplex[0]!.point), isOver: true, tried }
}
