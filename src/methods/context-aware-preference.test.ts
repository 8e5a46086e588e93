import fc from 'fast-check'
import { expect, test } from 'vitest'
import { scriptedModel, textOfConversation } from '../../tests/judges.ts'
import { testVectors } from '../../tests/vectors.ts'
import type { Sample } from '../core/index.ts'
import { logSigmoid } from '../stats/logistic.ts'
import { mean } from '../stats/moments.ts'
import {
  aggregateContexts,
  contextAccuracy,
  marginalPreference,
  preferenceErrorBound,
} from './context-aware-preference/aggregation.ts'
import { contextAwareJudge } from './context-aware-preference.ts'

testVectors('context-aware-preference', {
  'capm.bound': ({ truth, model }) => ({
    marginals: [marginalPreference(truth), marginalPreference(model)],
    ...preferenceErrorBound(truth, model),
  }),
  'capm.aggregate': ({ utilities, weights }) => ({
    borda: aggregateContexts(utilities, 'borda'),
    utility: aggregateContexts(utilities, 'utility'),
    weighted: aggregateContexts(utilities, 'borda', weights),
  }),
  'capm.row_loss': (margins: number[]) => mean(margins.map((margin) => -logSigmoid(margin))),
  'capm.accuracy': contextAccuracy,
})

test('the measured error never exceeds its bound', () => {
  const unit = fc.double({ min: 0, max: 1, noNaN: true })
  const side = fc.record({
    weights: fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 }),
    preferences: fc.array(unit, { minLength: 3, maxLength: 3 }),
  })
  fc.assert(
    fc.property(side, side, (truth, model) => {
      const { error, bound } = preferenceErrorBound(truth, model)
      expect(error).toBeLessThanOrEqual(bound + 1e-12)
    }),
  )
})

const sample = (output: string, meta: Sample['meta']): Sample => ({
  id: output,
  prompt: 'the way?',
  output,
  meta,
})
const pair = (meta: Sample['meta']) => ({
  id: 'p',
  a: sample('short', meta),
  b: sample('a long answer', meta),
})
/** Does what the context says: the shorter or the longer answer; without a context the shorter one. */
const obedient = (contexts = '{}') =>
  scriptedModel((messages) => {
    const text = textOfConversation(messages)
    if (text.includes('Reply as JSON')) return contexts
    const [a, b] = ['A', 'B'].map((name) => text.indexOf('long', text.indexOf(`<<<answer ${name} `)))
    const aIsLong = a! < b! || b === -1 ? text.indexOf('a long') < text.indexOf('<<<answer B ') : false
    const wantsLong = text.includes('wished for: tell me all')
    return `<answer>${aIsLong === wantsLong ? 'A' : 'B'}</answer>`
  })

test('the same pair turns round with the context, and blind to it the context changes nothing', async () => {
  const { model } = obedient()
  const of = async (contexts: 'given' | 'none', context: string) =>
    (await contextAwareJudge({ contexts }, model).compare([pair({ context })]))[0]!.value
  expect(await of('given', 'in a hurry')).toBe(1)
  expect(await of('given', 'tell me all')).toBe(0)
  expect(await of('none', 'in a hurry')).toBe(1)
  expect(await of('none', 'tell me all')).toBe(1)
})

test('several contexts: the expectation by weight, or the likeliest alone', async () => {
  const { model, seen } = obedient()
  const contexts = [
    { context: 'in a hurry', weight: 1 },
    { context: 'tell me all', weight: 3 },
    { context: 'never asked', weight: 0 },
  ]
  const [expected] = await contextAwareJudge({}, model).compare([pair({ contexts })])
  expect(expected).toMatchObject({
    value: 0.25,
    orders: [0.25, 0.25],
    parts: { 'context 1': 1, 'context 1 weight': 0.25, 'context 2': 0 },
  })
  expect(seen.some((messages) => textOfConversation(messages).includes('never asked'))).toBe(false)
  const [likeliest] = await contextAwareJudge({ choose: 'likeliest' }, model).compare([pair({ contexts })])
  expect(likeliest!.value).toBe(0)
})

test('contexts named by the model from request and profile', async () => {
  const { model, seen } = obedient(
    '{"contexts": [{"context": "in a hurry", "probability": 0.9}, {"context": "tell me all", "probability": 0.1}]}',
  )
  const [comparison] = await contextAwareJudge({ contexts: 'inferred' }, model).compare([
    pair({ profile: 'always late' }),
  ])
  expect(comparison!.value).toBeCloseTo(0.9)
  expect(textOfConversation(seen[0]!)).toContain('always late')
  for (const reply of ['no', '{"contexts": []}', '{"contexts": [{"context": "x", "probability": -1}]}']) {
    const [failed] = await contextAwareJudge({ contexts: 'inferred' }, obedient(reply).model).compare([
      pair({}),
    ])
    expect(failed, reply).toMatchObject({
      value: null,
      code: 'unparsable',
      reason: expect.stringMatching(/^contexts:/),
    })
  }
})

test('a context that cannot be judged leaves the pair unscored and says what the others gave', async () => {
  const { model } = scriptedModel((messages) =>
    textOfConversation(messages).includes('in a hurry') ? '<answer>A</answer>' : 'both',
  )
  const contexts = ['in a hurry', 'tell me all']
  expect(await contextAwareJudge({}, model).compare([pair({ contexts })])).toMatchObject([
    { value: null, code: 'unparsable', parts: { 'context 1': 0.5, 'context 2': null } },
  ])
})

test('a judge that reads no context has tuple accuracy 0.5 and row accuracy 0', () => {
  const blind = Array.from({ length: 10 }, (_, index) => {
    const [a, b] = [Math.sin(index), Math.cos(index)]
    return { xa: a, xb: b, ya: a, yb: b }
  })
  expect(contextAccuracy(blind)).toEqual({ tuples: 0.5, rows: 0 })
  expect(contextAccuracy([])).toBeNull()
})
