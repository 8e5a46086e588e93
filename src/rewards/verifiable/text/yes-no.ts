import { z } from 'zod'
import { defineReward, type Json, textOf, unscored } from '../../../core/index.ts'
import { defineRewardType } from '../../reward-type.ts'
import { extractYesNo } from '../extract/extract.ts'

export type Verdict = 'yes' | 'no'

/**
 * How a benchmark reads a free answer to a yes/no question:
 * - `leading`: its first word must be the verdict; anything else is no answer.
 * - `pope`: as POPE's script: "no" where a word of the first sentence is No, no or not, otherwise "yes" (so "Nope",
 *   "NO" and "cannot" are yes).
 * - `pope-lenient`: as ports of it: any line, NO in any case, words that end in "n't" and "cannot" count as no.
 * - `mme`: as MME's script: the whole answer, or else whether its first four characters hold "yes", or else "no"
 *   ("Not sure" is no).
 * - `exact`: the answer is Yes or No, to the letter, as AMBER's script has it.
 */
export type VerdictParser = 'leading' | 'pope' | 'pope-lenient' | 'mme' | 'exact'

/** The verdict of an answer as `parser` reads it; undefined where it reads none (never for POPE's). */
export function parseVerdict(answer: string, parser: VerdictParser): Verdict | undefined {
  switch (parser) {
    case 'leading':
      return extractYesNo(answer).value
    case 'pope': {
      const [first = ''] = answer.split('.')
      const tokens = first.replaceAll(',', '').split(' ')
      return tokens.some((token) => token === 'No' || token === 'no' || token === 'not') ? 'no' : 'yes'
    }
    case 'pope-lenient':
      return answer
        .split('\n')
        .some((line) => /(?:^|[^\p{L}])(?:no|not|cannot|\p{L}+n['’]t)(?![\p{L}])/iu.test(line.split('.')[0]!))
        ? 'no'
        : 'yes'
    case 'mme': {
      const lower = answer.toLowerCase()
      const start = lower === 'yes' || lower === 'no' ? lower : lower.slice(0, 4)
      return start.includes('yes') ? 'yes' : start.includes('no') ? 'no' : undefined
    }
    case 'exact':
      return answer === 'Yes' ? 'yes' : answer === 'No' ? 'no' : undefined
  }
}

const example = (output: string, reference: Json) => ({
  id: 'yes-no',
  prompt: 'Is there a dog in the image?',
  output,
  reference,
  meta: {},
})

export const yesNo = defineRewardType({
  name: 'yes-no',
  summary: 'Whether the answer to a yes/no question is right, read as a named benchmark reads it.',
  source: 'POPE, arXiv 2305.10355; MME, arXiv 2306.13394; AMBER, arXiv 2311.07397',
  options: z.strictObject({
    parser: z.enum(['leading', 'pope', 'pope-lenient', 'mme', 'exact']).default('leading'),
  }),
  create: ({ parser }) =>
    defineReward({
      name: 'yes-no',
      needs: ['reference'],
      params: { parser },
      judge: ({ output, reference }) => {
        const truth = labelOf(reference!)
        if (truth === undefined)
          return unscored('bad-input', 'the reference is neither yes or no nor true or false')
        const verdict = parseVerdict(textOf(output), parser)
        if (verdict === undefined) return { value: 0, rationale: 'the answer says neither yes nor no' }
        return verdict === truth ? 1 : 0
      },
    }),
  examples: [
    { sample: example('Yes, there is a dog.', 'yes'), value: 1 },
    { sample: example('No.', 'yes'), value: 0 },
    { sample: example('I know it is there.', 'yes'), value: 0 },
    { sample: example('The image does not show a dog.', 'no'), options: { parser: 'pope' }, value: 1 },
    { sample: example('Nope', 'no'), options: { parser: 'pope' }, value: 0 },
    { sample: example('No, it is not.', false), options: { parser: 'mme' }, value: 1 },
    { sample: example('yes', 'perhaps'), value: null },
  ],
})

function labelOf(reference: Json): Verdict | undefined {
  if (typeof reference === 'boolean') return reference ? 'yes' : 'no'
  const text = typeof reference === 'string' ? reference.trim().toLowerCase() : ''
  return text === 'yes' || text === 'no' ? text : undefined
}
