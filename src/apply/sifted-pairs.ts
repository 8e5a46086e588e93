import {
  type Comparator,
  type Pair,
  type Preference,
  Rng,
  type ScoreContext,
  type ScoredSample,
} from '../core/index.ts'
import { gather } from './gather.ts'
import { type Measure, measureReader, type ScoredSamples } from './measure.ts'
import { preferenceOf, sameOutput } from './pairs.ts'

export interface SiftedPairs {
  readonly preferences: readonly Preference[]
  readonly counts: {
    readonly groups: number
    readonly compared: number
    /** Comparisons that ended in a tie or could not be judged. */
    readonly tied: number
    readonly unjudged: number
    /** A prompt with an odd number of candidates leaves one unpaired. */
    readonly unpaired: number
    /** Candidates that won or lost but have no score. */
    readonly unscored: number
    /** Prompts whose best winner does not score above their worst loser, or is the same output. */
    readonly notAbove: number
    /** Prompts without a scored winner and a scored loser. */
    readonly undecided: number
  }
}

/**
 * Pairs in two steps: the candidates of a prompt meet two by two, in a shuffled order unless told otherwise; then the winner with the
 * highest score and the loser with the lowest (first of those that tie) make the pair, if the winner scores higher.
 * They may come from different meetings: the comparison says who may win, the score how far apart they are.
 *
 * @source UnifiedReward, arXiv 2503.05236 (preference construction)
 */
export async function siftedPairs(
  samples: ScoredSamples,
  options: {
    readonly comparator: Comparator
    readonly by: Measure
    /** A tied or unjudged meeting has no winner, or, as in the released scripts, the first wins. @default 'drop' */
    readonly onTie?: 'drop' | 'first'
    /** Candidates meet as they come in the data (as in the released scripts), or shuffled. @default 'shuffled' */
    readonly order?: 'shuffled' | 'given'
    /** Of the shuffled order. @default new Rng('sift') */
    readonly rng?: Rng
    readonly context?: ScoreContext
  },
): Promise<SiftedPairs> {
  const { comparator, onTie = 'drop', order: meeting = 'shuffled', rng = new Rng('sift'), context } = options
  const by = measureReader(options.by)
  const groups = await gather(samples, [by], ({ scored, values }): Row => ({ scored, value: values[0]! }))

  const counts = {
    groups: groups.size,
    compared: 0,
    tied: 0,
    unjudged: 0,
    unpaired: 0,
    unscored: 0,
    notAbove: 0,
    undecided: 0,
  }
  const meetings = [...groups].map(([group, rows]) => {
    const order = meeting === 'given' ? rows : rng.fork(group).shuffled(rows)
    counts.unpaired += order.length % 2
    const pairs = Array.from(
      { length: Math.floor(order.length / 2) },
      (_, i) => [order[2 * i]!, order[2 * i + 1]!] as const,
    )
    return { group, pairs }
  })
  const verdicts = await comparator.compare(
    meetings.flatMap(({ pairs }) =>
      pairs.map(
        ([a, b]): Pair => ({
          id: `${a.scored.sample.id} / ${b.scored.sample.id}`,
          a: a.scored.sample,
          b: b.scored.sample,
        }),
      ),
    ),
    context,
  )
  const preferences: Preference[] = []
  let next = 0
  for (const { group, pairs } of meetings) {
    const winners: Row[] = []
    const losers: Row[] = []
    for (const [a, b] of pairs) {
      const { value } = verdicts[next++]!
      counts.compared++
      if (value === null) counts.unjudged++
      else if (value === 0.5) counts.tied++
      if ((value === null || value === 0.5) && onTie === 'drop') continue
      const aWins = value === null || value >= 0.5
      winners.push(aWins ? a : b)
      losers.push(aWins ? b : a)
    }
    const [best, worst] = [winners.filter(isScored), losers.filter(isScored)]
    counts.unscored += winners.length + losers.length - best.length - worst.length
    if (best.length === 0 || worst.length === 0) {
      counts.undecided++
      continue
    }
    const chosen = best.reduce((top, row) => (row.value > top.value ? row : top))
    const rejected = worst.reduce((bottom, row) => (row.value < bottom.value ? row : bottom))
    if (chosen.value > rejected.value && !sameOutput(chosen.scored.sample, rejected.scored.sample))
      preferences.push(
        preferenceOf(chosen, rejected, { reward: by.name, comparator: comparator.name, group }),
      )
    else counts.notAbove++
  }
  return { preferences, counts }
}

interface Row {
  readonly scored: ScoredSample
  readonly value: number | null
}

function isScored(row: Row): row is Row & { readonly value: number } {
  return row.value !== null
}
