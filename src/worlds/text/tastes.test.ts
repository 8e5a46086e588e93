import { describe, expect, test } from 'vitest'
import { Rng } from '../../core/index.ts'
import { attackAnswer, drawAnswer } from './answers.ts'
import {
  contextQualities,
  contextRow,
  contextScore,
  contextTokens,
  marginalPreference,
  profileTokens,
  profileWeights,
} from './contexts.ts'
import { answerOfIds, dialogueWithReaction } from './dialogue.ts'
import type { Instruction } from './instruction.ts'
import { judgeAnswer, qualities, qualitiesOf, styleParts } from './oracle.ts'
import {
  drawPrinciple,
  negated,
  principleList,
  principleScore,
  principleTokens,
  splitOfPrinciple,
} from './principles.ts'
import { drawReaction, facetsOf, reactionFacets, reactionProbabilities, reactionSet } from './reactions.ts'
import { drawOpenInstruction, styledAnswer, styleFor } from './styles.ts'
import { taskAt, taskPrompt } from './task.ts'
import { tastePair, userChoosesFirst, userPopulation, userPreferences, userUtility } from './users.ts'
import { textVocabulary } from './vocabulary.ts'

describe('styles', () => {
  test('styled answers are true, complete and grammatical, and have the style', () => {
    for (let index = 0; index < 300; index++) {
      const rng = new Rng(`style/${index}`)
      const instruction = drawOpenInstruction(rng)
      for (const part of styleParts) {
        const measure = (much: boolean) => {
          const tokens = styledAnswer(instruction, styleFor(part, much), rng)
          textVocabulary.encodeTokens(tokens)
          const { parts } = judgeAnswer(instruction, tokens)
          expect(parts).toMatchObject({ relevance: 1, truthfulness: 1, harmlessness: 1, fluency: 1 })
          return qualitiesOf(instruction, tokens)[part]
        }
        expect([part, measure(true) > measure(false)]).toEqual([part, true])
      }
    }
  })

  test('every measure is in [0, 1] for any answer', () => {
    for (let index = 0; index < 300; index++) {
      const rng = new Rng(`measure/${index}`)
      const task = taskAt('measure', index) as Instruction
      const tokens = index % 2 ? drawAnswer(task, rng).tokens : attackAnswer(task, 'stuffing', rng).tokens
      const measured = qualitiesOf(task, tokens)
      for (const quality of qualities)
        expect([quality, measured[quality] >= 0 && measured[quality] <= 1]).toEqual([quality, true])
    }
  })
})

describe('users', () => {
  test('groups are opposed, users of a group agree, noise is what it says', () => {
    const users = userPopulation({ groups: 2, users: 8, noise: 0 })
    const choices = users.map((user) =>
      Array.from({ length: 200 }, (_, index) =>
        userChoosesFirst(user, tastePair('t', index), new Rng(index)),
      ),
    )
    const agreement = (a: number, b: number) =>
      choices[a]!.filter((choice, i) => choice === choices[b]![i]).length / 200
    expect(agreement(0, 2)).toBeGreaterThan(0.9)
    expect(agreement(0, 1)).toBeLessThan(0.35)
    const [noisy] = userPopulation({ groups: 1, users: 1, noise: 0.3 })
    const wrong = userPreferences(noisy!, 'noise', 1000).filter(({ margin }) => margin! < 0).length
    expect(Math.abs(wrong / 1000 - 0.3)).toBeLessThan(4 * Math.sqrt(0.21 / 1000))
  })

  test('mixtures are convex, and utilities are linear in them', () => {
    for (const user of userPopulation({ groups: 3, users: 30, kind: 'mixed', seed: 5 })) {
      expect(user.shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12)
      const pure = userPopulation({ groups: 3, users: 3 })
      const { instruction, first } = tastePair('linear', 0)
      const mixture = user.shares.reduce(
        (sum, share, group) => sum + share * userUtility(pure[group]!, instruction, first),
        0,
      )
      expect(userUtility(user, instruction, first)).toBeCloseTo(mixture, 10)
    }
    expect(() => userPopulation({ groups: 9 })).toThrow(/groups are not/)
  })
})

describe('principles', () => {
  test('a negated principle turns every score round', () => {
    for (let index = 0; index < 200; index++) {
      const { principle, instruction, answers, scores } = principleList('p', index)
      textVocabulary.encodeTokens(principleTokens(principle))
      expect(answers.length >= 4 && answers.length <= 6).toBe(true)
      answers.forEach((tokens, at) => {
        expect(principleScore(negated(principle), instruction, tokens)).toBeCloseTo(6 - scores[at]!, 10)
      })
    }
  })

  test('priority outranks everything after it where the first wish is clear', () => {
    const principle = {
      terms: [
        { quality: 'list', more: true, weight: 1 },
        { quality: 'short', more: false, weight: 1 },
      ],
      by: 'priority',
    } as const
    const rng = new Rng(1)
    const instruction = drawOpenInstruction(rng)
    const list = styledAnswer(instruction, { format: 'list', padding: 0 }, rng)
    const long = styledAnswer(instruction, { format: 'sentence', padding: 4 }, rng)
    expect(principleScore(principle, instruction, list)).toBeGreaterThan(
      principleScore(principle, instruction, long),
    )
    expect(principleTokens(principle).join(' ')).toBe('prefer first list , then long .')
  })

  test('splits: unseen principles are a third or less, and single wishes are never among them', () => {
    const drawn = Array.from({ length: 2000 }, (_, index) => drawPrinciple(new Rng(index)))
    const unseen = drawn.filter((principle) => splitOfPrinciple(principle) === 'unseen')
    expect(unseen.length / 2000).toBeGreaterThan(0.15)
    expect(unseen.length / 2000).toBeLessThan(0.35)
    expect(unseen.every(({ terms }) => terms.length > 1 || !terms[0]!.more)).toBe(true)
    expect(splitOfPrinciple(drawPrinciple(new Rng(3), { split: 'unseen' }))).toBe('unseen')
  })
})

