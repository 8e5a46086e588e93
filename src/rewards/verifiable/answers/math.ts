import { z } from 'zod'
import { defineReward, type Reward, unscored } from '../../../core/index.ts'
import { defineRewardType } from '../../reward-type.ts'
import { scoreAnswer, usualPlaces, whereOption } from './answer.ts'
import { mathEqual } from './math-equality.ts'

const options = z.strictObject({
  where: whereOption(usualPlaces),
  relativeTolerance: z.number().min(0).max(1).default(0).describe('share of the gold number; 0 = exact'),
  absoluteTolerance: z.number().min(0).default(0).describe('in the units of the answer; 0 = exact'),
  unit: z
    .enum(['optional', 'required', 'ignored'])
    .default('optional')
    .describe('optional: may be missing on one side, two must agree; required; ignored'),
  fraction: z
    .enum(['value', 'written'])
    .default('value')
    .describe('value: 2/4 equals 1/2; written: fractions of integers only as written'),
  anyOrder: z.boolean().default(true).describe('a list without brackets may come in any order'),
})

/**
 * Mathematical equality of final answers: see `mathEqual`. The reference is the gold answer, or a list of accepted
 * ones. Unscored (`too-large`) where it cannot be told.
 */
function mathReward(settings: z.input<typeof options> = {}): Reward {
  const { where, ...chosen } = options.parse(settings)
  return defineReward({
    name: 'math',
    needs: ['reference'],
    params: { where, ...chosen },
    judge: (one) =>
      scoreAnswer(one, where, (given, gold) => {
        const verdict = mathEqual(given, gold, chosen)
        return verdict.equal === null ? unscored('too-large', verdict.reason) : verdict.equal ? 1 : 0
      }),
  })
}

const sample = (output: string, reference: string) => ({
  id: 'math',
  prompt: 'Solve.',
  output,
  reference,
  meta: {},
})

export const math = defineRewardType({
  name: 'math',
  summary:
    'Mathematical equality with the reference: LaTeX or plain, exact fractions, expressions, tuples, sets, intervals, units.',
  options,
  create: mathReward,
  examples: [
    { sample: sample('Half of it: \\boxed{\\frac{1}{2}}', '0.5'), value: 1 },
    { sample: sample('<answer>2\\sqrt{2}</answer>', '\\sqrt{8}'), value: 1 },
    { sample: sample('3, or 5, or 7: all of 3 5 7', '7'), value: 0 },
    { sample: sample('\\boxed{(2, 1)}', '(1, 2)'), value: 0 },
    { sample: sample('\\boxed{9^{9^{9^{9}}}}', '5'), value: null },
    { sample: sample('The answer is 3.14.', '\\pi'), options: { relativeTolerance: 0.001 }, value: 1 },
  ],
})
