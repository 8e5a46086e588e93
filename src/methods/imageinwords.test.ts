import { expect, test } from 'vitest'
import { scriptedModel, textOfConversation } from '../../tests/judges.ts'
import { testVectors } from '../../tests/vectors.ts'
import type { Comparison, Sample } from '../core/index.ts'
import { mean } from '../stats/moments.ts'
import { netPreference } from '../stats/net-preference.ts'
import { fivePointVerdicts, type ImageInWordsMetric, imageInWordsJudge } from './imageinwords.ts'

const sample = (output: string): Sample => ({ id: output, prompt: 'an image', output, meta: {} })
const pair = (a: string, b: string) => ({ id: `${a} ${b}`, a: sample(a), b: sample(b) })
const levels = [1, 0.75, 0.5, 0.25, 0]

testVectors('imageinwords', {
  'iiw.net': (counts: number[]) => {
    const comparisons = counts.flatMap((count, level) =>
      Array.from(
        { length: count },
        (): Comparison => ({ value: levels[level]!, parts: { specificity: levels[level]! } }),
      ),
    )
    return netPreference(fivePointVerdicts(comparisons, 'specificity'))
  },
  'iiw.mean': (nets: number[]) => mean(nets),
})

/** Prefers the longer description, by how much longer it is. */
const byLength = () =>
  scriptedModel((messages) => {
    const text = textOfConversation(messages)
    const length = (name: string) =>
      new RegExp(`<<<description ${name} \\w+>>>\\n([\\s\\S]*?)\\n<<<end`).exec(text)![1]!.length
    const lead = length('A') - length('B')
    const strength = Math.abs(lead) > 5 ? 'substantially' : 'marginally'
    return `So.<answer>${lead === 0 ? 'neutral' : `${lead > 0 ? 'A' : 'B'} is ${strength} better`}</answer>`
  })

test('sides are mapped back; strengths are kept', async () => {
  const { model, seen } = byLength()
  const comparisons = await imageInWordsJudge({ metrics: ['comprehensiveness'] }, model).compare([
    pair('a red circle at the top', 'a circle'),
    pair('a circle', 'a circle!'),
    pair('one', 'two'),
  ])
  expect(comparisons.map(({ value }) => value)).toEqual([1, 0.25, 0.5])
  expect(seen).toHaveLength(6)
})

test('five metrics, each a part, asked by its own question; fewer hallucinations are better', async () => {
  const { model, seen } = scriptedModel((messages) => {
    const isHallucination = textOfConversation(messages).includes('FEWER')
    return `<answer>${isHallucination ? 'neutral' : 'A is marginally better'}</answer>`
  })
  const [comparison] = await imageInWordsJudge({ variant: 'paper' }, model).compare([pair('one', 'two')])
  expect(seen).toHaveLength(5)
  const parts = comparison!.parts!
  expect(parts.hallucination).toBe(0.5)
  // One drawn order for all metrics of a pair.
  expect([0.25, 0.75]).toContain(parts.specificity)
  expect(comparison!.value).toBeCloseTo((4 * parts.specificity! + 0.5) / 5)
})

test('what is not one of the five levels is unscored and counts nowhere', async () => {
  const { model } = scriptedModel(() => '<answer>A is better</answer>')
  const comparisons = await imageInWordsJudge({}, model).compare([pair('one', 'two')])
  expect(comparisons).toMatchObject([{ value: null, code: 'unparsable' }])
  const metric: ImageInWordsMetric = 'specificity'
  expect(netPreference(fivePointVerdicts(comparisons, metric))).toBeNull()
})
