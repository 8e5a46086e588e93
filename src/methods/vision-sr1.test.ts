import { describe, expect, test } from 'vitest'
import { scriptedModel, textOfConversation } from '../../tests/judges.ts'
import { testVectors } from '../../tests/vectors.ts'
import type { Sample } from '../core/index.ts'
import { grade } from '../rewards/verifiable/answers/grade.ts'
import { secondPassPrompt, selfContainedDescription, statesAnswer, visionSr1 } from './vision-sr1.ts'

interface VectorInput {
  readonly response: string
  readonly gold: string
  readonly textOnly: string | null
}

testVectors('vision-sr1', {
  'vision_sr1.score': async ({ response, gold, textOnly }: VectorInput, { variant }) => {
    const sample = {
      id: 's',
      prompt: '',
      output: response,
      reference: gold,
      meta: { text_only_answer: textOnly },
    }
    const [score] = await visionSr1({ variant: variant as 'released' }).score([sample])
    const { format, accuracy, self } = score!.parts!
    return { overall: score!.value, format, accuracy, self }
  },
  grade: ([given, gold]: [string, string]) => grade(given, gold),
})

describe('the leak', () => {
  const response = '<think>red</think>\\boxed{red}'

  test('without description tags only the released second pass sees the response, its answer included', () => {
    expect(secondPassPrompt(response, 'What colour?', 'released')).toContain('\\boxed{red}')
    expect(secondPassPrompt(response, 'What colour?')).toBe(undefined)
    expect(secondPassPrompt('<description> </description>', 'What colour?')).toBe(undefined)
  })

  test('answers are cut out of the description', () => {
    const described = (inside: string) => selfContainedDescription(`<description>${inside}</description>`)
    expect(described('a ball \\boxed{\\text{red}} on grass')).toBe('a ball   on grass')
    expect(described('a ball \\box<answer></answer>ed{red}')).not.toContain('\\boxed')
    expect(described('a ball <answer>red</answer>')).toBe('a ball')
    expect(described('a ball \\boxed{red')).toBe('a ball')
    expect(described('\\boxed{red}')).toBe(undefined)
  })

  test('the image placeholder is removed from the question', () => {
    const prompt = secondPassPrompt('<description>a ball</description>', '<image>What colour?')!
    expect(prompt).toContain('Text description: a ball\nQuestion: What colour?')
  })

  test('a description that states the answer is found', () => {
    expect(statesAnswer('A ball; the answer is red.', 'red')).toBe(true)
    expect(statesAnswer('A ball, answer: \\boxed{Red}', 'red')).toBe(true)
    expect(statesAnswer('<answer>red</answer>', 'red')).toBe(true)
    expect(statesAnswer('A red ball on grass', 'red')).toBe(false)
    expect(statesAnswer('The answer is reddish', 'red')).toBe(false)
  })

  test('its rate is reported, and filtered when asked', async () => {
    const output = '<description>A ball. The answer is red.</description><think>so</think>\\boxed{red}'
    const sample = {
      id: 's',
      prompt: '',
      output,
      reference: 'red',
      meta: { text_only_answer: '\\boxed{red}' },
    }
    const [reported] = await visionSr1().score([sample])
    expect(reported).toMatchObject({ value: 2, parts: { leak: 1, self: 1 } })
    const [filtered] = await visionSr1({ leakFilter: true }).score([sample])
    expect(filtered).toMatchObject({ value: 1, parts: { leak: 1, self: 0 } })
  })
})

test('the decoupled streams', async () => {
  const output = '<description>A ball.</description><think>so</think>\\boxed{blue}'
  const sample = { id: 's', prompt: '', output, reference: 'red', meta: { text_only_answer: '\\boxed{red}' } }
  const value = async (stream: 'answer' | 'vision') =>
    (await visionSr1({ stream, alpha: 0.5 }).score([sample]))[0]!.value
  expect(await value('answer')).toBe(0.5)
  expect(await value('vision')).toBe(1.5)
})

describe('with a policy', () => {
  const sample = (output: string): Sample => ({
    id: output,
    prompt: [{ type: 'image' }, { type: 'text', text: '<image>What colour is the ball?' }],
    output,
    reference: 'red',
    meta: {},
  })
  const described = (text: string) => `<description>${text}</description><think>so</think>\\boxed{red}`

  test('it answers from its description alone, without image and without its own answer', async () => {
    const { model, seen } = scriptedModel((messages) =>
      textOfConversation(messages).includes('red ball') ? '\\boxed{red}' : '\\boxed{none}',
    )
    const scores = await visionSr1({}, model).score([
      sample(described('a red ball \\boxed{red}')),
      sample(described('a ball')),
      sample('<think>so</think>\\boxed{red}'),
    ])
    expect(scores.map(({ parts }) => parts?.self)).toEqual([1, 0, 0])
    expect(seen).toHaveLength(2)
    for (const [message] of seen) {
      expect(message!.text).not.toContain('boxed{red}')
      expect(message!.text).not.toContain('<image>')
      expect(message!.images ?? []).toEqual([])
    }
  })

  test('a description that leaks is not asked about when filtered', async () => {
    const { model, seen } = scriptedModel(() => '\\boxed{red}')
    const leaking = [sample(described('a ball; the answer is red'))]
    expect((await visionSr1({ leakFilter: true }, model).score(leaking))[0]).toMatchObject({
      value: 1,
      parts: { self: 0, leak: 1 },
    })
    expect(seen).toHaveLength(0)
    expect((await visionSr1({}, model).score(leaking))[0]).toMatchObject({ value: 2, parts: { leak: 1 } })
  })

  test('an outage is unscored, a policy that declines has not answered', async () => {
    const down = scriptedModel(() => null).model
    expect(await visionSr1({}, down).score([sample(described('a ball'))])).toMatchObject([
      { value: null, code: 'outage' },
    ])
    const shy = scriptedModel(() => ({
      text: null,
      finish: 'refused',
      failure: { code: 'refused', reason: 'no' },
    })).model
    expect(await visionSr1({}, shy).score([sample(described('a ball'))])).toMatchObject([
      { value: 1, parts: { self: 0 } },
    ])
  })
})
