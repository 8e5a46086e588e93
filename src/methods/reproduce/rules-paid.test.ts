import { expect, test } from 'vitest'
import { defineReward, unscored } from '../../core/index.ts'
import { seedResults } from './results.ts'
import { type RuleAttack, rulesCriterion, rulesPaid } from './rules-paid.ts'

/** Released, it pays whatever is said; guarded, what it is told, or it refuses to judge. */
const attack = (name: string, paid: number | null, known: Partial<RuleAttack> = {}): RuleAttack => ({
  name,
  output: '',
  reference: 'x',
  reward: (variant) =>
    defineReward({
      name,
      judge: () => {
        const value = variant === 'released' ? 1 : paid
        return value === null ? unscored('bad-input', 'no') : { value, parts: { accuracy: value } }
      },
    }),
  ...known,
})

async function criterionOf(...attacks: readonly RuleAttack[]) {
  const result = await rulesPaid(attacks)
  return rulesCriterion(seedResults([{ ...result, arm: 'rules', seed: 0, seconds: 0 }]), 'rules', attacks)
}

test('the released rule must pay and the guarded one must not; what it cannot judge is not paid', async () => {
  const held = await criterionOf(attack('a', 0), attack('b', null), attack('d', 0.5, { guarded: 0.5 }))
  expect(held).toMatchObject({ holds: true, measured: '3 and 3 of 3' })
  expect(await criterionOf(attack('a', 0), attack('c', 1))).toMatchObject({
    holds: false,
    measured: '2 and 1 of 2',
  })
})

test('a released rule that does not pay as is known of it fails', async () => {
  expect((await criterionOf(attack('a', 0, { released: 0.5 }))).holds).toBe(false)
})

test('each attack is shown with what it earned', async () => {
  const { examples } = await rulesPaid([attack('a', 0)])
  expect(examples).toEqual([{ prompt: 'a', output: '', note: 'released 1, guarded 0' }])
})
