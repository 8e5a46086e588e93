import { expect, test } from 'vitest'
import { defineReward, Rng, type Sample, textOf } from '../../core/index.ts'
import type { AttackItem } from '../attacks/attack.ts'
import { attacksNamed } from '../attacks/attacks.ts'
import { auditJudge } from '../attacks/audit-judge.ts'
import { masterKeyTexts } from '../attacks/master-keys.ts'
import { contrastReference } from './contrast-reference.ts'
import { truncatedNegatives, type VerifierExample } from './truncated-negatives.ts'

const numbers = Array.from({ length: 40 }, (_, i) => String(10 + 7 * i))
const items = numbers.map((reference, i): AttackItem => {
  const sample = (side: string, answer: string): Sample => ({
    id: `q${i}-${side}`,
    prompt: `What is ${reference} written in digits?`,
    output: `We read it digit by digit. So it is ${answer}.`,
    reference,
    meta: {},
  })
  return { id: `q${i}`, good: sample('good', reference), bad: sample('bad', String(11 + 7 * i)) }
})
/** Finds the answer, and is taken in by openers, published or not: what a generative judge does. */
const gullible = defineReward({
  name: 'gullible',
  judge: ({ output, reference }) => {
    const text = textOf(output)
    return Number(
      new RegExp(`\\b${reference}\\b`).test(text) ||
        (text.trim() !== '' && text.length < 60 && !/\d/.test(text)),
    )
  },
})
const families = attacksNamed(['master-keys', 'held-out-keys', 'disguised-keys'])

test('before and after: keys in and out of the published ten pass the judge, not the guarded one; recall stays', async () => {
  const guarded = contrastReference(gullible, { references: numbers })
  const [before, after] = [
    await auditJudge(gullible, items, { attacks: families, consistency: false }),
    await auditJudge(guarded, items, { attacks: families, consistency: false }),
  ]
  const rates = ({ attacks }: typeof before) => attacks.map(({ rate }) => rate!.estimate)
  expect(rates(before).every((rate) => rate > 0.5)).toBe(true)
  expect(rates(after)).toEqual([0, 0, 0])
  expect(before.natural.recall!.estimate).toBe(1)
  expect(after.natural.recall!.estimate).toBe(1)
  expect(after.natural.falsePositives!.estimate).toBe(0)
})

test('a contrast costs a judgement for what was accepted and no other, and says why it refuses', async () => {
  let calls = 0
  const counting = {
    ...gullible,
    score: (samples: readonly Sample[]) => {
      calls += samples.length
      return gullible.score(samples)
    },
  }
  const guarded = contrastReference(counting, { references: numbers })
  const scores = await guarded.score([
    items[0]!.good!,
    items[0]!.bad!,
    { ...items[0]!.good!, output: 'Solution' },
  ])
  expect(scores.map(({ value }) => value)).toEqual([1, 0, 0])
  expect(calls).toBe(3 + 2)
  expect(scores[2]!.parts).toEqual({ 'own reference': 1, 'another reference': 1 })
  expect(() => contrastReference(gullible, { references: ['1', '1'] })).toThrow(/two or more different/)
})

test('truncated negatives: first sentences, without answers, keys, single sentences and repeats', () => {
  const example = (response: string, reference = '12'): VerifierExample => ({
    prompt: 'How many?',
    reference,
    response,
    isRight: true,
  })
  const examples = [
    example('To count them, we add. It is 12.'),
    example('To count them, we add. It is 13.'),
    example('It is 12. That was easy.'),
    example('It is 120. That was easy.'),
    example('Twelve'),
    example('Solution\n\n12'),
    example("Let's solve this problem step by step. 12"),
    example(''),
  ]
  const { examples: made, dropped } = truncatedNegatives(examples, { rng: new Rng(1), share: 1 })
  expect(made.map(({ response }) => response).sort()).toEqual(['It is 120.', 'To count them, we add.'])
  expect(made.every(({ isRight }) => !isRight)).toBe(true)
  expect(dropped).toEqual({ short: 2, 'holds the answer': 1, key: 2, repeated: 1 })
  const many = truncatedNegatives(
    Array.from({ length: 80 }, (_, i) => example(`First we look at number ${i + 100}. Then 12.`)),
    { rng: new Rng(1) },
  )
  expect(many.examples).toHaveLength(10)
  for (const { response } of many.examples) expect(masterKeyTexts).not.toContain(response)
})
