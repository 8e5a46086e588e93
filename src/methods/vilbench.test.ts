import { describe, expect, test } from 'vitest'
import { scriptedModel, textOfConversation } from '../../tests/judges.ts'
import { testVectors } from '../../tests/vectors.ts'
import type { Sample } from '../core/index.ts'
import { stepsOf } from '../rewards/judge/step-judge.ts'
import {
  aggregateSteps,
  expectedAccuracy,
  pickBest,
  prefixValues,
  processPreference,
  type StepAggregate,
} from './vilbench/selection.ts'
import { vilbench, vilbenchSteps } from './vilbench.ts'

const sample = (output: string, meta: Sample['meta'] = {}): Sample => ({
  id: output,
  prompt: 'how many?',
  output,
  meta,
})

testVectors('vilbench', {
  'vilbench.pick': async ({ steps, aggregate }: { steps: number[][]; aggregate: StepAggregate }) => {
    const { model } = scriptedModel((messages) => {
      const index = Number(/candidate (\d)/.exec(textOfConversation(messages))![1])
      return JSON.stringify({ scores: steps[index] })
    })
    const samples = steps.map((own, index) =>
      sample(`${index}`, { steps: own.map((_, at) => `candidate ${index}, ${at}`) }),
    )
    const scores = (await vilbench({ aggregate }, model).score(samples)).map(({ value }) => value)
    expect(scores).toEqual(steps.map((own) => expect.closeTo(aggregateSteps(own, aggregate)!, 9)))
    return { scores, pick: pickBest(scores) }
  },
  'vilbench.indicator': ({ process, output }) => processPreference(process, output),
  'vilbench.values': (steps: [number, number][]) =>
    prefixValues(steps.map(([remaining, wrong]) => ({ remaining, wrong }))),
})

describe('steps', () => {
  test('are those of the row, or marked ones, or paragraphs', () => {
    expect(stepsOf(sample('x', { steps: ['a', 'b'] }))).toEqual(['a', 'b'])
    expect(stepsOf(sample('First.\n\nStep 1: look\nclosely\nStep 2: count'))).toEqual([
      'First.',
      'Step 1: look\nclosely',
      'Step 2: count',
    ])
    expect(stepsOf(sample('1. look\n2. count'))).toEqual(['1. look', '2. count'])
    expect(stepsOf(sample('There are 3.\nYes.\n\n\nTwo are red.'))).toEqual([
      'There are 3.\nYes.',
      'Two are red.',
    ])
    expect(stepsOf(sample('Pi is 3.14 here\nand there'))).toEqual(['Pi is 3.14 here\nand there'])
    expect(stepsOf(sample(' \n '))).toEqual([])
    expect(stepsOf(sample('x', { steps: [1] }))).toMatchObject({ code: 'bad-input' })
  })
  test('an answer without steps, or of one, earns nothing by that', async () => {
    const { model, seen } = scriptedModel(() => '{"scores": [5]}')
    const scores = await vilbench({}, model).score([sample(''), sample('two')])
    expect(scores).toMatchObject([{ code: 'not-applicable' }, { code: 'not-applicable' }])
    expect(seen).toHaveLength(0)
    expect((await vilbench({ variant: 'paper' }, model).score([sample('two')]))[0]!.value).toBe(5)
  })
  test('one score for every step, inside the scale, or no verdict', async () => {
    const steps = sample('x', { steps: ['a', 'b'] })
    for (const reply of [
      '{"scores": [5]}',
      '{"scores": [5, 4, 3]}',
      '{"scores": [5, 6]}',
      '{"scores": ["5", 4]}',
      '5 and 4',
    ])
      expect((await vilbench({}, scriptedModel(() => reply).model).score([steps]))[0], reply).toMatchObject({
        value: null,
        code: 'unparsable',
      })
  })
  test('the scores of all steps are kept, and every aggregate beside the one chosen', async () => {
    const { model } = scriptedModel(() => '{"scores": [5, 2]}')
    const steps = sample('x', { steps: ['a', 'b'] })
    expect((await vilbenchSteps({}, model).scoreSteps([steps]))[0]).toMatchObject([
      { value: 5 },
      { value: 2 },
    ])
    expect((await vilbench({ aggregate: 'last' }, model).score([steps]))[0]).toMatchObject({
      value: 2,
      parts: { mean: 3.5, min: 2, last: 2, product: 10 },
    })
  })
})

test('picks tie at the first, and the expected accuracy says what a coin would do', () => {
  expect(pickBest([4, 5, 5])).toBe(1)
  expect(expectedAccuracy([4, 5, 5], [true, false, true])).toBe(0.5)
  expect([pickBest([null, null]), expectedAccuracy([null], [true])]).toEqual([null, null])
  expect(pickBest([null, 1])).toBe(1)
})
