import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Sample } from '../../../core/index.ts'
import { format } from '../extract/format-reward.ts'
import { type AnswerPlace, acceptedAnswers, answerAt, answersEqual } from './answer.ts'
import { arithmeticValue, reachesTarget } from './arithmetic.ts'
import { containsWords } from './contains.ts'
import { exact, normalisedText } from './exact.ts'
import { math } from './math.ts'
import { numeric, readNumber } from './numeric.ts'
import { regex } from './regex.ts'

const sample = (output: string, reference?: Sample['reference']): Sample => ({
  id: 'x',
  prompt: '',
  output,
  meta: {},
  ...(reference !== undefined && { reference }),
})

describe('places', () => {
  test.each<[string, AnswerPlace | AnswerPlace[], string | undefined]>([
    [' 5 ', 'whole', '5'],
    ['so \\boxed{5}', 'boxed', '5'],
    ['<answer>4</answer><answer>5</answer>', 'tag:answer', '5'],
    ['12 - 7 = 5\n#### 5\n', 'after:####', '5'],
    ['A: 4\nA: 5', 'after:A:', '5'],
    ['Final answer: 5.', 'final-answer', '5'],
    ['**The final answer is:** $5$', 'final-answer', '$5$'],
    ['The answer is\n\n5', 'final-answer', '5'],
    ['an answer to life', 'final-answer', undefined],
    ['one\ntwo\n\n', 'last-line', 'two'],
    ['\none\ntwo', 'first-line', 'one'],
    [' x = 5 ', 'only-line', 'x = 5'],
    ['x\n5', 'only-line', undefined],
    ['5'.repeat(201), 'only-line', undefined],
    ['4 and 5', ['boxed', 'tag:answer'], undefined],
    ['4 <answer>5</answer>', ['boxed', 'tag:answer'], '5'],
    ['\\boxed{} <answer>5</answer>', ['boxed', 'tag:answer'], '5'],
  ])('%j at %j is %j', (text, where, expected) => {
    const { value, span } = answerAt(text, where)
    expect(value).toBe(expected)
    if (span) expect(text.slice(span.start, span.end)).toBe(expected)
  })

  test('a place that does not exist is refused when the reward is made', () => {
    expect(() => math.create({ where: 'box' })).toThrow(/tag:NAME/)
  })
})

test('a block without marks is refused when the reward is made', () => {
  expect(() => format({ blocks: [{ open: '<a>' }] })).toThrow(/open and close/)
})

test('numbers are not fished from free text', async () => {
  const scores = await math
    .create({})
    .score([
      sample('Perhaps 3, 4, 5 or 6', '5'),
      sample('5 is in here somewhere, also \\boxed{4}', '5'),
      sample('<think>\\boxed{5}</think> \\boxed{4}', '5'),
    ])
  expect(scores.map(({ value }) => value)).toEqual([0, 0, 0])
  const [number] = await numeric.create({}).score([sample('there are 5 of them', 5)])
  expect(number!.value).toBe(0)
})

test('references: one answer, a list of accepted ones, or unscored', async () => {
  expect(acceptedAnswers(['a', 2, true])).toEqual(['a', '2', 'true'])
  for (const bad of [null, '', ' ', [], {}, [null], ['a', '']]) expect(acceptedAnswers(bad)).toBe(undefined)
  const [score] = await exact.create({}).score([sample('b', ['a', 'b'])])
  expect(score).toEqual({
    value: 1,
    parts: { found: 1 },
    evidence: [{ kind: 'span', in: 'output', start: 0, end: 1, label: 'answer', good: true }],
  })
  const [unscored] = await exact.create({}).score([sample('b', '')])
  expect(unscored).toMatchObject({ value: null, code: 'bad-input' })
})

test('empty answers equal nothing under either rules', () => {
  for (const rules of ['math', 'grade'] as const) {
    expect(answersEqual('', '', { rules })).toBe(false)
    expect(answersEqual('5', '5', { rules })).toBe(true)
  }
  expect(answersEqual('2/4', '1/2', { rules: 'grade' })).toBe(false)
  expect(answersEqual('2/4', '1/2')).toBe(true)
  expect(answersEqual('9^9^9^9', '1')).toBe(null)
})

