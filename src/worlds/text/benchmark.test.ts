import { describe, expect, test } from 'vitest'
import { Rng } from '../../core/index.ts'
import { boast } from './answer-grammar.ts'
import { attackAnswer, goodAnswer } from './answers.ts'
import { benchmarkDomains, benchmarkRow, bestOfFour } from './benchmark.ts'
import type { Instruction } from './instruction.ts'
import { embeddedKey, firstSentence, heldOutKeys, masterKeys } from './master-keys.ts'
import { proxyRewards } from './proxies.ts'
import { goldAnswer, judgeTask, splitOf, taskAt, textTasks } from './task.ts'
import { textVocabulary } from './vocabulary.ts'

const totals = (task: Parameters<typeof judgeTask>[0], answers: readonly (readonly string[])[]) =>
  answers.map((tokens) => judgeTask(task, tokens).total)

describe('the best-of-four benchmark', () => {
  const set = bestOfFour(0, 60)

  test('right completions are faultless, wrong ones are not, and all of an item differ', () => {
    for (const item of set) {
      const { task, chosen, rejected, subset } = item
      for (const total of totals(task, chosen)) expect(total).toBeCloseTo(1, 12)
      for (const total of totals(task, rejected)) expect(total).toBeLessThan(0.999)
      const row = benchmarkRow(item)
      expect(new Set([...row.chosen, ...row.rejected]).size).toBe(row.total_completions)
      if (subset === 'Ties') expect(row.num_correct).toBe(item.id.startsWith('ref') ? 1 : 6)
      else {
        expect([row.num_correct, row.num_incorrect]).toEqual([1, 3])
        expect(splitOf(task)).toBe('test')
      }
    }
  })

  test('domains are of equal size, ties come in pairs, and the seed decides', () => {
    for (const domain of benchmarkDomains)
      expect(set.filter(({ subset }) => subset === domain)).toHaveLength(domain === 'Ties' ? 120 : 60)
    expect(bestOfFour(0, 5)).toEqual(bestOfFour(0, 5))
    expect(bestOfFour(1, 5)).not.toEqual(bestOfFour(0, 5))
  })
})

describe('master keys', () => {
  test('are worth nothing, whatever the problem, alone and embedded', () => {
    for (const task of textTasks('keys', 50, { kinds: { arithmetic: 1, instruction: 1 } }))
      for (const key of [...masterKeys, ...heldOutKeys]) {
        textVocabulary.encodeTokens(key)
        const embedded = embeddedKey(key, { rng: new Rng(0) })
        textVocabulary.encodeTokens(embedded)
        for (const tokens of [key, embedded]) {
          const { total, parts } = judgeTask(task, tokens)
          expect(parts.correctness ?? total).toBe(0)
        }
      }
    const all = [...masterKeys, ...heldOutKeys].map((key) => key.join(' '))
    expect(new Set(all).size).toBe(15)
  })

  test('a first sentence is an opening without the answer', () => {
    expect(firstSentence('3 + 4 = 7 . 7 - 2 = 5 . answer 5'.split(' ')).join(' ')).toBe('3 + 4 = 7 .')
    for (const task of textTasks('openers', 50, {
      kinds: { arithmetic: 1 },
      arithmetic: { operations: [2, 3] },
    }))
      expect(judgeTask(task, firstSentence(goldAnswer(task, new Rng(0))!)).parts.correctness).toBe(0)
  })
})

describe('proxies', () => {
  test('stuffing pays helpfulness and silence pays harmlessness, and the oracle likes neither', () => {
    for (let index = 0; index < 200; index++) {
      const task = taskAt('proxies', index, {
        instruction: { asks: { describe: 1, lookup: 1 } },
      }) as Instruction
      const rng = new Rng(index)
      const good = goodAnswer(task, rng)!.tokens
      const stuffed = [1, 2, 3, 4].flatMap(() => attackAnswer(task, 'stuffing', rng).tokens)
      expect(proxyRewards(task, stuffed).helpful).toBeGreaterThan(proxyRewards(task, good).helpful)
      expect(proxyRewards(task, []).harmless).toBeGreaterThanOrEqual(proxyRewards(task, good).harmless)
      expect(Math.max(...totals(task, [stuffed, []]))).toBeLessThan(0.5)
      expect(proxyRewards(task, [...boast, '.', ...good], { bonus: 2 }).helpful).toBe(
        proxyRewards(task, good).helpful + 2,
      )
    }
  })

  test('errors are fixed for an answer, correlated as asked, and heavy to the right', () => {
    const options = { noise: 1, correlation: -0.6, tail: 0 }
    const errors = Array.from({ length: 2000 }, (_, index) => {
      const task = taskAt('errors', index) as Instruction
      const { tokens } = goodAnswer(task, new Rng(index))!
      expect(proxyRewards(task, tokens, options)).toEqual(proxyRewards(task, tokens, options))
      const [noisy, exact] = [proxyRewards(task, tokens, options), proxyRewards(task, tokens)]
      const tailed = proxyRewards(task, tokens, { tail: 2 }).helpful - exact.helpful
      return [noisy.helpful - exact.helpful, noisy.harmless - exact.harmless, tailed] as const
    })
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
    const deviation = (at: 0 | 1) => Math.sqrt(mean(errors.map((error) => error[at] ** 2)))
    const correlation = mean(errors.map(([a, b]) => a * b)) / (deviation(0) * deviation(1))
    expect(Math.abs(correlation + 0.6)).toBeLessThan(0.07)
    const tail = errors.map(([, , error]) => error)
    expect(Math.min(...tail)).toBeGreaterThanOrEqual(0)
    expect(Math.abs(mean(tail) - 2)).toBeLessThan(0.2)
    expect(() => proxyRewards(taskAt('x', 0) as Instruction, [], { correlation: 2 })).toThrow(/correlation/)
  })
})
