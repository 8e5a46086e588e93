import { type Comparator, type Comparison, type Pair, type Unscored, unscored } from '../../core/index.ts'
import { totalUsage } from '../usage.ts'
import type { Reading } from './asking.ts'
import { askAll, isRead, type JudgeOptions, judgeParams } from './judge.ts'
import { type OrderPolicy, ordersOf } from './order.ts'
import { type VoteRule, voteK } from './vote.ts'

export interface PairJudgeOptions extends JudgeOptions<number> {
  /**
   * What a vote says about which slot: `first`: 1 is a win of the output shown first; `second`: of the one shown second
   * (RewardDance asks whether the second is better). @default 'first'
   */
  readonly candidateSlot?: 'first' | 'second'
  /** @default 'both' */
  readonly order?: OrderPolicy
  /** What several votes come to, within one order. @default 'mean' */
  readonly vote?: VoteRule
}

/**
 * A judge of pairs. A vote is how likely the candidate's slot is the better one, in [0, 1], 0.5 a tie; the comparison is
 * the mean over the orders asked, as "a is better". `orders` has both where both were asked: a judge that always
 * prefers one slot gives 0.5, and `slotReport` says so. A pair that could not be read in an order is unscored: one
 * order alone would count the slot. `parts.parsed` is the share of readable replies.
 */
export function pairJudge(options: PairJudgeOptions): Comparator {
  const { name, version = '1', candidateSlot = 'first', order = 'both', vote = 'mean' } = options
  return {
    name,
    version,
    params: judgeParams(options, { candidateSlot, order, vote }),
    compare: async (pairs, context = {}) => {
      const asked = pairs.flatMap((pair) =>
        ordersOf(order, pair, context.rng).map((swapped) => ({ pair, swapped })),
      )
      const readings = await askAll(
        asked.map(({ pair, swapped }) => ({
          key: `${pair.id}/${swapped ? 'swapped' : 'given'}`,
          sample: pair.a,
          material: swapped
            ? { first: pair.b.output, second: pair.a.output }
            : { first: pair.a.output, second: pair.b.output },
        })),
        options,
        context,
      )
      let next = 0
      return pairs.map((pair) =>
        comparisonOf(
          ordersOf(order, pair, context.rng).map((swapped) => ({
            swapped,
            aIsCandidate: swapped === (candidateSlot === 'second'),
            reading: readings[next++]!,
          })),
          vote,
        ),
      )
    },
  }
}

interface Slot {
  readonly swapped: boolean
  readonly aIsCandidate: boolean
  readonly reading: Reading<number> | Unscored
}

function comparisonOf(slots: readonly Slot[], rule: VoteRule): Comparison {
  const usage = totalUsage(slots.map(({ reading }) => reading.usage))
  const failed = slots.find(({ reading }) => !isRead(reading))?.reading as Unscored | undefined
  const parsed =
    slots.reduce((sum, { reading }) => sum + (isRead(reading) ? reading.parts.parsed : 0), 0) / slots.length
  if (failed) return { ...failed, usage, parts: { ...failed.parts, parsed } }
  const values = slots.map(({ swapped, aIsCandidate, reading }) => {
    const { votes } = reading as Reading<number>
    if (votes.some((vote) => !(vote >= 0 && vote <= 1))) return { swapped, value: Number.NaN }
    const { value } = voteK(votes, { rule })
    return { swapped, value: aIsCandidate ? value : 1 - value }
  })
  if (values.some(({ value }) => Number.isNaN(value)))
    return unscored('unparsable', 'the judge gave a preference outside of [0, 1]', {
      usage,
      parts: { parsed: 0 },
    })
  const rationale = (slots[0]!.reading as Reading<number>).rationale
  const orderOf = (swapped: boolean) => values.find((value) => value.swapped === swapped)?.value
  const [aFirst, bFirst] = [orderOf(false), orderOf(true)]
  return {
    value: values.reduce((sum, { value }) => sum + value, 0) / values.length,
    ...(aFirst !== undefined && bFirst !== undefined ? { orders: [aFirst, bFirst] as const } : {}),
    ...(rationale === undefined ? {} : { rationale }),
    parts: { parsed },
    usage,
  }
}

/** A pair of outputs under an id of its own. */
export function pairOf(a: Pair['a'], b: Pair['b'], id = `${a.id} ${b.id}`): Pair {
  return { id, a, b }
}
