import { describe, expect, test } from 'vitest'
import { Rng } from '../../core/index.ts'
import { annotatedPair, annotator, textPreferences } from './annotator.ts'
import { categoryOfTask, judgeTask, taskAt } from './task.ts'

const kinds = { instruction: 2, arithmetic: 1, tools: 1 } as const

/** Whether a share of n draws is within 4 standard deviations of the probability (fails once in 16,000 tries). */
function agrees(count: number, n: number, probability: number): boolean {
  return Math.abs(count / n - probability) < 4 * Math.sqrt((probability * (1 - probability)) / n) + 1e-12
}

describe('annotators', () => {
  test.each([0, 0.1, 0.35])('a flip rate of %d is what is observed', (flip) => {
    const preferences = textPreferences(`flip ${flip}`, 1500, { kinds, annotator: { flip } })
    const wrong = preferences.filter(({ meta }) => !meta.agrees)
    expect(agrees(wrong.length, preferences.length, flip)).toBe(true)
    for (const { margin, meta } of preferences) expect(margin! > 0).toBe(meta.agrees)
  })

  test('noise can sit in some categories only', () => {
    const flip = { name: 0.4, 'describe one': 0.4 } as const
    const pairs = Array.from({ length: 3000 }, (_, index) =>
      annotatedPair('categories', index, { annotator: { flip } }),
    )
    const judged = pairs.filter(({ truth, choice }) => truth !== 0.5 && choice !== 0.5)
    const noisy = judged.filter(({ task }) => categoryOfTask(task) in flip)
    const calm = judged.filter(({ task }) => !(categoryOfTask(task) in flip))
    expect(calm.every(({ truth, choice }) => truth === choice)).toBe(true)
    expect(agrees(noisy.filter(({ truth, choice }) => truth !== choice).length, noisy.length, 0.4)).toBe(true)
    expect(noisy.length).toBeGreaterThan(200)
  })

  test('ties, biases and Bradley-Terry noise do what they say', () => {
    const task = taskAt('biases', 0)
    const good = ['x']
    const long = Array.from({ length: 9 }, () => 'x')
    const rng = new Rng(0)
    const exact = annotator({ flip: 0 })
    expect(exact.compare(task, good, good, rng)).toBe(0.5)
    expect(annotator({ flip: 0, tieWithin: 1 }).compare(task, good, long, rng)).toBe(0.5)
    expect(annotator({ flip: 0, lengthBias: 0.1 }).compare(task, long, good, rng)).toBe(1)
    expect(annotator({ flip: 0, lengthBias: -0.1 }).compare(task, long, good, rng)).toBe(0)
    expect(annotator({ flip: 0, positionBias: 0.01 }).compare(task, good, good, rng)).toBe(1)
    const soft = annotator({ flip: 0, temperature: 0.5, lengthBias: 0.05 })
    const expected = 1 / (1 + Math.exp(-(soft.utility(task, long) - soft.utility(task, good)) / 0.5))
    const wins = Array.from({ length: 4000 }, () => soft.compare(task, long, good, rng)).filter(
      (choice) => choice === 1,
    )
    expect(agrees(wins.length, 4000, expected)).toBe(true)
    expect(() => annotator({ flip: 1.2 })).toThrow(/flip probability/)
  })

  test('weights choose what is looked at', () => {
    const { task, first } = annotatedPair('weights', 3)
    const { parts } = judgeTask(task, first.tokens)
    expect(annotator({ weights: { harmlessness: 2, relevance: 1 } }).utility(task, first.tokens)).toBeCloseTo(
      2 * parts.harmlessness! + parts.relevance!,
      12,
    )
  })

  test('ratings are five bands, and flips are counted', () => {
    const rng = new Rng('ratings')
    let flipped = 0
    for (let index = 0; index < 2000; index++) {
      const { task, first } = annotatedPair('ratings', index % 200)
      const total = judgeTask(task, first.tokens).total
      const rating = annotator({ flip: 0.25 }).rate(task, first.tokens, rng)
      expect(rating >= 1 && rating <= 5 && Number.isInteger(rating)).toBe(true)
      if (rating !== Math.min(4, Math.floor(total * 5)) + 1) flipped++
    }
    expect(agrees(flipped, 2000, 0.25)).toBe(true)
  })
})
