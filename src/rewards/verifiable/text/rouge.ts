import { z } from 'zod'
import { defineReward, textOf } from '../../../core/index.ts'
import { defineRewardType } from '../../reward-type.ts'
import { commonSubsequence } from './edit-distance.ts'
import { itemSymbols } from './symbols.ts'
import { isTooLongToCompare, noTextReference, textReferences, tooLongToCompare } from './text-references.ts'
import { tokenise } from './tokens.ts'
import { ngrams } from './words.ts'

/** Overlap of a candidate with one reference; all in [0, 1]. */
export interface Rouge {
  /** Shared / candidate's. */
  readonly precision: number
  /** Shared / reference's. */
  readonly recall: number
  /** Harmonic mean of the two. */
  readonly f1: number
}

/**
 * ROUGE-N: n-grams that candidate and reference share, each counted as often as both have it. 0 where either has none.
 *
 * @source Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries", section 2
 */
export function rougeN(candidate: readonly string[], reference: readonly string[], size: number): Rouge {
  const counts = new Map<string, number>()
  const wanted = ngrams(reference, size)
  for (const gram of wanted) counts.set(gram, (counts.get(gram) ?? 0) + 1)
  const given = ngrams(candidate, size)
  let shared = 0
  for (const gram of given) {
    const left = counts.get(gram) ?? 0
    if (left === 0) continue
    shared++
    counts.set(gram, left - 1)
  }
  return overlap(shared, given.length, wanted.length)
}

/**
 * ROUGE-L at sentence level: the longest common subsequence of the two token lists. (Not the summary-level ROUGE-Lsum,
 * which unites subsequences over sentences.)
 *
 * @source Lin 2004, section 3, with beta = 1
 * @example rougeL(['moving', 'left'], ['the', 'character', 'is', 'moving', 'left']).f1 // 4/7
 */
export function rougeL(candidate: readonly string[], reference: readonly string[]): Rouge {
  return overlap(commonSubsequence(itemSymbols(candidate, reference)), candidate.length, reference.length)
}

function overlap(shared: number, given: number, wanted: number): Rouge {
  if (shared === 0) return { precision: 0, recall: 0, f1: 0 }
  const [precision, recall] = [shared / given, shared / wanted]
  return { precision, recall, f1: (2 * shared) / (given + wanted) }
}

const example = (output: string, reference: string | readonly string[]) => ({
  id: 'rouge',
  prompt: 'Describe the video.',
  output,
  reference,
  meta: {},
})

export const rouge = defineRewardType({
  name: 'rouge',
  summary: 'ROUGE-L or ROUGE-N of the output against the reference (the best of several).',
  source: 'Lin 2004',
  options: z.strictObject({
    kind: z
      .union([z.literal('l'), z.literal('1'), z.literal('2'), z.literal('3'), z.literal('4')])
      .default('l')
      .describe('l: longest common subsequence; 1 to 4: n-grams of that size'),
    measure: z.enum(['f1', 'precision', 'recall']).default('f1'),
    tokens: z
      .enum(['unicode', 'ascii', 'whitespace', '13a'])
      .default('unicode')
      .describe('ascii: as rouge-score cuts'),
    lowercase: z.boolean().default(true),
  }),
  create: (options) =>
    defineReward({
      name: 'rouge',
      needs: ['reference'],
      params: options,
      judge: ({ output, reference }) => {
        const texts = textReferences(reference)
        if (texts === undefined) return noTextReference
        const text = textOf(output)
        if (isTooLongToCompare(text, texts)) return tooLongToCompare
        const candidate = tokenise(text, options.tokens, options.lowercase)
        let best: Rouge | undefined
        for (const target of texts) {
          const tokens = tokenise(target, options.tokens, options.lowercase)
          const scores =
            options.kind === 'l' ? rougeL(candidate, tokens) : rougeN(candidate, tokens, Number(options.kind))
          if (best === undefined || scores[options.measure] > best[options.measure]) best = scores
        }
        return { value: best![options.measure], parts: { ...best! } }
      },
    }),
  examples: [
    { sample: example('the character jumps forward', 'the character moves forward and jumps'), value: 0.6 },
    { sample: example('Moving left.', 'the character is moving left'), value: 4 / 7 },
    {
      sample: example('the cat', ['a dog', 'the cat sat']),
      options: { kind: '1', measure: 'recall' },
      value: 2 / 3,
    },
    { sample: example('', 'the cat'), value: 0 },
    { sample: example('the cat', ''), value: null },
  ],
})
