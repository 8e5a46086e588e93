import {
  GuerdonError,
  type Json,
  type Need,
  type Reward,
  rewardIdentity,
  type Sample,
  type Score,
  type ScoreContext,
  unscored,
} from '../../core/index.ts'
import { scoresOf } from '../scores-of.ts'

export interface DispatchOptions {
  /** The sample's `meta` field that names the reward. @default 'reward' */
  readonly field?: string
  /** @default 'dispatch' */
  readonly name?: string
  /**
   * Brings every reward to [0, 1] by its own range, so that rows judged by different rewards can be compared.
   * Needs finite ranges.
   * @default false
   */
  readonly normalise?: boolean
}

/**
 * Lets each row choose its reward: the reward method travels with the data. A row that names none, or one that is
 * not here, is unscored.
 */
export function dispatch(rewards: Readonly<Record<string, Reward>>, options: DispatchOptions = {}): Reward {
  const { field = 'reward', name = 'dispatch', normalise = false } = options
  const entries = Object.entries(rewards)
  if (entries.length === 0)
    throw new GuerdonError('no-rewards', 'there is no reward to choose from.', { fix: 'Name at least one.' })
  for (const [key, { range }] of entries) {
    if (normalise && !(Number.isFinite(range[0]) && Number.isFinite(range[1]) && range[0] < range[1]))
      throw new GuerdonError('range-infinite', `its range [${range}] cannot be brought to [0, 1].`, {
        place: { reward: key },
      })
  }
  const toUnit = (score: Score, [low, high]: readonly [number, number]): Score =>
    score.value === null || !normalise ? score : { ...score, value: (score.value - low) / (high - low) }
  return {
    name,
    version: '1',
    range: normalise
      ? [0, 1]
      : [
          Math.min(...entries.map(([, { range }]) => range[0])),
          Math.max(...entries.map(([, { range }]) => range[1])),
        ],
    // Rows that go to another reward do without: only what all rewards need is needed by every row.
    needs: [...new Set(entries.flatMap(([, { needs }]) => needs))].filter(
      (need: Need) =>
        need === 'group' || need === 'step' || entries.every(([, reward]) => reward.needs.includes(need)),
    ),
    params: {
      field,
      normalise,
      rewards: Object.fromEntries(entries.map(([key, reward]) => [key, rewardIdentity(reward)])) as Record<
        string,
        Json
      >,
    },
    async score(samples: readonly Sample[], context: ScoreContext = {}) {
      const scores: Score[] = samples.map((sample) => {
        const key = sample.meta[field]
        return key === undefined
          ? unscored('bad-input', `the row names no reward: meta.${field} is missing`)
          : unscored(
              'bad-input',
              `meta.${field} names "${String(key)}"; known are ${entries.map(([known]) => known).join(', ')}`,
            )
      })
      await Promise.all(
        entries.map(async ([key, reward]) => {
          const rows = samples.flatMap((sample, row) => (sample.meta[field] === key ? [row] : []))
          if (rows.length === 0) return
          const judged = await scoresOf(
            reward,
            rows.map((row) => samples[row]!),
            context,
          )
          rows.forEach((row, index) => {
            scores[row] = toUnit(judged[index]!, reward.range)
          })
        }),
      )
      return scores
    },
  }
}
