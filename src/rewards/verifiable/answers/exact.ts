import { z } from 'zod'
import { defineReward, type Reward } from '../../../core/index.ts'
import { defineRewardType } from '../../reward-type.ts'
import { scoreAnswer, whereOption } from './answer.ts'

/** How much of a text counts when texts are compared. */
export type TextNormalisation = 'none' | 'spaces' | 'case' | 'words'

/**
 * Text as it is compared: `none` = as it is; `spaces` = runs of white space as one blank; `case` = also lower-cased;
 * `words` = also without accents, punctuation and English articles, as question answering compares answers.
 */
export function normalisedText(text: string, normalisation: TextNormalisation): string {
  if (normalisation === 'none') return text
  const spaced = (/\s\s|[^\S ]/.test(text) ? text.replace(/\s+/g, ' ') : text).trim()
  if (normalisation === 'spaces') return spaced
  const lower = spaced.toLowerCase()
  if (normalisation === 'case') return lower
  return lower
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/['’]/g, '')
    .replace(/[^\p{L}\p{Nd}]+/gu, ' ')
    .replace(/\b(?:a|an|the) /g, '')
    .trim()
}

export const normalisation = z.enum(['none', 'spaces', 'case', 'words'])

const options = z.strictObject({
  where: whereOption('whole'),
  normalise: normalisation
    .default('spaces')
    .describe(
      'none; spaces: runs of white space as one; case: also lower-cased; words: also without accents, punctuation, articles',
    ),
})

/** The answer is the reference, or one of a list of accepted ones, as normalised text. */
function exactReward(settings: z.input<typeof options> = {}): Reward {
  const chosen = options.parse(settings)
  return defineReward({
    name: 'exact',
    needs: ['reference'],
    params: chosen,
    judge: (one) =>
      scoreAnswer(one, chosen.where, (given, gold) => {
        if (given === gold) return 1
        const text = normalisedText(given, chosen.normalise)
        return text !== '' && text === normalisedText(gold.trim(), chosen.normalise) ? 1 : 0
      }),
  })
}

const sample = (output: string, reference: string | string[]) => ({
  id: 'exact',
  prompt: 'Who?',
  output,
  reference,
  meta: {},
})

export const exact = defineRewardType({
  name: 'exact',
  summary: 'The answer is the reference, or one of several, as text.',
  options,
  create: exactReward,
  examples: [
    { sample: sample('Marie  Curie\n', 'Marie Curie'), value: 1 },
    { sample: sample('marie curie', 'Marie Curie'), value: 0 },
    {
      sample: sample('<answer>The Beatles!</answer>', ['Beatles', 'Fab Four']),
      options: { where: 'tag:answer', normalise: 'words' },
      value: 1,
    },
    { sample: sample('', 'x'), value: 0 },
    { sample: sample('x', ''), value: null },
  ],
})
