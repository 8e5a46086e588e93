import { cheapestAssignment } from './hungarian.ts'

/** A prediction and the gold item it was matched with, by index. */
export interface Pair {
  readonly predicted: number
  readonly gold: number
  /** What `affinity` said of the two. */
  readonly affinity: number
}

export interface MatchOptions<Predicted, Gold> {
  /** How well two items agree: larger is better, finite. */
  readonly affinity: (predicted: Predicted, gold: Gold) => number
  /**
   * Who chooses first. `global-greedy`: the best pair of all, then the best of what is left (ties: the earlier
   * prediction, then the earlier gold item). `confidence`: the predictions in falling confidence, each taking the free
   * gold item it agrees with best; a prediction that misses the threshold takes nothing. `hungarian`: the pairs whose
   * affinities have the largest sum.
   */
  readonly order: 'global-greedy' | 'confidence' | 'hungarian'
  /** Pairs of a lower affinity are not made. With `hungarian` they are dropped afterwards. @default none */
  readonly threshold?: number
  /** A pair's affinity must exceed the threshold, not only reach it. @default false */
  readonly strict?: boolean
  /** For the order `confidence`; equal values go in the order given. @default all equal */
  readonly confidence?: (predicted: Predicted) => number
  /** What `hungarian` makes least, when it is not the affinity it makes most. @default minus the affinity */
  readonly cost?: (predicted: Predicted, gold: Gold) => number
}

/**
 * One-to-one pairs of predictions and gold items. `global-greedy` gives them by falling affinity, `confidence` in the
 * order of choice, `hungarian` by prediction.
 */
export function match<Predicted, Gold>(
  predicted: readonly Predicted[],
  gold: readonly Gold[],
  options: MatchOptions<Predicted, Gold>,
): Pair[] {
  if (predicted.length === 0 || gold.length === 0) return []
  const { threshold = Number.NEGATIVE_INFINITY, strict = false } = options
  const enough = (affinity: number) => (strict ? affinity > threshold : affinity >= threshold)
  switch (options.order) {
    case 'global-greedy':
      return greedyPairs(predicted, gold, options.affinity, enough)
    case 'confidence':
      return pairsByConfidence(predicted, gold, options, enough)
    case 'hungarian':
      return hungarianPairs(predicted, gold, options).filter(({ affinity }) => enough(affinity))
  }
}

function greedyPairs<Predicted, Gold>(
  predicted: readonly Predicted[],
  gold: readonly Gold[],
  affinity: (predicted: Predicted, gold: Gold) => number,
  enough: (affinity: number) => boolean,
): Pair[] {
  const candidates: Pair[] = []
  predicted.forEach((mine, i) => {
    gold.forEach((theirs, j) => {
      const value = affinity(mine, theirs)
      if (enough(value)) candidates.push({ predicted: i, gold: j, affinity: value })
    })
  })
  candidates.sort((a, b) => b.affinity - a.affinity) // stable: ties keep the order of the predictions
  const taken = new Uint8Array(predicted.length)
  const given = new Uint8Array(gold.length)
  return candidates.filter((pair) => {
    if (taken[pair.predicted] || given[pair.gold]) return false
    taken[pair.predicted] = 1
    given[pair.gold] = 1
    return true
  })
}

function pairsByConfidence<Predicted, Gold>(
  predicted: readonly Predicted[],
  gold: readonly Gold[],
  { affinity, confidence }: MatchOptions<Predicted, Gold>,
  enough: (affinity: number) => boolean,
): Pair[] {
  const order = predicted.map((_, index) => index)
  if (confidence) {
    const sure = predicted.map(confidence)
    order.sort((a, b) => sure[b]! - sure[a]!)
  }
  const given = new Uint8Array(gold.length)
  const pairs: Pair[] = []
  for (const index of order) {
    let best = -1
    let bestAffinity = Number.NEGATIVE_INFINITY
    for (let j = 0; j < gold.length; j++) {
      if (given[j]) continue
      const value = affinity(predicted[index]!, gold[j]!)
      if (value > bestAffinity) [best, bestAffinity] = [j, value]
    }
    if (best < 0 || !enough(bestAffinity)) continue
    given[best] = 1
    pairs.push({ predicted: index, gold: best, affinity: bestAffinity })
  }
  return pairs
}

function hungarianPairs<Predicted, Gold>(
  predicted: readonly Predicted[],
  gold: readonly Gold[],
  { affinity, cost = (mine, theirs) => -affinity(mine, theirs) }: MatchOptions<Predicted, Gold>,
): Pair[] {
  const costs = new Float64Array(predicted.length * gold.length)
  predicted.forEach((mine, i) => {
    gold.forEach((theirs, j) => {
      costs[i * gold.length + j] = cost(mine, theirs)
    })
  })
  const pairs: Pair[] = []
  cheapestAssignment(costs, predicted.length, gold.length).forEach((j, i) => {
    if (j >= 0) pairs.push({ predicted: i, gold: j, affinity: affinity(predicted[i]!, gold[j]!) })
  })
  return pairs
}
