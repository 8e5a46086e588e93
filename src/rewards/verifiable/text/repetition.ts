import { z } from 'zod'
import { defineReward, textOf } from '../../../core/index.ts'
import { defineRewardType } from '../../reward-type.ts'
import { ngrams, words } from './words.ts'

export interface NgramPenaltyOptions {
  /** Words in an n-gram. */
  readonly size: number
  /** Score of endless repetition, at most 0. @default -1 */
  readonly maxPenalty?: number
}

/**
 * `maxPenalty` times the share of word n-grams that repeat an earlier one, in [maxPenalty, 0]. Words are lower-cased
 * and split at white space; a text of fewer than `size` words costs nothing.
 *
 * @source cards of VLM-R1 (size 6, -1) and Perception-R1 (size 20, -2)
 * @example ngramPenalty('a b c d e f a b c d e f g', { size: 6 }) // -0.125
 */
export function ngramPenalty(text: string, { size, maxPenalty = -1 }: NgramPenaltyOptions): number {
  const share = duplicateShare(ngrams(words(text.toLowerCase()), size))
  return share === 0 ? 0 : maxPenalty * share
}

/** 1 - different items / items, in [0, 1): how much of a list repeats what the list already holds; 0 for an empty one. */
export function duplicateShare(items: readonly string[]): number {
  return items.length === 0 ? 0 : 1 - new Set(items).size / items.length
}

const example = (output: string) => ({ id: 'repetition', prompt: 'Describe the picture.', output, meta: {} })

export const repetition = defineRewardType({
  name: 'repetition',
  summary: 'Penalty for repeated word n-grams: the share that repeats an earlier one, times maxPenalty.',
  options: z.strictObject({
    size: z.int().min(1).max(1000).default(3).describe('words in an n-gram'),
    maxPenalty: z.number().max(0).default(-1).describe('score of endless repetition'),
  }),
  create: (options) =>
    defineReward({
      name: 'repetition',
      range: [options.maxPenalty, 0],
      params: options,
      judge: ({ output }) => ngramPenalty(textOf(output), options),
    }),
  examples: [
    { sample: example('a b c a b c a b c'), options: { maxPenalty: -2 }, value: -1.142857 },
    { sample: example('a b c d'), value: 0 },
    { sample: example(' A a A A'), value: -0.5 },
  ],
})
