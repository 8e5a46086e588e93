import { expect, test } from 'vitest'
import { type TabularLoss, tabularVariation } from './tabular.ts'

const variationOf = async (loss: TabularLoss) =>
  (
    await tabularVariation({
      loss,
      moves: 4,
      start: 1,
      target: 6,
      steps: 300,
      group: 16,
      learningRate: 0.1,
      seed: 0,
    })
  ).variation

test.each(['variance-trajectory', 'sub-trajectory', 'detailed'] as const)(
  '%s plays in proportion to the reward',
  async (loss) => {
    expect(await variationOf(loss)).toBeLessThan(0.1)
  },
)

test('the formula as printed does not, nor does a policy gradient', async () => {
  expect(await variationOf('as-printed')).toBeGreaterThan(0.2)
  expect(await variationOf('policy-gradient')).toBeGreaterThan(0.8)
})
