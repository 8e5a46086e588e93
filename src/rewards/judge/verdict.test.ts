import { describe, expect, test } from 'vitest'
import { overallJudgment, parseChoice, parseList, parseObject, parseScore, parseYesNo } from './verdict.ts'

const labels = ['A', 'B']

describe('choices', () => {
  test.each<[string, number | 'tie' | undefined]>([
    ['<answer>A</answer>', 0],
    ['<answer> [[b]]. </answer>', 1],
    ['<answer>**B**</answer>', 1],
    ['<answer>tie</answer>', 'tie'],
    ['<think><answer>A</answer></think><answer>B</answer>', 1],
    ['<answer>A</answer><answer>B</answer>', undefined], // two verdicts are none
    ['<answer>A</answer> I repeat: <answer>A</answer>', 0],
    ['<answer>A or B</answer>', undefined],
    ['<answer></answer>', undefined],
    ['<answer>A', undefined],
    ['A', undefined],
    ['', undefined],
  ])('%j', (reply, choice) => {
    expect(parseChoice(reply, { labels, ties: ['tie'] })).toBe(choice)
  })

  test('a label can be a sentence', () => {
    const options = { labels: ['Image 1 is better', 'Image 2 is better'] }
    expect(parseChoice('<answer>image 2 is  better.</answer>', options)).toBe(1)
    expect(parseChoice('<answer>Image 2 is better than Image 1</answer>', options)).toBeUndefined()
  })

  test('published policies, faults included', () => {
    const brackets = { labels: ['A', 'B', 'C', 'D'], policy: 'double-brackets' } as const
    expect(parseChoice('My choice is [[C]]', brackets)).toBe(2)
    expect(parseChoice('not [[B]] but [[A]]', brackets)).toBe(0) // the order of the labels, not of the reply
    expect(parseChoice('C', brackets)).toBeUndefined()
    const sentence = {
      labels: ['Image 1 is better than Image 2', 'Image 2 is better than Image 1'],
      ties: ['equally good'],
      policy: 'sentence',
    } as const
    expect(
      parseChoice('<think>Image 1 is better than Image 2?</think> Both are equally good', sentence),
    ).toBe(0)
    expect(parseChoice('Both Image 1 and Image 2 are equally good', sentence)).toBe('tie')
    expect(
      parseChoice('Overall Judgment: Answer 2 is better', { labels: ['1', '2'], policy: 'overall-judgment' }),
    ).toBe(1)
    expect(
      parseChoice('Overall Judgment: Answer 3 is better', { labels: ['1', '2'], policy: 'overall-judgment' }),
    ).toBeUndefined()
  })
})

test('overall judgments of VL-RewardBench', () => {
  for (const [reply, digits] of [
    ['**Overall Judgment:** Answer 2 is better.', '2'],
    ['Overall Judgment: Answer 1 is slightly better.', '1'],
    ['Answer 1 is better.', undefined],
    ['Therefore, while Answer 1 is better at detail, Answer 2 is the better answer', '2'],
    ['overall judgment\n\nAnswer\n3 is the slightly better', '3'],
    ['Answer 1 is better. Therefore both lose.', undefined],
  ] as const)
    expect(overallJudgment(reply), reply).toBe(digits)
})

describe('yes and no', () => {
  test.each<[string, boolean | undefined]>([
    ['YES', true],
    ['No.', false],
    ['NO, YES would need a proof', false],
    ['yes or no', undefined],
    ['<think>yes</think> NO', false],
    ['I cannot tell', undefined],
    ['', undefined],
  ])('%j', (reply, verdict) => {
    expect(parseYesNo(reply)).toBe(verdict)
  })

  test('the loose reader says yes to every mention', () => {
    expect(parseYesNo('NO, YES would need a proof', { policy: 'substring' })).toBe(true)
    expect(parseYesNo('<answer>no</answer> yes', { policy: 'tag' })).toBe(false)
  })
})

describe('scores', () => {
  test.each<[string, number | undefined]>([
    ['Final Score: 8', 8],
    ['final score:**7.5**', 7.5],
    ['Final Score: -3', -3],
    ['Final Score: 3\nNo: Final Score: 4/10.', 4],
    ['Final Score: [9]', 9],
    ['Final Score: eight', undefined],
    ['Final Score:', undefined],
    ['Final Score: 80%', undefined],
    ['Final Score: 1.2.3', undefined],
    ['<think>Final Score: 9</think>', undefined],
    ['8', undefined],
    ['no idea', undefined],
  ])('%j', (reply, score) => {
    expect(parseScore(reply)).toBe(score)
  })

  test.each<[string, number | undefined]>([
    ['<score>4</score>', 4],
    ['<score> 4.5 / 5 </score>', 4.5],
    ['<score>4 of course</score>', undefined],
    ['<score>3</score><score>5</score>', 5],
    ['<score></score>', undefined],
  ])('in a tag: %j', (reply, score) => {
    expect(parseScore(reply, { policy: 'tag' })).toBe(score)
  })

  test.each<[string, number | undefined]>([
    ['8', 8],
    ['It is good: 7/10', 10],
    ['8.', undefined],
    ['**6**', undefined],
    ['11', undefined],
    ['0', undefined],
    ['Rating: 10 ', 10],
  ])('RewardBench 2: %j', (reply, score) => {
    expect(parseScore(reply, { policy: 'rewardbench-2' })).toBe(score)
  })
})

describe('objects', () => {
  test.each<[string, unknown, boolean]>([
    ['{"a": 1}', { a: 1 }, false],
    ['<think>{"a": 2}</think>\n```json\n{"a": 1}\n```', { a: 1 }, false],
    ["{'a': 1, }", { a: 1 }, false],
    ['{a: 1,}', { a: 1 }, false],
    ['{“a”: 1}', { a: 1 }, false],
    ['So {"a": 1} it is', { a: 1 }, true],
    ['So {a: [1, 2,],} it is', { a: [1, 2] }, true],
  ])('%s', (reply, value, cutOut) => {
    expect(parseObject(reply)).toEqual({ value, cutOut })
  })

  test('nothing is evaluated or guessed', () => {
    for (const reply of ['', '{', '[1]', 'null', '{"a": process.exit()}', '{"a": NaN}', '} {'])
      expect(parseObject(reply), reply).toBeUndefined()
  })

  test('lists: only numbers are scores, only texts are names', () => {
    expect(
      parseList(
        '{"scores": {"model-1": 4, "model-2": "5", "__proto__": 3}, "best-to-worse": ["model-1", 7, "model-1"]}',
      ),
    ).toEqual({ scores: JSON.parse('{"model-1": 4, "__proto__": 3}'), ranking: ['model-1'] })
    expect(parseList('{"other": 1}')).toBeUndefined()
    expect(parseList('')).toBeUndefined()
  })
})
