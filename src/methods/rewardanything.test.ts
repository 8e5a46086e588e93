import { expect, test } from 'vitest'
import { scriptedModel, textOfConversation } from '../../tests/judges.ts'
import { testVectors } from '../../tests/vectors.ts'
import { discountedGain } from '../audit/benchmarks/rank-agreement.ts'
import type { Sample } from '../core/index.ts'
import { kendall } from '../stats/kendall.ts'
import { listFormat, rankingConsistency, rewardAnything, weightedPairOrder } from './rewardanything.ts'

testVectors('rewardanything', {
  pair_order: ({ scores, gold }) => weightedPairOrder(scores, gold),
  format: (reply) => listFormat(reply, ['model-1', 'model-2']),
  kendall: ({ a, b }) => kendall(a, b).tauB,
  ndcg: ({ scores, gold }) => ({
    linear: discountedGain(scores, gold, 'linear'),
    exponential: discountedGain(scores, gold, 'exponential'),
  }),
})

test('a ranking agrees with its scores', () => {
  const scores = { a: 5, b: 3, c: 3 }
  expect(rankingConsistency(['a', 'b', 'c'], scores)).toBe(1)
  expect(rankingConsistency(['b', 'a', 'c'], scores)).toBe(0.5)
  expect(rankingConsistency(['a', 'b'], scores)).toBe(0)
  expect(rankingConsistency(['a', 'b', 'd'], scores)).toBe(0)
  expect(rankingConsistency(['a'], { a: 1 })).toBe(1)
})

const group = ['one', 'three words here', 'two words'].map(
  (output): Sample => ({
    id: output,
    group: 'g',
    prompt: 'Why?',
    output,
    meta: { principle: 'Prefer long.' },
  }),
)

/** Scores by the number of words, the longest 5; for a principle that says short, the other way round. */
function byLength(text: string): string {
  const items = [...text.matchAll(/<<<(model-\d) [0-9a-f]+>>>\n([\w ]+)\n/g)].map(([, name, output]) => ({
    name: name!,
    words: output!.split(' ').length,
  }))
  const wantsShort = text.includes('Prefer short')
  const score = ({ words }: { words: number }) => (wantsShort ? 7 - 2 * words : 2 * words - 1)
  return JSON.stringify({
    scores: Object.fromEntries(items.map((item) => [item.name, score(item)])),
    'best-to-worst': items.toSorted((a, b) => score(b) - score(a)).map(({ name }) => name),
  })
}

test('the principle decides: turned round, the order turns round', async () => {
  const { model, seen } = scriptedModel((messages) => byLength(textOfConversation(messages)))
  const long = await rewardAnything({}, model).score(group)
  expect(long.map(({ value }) => value)).toEqual([1, 5, 3])
  const short = await rewardAnything({ principle: 'Prefer short.' }, model).score(group)
  expect(short.map(({ value }) => value)).toEqual([5, 1, 3])
  expect(seen).toHaveLength(6)
})

test('a judge of places is averaged out by the permutations; released, it decides', async () => {
  const { model } = scriptedModel(() => '{"scores": {"model-1": 5, "model-2": 3, "model-3": 1}}')
  const guarded = await rewardAnything({}, model).score(group)
  expect(guarded.map(({ value }) => value)).toEqual([3, 3, 3])
  const released = await rewardAnything({ variant: 'released' }, model).score(group)
  expect(new Set(released.map(({ value }) => value)).size).toBe(3)
})

test('without a principle there is nothing to judge by', async () => {
  const { model } = scriptedModel(() => '{}')
  const scores = await rewardAnything({}, model).score(group.map((sample) => ({ ...sample, meta: {} })))
  for (const score of scores) expect(score).toMatchObject({ value: null, code: 'bad-input' })
})
