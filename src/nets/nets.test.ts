import { describe, expect, test } from 'vitest'
import { expectGradients } from '../../tests/gradients.ts'
import { networkCases } from '../../tests/network-cases.ts'
import { train } from '../tensor/train.ts'

for (const [name, { loss, parameters, batch, overfits }] of Object.entries(networkCases))
  describe(name, () => {
    test('values and gradients agree between backends and with finite differences', () =>
      expectGradients(loss, parameters, batch))
    if (overfits === undefined) return
    test('one batch is learnt by heart', async () => {
      const { last } = await train({
        loss,
        parameters,
        batches: () => batch,
        steps: 250,
        schedule: (step) => 0.01 * Math.min(1, (250 - step) / 100),
        threads: 1,
      })
      expect(last!.loss).toBeLessThan(overfits)
    })
  })
