import { describe, expect, test } from 'vitest'
import { Rng } from '../../core/index.ts'
import {
  type ArithmeticProblem,
  arithmeticPrompt,
  arithmeticResult,
  drawArithmetic,
  goldArithmetic,
} from './arithmetic.ts'
import { arithmeticFaults, faultyArithmetic, judgeArithmetic } from './arithmetic-check.ts'
import { textVocabulary } from './vocabulary.ts'

const problems = (['chain', 'direct', 'tagged'] as const).flatMap((answerAs) =>
  Array.from({ length: 300 }, (_, index) =>
    drawArithmetic(new Rng(`${answerAs}/${index}`), { answerAs, operators: ['+', '-', '*'] }),
  ),
)

describe('arithmetic', () => {
  test('an independent evaluation of the written prompt gives the gold answer', () => {
    for (const problem of problems.filter(({ style }) => style === 'symbols')) {
      const text = textVocabulary.join(arithmeticPrompt(problem))
      const expression = text.replace(/^\D*?(?=[\d(])/, '').replace('?', '')
      expect(expression).toMatch(/^[\d+*() -]+$/)
      expect(Function(`return ${expression}`)()).toBe(arithmeticResult(problem))
    }
  })

  test('gold answers are faultless, within the range, and in the vocabulary', () => {
    for (const problem of problems) {
      const tokens = goldArithmetic(problem)
      textVocabulary.encodeTokens([...arithmeticPrompt(problem), ...tokens])
      const verdict = judgeArithmetic(problem, tokens)
      expect([tokens.join(' '), verdict.total, verdict.firstError]).toEqual([
        tokens.join(' '),
        expect.closeTo(1, 12),
        null,
      ])
      for (const number of textVocabulary.join(tokens).match(/\d+/g) ?? [])
        expect(Number(number)).toBeLessThanOrEqual(99)
    }
  })

  test.each(arithmeticFaults)('a wrong step (%s) is found where it was put', (fault) => {
    let made = 0
    for (const [index, problem] of problems.entries()) {
      const faulty = faultyArithmetic(problem, fault, new Rng(index))
      if (faulty === undefined) continue
      made++
      const { firstError, parts } = judgeArithmetic(problem, faulty.tokens)
      expect([faulty.tokens.join(' '), firstError]).toEqual([
        faulty.tokens.join(' '),
        { step: faulty.step, error: fault },
      ])
      expect(parts.correctness).toBe(faulty.isWrong ? 0 : 1)
      expect(parts.format).toBe(1)
    }
    expect(made).toBeGreaterThan(150)
  })

  test('unreadable and unfinished answers', () => {
    const problem: ArithmeticProblem = {
      task: 'arithmetic',
      start: 12,
      operations: [
        { operator: '+', value: 7 },
        { operator: '-', value: 5 },
      ],
      style: 'symbols',
      unit: null,
      answerAs: 'chain',
      phrasing: 0,
    }
    const judged = (text: string) => judgeArithmetic(problem, textVocabulary.split(text))
    expect(judged('12 + 7 = 19 . 19 - 5 = 14 . answer 14').parts).toEqual({
      correctness: 1,
      steps: 1,
      format: 1,
      unit: 1,
    })
    expect(judged('12 + 7 = 19 . 19 cat 5 . answer 14')).toMatchObject({
      parts: { correctness: 1, steps: 0.5, format: 0 },
      firstError: { step: 1, error: 'unreadable' },
    })
    expect(judged('answer 14')).toMatchObject({
      parts: { correctness: 1, steps: 0 },
      firstError: { step: 0, error: 'missing' },
    })
    expect(judged('12 + 7 = 19 . 19 - 5 = 14 .')).toMatchObject({
      parts: { correctness: 0, format: 0, steps: 1 },
      firstError: { step: 2, error: 'answer' },
    })
    expect(judged('12 + 7 = 19 . 19 - 5 = 14 . answer 14 coins').parts).toMatchObject({
      correctness: 1,
      unit: 0,
    })
    for (const text of ['', 'answer', '. . .', '<think> </think>', 'answer answer 3', '12 + = 5'])
      expect(judged(text).parts.correctness).toBe(0)
  })

  test('difficulty knobs hold', () => {
    for (let index = 0; index < 300; index++) {
      const problem = drawArithmetic(new Rng(index), {
        operations: [2, 2],
        largest: 20,
        operators: ['*'],
        stories: 1,
      })
      expect(problem.operations).toHaveLength(2)
      expect(arithmeticResult(problem)).toBeLessThanOrEqual(20)
      expect(problem.style).toBe('words')
    }
    expect(() => drawArithmetic(new Rng(0), { operations: [0, 1] })).toThrow(/arithmetic needs/)
  })
})
