import { defineBatchReward, type Range, type Reward, unscored } from '../../core/index.ts'
import { askAll, isRead, type JudgeOptions, judgeParams } from './judge.ts'
import { type VoteRule, voteK } from './vote.ts'

/** A verdict on one output: a number in the units of the prompt, or a number with the terms that it is made of. */
export type PointVerdict =
  | number
  | {
      readonly value: number
      readonly parts?: Readonly<Record<string, number>>
    }

export interface PointJudgeOptions extends JudgeOptions<PointVerdict> {
  /** In the units of the prompt. A verdict outside is no verdict. @default [0, 1] */
  readonly range?: Range
  /** What several votes come to. @default 'mean' */
  readonly vote?: VoteRule
}

/**
 * A judge of single outputs as a reward: the score is in the prompt's own units and `range` says which. A reply that
 * cannot be read is unscored, never the lowest score. `parts.parsed` is the share of readable replies, further parts
 * are means over the votes that have them; `rationale` is the first reply.
 */
export function pointJudge(options: PointJudgeOptions): Reward {
  const { name, version = '1', description, range = [0, 1], vote = 'mean', needs = ['chat'] } = options
  const [low, high] = range
  return defineBatchReward({
    name,
    version,
    range,
    needs,
    params: judgeParams(options, { range: [...range].map(jsonBound), vote }),
    ...(description === undefined ? {} : { description }),
    judgeAll: async (samples, context) => {
      const asks = samples.map((sample) => ({ key: sample.id, sample, material: { output: sample.output } }))
      const readings = await askAll(asks, options, context)
      return readings.map((reading) => {
        if (!isRead(reading)) return reading
        const { usage, rationale } = reading
        const details = { usage, ...(rationale === undefined ? {} : { rationale }) }
        const verdicts = reading.votes.map((verdict) =>
          typeof verdict === 'number' ? { value: verdict } : verdict,
        )
        const within = verdicts.filter(({ value }) => value >= low && value <= high)
        const parsed = (reading.parts.parsed * within.length) / verdicts.length
        if (within.length === 0)
          return unscored(
            'unparsable',
            `the judge gave ${verdicts[0]!.value}, which is not between ${low} and ${high}`,
            { ...details, parts: { ...reading.parts, parsed: 0 } },
          )
        return {
          ...voteK(
            within.map(({ value }) => value),
            { rule: vote, range },
          ),
          ...details,
          parts: { ...reading.parts, ...meanParts(within.map(({ parts }) => parts ?? {})), parsed },
        }
      })
    },
  })
}

/** Infinite bounds as JSON. */
function jsonBound(bound: number): number | string {
  return Number.isFinite(bound) ? bound : String(bound)
}

/** The mean of each part over the votes that have it. */
export function meanParts(votes: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums = new Map<string, { sum: number; count: number }>()
  for (const parts of votes)
    for (const [name, value] of Object.entries(parts)) {
      const { sum, count } = sums.get(name) ?? { sum: 0, count: 0 }
      sums.set(name, { sum: sum + value, count: count + 1 })
    }
  return Object.fromEntries([...sums].map(([name, { sum, count }]) => [name, sum / count]))
}
