import { expect, test } from 'vitest'
import { testVectors } from '../../../tests/vectors.ts'
import { sigmoid } from '../../stats/logistic.ts'
import { quantile } from '../../stats/quantiles.ts'
import { recombine } from './combination.ts'
import { logSigmoidCentred, tiltedPolicy } from './log-sigmoid.ts'
import { gaussianReference, quantileReference } from './reference.ts'

testVectors('lsc-reward-transform', {
  'lsc.utility': ({ gaps }: { gaps: number[] }) => ({
    utility: gaps.map((gap) => logSigmoidCentred(gap + 0.4, 0.4)),
    slope: gaps.map((gap) => sigmoid(-gap)),
  }),
  'lsc.combined': ({ terms }: { terms: { reward: number; reference: number }[] }) => {
    const parts = Object.fromEntries(
      terms.flatMap(({ reward, reference }, index) => [
        [`t${index}`, reward],
        [`t${index}@reference`, reference],
      ]),
    )
    const { value } = recombine(
      parts,
      terms.map((_, index) => ({ name: `t${index}`, centred: true })),
      { mode: 'logSigmoidSum' },
    )
    return { utility: value, probability: Math.exp(value!) }
  },
  'lsc.policy': ({ base, rewards, reference, gamma }) => ({
    raw: tiltedPolicy(base, rewards, gamma),
    transformed: tiltedPolicy(
      base,
      rewards.map((reward: number) => logSigmoidCentred(reward, reference)),
      gamma,
    ),
  }),
  'lsc.reference': async ({ rewards, q }) => {
    const sample = { id: 's', prompt: '', output: '', meta: { base: rewards } }
    const value = async (provider: ReturnType<typeof quantileReference>) =>
      (await provider.references(undefined as never, [sample], {}))[0]!.value
    expect(quantile(rewards, q)).toBe(await value(quantileReference({ meta: 'base' }, q)))
    return {
      quantile: await value(quantileReference({ meta: 'base' }, q)),
      gaussian: await value(gaussianReference({ meta: 'base' }, q)),
    }
  },
})

test('the slope of the utility is sigmoid(reference - reward), and nothing underflows', () => {
  for (const reward of [-3, 0.2, 5]) {
    const h = 1e-6
    const slope = (logSigmoidCentred(reward + h, 1) - logSigmoidCentred(reward - h, 1)) / (2 * h)
    expect(slope).toBeCloseTo(sigmoid(1 - reward), 6)
  }
  expect(logSigmoidCentred(-1000, 0)).toBe(-1000)
  expect(tiltedPolicy([0.5, 0.5], [1000, 0], 1)).toEqual([1, 0])
})