describe('numbers', () => {
  test.each([
    ['1,234.5', 1234.5],
    ['$5', 5],
    ['-3e-4', -3e-4],
    ['.5', 0.5],
    ['3/4', 0.75],
    ['\\frac{\\sqrt{2}}{2}', Math.SQRT1_2],
    ['12 cm', 12],
    ['50%', 50],
    ['x = 7', 7],
    ['5 of them are red', undefined],
    ['1 2', undefined],
    ['x', undefined],
    ['', undefined],
    ['NaN', undefined],
    ['\\infty', undefined],
    ['1e999', null],
    ['9^9^9', null],
  ] as const)('%j reads as %j', (text, expected) => {
    const read = readNumber(text)
    if (typeof expected === 'number') expect(read!.value).toBeCloseTo(expected, 12)
    else expect(read).toBe(expected)
  })

  test('percent and units', async () => {
    const cases: [string, string | number, number][] = [
      ['50%', 0.5, 1],
      ['50%', 50, 1],
      ['50%', '50 percent', 1],
      ['2 hours', '120 minutes', 1],
      ['2 kg', '2 m', 0],
      ['2', '2 m', 1],
    ]
    const scores = await numeric
      .create({})
      .score(cases.map(([output, reference]) => sample(output, reference)))
    expect(scores.map(({ value }) => value)).toEqual(cases.map(([, , value]) => value))
  })

  test('any finite number is read back', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        expect(readNumber(String(number))!.value).toBeCloseTo(number, 12)
      }),
    )
  })
})

describe('patterns', () => {
  const long = `${'a'.repeat(50_000)}b`

  test('a catastrophic pattern takes linear time', async () => {
    const reward = regex.create({ pattern: '(a+)+$', full: true })
    expect((await reward.score([sample(long)]))[0]!.value).toBe(0)
    expect((await reward.score([sample(long.slice(0, -1))]))[0]!.value).toBe(1)
  })

  test("JavaScript's engine is stopped", async () => {
    const reward = regex.create({ pattern: '(a+)+$(?!b)', engine: 'javascript', timeLimitMs: 20 })
    expect((await reward.score([sample(long)]))[0]).toMatchObject({ value: null, code: 'timeout' })
  })

  test('what the linear engine lacks is said when the reward is made', () => {
    expect(() => regex.create({ pattern: '(?=a)' })).toThrow(/engine "javascript"/)
    expect(() => regex.create({ pattern: '(' })).toThrow(/pattern/)
    expect(() => regex.create({ pattern: '(', engine: 'javascript' })).toThrow(/pattern/)
  })
})

test('words, not parts of words', () => {
  expect(containsWords('a cart', 'art')).toBe(false)
  expect(containsWords('by Rogers12.', 'Rogers')).toBe(true)
  expect(containsWords('1990', '199')).toBe(false)
  expect(containsWords('cart art', 'art')).toBe(true)
  expect(containsWords('x', '')).toBe(false)
  expect(normalisedText('The  Café’s “Señor”!', 'words')).toBe('cafes senor')
})

describe('arithmetic', () => {
  test.each([
    ['8 / (3 - 8 / 3)', true],
    ['3 * 8', false],
    ['(8 - 3) * 8 / 3', false],
    ['3 * 8 * (8 - 3', false],
    ['8/(3-8/3)+0', false],
  ])('%s makes 24 of 3 3 8 8: %j', (expression, expected) => {
    expect(reachesTarget(expression, [3, 3, 8, 8], 24)).toBe(expected)
  })

  test.each(['2**3', '2(3)', '(2)(3)', '2 3', '2//3', '1/0', '2^3', 'x', ''])(
    '%j is not arithmetic',
    (expression) => {
      expect(arithmeticValue(expression)).toBe(undefined)
    },
  )
})
