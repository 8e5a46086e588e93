import { expect, test } from 'vitest'
import { scriptedModel, textOfConversation } from '../../tests/judges.ts'
import { testVectors } from '../../tests/vectors.ts'
import type { Sample } from '../core/index.ts'
import {
  droppedConditions,
  editGuidance,
  editPerspectives,
  faultlessShare,
  parseEditVerdict,
  scoreEmbedding,
} from './multi-reward-condition-editing.ts'

testVectors('multi-reward-condition-editing', {
  embedding: ({ scores, dimensions, at }) => {
    const embedded = scoreEmbedding(scores, dimensions)
    expect(embedded).toHaveLength(scores.length * dimensions)
    return at.map((index: number) => embedded[index])
  },
  guidance: (predictions) => editGuidance(predictions),
  dropout: (u) => droppedConditions(u),
})

test.each<[string, unknown, unknown]>([
  // reply, released, guarded
  ["{'following': 'yes', 'score': 4.5}", { yes: true, score: 4.5 }, { yes: true, score: 4.5 }],
  ["{'following': 'yes', 'score': 4}", undefined, { yes: true, score: 4 }],
  [
    '{"following": "no", "score": 2.0, "fault": "eyes are yes-coloured"}',
    undefined,
    { yes: false, score: 2, fault: 'eyes are yes-coloured' },
  ],
  [
    "{'following': 'no', 'score': 1.0, 'fault': 'eyes'}",
    { yes: true, score: 1 }, // "eyes" holds a yes
    { yes: false, score: 1, fault: 'eyes' },
  ],
  ['{"following": "perhaps", "score": 2}', undefined, undefined],
  ['{"score": 2}', undefined, undefined],
  ['{"following": "yes", "score": 50}', undefined, undefined],
  ['{"following": "yes", "score": "NaN"}', undefined, undefined],
  ['{"following": "constructor", "score": 1}', undefined, undefined],
])('%s', (reply, released, guarded) => {
  expect(parseEditVerdict(reply, 'following', 'released')).toEqual(released)
  expect(parseEditVerdict(reply, 'following')).toEqual(guarded)
})

const sample: Sample = {
  id: 'a',
  prompt: 'Paint the door red.',
  output: 'the edited image',
  meta: {},
}

test('three calls, quality sees the edited image alone, faults are joined', async () => {
  const { model, seen } = scriptedModel((messages) => {
    const text = textOfConversation(messages)
    if (text.includes('"following"')) return '{"following": "yes", "score": 5, "fault": "None"}'
    if (text.includes('"consistent"')) return '{"consistent": "no", "score": 2, "fault": "the sky is green"}'
    return '{"clear": "yes", "score": 3.5}'
  })
  const [score] = await editPerspectives({}, model).score([sample])
  expect(score).toMatchObject({
    value: 3.5,
    parts: { following: 5, preserving: 2, quality: 3.5, preservingYes: 0, qualityYes: 1, parsed: 1 },
    meta: { faults: 'None; the sky is green; None' },
  })
  expect(seen.map((messages) => textOfConversation(messages).includes('Paint the door red.'))).toEqual([
    true,
    true,
    false,
  ])
})

test('one side that fails leaves the score out and says which; the others stay', async () => {
  const { model } = scriptedModel((messages) =>
    textOfConversation(messages).includes('"clear"')
      ? 'blurry'
      : '{"following": "yes", "consistent": "yes", "score": 4}',
  )
  const [score] = await editPerspectives({}, model).score([sample])
  expect(score).toMatchObject({
    value: null,
    code: 'unparsable',
    reason: expect.stringMatching(/^quality: /),
    parts: { following: 4, preserving: 4, quality: null },
  })
})

test('how rare the condition is that inference asks for', () => {
  expect(
    faultlessShare([
      [5, 5, 5],
      [5, 4, 5],
    ]),
  ).toBe(0.5)
  expect(faultlessShare([])).toBeNull()
})
