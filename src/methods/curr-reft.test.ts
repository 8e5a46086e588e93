import { describe, expect, test } from 'vitest'
import { testVectors } from '../../tests/vectors.ts'
import type { Json } from '../core/index.ts'
import { currReft, type Stage, stageAccuracy, type Task } from './curr-reft.ts'

type Variant = 'released' | 'paper' | 'guarded'
interface VectorInput {
  readonly stage: Stage
  readonly task: Task
  readonly content: string
  readonly solution: string
}

const tagged = (answer: string) => `<think>I look.</think><answer>${answer}</answer>`

async function judge(output: string, reference: Json, stage: Stage, task: Task, variant: Variant) {
  const sample = { id: 's', prompt: '', output, reference, meta: { stage, task } }
  return (await currReft({ variant }).score([sample]))[0]!
}

testVectors('curr-reft', {
  'curr_reft.reward': async ({ stage, task, content, solution }: VectorInput, { variant, expected }) => {
    const { parts } = await judge(content, solution, stage, task, variant as Variant)
    return 'format' in (expected as object) ? parts : { accuracy: parts!.accuracy }
  },
})

describe('the four bugs of the released rewards are gone when guarded', () => {
  const accuracy = (answer: string, gold: string, stage: Stage, task: Task, variant: Variant) =>
    stageAccuracy(tagged(answer), gold, stage, task, variant)

  test.each<[string, string, string, Stage]>([
    ['empty equals empty', 'cat', 'B', 'choice'],
    ['a longer number holds the gold one', '15', '5', 'open'],
    ['an article is an option', 'A cat', 'A', 'choice'],
    ['negation is not read', 'not true', 'yes', 'binary'],
    ['an empty maths answer', '', '5', 'open'],
    ['letters that are not there', 'x', '12', 'open'],
  ])('%s', (_, answer, gold, stage) => {
    expect(accuracy(answer, gold, stage, 'math', 'guarded')).toBe(0)
    // no letters on one side only are not equal even as released
    if (!(stage === 'choice' && answer === 'cat'))
      expect(accuracy(answer, gold, stage, 'math', 'released')).toBe(1)
  })

  test('a gold answer that is not one of its stage is bad input, not 1', async () => {
    expect(await judge(tagged('cat'), 'dog', 'choice', 'math', 'guarded')).toMatchObject({
      code: 'bad-input',
    })
    expect(await judge(tagged('yes'), 'perhaps', 'binary', 'math', 'guarded')).toMatchObject({
      code: 'bad-input',
    })
    expect(await judge(tagged('5'), 'none', 'open', 'detection', 'guarded')).toMatchObject({
      code: 'bad-input',
    })
  })

  test('right answers stay right', () => {
    expect(accuracy('The answer is \\boxed{1/2}', '0.5', 'open', 'math', 'guarded')).toBe(1)
    expect(accuracy('(C)', 'C', 'open', 'math', 'guarded')).toBe(1)
    expect(accuracy('B, A', 'A,B', 'choice', 'math', 'guarded')).toBe(1)
    expect(accuracy('A', 'A,B', 'choice', 'math', 'guarded')).toBe(0.2)
    expect(accuracy('A, C', 'A,B', 'choice', 'math', 'guarded')).toBe(0)
    expect(accuracy('[10.6, 10, 50, 50]', '[10, 10, 50, 50]', 'open', 'detection', 'guarded')).toBe(1)
  })
})

test('a missing closing tag is tolerated, a missing answer is 0', () => {
  expect(stageAccuracy('<think>a</think><answer>5', '5', 'open', 'math')).toBe(1)
  expect(stageAccuracy('<answer>5<answer>6</answer>', '5', 'open', 'math')).toBe(1)
  expect(stageAccuracy('5', '5', 'open', 'math')).toBe(0)
})

test('detection items earn their format in the first stages only when guarded', async () => {
  for (const [variant, format] of [
    ['released', 0],
    ['guarded', 1],
  ] as const)
    expect((await judge(tagged('yes'), 'yes', 'binary', 'detection', variant)).parts!.format).toBe(format)
  const box = '{"box": [10, 10, 50, 50]}'
  expect((await judge(tagged(box), [10, 10, 50, 50], 'open', 'detection', 'guarded')).value).toBe(2)
})
