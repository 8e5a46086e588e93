import { expect, test } from 'vitest'
import { type Comparator, type Sample, unscored } from '../../core/index.ts'
import { anchorReward } from './anchors.ts'

/** Prefers the larger number; near ones are near a half. */
function numbers(asked: string[] = []): Comparator {
  return {
    name: 'numbers',
    version: '1',
    params: {},
    compare: async (pairs) =>
      pairs.map(({ a, b }) => {
        asked.push(`${a.output}:${b.output}`)
        if (a.output === 'x' || b.output === 'x') return unscored('unparsable', 'no number')
        return { value: 1 / (1 + Math.exp(Number(b.output) - Number(a.output))) }
      }),
  }
}
const group = (outputs: readonly string[]): Sample[] =>
  outputs.map((output) => ({ id: `o${output}`, prompt: 'p', output, group: 'g', meta: {} }))

test('every output against a few anchors: few comparisons, the right order, whatever the order of the group', async () => {
  const outputs = ['1', '5', '3', '8', '2', '7', '4', '6']
  const asked: string[] = []
  const scores = await anchorReward(numbers(asked), { anchors: 3 }).score(group(outputs))
  expect(asked).toHaveLength(5 * 3 + 3) // each of five against three, and the three among themselves
  const values = new Map(outputs.map((output, index) => [output, scores[index]!.value!]))
  const others = outputs.filter((output) => asked.every((pair) => !pair.endsWith(`:${output}`)))
  const ranked = others.toSorted((a, b) => values.get(a)! - values.get(b)!)
  expect(ranked).toEqual(others.toSorted())
  const turned = await anchorReward(numbers(), { anchors: 3 }).score(group(outputs.toReversed()))
  expect(turned.map(({ value }) => value).toReversed()).toEqual(scores.map(({ value }) => value))
})

test('the score is the mean probability of beating an anchor; an anchor is not compared with itself', async () => {
  const [two, one] = await anchorReward(numbers(), { anchors: 2 }).score(group(['2', '1']))
  const p = 1 / (1 + Math.exp(-1))
  expect(two!.value).toBeCloseTo(p, 12)
  expect(one!.value).toBeCloseTo(1 - p, 12)
  expect(two!.parts).toEqual({ anchors: 1 })
})

test('what cannot be compared is unscored, the others are scored by what is left; one alone is not applicable', async () => {
  const scores = await anchorReward(numbers(), { anchors: 3 }).score(group(['1', 'x', '2']))
  expect(scores[1]).toMatchObject({ value: null, code: 'unparsable' })
  expect([scores[0]!.parts, scores[2]!.parts]).toEqual([{ anchors: 1 }, { anchors: 1 }])
  const [alone] = await anchorReward(numbers()).score(group(['1']))
  expect(alone).toMatchObject({ value: null, code: 'not-applicable' })
  expect(() => anchorReward(numbers(), { anchors: 0 })).toThrow(/at least one/)
})
