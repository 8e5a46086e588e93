import { expect, test } from 'vitest'
import { tabularOutcome, tabularPrompts } from './tabular.ts'

test('transformed rewards help the worst prompts at every KL, and the joint share from about 2 nats', () => {
  const prompts = tabularPrompts('test', 60)
  const at = (kl: number) =>
    (['raw', 'log-sigmoid-centred'] as const).map((transform) => tabularOutcome(prompts, kl, transform))
  for (const kl of [0.25, 1, 2]) {
    const [raw, transformed] = at(kl)
    expect(transformed!.worst).toBeGreaterThan(raw!.worst)
  }
  const [raw, transformed] = at(3)
  expect(transformed!.joint).toBeGreaterThan(raw!.joint)
})

test('no KL is no change: the base policy', () => {
  const prompts = tabularPrompts('test', 20)
  const [raw, transformed] = (['raw', 'log-sigmoid-centred'] as const).map((transform) =>
    tabularOutcome(prompts, 1e-6, transform),
  )
  expect(raw!.joint).toBeCloseTo(transformed!.joint, 2)
})
