import { z } from 'zod'
import { defineReward, type Reward, type Sample, unscored } from '../core/index.ts'
import { defineRewardType } from './reward-type.ts'

export interface RecordedOptions {
  /** The field of the sample's `meta`. */
  readonly field: string
  /** Least value that it may have. @default -Infinity */
  readonly low?: number | undefined
  /** Greatest value that it may have. @default Infinity */
  readonly high?: number | undefined
}

/**
 * A number that stands in the data already: a reward model's score, a human rating. What is absent, is no finite
 * number or lies outside [low, high] is unscored; numbers in text are not read.
 */
function recordedReward({ field, low = -Infinity, high = Infinity }: RecordedOptions): Reward {
  return defineReward({
    name: `recorded ${field}`,
    range: [low, high],
    params: { field, ...(low === -Infinity ? {} : { low }), ...(high === Infinity ? {} : { high }) },
    judge: ({ meta }) => {
      const value = Object.hasOwn(meta, field) ? meta[field] : undefined
      if (value === undefined || value === null) return unscored('bad-input', `the sample has no "${field}"`)
      if (typeof value !== 'number' || !Number.isFinite(value))
        return unscored('bad-input', `"${field}" is ${JSON.stringify(value)?.slice(0, 80)}, not a number`)
      if (value < low || value > high)
        return unscored('bad-input', `"${field}" is ${value}, outside [${low}, ${high}]`)
      return value
    },
  })
}

const sample = (helpful: unknown): Sample => ({
  id: 'recorded',
  prompt: 'How do I boil an egg?',
  output: 'Seven minutes in boiling water.',
  meta: { helpful: helpful as never },
})

export const recorded = defineRewardType({
  name: 'recorded',
  summary: 'A number that the data holds already, such as a reward model’s score or a rating.',
  options: z.strictObject({
    field: z.string().min(1).describe('Field of the sample’s meta.'),
    low: z.number().optional().describe('Least value it may have; none by default.'),
    high: z.number().optional().describe('Greatest value it may have; none by default.'),
  }),
  create: recordedReward,
  examples: [
    { sample: sample(1.25), options: { field: 'helpful' }, value: 1.25 },
    { sample: sample('1.25'), options: { field: 'helpful' }, value: null },
    { sample: sample(6), options: { field: 'helpful', low: 1, high: 5 }, value: null },
  ],
})
