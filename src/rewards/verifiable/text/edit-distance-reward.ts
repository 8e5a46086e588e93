import { z } from 'zod'
import { defineReward, textOf } from '../../../core/index.ts'
import { defineRewardType } from '../../reward-type.ts'
import { levenshteinRatio, levenshteinSimilarity } from './edit-distance.ts'
import { isTooLongToCompare, noTextReference, textReferences, tooLongToCompare } from './text-references.ts'

const example = (output: string, reference: string | readonly string[]) => ({
  id: 'edit-distance',
  prompt: 'Read the sign.',
  output,
  reference,
  meta: {},
})

export const editDistance = defineRewardType({
  name: 'edit-distance',
  summary: 'Similarity of the output and the reference (the best of several) by edit distance, in [0, 1].',
  options: z.strictObject({
    measure: z
      .enum(['distance', 'ratio'])
      .default('distance')
      .describe('distance: 1 - Levenshtein / longer length; ratio: 2 M / T, a substitution costing two'),
    lowercase: z.boolean().default(false),
    trim: z.boolean().default(true).describe('white space at both ends does not count'),
  }),
  create: (options) => {
    const similarity = options.measure === 'ratio' ? levenshteinRatio : levenshteinSimilarity
    const clean = (text: string) => {
      const trimmed = options.trim ? text.trim() : text
      return options.lowercase ? trimmed.toLowerCase() : trimmed
    }
    return defineReward({
      name: 'edit-distance',
      needs: ['reference'],
      params: options,
      judge: ({ output, reference }) => {
        const texts = textReferences(reference)
        if (texts === undefined) return noTextReference
        const given = clean(textOf(output))
        if (isTooLongToCompare(given, texts)) return tooLongToCompare
        let best = 0
        for (const text of texts) best = Math.max(best, similarity(given, clean(text)))
        return best
      },
    })
  },
  examples: [
    { sample: example('sitting', 'kitten'), value: 1 - 3 / 7 },
    { sample: example('red circle', 'red square'), options: { measure: 'ratio' }, value: 0.6 },
    { sample: example('STOP ', ['GO', 'stop']), options: { lowercase: true }, value: 1 },
    { sample: example('', 'stop'), value: 0 },
    { sample: example('', ''), value: null },
  ],
})
