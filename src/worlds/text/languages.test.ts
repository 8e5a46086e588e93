import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Rng } from '../../core/index.ts'
import { drawAnswer, goodAnswer } from './answers.ts'
import type { Instruction } from './instruction.ts'
import {
  baseLanguage,
  codeSwitch,
  language,
  noisyTranslation,
  translate,
  translatedWords,
  translateText,
  uncodeSwitch,
  untranslate,
  untranslateText,
  vocabularyOf,
} from './languages.ts'
import { judgeAnswer } from './oracle.ts'
import { textOracle } from './samples.ts'
import { taskAt, taskPrompt } from './task.ts'
import { textVocabulary } from './vocabulary.ts'

const languages = [0, 1, 2, 3, 4, 22].map(language)
const anyTokens = fc.array(fc.constantFrom(...textVocabulary.tokens), { maxLength: 30 })

describe('languages', () => {
  test.each(languages)('$name: translation is exact, for any tokens, in both directions', (to) => {
    fc.assert(
      fc.property(anyTokens, (tokens) => {
        const there = translate(tokens, to)
        expect(untranslate(there, to)).toEqual(tokens)
        expect(translate(untranslate(there, to), to)).toEqual(there)
        expect(there).toHaveLength(tokens.length)
      }),
      { numRuns: 200 },
    )
  })

  test('words are one to one, and no two languages share any', () => {
    const words = languages.flatMap(({ lexicon }) => [...lexicon.values()])
    expect(new Set(words).size).toBe(words.length)
    expect(words.some((word) => textVocabulary.has(word))).toBe(false)
    expect(language(1).lexicon.size).toBe(translatedWords.length)
    expect(vocabularyOf([language(1), language(2)]).size).toBe(
      textVocabulary.size + 2 * translatedWords.length,
    )
    expect(() => language(-1)).toThrow(/no language/)
  })

  test('the second and third language have word orders and scripts of their own', () => {
    const clause = 'the cat is red .'.split(' ')
    const glossed = [1, 2].map((index) =>
      translate(clause, language(index))
        .map((word) => language(index).back.get(word) ?? word)
        .join(' '),
    )
    expect(glossed).toEqual(['red is cat the .', 'cat is red the .'])
    expect(language(1).script).not.toBe(language(2).script)
    expect(translate(clause, baseLanguage)).toEqual(clause)
  })

  test('text of any language round-trips through its vocabulary, and the oracle agrees after translation', () => {
    const vocabulary = vocabularyOf(languages)
    for (let index = 0; index < 100; index++) {
      const task = taskAt('languages', index) as Instruction
      const { tokens } = goodAnswer(task, new Rng(index))!
      for (const to of languages) {
        const there = translate([...taskPrompt(task), ...tokens], to)
        const text = vocabulary.decode(vocabulary.encodeTokens(there))
        expect(vocabulary.split(text)).toEqual(there)
        expect(judgeAnswer(task, untranslate(translate(tokens, to), to)).total).toBeCloseTo(1, 12)
      }
    }
  })

  test('the oracle as a reward reads other languages', async () => {
    for (let index = 0; index < 20; index++) {
      const task = taskAt('languages', index) as Instruction
      const base = textVocabulary.join(drawAnswer(task, new Rng(index)).tokens)
      const [expected] = await textOracle().score([
        { id: 'a', prompt: '', output: base, reference: task, meta: {} },
      ])
      for (const number of [1, 2]) {
        const output = translateText(base, language(number))
        expect(untranslateText(output, language(number))).toBe(base)
        const [score] = await textOracle({ language: number }).score([
          { id: 'a', prompt: '', output, reference: task, meta: {} },
        ])
        expect(score!.value).toBe(expected!.value)
      }
    }
  })

  test('code switching is undone clause by clause, and mixes languages', () => {
    let mixed = 0
    fc.assert(
      fc.property(anyTokens, fc.integer(), (tokens, seed) => {
        const to = language(1 + (Math.abs(seed) % 3))
        const switched = codeSwitch(tokens, to, 0.5, new Rng(seed))
        expect(uncodeSwitch(switched, to)).toEqual(tokens)
        if (
          switched.some((word) => to.back.has(word)) &&
          switched.some((word) => to.lexicon.has(word) && word !== 'and')
        )
          mixed++
      }),
      { numRuns: 300 },
    )
    expect(mixed).toBeGreaterThan(30)
  })

  test('a noisy translator changes the stated share of the words', () => {
    const to = language(2)
    const tokens = Array.from(
      { length: 4000 },
      (_, index) => translatedWords[index % translatedWords.length]!,
    )
    const exact = translate(tokens, to)
    const noisy = noisyTranslation(tokens, to, 0.2, new Rng(1))
    const changed = noisy.filter((word, index) => word !== exact[index]).length / 4000
    expect(Math.abs(changed - 0.2)).toBeLessThan(4 * Math.sqrt(0.16 / 4000))
  })
})
