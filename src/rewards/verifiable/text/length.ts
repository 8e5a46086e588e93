import { z } from 'zod'
import { defineReward, type Range, textOf } from '../../../core/index.ts'
import { defineRewardType } from '../../reward-type.ts'
import { words } from './words.ts'

export type LengthUnit = 'words' | 'characters' | 'lines'

/** Length of a text in words (split at white space), characters (code points) or lines that are not blank. */
export function textLength(text: string, unit: LengthUnit): number {
  if (unit === 'words') return words(text).length
  if (unit === 'lines') return text.split('\n').filter((line) => line.trim() !== '').length
  let count = 0
  for (const _ of text) count++
  return count
}

export interface CosineLengthOptions {
  /** Value at length 0. */
  readonly start: number
  /** Value at `limit`. */
  readonly end: number
  /** Length at which the half wave ends. */
  readonly limit: number
  /** Without clamping, as released code has it, the value climbs back beyond `limit`. @default true */
  readonly clamp?: boolean
}

/**
 * Half a cosine wave from `start` at length 0 to `end` at `limit`.
 *
 * @source VLM-R1's length term: right answers go from 1 to 0.5, wrong ones from -0.5 to 0, limit 1024 tokens
 * @example cosineLength(512, { start: 1, end: 0.5, limit: 1024 }) // 0.75
 */
export function cosineLength(
  length: number,
  { start, end, limit, clamp = true }: CosineLengthOptions,
): number {
  const position = clamp ? Math.min(length, limit) : length
  return end + ((start - end) * (1 + Math.cos((Math.PI * position) / limit))) / 2
}

/**
 * Soft overlong penalty: 0 up to `limit - buffer`, then straight down to -1 at `limit` and beyond.
 *
 * @source DAPO, arXiv 2503.14476, eq. 13
 * @example overlongPenalty(90, { limit: 100, buffer: 20 }) // -0.5
 */
export function overlongPenalty(
  length: number,
  { limit, buffer }: { readonly limit: number; readonly buffer: number },
): number {
  const over = length - (limit - buffer)
  if (over <= 0) return 0
  return length >= limit ? -1 : -over / buffer
}

/**
 * 1 between `minimum` and `maximum` (both included), falling straight to 0 at `slope` beyond either.
 *
 * @example lengthWithin(110, { minimum: 0, maximum: 100, slope: 20 }) // 0.5
 */
export function lengthWithin(
  length: number,
  {
    minimum = 0,
    maximum = Number.POSITIVE_INFINITY,
    slope = 0,
  }: { readonly minimum?: number; readonly maximum?: number; readonly slope?: number },
): number {
  const outside = Math.max(minimum - length, length - maximum, 0)
  return outside === 0 ? 1 : Math.max(0, 1 - outside / slope)
}

const ranges: Readonly<
  Record<'count' | 'within' | 'overlong' | 'cosine', (start: number, end: number) => Range>
> = {
  count: () => [0, Number.POSITIVE_INFINITY],
  within: () => [0, 1],
  overlong: () => [-1, 0],
  cosine: (start, end) => [Math.min(start, end), Math.max(start, end)],
}

const example = (output: string) => ({ id: 'length', prompt: 'Say it briefly.', output, meta: {} })

export const length = defineRewardType({
  name: 'length',
  summary: 'Length of the output: the plain count, or a reward for staying within limits (see shape).',
  options: z
    .strictObject({
      shape: z
        .enum(['count', 'within', 'overlong', 'cosine'])
        .default('count')
        .describe(
          'count: the length itself; within: 1 from minimum to maximum, falling over slope; overlong: 0, then down to -1 at maximum over slope; cosine: from start at 0 to end at maximum',
        ),
      unit: z.enum(['words', 'characters', 'lines']).default('words'),
      minimum: z.number().min(0).default(0),
      maximum: z.number().positive().default(1024),
      slope: z.number().min(0).default(0).describe('width of the fall beyond a limit (overlong: before it)'),
      start: z.number().default(1).describe('cosine: value at length 0'),
      end: z.number().default(0.5).describe('cosine: value at maximum'),
    })
    .refine(({ minimum, maximum }) => minimum <= maximum, 'minimum must not be above maximum')
    .refine(
      ({ shape, slope, maximum }) => shape !== 'overlong' || slope <= maximum,
      'slope must not be above maximum',
    ),
  create: (options) => {
    const { shape, unit, minimum, maximum, slope, start, end } = options
    const judgeLength = {
      count: (measured: number) => measured,
      within: (measured: number) => lengthWithin(measured, { minimum, maximum, slope }),
      overlong: (measured: number) => overlongPenalty(measured, { limit: maximum, buffer: slope }),
      cosine: (measured: number) => cosineLength(measured, { start, end, limit: maximum }),
    }[shape]
    return defineReward({
      name: 'length',
      range: ranges[shape](start, end),
      params: options,
      judge: ({ output }) => {
        const measured = textLength(textOf(output), unit)
        return { value: judgeLength(measured), parts: { length: measured } }
      },
    })
  },
  examples: [
    { sample: example('four words are here'), value: 4 },
    {
      sample: example('four words are here'),
      options: { shape: 'within', maximum: 2, slope: 4 },
      value: 0.5,
    },
    {
      sample: example('four words are here'),
      options: { shape: 'overlong', maximum: 5, slope: 2 },
      value: -0.5,
    },
    { sample: example('four words are here'), options: { shape: 'cosine', maximum: 8 }, value: 0.75 },
  ],
})
