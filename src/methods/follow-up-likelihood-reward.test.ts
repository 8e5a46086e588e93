import { expect, test } from 'vitest'
import { testVectors } from '../../tests/vectors.ts'
import { argMaxMin } from '../apply/pairs.ts'
import type { Sample } from '../core/index.ts'
import { failed } from '../models/outcome.ts'
import { type GivenAnswer, type LogProbabilityModel, logSoftmax } from '../models/token-model.ts'
import { mean } from '../stats/moments.ts'
import { followUps } from './follow-up-likelihood-reward/follow-ups.ts'
import { followUpLikelihood, withoutBegging } from './follow-up-likelihood-reward.ts'

/** A model whose log-probabilities of a text are looked up, or made by a function. */
function lookup(
  logp: (pair: GivenAnswer) => readonly number[] | null,
): LogProbabilityModel & { seen: GivenAnswer[] } {
  const seen: GivenAnswer[] = []
  return {
    id: 'lookup',
    seen,
    logProbabilities: async (pairs) =>
      pairs.map((pair) => {
        seen.push(pair)
        const found = logp(pair)
        return found === null ? failed('outage', 'down') : { logp: Float32Array.from(found) }
      }),
  }
}
const sample = (output: string, prompt: Sample['prompt'] = 'why?'): Sample => ({
  id: output,
  prompt,
  output,
  meta: {},
})
const facet = { one: { positive: ['Thanks.'], negative: ['No.'] } }

testVectors('follow-up-likelihood-reward', {
  'flr.score': async ({ facets }: { facets: Record<'positive' | 'negative', number[][]>[] }) => {
    const table = new Map<string, number[]>()
    const named = facets.map(({ positive, negative }, at) => {
      const texts = (sign: string, lists: number[][]) =>
        lists.map((logp, index) => {
          const text = `${at} ${sign} ${index}`
          table.set(text, logp)
          return text
        })
      return [`${at}`, { positive: texts('+', positive), negative: texts('-', negative) }] as const
    })
    const model = lookup(({ answer }) => table.get(answer as string)!)
    const of = async (signs: 'difference' | 'positive') =>
      (
        await followUpLikelihood({ facets: Object.fromEntries(named), signs }, model).score([
          sample('an answer'),
        ])
      )[0]!.value
    return { difference: await of('difference'), positive: await of('positive') }
  },
  // Each token is predicted by the logits one place before it.
  'flr.shift': ({ logits, sequence, last }: { logits: number[][]; sequence: number[]; last: number }) =>
    mean(
      sequence
        .map((token, at) => (at === 0 ? 0 : logSoftmax(Float32Array.from(logits[at - 1]!))[token]!))
        .slice(-last),
    ),
  'flr.mining': argMaxMin,
})

test('the follow-ups are balanced in number and similar in length', () => {
  const words = (list: readonly string[]) => mean(list.map((text) => text.split(' ').length))!
  const all = Object.values(followUps)
  expect(all).toHaveLength(6)
  for (const { positive, negative } of all) {
    expect([positive.length, negative.length]).toEqual([10, 10])
    expect(new Set([...positive, ...negative]).size).toBe(20)
    expect(Math.abs(words(positive) - words(negative))).toBeLessThan(1)
  }
})

test('without turns the roles are swapped: the model plays the user and says the follow-up', async () => {
  const model = lookup(() => [-1])
  await followUpLikelihood({ facets: facet }, model).score([
    sample('because', [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'hello' },
      { role: 'assistant', content: 'hi' },
      { role: 'user', content: 'why?' },
    ]),
  ])
  expect(model.seen[0]!.prompt.map(({ role }) => role)).toEqual([
    'user',
    'assistant',
    'user',
    'assistant',
    'user',
  ])
  expect(model.seen[0]!.prompt.at(-1)!.text).toBe('because')
  expect(model.seen.map(({ answer }) => answer)).toEqual(['Thanks.', 'No.'])
})

test('with turns only the follow-up’s own tokens count, not the answer’s nor the marks', async () => {
  const tokenizer = { encode: (text: string) => [...text].map((letter) => letter.charCodeAt(0)) } as never
  const model = lookup(({ answer }) => (answer as number[]).map((token) => (token < 5 ? -100 : -token / 100)))
  const reward = followUpLikelihood({ facets: { one: { positive: ['a'], negative: ['b'] } } }, model, {
    tokenizer,
    end: 1,
    user: [2, 3],
  })
  const [score] = await reward.score([sample('x')])
  expect(model.seen[0]!.answer).toEqual([120, 1, 2, 3, 97])
  expect(score!.value).toBeCloseTo(0.01, 5)
})

test('the mean over tokens, so that short follow-ups do not win by being short', async () => {
  const model = lookup(({ answer }) => Array.from({ length: (answer as string).length }, () => -1))
  const [score] = await followUpLikelihood({ facets: facet }, model).score([sample('an answer')])
  expect(score!.value).toBeCloseTo(0)
})

test('a question that begs for praise is cut only when guarded, and only at the end', async () => {
  expect(withoutBegging('It is 7. Was that helpful?')).toBe('It is 7.')
  expect(withoutBegging('Is that good? It is 7.')).toBe('Is that good? It is 7.')
  expect(withoutBegging('Which one do you mean?')).toBe('Which one do you mean?')
  const begs = lookup(({ prompt }) => [prompt.at(-1)!.text.includes('perfect?') ? 0 : -1])
  const of = async (variant: 'paper' | 'guarded') =>
    (
      await followUpLikelihood({ facets: facet, variant, signs: 'positive' }, begs).score([
        sample('7. Was it perfect?'),
      ])
    )[0]!.value
  expect(await of('paper')).toBe(0)
  expect(await of('guarded')).toBe(-1)
})

test('one failed follow-up leaves its answer unscored and no other', async () => {
  const model = lookup(({ prompt, answer }) =>
    prompt.at(-1)!.text === 'a' && answer === 'No.' ? null : [-1],
  )
  const scores = await followUpLikelihood({ facets: facet }, model).score([
    sample('a'),
    sample('b'),
    sample(''),
  ])
  expect(scores).toMatchObject([{ code: 'outage' }, { value: 0 }, { code: 'not-applicable' }])
})

test('the uncertainty is the jackknife over follow-ups', async () => {
  const model = lookup(({ answer }) => [answer === 'y' ? -3 : -1])
  const facets = { one: { positive: ['x', 'y'], negative: ['z'] } }
  const [score] = await followUpLikelihood({ facets }, model).score([sample('a')])
  // leaving x out: -3 + 1 = -2, leaving y out: 0; jackknife: sqrt(1/2 * (1 + 1)) = 1
  expect(score).toMatchObject({ value: expect.closeTo(-1), uncertainty: expect.closeTo(1) })
})
