import {
  defineGroupReward,
  identityOf,
  type Range,
  type Reward,
  Rng,
  type Sample,
  type Score,
  type Unscored,
  type Usage,
  unscored,
} from '../../core/index.ts'
import { totalUsage } from '../usage.ts'
import type { Reading } from './asking.ts'
import { askAll, isRead, type JudgeOptions, judgeParams } from './judge.ts'
import type { ListVerdict } from './verdict.ts'

export interface ListJudgeOptions extends JudgeOptions<ListVerdict> {
  /** Of the scores asked for. Scores outside are left out. @default [1, 5] */
  readonly range?: Range
  /**
   * How often the list is shown, each time in another order. Every output stands about as often at every place: the
   * orders are one shuffle, rotated, and as many as there are outputs at most. @default 1
   */
  readonly permutations?: number
  /**
   * Seed of the shuffle. A fixed one gives the same order in every call, so that places are not averaged out (as
   * released code has it). @default a hash of prompt and outputs
   */
  readonly shuffleSeed?: string
  /** Fewest outputs of a group. @default 2 */
  readonly fewest?: number
}

/**
 * A judge of lists as a reward of groups. All outputs of a prompt stand in one query under masked names in shuffled
 * order ("model-1"), so that neither name nor place tells anything; the score of an output is the mean of its scores
 * over the permutations. Scores of different calls cannot be compared: one group, one call. An output that the judge
 * left out is unscored. `parts`: `parsed` (share of permutations whose reply could be read), `place` (mean place in
 * the ranking, 1 the best), `covered` (share of permutations that score it).
 */
export function listJudge(options: ListJudgeOptions): Reward {
  const {
    name,
    version = '1',
    description,
    range = [1, 5],
    permutations = 1,
    shuffleSeed,
    fewest = 2,
  } = options
  if (!(Number.isSafeInteger(permutations) && permutations >= 1))
    throw new RangeError(`${permutations} permutations: show the list at least once`)
  return defineGroupReward({
    name,
    version,
    range,
    needs: options.needs ?? ['chat'],
    params: judgeParams(options, {
      range: [...range],
      permutations,
      fewest,
      ...(shuffleSeed === undefined ? {} : { shuffleSeed }),
    }),
    ...(description === undefined ? {} : { description }),
    judgeGroup: async (group, context) => {
      if (group.length < fewest)
        return group.map(() =>
          unscored(
            'not-applicable',
            `the group has ${group.length} outputs, and the judge compares at least ${fewest}`,
          ),
        )
      const key = identityOf(
        group
          .map(({ prompt, output }) => [prompt, output])
          .map(identityOf)
          .sort(),
      )
      // By content, so that the order of the batch does not matter; equal outputs keep theirs.
      const byContent = [...group.keys()].sort((i, j) =>
        byCodeUnits(contentOf(group[i]!), contentOf(group[j]!)),
      )
      const shuffled = new Rng(shuffleSeed ?? `list/${key}`).shuffled(byContent)
      // More turns than outputs would show the same orders again.
      const turns = Math.min(permutations, group.length)
      const orders = Array.from({ length: turns }, (_, turn) => rotated(shuffled, turn, turns))
      const readings = await askAll(
        orders.map((order, turn) => ({
          key: `${key}/${turn}`,
          sample: group[order[0]!]!,
          material: {
            candidates: {
              list: order.map((index, place) => ({ name: maskedName(place), turns: group[index]!.output })),
            },
          },
        })),
        options,
        context,
      )
      return groupScores(group.length, orders, readings, range, byContent[0]!)
    },
  })
}

/** What the judge knows the output at a place by. */
export function maskedName(place: number): string {
  return `model-${place + 1}`
}

function contentOf({ output, id }: Sample): string {
  return `${identityOf(output)}/${id}`
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function rotated(order: readonly number[], turn: number, turns: number): number[] {
  const shift = Math.round((turn * order.length) / turns)
  return [...order.slice(shift), ...order.slice(0, shift)]
}

function groupScores(
  size: number,
  orders: readonly (readonly number[])[],
  readings: readonly (Reading<ListVerdict> | Unscored)[],
  [low, high]: Range,
  payer: number,
): Score[] {
  const usage = totalUsage(readings.map((reading) => reading.usage))
  const failure = readings.find(
    (reading): reading is Unscored => !isRead(reading) && reading.code !== 'unparsable',
  )
  // What the calls of a group cost stands once.
  const usageAt = (index: number): { usage?: Usage } => (index === payer ? { usage } : {})
  if (failure) return Array.from({ length: size }, (_, index) => ({ ...failure, ...usageAt(index) }))
  const scores = Array.from({ length: size }, () => [] as number[])
  const places = Array.from({ length: size }, () => [] as number[])
  let verdicts = 0
  let rationale: string | undefined
  for (const [turn, reading] of readings.entries()) {
    rationale ??= reading.rationale
    if (!isRead(reading)) continue
    for (const verdict of reading.votes) {
      verdicts++
      for (const [place, index] of orders[turn]!.entries()) {
        const name = maskedName(place)
        const score = Object.hasOwn(verdict.scores, name) ? verdict.scores[name]! : undefined
        if (score !== undefined && score >= low && score <= high) scores[index]!.push(score)
        const rank = verdict.ranking.indexOf(name)
        if (rank >= 0) places[index]!.push(rank + 1)
      }
    }
  }
  const parsed =
    readings.reduce((sum, reading) => sum + (isRead(reading) ? reading.parts.parsed : 0), 0) / readings.length
  const said = rationale === undefined ? {} : { rationale }
  return scores.map((own, index) => {
    const parts = {
      parsed,
      place: meanOf(places[index]!),
      covered: verdicts === 0 ? 0 : own.length / verdicts,
    }
    const value = meanOf(own)
    const details = { parts, ...said, ...usageAt(index) }
    if (value !== null) return { value, ...details }
    return verdicts === 0
      ? unscored('unparsable', "the judge's reply holds no scores that can be read", details)
      : unscored('unparsable', 'the judge gave this output no score within its scale', details)
  })
}

function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length
}
