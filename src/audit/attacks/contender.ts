import {
  type Comparator,
  messageOf,
  type Pair,
  type Range,
  type Reward,
  type Rng,
  type Sample,
  type Score,
  type ScoreContext,
  unscored,
} from '../../core/index.ts'
import { comparatorFromReward } from '../../rewards/convert.ts'
import { scoresOf } from '../../rewards/scores-of.ts'

/** An answer to judge, with the other answer of its item where there is one. */
export interface Contender {
  readonly sample: Sample
  readonly opponent?: Sample
}

/** Rewards and comparators in one form: a number for each contender, more being better. */
export interface ContenderJudge {
  readonly kind: 'reward' | 'comparator'
  readonly name: string
  readonly range: Range
  judge(contenders: readonly Contender[], context: ScoreContext): Promise<readonly Score[]>
  /** The comparator, where there is one. */
  readonly comparator?: Comparator
}

/**
 * A reward judges each answer by itself. A comparator (and a reward of groups, which needs something to compare with)
 * says how likely it is to beat the other answer of its item; which of them comes first is drawn by the answer's id.
 */
export function contenderJudge(judge: Reward | Comparator): ContenderJudge {
  if ('compare' in judge) return compared(judge)
  if (judge.needs.includes('group')) return compared(comparatorFromReward(judge))
  return {
    kind: 'reward',
    name: judge.name,
    range: judge.range,
    judge: (contenders, context) =>
      scoresOf(
        judge,
        contenders.map(({ sample }) => sample),
        context,
      ),
  }
}

function compared(comparator: Comparator): ContenderJudge {
  return {
    kind: 'comparator',
    name: comparator.name,
    range: [0, 1],
    comparator,
    judge: async (contenders, context) => {
      const rng = context.rng!
      const asked = contenders.flatMap(({ sample, opponent }, place) => {
        if (opponent === undefined) return []
        const swapped = isSecond(sample, rng)
        const group = sample.id
        const [one, other] = [
          { ...sample, group },
          { ...opponent, group },
        ]
        const pair: Pair = swapped ? { id: sample.id, a: other, b: one } : { id: sample.id, a: one, b: other }
        return [{ place, swapped, pair }]
      })
      const scores: Score[] = contenders.map(() =>
        unscored('not-applicable', 'there is no other answer to compare with'),
      )
      const said = await comparisonsOf(
        comparator,
        asked.map(({ pair }) => pair),
        context,
      )
      for (const [index, { place, swapped }] of asked.entries()) {
        const score = said[index]!
        scores[place] = score.value === null || !swapped ? score : { ...score, value: 1 - score.value }
      }
      return scores
    },
  }
}

/** Whether the contender is shown second: by its item, so that before and after an attack stand in the same slot. */
function isSecond({ group, id }: Sample, rng: Rng): boolean {
  return rng.fork(`slot/${group ?? id}`).chance(0.5)
}

/** Comparisons as scores; what breaks the contract is unscored. */
export async function comparisonsOf(
  comparator: Comparator,
  pairs: readonly Pair[],
  context: ScoreContext,
): Promise<readonly Score[]> {
  if (pairs.length === 0) return []
  try {
    const said = await comparator.compare(pairs, context)
    if (said.length !== pairs.length)
      throw new Error(`it returned ${said.length} comparisons for ${pairs.length} pairs`)
    return said.map((one) => {
      if (one.value === null) return one
      if (!(one.value >= 0 && one.value <= 1))
        return unscored('crashed', `the comparator returned ${one.value}, which is not in [0, 1]`)
      return { value: one.value, ...(one.rationale === undefined ? {} : { rationale: one.rationale }) }
    })
  } catch (error) {
    context.signal?.throwIfAborted()
    return pairs.map(() => unscored('crashed', `the comparator failed: ${messageOf(error)}`))
  }
}
