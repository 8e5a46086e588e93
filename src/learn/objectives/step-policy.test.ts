import type { Array as JaxArray } from '@jax-js/jax'
import { expect, test } from 'vitest'
import { testVectors } from '../../../tests/vectors.ts'
import { evaluated, evaluatedGradient } from '../../tensor/evaluated.ts'
import { whitened } from './averages.ts'
import { generalisedAdvantages } from './generalised-advantages.ts'
import { ppoValueLoss } from './ppo.ts'
import { type StepPolicyOptions, stepPolicyLoss } from './step-policy.ts'

testVectors('vl-dac', {
  step_gae: ({ options, ...input }) => evaluated((x: any) => generalisedAdvantages(x, options), input),
  vldac_loss: ({ values, valuesOld, returns, ...tokens }) => {
    const raw = returns.map((value: number, step: number) => value - valuesOld[step])
    const advantages = evaluated((x: any) => whitened(x.raw, x.mask), { raw, mask: raw.map(() => 1) })
    const { loss, metrics } = evaluated((x: any) => stepPolicyLoss(x), { ...tokens, advantages }) as any
    const row = (numbers: readonly number[]) => [numbers]
    const value =
      2 *
      (evaluated((x: any) => ppoValueLoss(x, { clip: 0.1 }), {
        values: row(values),
        valuesOld: row(valuesOld),
        returns: row(returns),
        mask: row(returns.map(() => 1)),
      }) as unknown as number)
    return { advantages, ...metrics, value, total: loss + 0.5 * value }
  },
})

const step = {
  logp: [
    [-0.2, -0.9, -0.4],
    [-1.2, 0, 0],
  ],
  logpOld: [
    [-0.3, -0.8, -0.5],
    [-1, 0, 0],
  ],
  mask: [
    [1, 1, 1],
    [1, 0, 0],
  ],
  advantages: [1, -1],
}

test('a long thought weighs no more than a short one', () => {
  const gradient = gradientOf(step.logp, [1, 1], { clip: 10 })
  const weight = (row: readonly number[], index: number) =>
    row.reduce(
      (sum, value, token) => sum + value / Math.exp(step.logp[index]![token]! - step.logpOld[index]![token]!),
      0,
    )
  expect(weight(gradient[0]!, 0)).toBeCloseTo(-0.5, 6)
  expect(weight(gradient[1]!.slice(0, 1), 1)).toBeCloseTo(-0.5, 6)
})

test('the ratio of a step is that of its action plus the weighted one of its thought', () => {
  const lossOf = (thoughtWeight: number) =>
    (
      evaluated((x: any) => stepPolicyLoss(x, { ratio: { thoughtWeight }, clip: 10 }), {
        ...step,
        thoughts: [
          [1, 1, 0],
          [0, 0, 0],
        ],
      }) as any
    ).loss
  // log-ratios: thought 0.1 - 0.1, action 0.1; second step -0.2
  expect(lossOf(0)).toBeCloseTo((-Math.exp(0.1) + Math.exp(-0.2)) / 2, 6)
  expect(lossOf(1)).toBeCloseTo((-Math.exp(0.1) + Math.exp(-0.2)) / 2, 6)
  const moved = {
    ...step,
    logp: [[-0.1, -0.9, -0.4], step.logp[1]!],
    thoughts: [
      [1, 1, 0],
      [0, 0, 0],
    ],
  }
  const half = evaluated(
    (x: any) => stepPolicyLoss(x, { ratio: { thoughtWeight: 0.5 }, clip: 10 }),
    moved,
  ) as any
  expect(half.loss).toBeCloseTo((-Math.exp(0.15) + Math.exp(-0.2)) / 2, 6)
})

test('a step beyond the limit of ratios learns nothing', () => {
  const far = { ...step, logp: [[3, -0.9, -0.4], step.logp[1]!] }
  const gradient = (ratioLimit: number) => gradientOf(far.logp, [-1, -1], { ratioLimit })
  expect(Math.abs(gradient(1e9)[0]![0]!)).toBeGreaterThan(1)
  expect(gradient(10)[0]![0]).toBe(0)
})

function gradientOf(
  logp: readonly (readonly number[])[],
  advantages: readonly number[],
  options: StepPolicyOptions,
): readonly (readonly number[])[] {
  const inputs = { ...step, logp, advantages }
  return evaluatedGradient((x: any) => droppedMetrics(stepPolicyLoss(x, options)), inputs).gradient.logp
}

function droppedMetrics({ loss, metrics }: ReturnType<typeof stepPolicyLoss>): JaxArray {
  for (const metric of Object.values(metrics)) metric.dispose()
  return loss
}
