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
  readonly confidence?: ((predicted: Predicted) => number) | undefined
  /** What `hungarian` makes least, when it is not the affinity it makes most. @default minus the affinity */
  readonly cost?: ((predicted: Predicted, gold: Gold) => number) | undefined
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
  switch (options.order) {
    case 'global-greedy':
      return greedyPairs(predicted, gold, options.affinity, threshold, strict)
    case 'confidence':
      return pairsByConfidence(predicted, gold, options, threshold, strict)
    case 'hungarian':
      return hungarianPairs(predicted, gold, options).filter(({ affinity }) =>
        reaches(affinity, threshold, strict),
      )
  }
}

function reaches(affinity: number, threshold: number, strict: boolean): boolean {
  return strict ? affinity > threshold : affinity >= threshold
}

function greedyPairs<Predicted, Gold>(
  predicted: readonly Predicted[],
  gold: readonly Gold[],
  affinity: (predicted: Predicted, gold: Gold) => number,
  threshold: number,
  strict: boolean,
): Pair[] {
  const candidates: Pair[] = []
  for (let i = 0; i < predicted.length; i++)
    for (let j = 0; j < gold.length; j++) {
      const value = affinity(predicted[i]!, gold[j]!)
      if (reaches(value, threshold, strict)) candidates.push({ predicted: i, gold: j, affinity: value })
    }
  if (candidates.length < 2) return candidates
  candidates.sort((a, b) => b.affinity - a.affinity) // stable: ties keep the order of the predictions
  const [taken, given]: [boolean[], boolean[]] = [[], []]
  const pairs: Pair[] = []
  for (const pair of candidates) {
    if (taken[pair.predicted] || given[pair.gold]) continue
    taken[pair.predicted] = true
    given[pair.gold] = true
    pairs.push(pair)
  }
  return pairs
}

function pairsByConfidence<Predicted, Gold>(
  predicted: readonly Predicted[],
  gold: readonly Gold[],
  { affinity, confidence }: MatchOptions<Predicted, Gold>,
  threshold: number,
  strict: boolean,
): Pair[] {
  const order = predicted.map((_, index) => index)
  if (confidence) {
    const sure = predicted.map(confidence)
    order.sort((a, b) => sure[b]! - sure[a]!)
  }
  const given: boolean[] = []
  const pairs: Pair[] = []
  for (const index of order) {
    let best = -1
    let bestAffinity = Number.NEGATIVE_INFINITY
    for (let j = 0; j < gold.length; j++) {
      if (given[j]) continue
      const value = affinity(predicted[index]!, gold[j]!)
      if (value > bestAffinity) [best, bestAffinity] = [j, value]
    }
    if (best < 0 || !reaches(bestAffinity, threshold, strict)) continue
    given[best] = true
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
