import { describe, expect, test } from 'vitest'
import { scriptedChoices, textOfConversation } from '../../tests/judges.ts'
import { picture } from '../../tests/stub-embedder.ts'
import { testVectors } from '../../tests/vectors.ts'
import type { Sample } from '../core/index.ts'
import type { ChatMessage } from '../models/chat-model.ts'
import type { Raster } from '../models/index.ts'
import { groupAdvantages } from '../stats/group-advantage.ts'
import { sigmoid } from '../stats/logistic.ts'
import { contradicts, listenerRewardedThinking, withoutVerdict } from './listener-rewarded-thinking.ts'

const rollout = (output: string, reference = 'A'): Sample => ({
  id: output,
  prompt: [picture(1), picture(2), { type: 'text', text: 'a red circle' }],
  output,
  reference,
  meta: {},
})
const thought = (trace: string, answer: string) => `<think>${trace}</think><answer>${answer}</answer>`
const listening = async (isA: (messages: readonly ChatMessage[]) => number | null, sample: Sample) => {
  const { model, seen } = scriptedChoices(isA)
  const [score] = await listenerRewardedThinking({}, model).score([sample])
  return { score: score!, seen }
}

testVectors('listener-rewarded-thinking', {
  'listener.reward': async ({ format, right, logits: [a, b], gold }) => {
    const answer = right ? gold : gold === 'A' ? 'B' : 'A'
    const output = thought('The circle is red.', answer)
    const { score } = await listening(
      () => sigmoid(a - b),
      rollout(format ? output : `Well. ${output}`, gold),
    )
    return { listener: score.parts!.listener, reward: score.value }
  },
  'listener.advantages': ({ rewards, epsilon }) => ({
    population: groupAdvantages(rewards, { epsilon, ddof: 0 }),
    sample: groupAdvantages(rewards, { epsilon, ddof: 1 }),
  }),
})

describe('the verdict is hidden', () => {
  test('the listener sees thoughts and images, never the answer', async () => {
    const trace = 'Image A shows a red circle. Image B shows a square. So image A wins.'
    const { seen, score } = await listening(() => 0.9, rollout(thought(trace, 'A')))
    for (const messages of seen) {
      const text = textOfConversation(messages)
      expect(text).toContain('Image B shows a square.')
      expect(text).not.toContain('wins')
      expect(text).not.toContain('<answer>')
    }
    expect(score.parts!.contradiction).toBe(0)
  })
  test('verdicts at the end as published, everywhere when guarded', () => {
    const trace = 'A is better at first sight. The circle of A is red.\nI choose option A!\nFinal answer: A'
    expect(withoutVerdict(trace, 'paper')).toBe('A is better at first sight. The circle of A is red.')
    expect(withoutVerdict(trace)).toBe('The circle of A is red.')
    expect(withoutVerdict('red <answer>A</answer> circle \\boxed{A}')).toBe('red   circle')
    expect(withoutVerdict('Both are good. A better light would help.')).toContain('Both are good.')
  })
  test('thoughts that are only a verdict convince nobody', async () => {
    const { score, seen } = await listening(() => 1, rollout(thought('So image A wins.', 'A')))
    expect(score).toMatchObject({ value: 1.5, parts: { listener: 0, contradiction: null } })
    expect(seen).toHaveLength(0)
  })
})

test('the gold answer’s probability is paid, not agreement with the own one', async () => {
  const { score } = await listening(() => 0.2, rollout(thought('A circle.', 'B')))
  expect(score.parts).toMatchObject({ accuracy: 0, listener: expect.closeTo(0.2), contradiction: 0 })
  expect(score.value).toBeCloseTo(1.1)
})

test('both orders of the images: a listener that loves the first slot is left at 0.5', async () => {
  const first = (messages: readonly ChatMessage[]) =>
    (messages.flatMap(({ images = [] }) => images)[0] as Raster).data[0] === 1 ? 0.9 : 0.1
  const { score, seen } = await listening(first, rollout(thought('A circle.', 'A')))
  expect(seen).toHaveLength(2)
  expect(score.parts!.listener).toBeCloseTo(0.5)
  // Names stay with their images in either order.
  for (const messages of seen) {
    const at = messages.findIndex(({ images = [] }) => (images[0] as Raster | undefined)?.data[0] === 2)
    expect(textOfConversation(messages.slice(0, at + 1))).toMatch(/image B/)
  }
})

test('an outage is unscored; a reference that is no letter, or no two images, too', async () => {
  expect((await listening(() => null, rollout(thought('A circle.', 'A')))).score).toMatchObject({
    code: 'outage',
  })
  expect((await listening(() => 1, rollout(thought('x', 'A'), 'C'))).score).toMatchObject({
    code: 'bad-input',
  })
  const one = { ...rollout(thought('x', 'A')), prompt: [picture(1)] }
  expect((await listening(() => 1, one)).score).toMatchObject({ code: 'bad-input' })
})

test('a listener without a preference contradicts nobody', () => {
  expect([
    contradicts(0.5, 'A'),
    contradicts(0.5, 'B'),
    contradicts(0.6, 'B'),
    contradicts(0.4, 'A'),
  ]).toEqual([false, false, true, true])
})
