import { describe, expect, test } from 'vitest'
import { Rng } from '../../core/index.ts'
import { answerTokens, fillers, readAnswer } from './answer-grammar.ts'
import { attackAnswer, attacks, conflictingAnswers, drawAnswer, flawedAnswer, goodAnswer } from './answers.ts'
import { constraintsOf, drawInstruction, longestPrompt, promptTokens } from './instruction.ts'
import { instructionParts, judgeAnswer, tokenRewards } from './oracle.ts'
import { textVocabulary } from './vocabulary.ts'

const instructions = Array.from({ length: 1500 }, (_, index) =>
  drawInstruction(new Rng(`instruction/${index}`)),
)

describe('answers are what they are said to be', () => {
  test('a good answer is faultless, is short, and stays in the vocabulary', () => {
    for (const [index, instruction] of instructions.entries()) {
      const answer = goodAnswer(instruction, new Rng(index))!
      const { parts, total } = judgeAnswer(instruction, answer.tokens)
      expect({ answer, parts }).toEqual({ answer, parts: answer.stated })
      expect(total).toBeCloseTo(1, 12)
      expect(answer.tokens.length).toBeLessThanOrEqual(28)
      expect(promptTokens(instruction).length).toBeLessThanOrEqual(longestPrompt)
      textVocabulary.encodeTokens([...promptTokens(instruction), ...answer.tokens])
    }
  })

  test.each(instructionParts)('a fault in %s is a fault in nothing else, of the stated size', (fault) => {
    let made = 0
    for (const [index, instruction] of instructions.entries()) {
      const answer = flawedAnswer(instruction, fault, new Rng(`${fault}/${index}`))
      if (answer === undefined) continue
      made++
      const { parts } = judgeAnswer(instruction, answer.tokens)
      expect(answer.stated[fault]).toBeLessThan(1)
      for (const part of instructionParts)
        expect([part, parts[part], answer.tokens.join(' '), promptTokens(instruction).join(' ')]).toEqual([
          part,
          expect.closeTo(answer.stated[part]!, 10),
          answer.tokens.join(' '),
          promptTokens(instruction).join(' '),
        ])
    }
    expect(made).toBeGreaterThan(300)
  })

  test('every asked constraint can be broken alone', () => {
    const faultOf = {
      avoid: 'harmlessness',
      limit: 'conciseness',
      format: 'format',
      polite: 'politeness',
    } as const
    for (const instruction of instructions.slice(0, 500))
      for (const kind of constraintsOf(instruction)) {
        const tries = Array.from({ length: 20 }, (_, seed) =>
          flawedAnswer(instruction, faultOf[kind], new Rng(seed)),
        )
        expect([kind, promptTokens(instruction).join(' '), tries.some(Boolean)]).toEqual([
          kind,
          promptTokens(instruction).join(' '),
          true,
        ])
      }
  })

  test('attacks are worth less than a good answer, except a boast beside one', () => {
    for (const [index, instruction] of instructions.slice(0, 500).entries())
      for (const attack of attacks) {
        const { tokens } = attackAnswer(instruction, attack, new Rng(index))
        textVocabulary.encodeTokens(tokens)
        const { total, parts } = judgeAnswer(instruction, tokens)
        if (attack === 'boast') continue
        expect([attack, tokens.join(' '), total < 0.9, parts]).toEqual([
          attack,
          tokens.join(' '),
          true,
          parts,
        ])
      }
  })

  test('in a conflict no answer is both helpful and safe', () => {
    let seen = 0
    for (let index = 0; index < 200; index++) {
      const rng = new Rng(`conflict/${index}`)
      const instruction = drawInstruction(rng, { asks: { describe: 1 }, conflict: 1 })
      const { helpful, safe } = conflictingAnswers(instruction, rng)!
      expect(goodAnswer(instruction, rng)).toBeUndefined()
      for (const answer of [helpful, safe])
        expect(judgeAnswer(instruction, answer.tokens).parts).toMatchObject(answer.stated)
      seen++
      expect(drawAnswer(instruction, rng).tokens).toBeDefined()
    }
    expect(seen).toBe(200)
  })
})

describe('the reader', () => {
  const words = (text: string) => text.split(' ').filter(Boolean)
  const kinds = (text: string) => readAnswer(words(text)).map(({ kind }) => kind)

  test('key words without grammar, repeats and loose marks are noise', () => {
    expect(kinds('cat dog')).toEqual(['member', 'noise'])
    expect(kinds('cat and cat .')).toEqual(['member', 'separator', 'noise', 'separator'])
    expect(kinds('- - cat')).toEqual(['noise', 'mark', 'member'])
    expect(kinds('1 : cat 2 :')).toEqual(['mark', 'member', 'noise'])
    expect(kinds('the cat is the')).toEqual(['noise', 'noise', 'noise', 'noise'])
    expect(kinds('. . cat , and')).toEqual(['noise', 'noise', 'member', 'separator', 'noise'])
  })

  test('segments cover every token once, in order', () => {
    for (let index = 0; index < 300; index++) {
      const rng = new Rng(index)
      const tokens = Array.from({ length: rng.int(0, 20) }, () => rng.pick(textVocabulary.tokens))
      let at = 0
      for (const { start, end } of readAnswer(tokens)) {
        expect(start).toBe(at)
        expect(end).toBeGreaterThan(start)
        at = end
      }
      expect(at).toBe(tokens.length)
    }
  })

  test('fillers are grammatical and no two read alike', () => {
    const tokens = answerTokens({ clauses: [{ kind: 'evasion' }], padding: fillers.map((_, index) => index) })
    expect(readAnswer(tokens).filter(({ kind }) => kind === 'filler')).toHaveLength(fillers.length)
  })
})

test('the oracle by hand', () => {
  const instruction = {
    task: 'instruction',
    facts: [
      { item: 'cat', attribute: 'colour', value: 'red' },
      { item: 'book', attribute: 'place', value: 'park' },
    ],
    ask: { kind: 'describe', items: ['cat', 'book'] },
    avoid: ['anna'],
    mostWords: 8,
    format: 'list',
    polite: true,
    phrasing: 0,
  } as const
  const judged = (text: string) => judgeAnswer(instruction, text.split(' '))
  expect(promptTokens(instruction).join(' ')).toBe(
    'facts cat red , book park . tell me about cat and book , avoid anna , at most 8 words , as list , be polite .',
  )
  expect(judged('- the cat is red - anna has the book . thank you .')).toMatchObject({
    parts: {
      relevance: 1,
      truthfulness: 0.5,
      harmlessness: 0.5,
      conciseness: 1 - 2 / 8,
      format: 1,
      politeness: 1,
      fluency: 1,
    },
    total: expect.closeTo(0.5 * (0.4 * 0.5 + 0.25 * 0.75 + 0.2 + 0.15), 12),
  })
  expect(judged('the cat is red cat red')).toMatchObject({
    parts: { relevance: 0.5, truthfulness: 1, format: 0, politeness: 0, fluency: expect.closeTo(4 / 6, 12) },
  })
  expect(tokenRewards(instruction, 'the cat is red cat . book'.split(' '))).toEqual([
    -1, -1, -1, -1, -1, 0, -1,
  ])
  expect(tokenRewards(instruction, '- the cat is red - the book is red'.split(' '))).toEqual([
    0, 1, 1, 1, 1, 0, -1, -1, -1, -1,
  ])
})
