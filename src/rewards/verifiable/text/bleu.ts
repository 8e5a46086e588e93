import { z } from 'zod'
import { defineReward, textOf } from '../../../core/index.ts'
import { defineRewardType } from '../../reward-type.ts'
import { noTextReference, textReferences } from './text-references.ts'
import { tokenise } from './tokens.ts'
import { ngrams } from './words.ts'

export interface BleuOptions {
  /** Longest n-grams counted. @default 4 */
  readonly maxOrder?: number
  /**
   * What an order without a match counts as: `none` = 0, so the whole score is 0; `exp` = 1/2 of a match, 1/4 the next
   * time, ... (NIST's, sacreBLEU's default); `floor` = 0.1 of a match; `add-1` adds one to matches and n-grams of every
   * order above 1. @default 'exp'
   */
  readonly smoothing?: 'none' | 'exp' | 'floor' | 'add-1'
  /** Leaves out the orders of which the candidate has no n-gram, as is usual for single sentences. @default false */
  readonly effectiveOrder?: boolean
}

/** What BLEU is computed from; sums over sentences give the corpus's. */
export interface BleuCounts {
  /** Matching n-grams of order 1, 2, ..., each at most as often as one reference has it. */
  readonly matches: readonly number[]
  /** The candidate's n-grams of order 1, 2, ... */
  readonly total: readonly number[]
  readonly candidateLength: number
  /** Length of the reference that is closest in length; of two equally close ones the shorter. */
  readonly referenceLength: number
}

/** Counts of one sentence. Texts are lists of tokens; several references are alternatives. */
export function bleuCounts(
  candidate: readonly string[],
  references: readonly (readonly string[])[],
  maxOrder = 4,
): BleuCounts {
  const matches: number[] = []
  const total: number[] = []
  for (let order = 1; order <= maxOrder; order++) {
    const most = new Map<string, number>()
    for (const reference of references)
      for (const [gram, count] of counted(ngrams(reference, order)))
        if (count > (most.get(gram) ?? 0)) most.set(gram, count)
    const given = ngrams(candidate, order)
    let matched = 0
    for (const [gram, count] of counted(given)) matched += Math.min(count, most.get(gram) ?? 0)
    matches.push(matched)
    total.push(given.length)
  }
  const distance = (length: number) => Math.abs(length - candidate.length)
  const referenceLength = references
    .map(({ length }) => length)
    .reduce((best, length) =>
      distance(length) < distance(best) || (distance(length) === distance(best) && length < best)
        ? length
        : best,
    )
  return { matches, total, candidateLength: candidate.length, referenceLength }
}

/** Sum of the counts of several sentences of one corpus. */
function sumBleuCounts(counts: readonly BleuCounts[]): BleuCounts {
  const orders = counts[0]?.matches.map((_, order) => order) ?? []
  const sum = (of: (sentence: BleuCounts) => number) =>
    counts.reduce((total, sentence) => total + of(sentence), 0)
  return {
    matches: orders.map((order) => sum(({ matches }) => matches[order]!)),
    total: orders.map((order) => sum(({ total }) => total[order]!)),
    candidateLength: sum(({ candidateLength }) => candidateLength),
    referenceLength: sum(({ referenceLength }) => referenceLength),
  }
}

/**
 * BLEU in [0, 1] (papers print it times 100): the geometric mean of the n-gram precisions, times the brevity penalty
 * exp(1 - reference length / candidate length) where the candidate is shorter. 0 without a single matching n-gram.
 *
 * @source Papineni et al. 2002; smoothings as named in sacreBLEU (Post 2018)
 */
export function bleuOfCounts(
  { matches, total, candidateLength, referenceLength }: BleuCounts,
  { smoothing = 'exp', effectiveOrder = false }: BleuOptions = {},
): number {
  if (candidateLength === 0 || matches.every((count) => count === 0)) return 0
  let logSum = 0
  let orders = matches.length
  let halving = 1
  for (let index = 0; index < matches.length; index++) {
    const added = smoothing === 'add-1' && index > 0 ? 1 : 0
    const given = total[index]! + added
    if (given === 0) {
      if (!effectiveOrder) return 0
      orders = index
      break
    }
    let matched = matches[index]! + added
    if (matched === 0) {
      if (smoothing === 'none' || smoothing === 'add-1') return 0
      if (smoothing === 'exp') halving /= 2
      matched = smoothing === 'exp' ? halving : 0.1
    }
    logSum += Math.log(matched / given)
  }
  const brevity = candidateLength < referenceLength ? Math.exp(1 - referenceLength / candidateLength) : 1
  return brevity * Math.exp(logSum / orders)
}

/** BLEU of a corpus: each candidate (tokens) with its references (tokens). NaN-free: 0 for an empty corpus. */
export function corpusBleu(
  candidates: readonly (readonly string[])[],
  references: readonly (readonly (readonly string[])[])[],
  options: BleuOptions = {},
): number {
  const counts = candidates.map((candidate, index) =>
    bleuCounts(candidate, references[index]!, options.maxOrder),
  )
  return bleuOfCounts(sumBleuCounts(counts), options)
}

function counted(items: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1)
  return counts
}

const example = (output: string, reference: string | readonly string[]) => ({
  id: 'bleu',
  prompt: 'Translate.',
  output,
  reference,
  meta: {},
})

export const bleu = defineRewardType({
  name: 'bleu',
  summary: 'Sentence BLEU of the output against one or several references, in [0, 1].',
  source: 'Papineni et al. 2002',
  options: z.strictObject({
    maxOrder: z.int().min(1).max(10).default(4),
    smoothing: z.enum(['none', 'exp', 'floor', 'add-1']).default('exp'),
    effectiveOrder: z.boolean().default(true).describe('leave out orders longer than the output'),
    tokens: z.enum(['13a', 'unicode', 'ascii', 'whitespace']).default('13a'),
    lowercase: z.boolean().default(false),
  }),
  create: (options) =>
    defineReward({
      name: 'bleu',
      needs: ['reference'],
      params: options,
      judge: ({ output, reference }) => {
        const texts = textReferences(reference)
        if (texts === undefined) return noTextReference
        const tokens = (text: string) => tokenise(text, options.tokens, options.lowercase)
        return bleuOfCounts(bleuCounts(tokens(textOf(output)), texts.map(tokens), options.maxOrder), options)
      },
    }),
  examples: [
    { sample: example('The cat sat on the mat.', 'The cat sat on the mat.'), value: 1 },
    // precisions 3/4, 2/3, 1/2, 0/1 -> 1/2 by smoothing
    {
      sample: example('the cat sat down', 'the cat sat up'),
      value: ((3 / 4) * (2 / 3) * (1 / 2) * (1 / 2)) ** 0.25,
    },
    { sample: example('the cat', 'the cat sat up'), value: Math.exp(-1) },
    { sample: example('dogs', 'the cat sat up'), value: 0 },
    { sample: example('the cat', ''), value: null },
  ],
})
