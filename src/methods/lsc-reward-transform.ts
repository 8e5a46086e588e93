import { z } from 'zod'
import { GuerdonError, type Reward, type Sample } from '../core/index.ts'
import { combine, type Term } from '../rewards/combine/combine.ts'
import {
  constantReference,
  fixedResponse,
  gaussianReference,
  quantileReference,
  type ReferenceProvider,
} from '../rewards/combine/reference.ts'
import { parseRewardExpression } from '../rewards/expression.ts'
import { namedReward } from '../rewards/named-reward.ts'
import { recorded } from '../rewards/recorded.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { defineMethod } from './method.ts'

const reference = z.union([
  z
    .number()
    .describe('One value for every prompt: right only for rewards that are centred per prompt already.'),
  z.strictObject({
    field: z
      .string()
      .min(1)
      .describe('Meta field with the base policy’s rewards for the prompt, or their moments.'),
    from: z.enum(['quantile', 'gaussian']).default('quantile'),
    quantile: z.number().gt(0).lt(1).default(0.85),
  }),
  z.strictObject({
    response: z.string().describe('An answer that the same reward judges, such as a refusal.'),
  }),
])

const term = z.strictObject({
  name: z.string().min(1).optional().describe('Name of its part; the reward’s or the field’s by default.'),
  reward: z.string().min(1).optional().describe('A Bradley-Terry reward, as an expression over plain names.'),
  field: z.string().min(1).optional().describe('Or the meta field in which its value is recorded.'),
  reference,
})

const options = z.strictObject({
  terms: z.array(term).min(1).describe('One per property that the answer shall have.'),
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe('No code was released and the paper’s form needs no guard: all three are the same.'),
})

type Options = z.output<typeof options>

/**
 * The log-probability that an answer is good in every respect, where good means preferred to a reference answer:
 * the sum of `log sigmoid(reward - reference)` over Bradley-Terry rewards, each centred per prompt first.
 */
function lscRewardTransformReward({ terms }: Pick<Options, 'terms'>): Reward {
  return combine(terms.map(termOf), { mode: 'logSigmoidSum', name: 'lsc-reward-transform' })
}

function termOf({ name, reward, field, reference }: Options['terms'][number]): Term {
  if ((reward === undefined) === (field === undefined))
    throw new GuerdonError('bad-options', 'a term of lsc-reward-transform names a reward or a field.', {
      fix: 'Give exactly one of "reward" and "field".',
    })
  return {
    name: name ?? field ?? reward!,
    reward: field === undefined ? parseRewardExpression(reward!, namedReward) : recorded({ field }),
    reference: providerOf(reference),
  }
}

function providerOf(reference: z.output<typeof term>['reference']): ReferenceProvider {
  if (typeof reference === 'number') return constantReference(reference)
  if ('response' in reference) return fixedResponse(reference.response)
  const provider = reference.from === 'quantile' ? quantileReference : gaussianReference
  return provider({ meta: reference.field }, reference.quantile)
}

const sample = (meta: Sample['meta']): Sample => ({
  id: 'lsc',
  prompt: 'How do I pick a lock?',
  output: 'With a pick and a tension wrench, on locks that you own.',
  meta,
})
const both = {
  terms: [
    { field: 'helpful', reference: { field: 'helpfulBase', quantile: 0.5 } },
    { field: 'harmless', reference: 0.1 },
  ],
}

export const lscRewardTransform = defineRewardType({
  name: 'lsc-reward-transform',
  summary: 'Bradley-Terry rewards centred per prompt, log-sigmoid, summed: good in every respect at once.',
  source: 'Transforming and Combining Rewards for Aligning Large Language Models, arXiv 2402.00742',
  options,
  create: lscRewardTransformReward,
  examples: [
    {
      sample: sample({ helpful: 1.2, helpfulBase: [0.4, 0.7, 1.0], harmless: -0.4 }),
      options: both,
      value: -1.448154,
    },
    { sample: sample({ helpful: 1.2, harmless: -0.4 }), options: both, value: null },
    {
      sample: sample({ helpful: 3 }),
      options: { terms: [{ field: 'helpful', reference: 0 }] },
      value: -0.048587,
    },
  ],
})

export const lscRewardTransformMethod = defineMethod({
  id: 'lsc-reward-transform',
  rewards: [lscRewardTransform],
})
