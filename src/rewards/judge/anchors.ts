import {
  type Comparator,
  type Comparison,
  defineGroupReward,
  identityOf,
  type Pair,
  type Reward,
  type Sample,
  type Score,
  unscored,
} from '../../core/index.ts'
import { totalUsage } from '../usage.ts'

export interface AnchorOptions {
  /** Outputs of each group that all others are compared with. @default 3 */
  readonly anchors?: number
}

/**
 * A pair judge as a reward of groups in [0, 1] that asks about few pairs: every output is compared with some outputs of
 * its group, the anchors, and its score is the mean probability of beating them. Of n outputs and k anchors that is about
 * n k comparisons instead of n (n - 1) / 2. Anchors are drawn by the outputs' ids alone, so that they do not depend on
 * the order of the group; they are compared with each other as well. `parts.anchors` is how many were beaten or not.
 *
 * @source Listener-Rewarded Thinking, arXiv 2506.22832 (scoring at inference)
 */
export function anchorReward(comparator: Comparator, { anchors = 3 }: AnchorOptions = {}): Reward {
  if (!(Number.isInteger(anchors) && anchors >= 1)) throw new RangeError(`${anchors} anchors: at least one`)
  const { name, version, params } = comparator
  return defineGroupReward({
    name,
    version,
    range: [0, 1],
    params: { comparator: params, anchors },
    judgeGroup: async (group, context) => {
      if (group.length < 2)
        return group.map(() => unscored('not-applicable', 'the group has no other output to compare with'))
      const pairs = anchorPairs(group, anchors)
      const comparisons = await comparator.compare(
        pairs.map(({ pair }) => pair),
        context,
      )
      if (comparisons.length !== pairs.length)
        throw new Error(`returned ${comparisons.length} comparisons for ${pairs.length} pairs`)
      return group.map((_, place) => scoreOf(place, pairs, comparisons))
    },
  })
}

interface AnchorPair {
  readonly output: number
  readonly anchor: number
  /** Both are anchors: the comparison counts for each. */
  readonly isMutual: boolean
  readonly pair: Pair
}

function anchorPairs(group: readonly Sample[], count: number): AnchorPair[] {
  const drawn = [...group.keys()]
    .map((place) => ({ place, key: identityOf({ anchor: group[place]!.id }) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .slice(0, count)
    .map(({ place }) => place)
  return [...group.keys()].flatMap((output) =>
    drawn.flatMap((anchor): AnchorPair[] => {
      const isMutual = drawn.includes(output)
      if (output === anchor || (isMutual && drawn.indexOf(output) > drawn.indexOf(anchor))) return []
      const [a, b] = [group[output]!, group[anchor]!]
      return [{ output, anchor, isMutual, pair: { id: `${a.id} ${b.id}`, a, b } }]
    }),
  )
}

function scoreOf(place: number, pairs: readonly AnchorPair[], comparisons: readonly Comparison[]): Score {
  const mine = pairs.flatMap(({ output, anchor, isMutual }, index) => {
    const comparison = comparisons[index]!
    if (output === place) return [{ comparison, beats: comparison.value }]
    if (!isMutual || anchor !== place) return []
    return [{ comparison, beats: comparison.value === null ? null : 1 - comparison.value }]
  })
  // what a comparison cost stands once, at the output that was compared
  const usage = totalUsage(
    pairs.map(({ output }, index) => (output === place ? comparisons[index]!.usage : undefined)),
  )
  const judged = mine.flatMap(({ beats }) => (beats === null ? [] : [beats]))
  if (judged.length === 0) {
    const failure = mine.find(({ comparison }) => comparison.value === null)?.comparison
    return failure?.value === null
      ? { ...failure, usage }
      : unscored('not-applicable', 'it was compared with no anchor', { usage })
  }
  return {
    value: judged.reduce((sum, beats) => sum + beats, 0) / judged.length,
    parts: { anchors: judged.length },
    usage,
  }
}