describe('contexts', () => {
  test('each context turns the preference, and no context leaves it open', () => {
    const firstBetter = { short: 0, long: 0 } as Record<string, number>
    for (let index = 0; index < 300; index++) {
      const row = contextRow('c', index)
      const lead = (quality: typeof row.x, isNegated = false) =>
        contextScore(quality, row.instruction, row.a, isNegated) -
        contextScore(quality, row.instruction, row.b, isNegated)
      expect(lead(row.x)).toBeGreaterThan(0)
      expect(lead(row.y)).toBeLessThan(0)
      expect(lead(row.x, true)).toBeCloseTo(-lead(row.x), 12)
      expect(marginalPreference(row, { shares: { [row.x]: 0.7, [row.y]: 0.3 } })).toBeCloseTo(0.7, 12)
      firstBetter[row.x] = (firstBetter[row.x] ?? 0) + 1
    }
    for (const quality of contextQualities) expect(firstBetter[quality]).toBeGreaterThan(10)
  })

  test('wordings are in the vocabulary and all differ; unseen scenarios are not among the seen', () => {
    const seen = new Set<string>()
    for (const quality of contextQualities) {
      for (const form of ['criterion', 'negated', 'unseen scenario'] as const)
        seen.add(contextTokens(quality, form, new Rng(0)).join(' '))
      for (let seed = 0; seed < 20; seed++)
        seen.add(contextTokens(quality, 'scenario', new Rng(seed)).join(' '))
    }
    expect(seen.size).toBe(contextQualities.length * 5)
    for (const text of seen) textVocabulary.encode(text)
  })

  test('a profile is its contexts', () => {
    const profile = { shares: { short: 0.2, list: 0.7, owners: 0.1 } }
    expect(profileTokens(profile).join(' ')).toBe('i prefer list , then short .')
    expect(profileWeights({ shares: { long: 0.5, short: 0.2 } })).toEqual({ short: expect.closeTo(-0.3, 12) })
  })
})

describe('reactions', () => {
  test('probabilities sum to 1, fit the answer with the stated reliability, and are what is drawn', () => {
    for (let index = 0; index < 60; index++) {
      const rng = new Rng(`reaction/${index}`)
      const task = taskAt('reactions', index) as Instruction
      const { tokens } = drawAnswer(task, rng)
      const all = reactionProbabilities(task, tokens)
      expect(all.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 10)
      const facets = facetsOf(judgeAnswer(task, tokens).parts)
      const isFaultless = reactionFacets.every((facet) => facets[facet])
      const fitting = all
        .filter(({ facet, isPositive }) => (isFaultless ? isPositive : !isPositive && !facets[facet]))
        .reduce((sum, { probability }) => sum + probability, 0)
      expect(fitting).toBeCloseTo(0.8, 10)
    }
    const task = taskAt('reactions', 1) as Instruction
    const { tokens } = drawAnswer(task, new Rng(0), { recipes: { truthfulness: 1, relevance: 1 } })
    const rng = new Rng('draws')
    const counts = new Map<string, number>()
    for (let draw = 0; draw < 4000; draw++) {
      const text = drawReaction(task, tokens, rng).tokens.join(' ')
      counts.set(text, (counts.get(text) ?? 0) + 1)
    }
    for (const { tokens: reaction, probability } of reactionProbabilities(task, tokens))
      expect(Math.abs((counts.get(reaction.join(' ')) ?? 0) / 4000 - probability)).toBeLessThan(0.03)
  })

  test('a dialogue with a reaction has the reaction to learn', () => {
    const task = taskAt('reactions', 0) as Instruction
    const { tokens } = drawAnswer(task, new Rng(0))
    const reaction = drawReaction(task, tokens, new Rng(0)).tokens
    const { ids, answerStart } = dialogueWithReaction(taskPrompt(task), tokens, reaction)
    expect(textVocabulary.decode(ids)).toContain(`<eos> <user> ${textVocabulary.join(reaction)} <eos>`)
    expect(answerOfIds(ids.slice(answerStart))).toEqual(reaction)
  })

  test('sets are balanced, similar in length, and unseen wordings are apart', () => {
    const { positive, negative } = reactionSet()
    expect(positive.length).toBe(negative.length)
    const mean = (set: readonly (readonly string[])[]) =>
      set.reduce((sum, { length }) => sum + length, 0) / set.length
    expect(Math.abs(mean(positive) - mean(negative))).toBeLessThan(0.75)
    for (const tokens of [...positive, ...negative]) textVocabulary.encodeTokens(tokens)
    expect(new Set([...positive, ...negative].map((tokens) => tokens.join(' '))).size).toBe(36)
    for (const facet of reactionFacets)
      expect(reactionSet({ facet, phrasing: 'unseen' }).positive).toHaveLength(1)
    expect(reactionSet({ phrasing: 'seen' }).negative).toHaveLength(12)
  })
})

test('prompts with a principle or a context stay short', () => {
  for (let index = 0; index < 100; index++)
    expect(taskPrompt(drawOpenInstruction(new Rng(index))).length).toBeLessThanOrEqual(32)
})
