import { describe, expect, test } from 'vitest'
import { noisyOracle, scriptedChoices, scriptedModel, textOfConversation } from '../../../tests/judges.ts'
import { type Pair, Rng, type Sample } from '../../core/index.ts'
import { byProbability, byReply } from './asking.ts'
import type { JudgePrompt } from './judge-prompt.ts'
import { listJudge } from './list-judge.ts'
import { namedModel } from './named-model.ts'
import { slotReport } from './order.ts'
import { pairJudge } from './pair-judge.ts'
import { pointJudge } from './point-judge.ts'
import { listReader, preferenceReader, scoreReader, yesNoReader } from './readers.ts'
import { voteK } from './vote.ts'

const sample = (id: string, output: string, meta: Sample['meta'] = {}): Sample => ({
  id,
  prompt: 'What is 2 + 2?',
  output,
  reference: '4',
  meta,
})
const pointPrompt: JudgePrompt = {
  version: '1',
  user: 'Rate.\n{prompt}\n{output}\nThe reference is {reference}',
}
const pairPrompt: JudgePrompt = { version: '1', user: '{prompt}\n{first|A}\n{second|B}\nWhich is better?' }
const listPrompt: JudgePrompt = { version: '1', user: '{principle}\n{prompt}\n{candidates}' }

describe('a point judge', () => {
  const score = (reply: string | null, options = {}) =>
    pointJudge({
      name: 'p',
      prompt: pointPrompt,
      range: [1, 10],
      ask: byReply(scriptedModel(() => reply).model, scoreReader(), options),
    }).score([sample('a', '4')])

  test('gives the score in the units of the prompt', async () => {
    expect(await score('Fine.\nFinal Score: 8')).toMatchObject([
      { value: 8, parts: { parsed: 1 }, rationale: 'Fine.\nFinal Score: 8' },
    ])
  })

  test('is never 0 where there is no verdict, no call or a score out of range', async () => {
    expect(await score('no idea')).toMatchObject([{ value: null, code: 'unparsable', parts: { parsed: 0 } }])
    expect(await score(null)).toMatchObject([{ value: null, code: 'outage' }])
    expect(await score('Final Score: 80')).toMatchObject([{ value: null, code: 'unparsable' }])
  })

  test('counts the votes that can be read', async () => {
    const votes = ['Final Score: 4', 'hm', 'Final Score: 6', 'Final Score: 90']
    const [score] = await pointJudge({
      name: 'p',
      prompt: pointPrompt,
      range: [1, 10],
      ask: byReply(scriptedModel((_, index) => votes[index]!).model, scoreReader(), { votes: 4 }),
    }).score([sample('a', '4')])
    expect(score).toMatchObject({ value: 5, parts: { parsed: 0.5 }, uncertainty: 1 })
  })

  test('an outage of one vote leaves all out, so that trying again changes no number', async () => {
    const [score] = await pointJudge({
      name: 'p',
      prompt: pointPrompt,
      range: [1, 10],
      ask: byReply(
        scriptedModel((_, index) => (index === 1 ? null : 'Final Score: 4')).model,
        scoreReader(),
        {
          votes: 3,
        },
      ),
    }).score([sample('a', '4')])
    expect(score).toMatchObject({ value: null, code: 'outage' })
  })

  test('a refusal is a vote that is not given', async () => {
    const refused = { text: null, finish: 'refused', failure: { code: 'refused', reason: 'no' } } as const
    const judge = (replies: readonly (string | typeof refused)[]) =>
      pointJudge({
        name: 'p',
        prompt: pointPrompt,
        ask: byReply(scriptedModel((_, index) => replies[index]!).model, yesNoReader(), { votes: 2 }),
      }).score([sample('a', '4')])
    expect(await judge([refused, 'Yes'])).toMatchObject([{ value: 1, parts: { parsed: 0.5 } }])
    expect(await judge([refused, refused])).toMatchObject([{ value: null, code: 'refused' }])
    expect(await judge([refused, 'hm'])).toMatchObject([{ value: null, code: 'unparsable' }])
  })

  test('what calls cost is added up', async () => {
    const reply = { text: 'yes', finish: 'stop', usage: { calls: 1, inputTokens: 10, costUsd: 0.5 } } as const
    const [score] = await pointJudge({
      name: 'p',
      prompt: pointPrompt,
      ask: byReply(scriptedModel(() => reply).model, yesNoReader(), { votes: 3 }),
    }).score([sample('a', '4')])
    expect(score!.usage).toEqual({ calls: 3, inputTokens: 30, costUsd: 1.5 })
  })

  test('probabilities: known bounds count by their middle, wide ones not at all', async () => {
    const judge = (yes: number | readonly [number, number] | null) =>
      pointJudge({
        name: 'p',
        prompt: pointPrompt,
        ask: byProbability(scriptedChoices(() => yes).model),
      }).score([sample('a', '4')])
    expect((await judge(0.8))[0]!.value).toBeCloseTo(0.8, 12)
    expect(await judge([0.5, 0.54])).toMatchObject([{ value: 0.52, parts: { yesLeast: 0.5, yesMost: 0.54 } }])
    expect(await judge([0, 0.4])).toMatchObject([{ value: null, code: 'unparsable' }])
    expect(await judge(null)).toMatchObject([{ value: null, code: 'outage' }])
  })
})

describe('a pair judge', () => {
  const pair: Pair = { id: 'p', a: sample('a', 'four'), b: sample('b', 'five') }
  const reader = preferenceReader({ labels: ['A', 'B'], ties: ['tie'] })
  const judge = (reply: (text: string, index: number) => string, options = {}) =>
    pairJudge({
      name: 'p',
      prompt: pairPrompt,
      ask: byReply(
        scriptedModel((messages, index) => reply(textOfConversation(messages), index)).model,
        reader,
      ),
      ...options,
    })
  const firstWins = () => '<answer>A</answer>'
  const fourWins = (text: string) =>
    text.indexOf('four') < text.indexOf('five') ? '<answer>A</answer>' : '<answer>B</answer>'

  test('a judge of slots is a tie, and the report says which slot', async () => {
    const comparisons = await judge(firstWins).compare([pair])
    expect(comparisons).toMatchObject([{ value: 0.5, orders: [1, 0], parts: { parsed: 1 } }])
    expect(slotReport(comparisons)).toEqual({
      pairs: 1,
      judged: 1,
      ties: 1,
      parsed: 1,
      both: 1,
      inconsistent: 1,
      slotBias: 1,
    })
  })

  test('a judge of outputs is the same in both orders', async () => {
    const comparisons = await judge(fourWins).compare([pair, { id: 'q', a: pair.b, b: pair.a }])
    expect(comparisons).toMatchObject([
      { value: 1, orders: [1, 1] },
      { value: 0, orders: [0, 0] },
    ])
    expect(slotReport(comparisons)).toMatchObject({ inconsistent: 0, slotBias: 0, ties: 0 })
  })

  test.each([
    ['given', 1],
    ['swapped', 1],
    ['random', 1],
    ['both', 1],
  ] as const)('order %s', async (order, value) => {
    const [comparison] = await judge(fourWins, { order }).compare([pair], { rng: new Rng(1) })
    expect(comparison!.value).toBe(value)
    expect('orders' in comparison!).toBe(order === 'both')
  })

  test('a random order is drawn for each pair and stays', async () => {
    const pairs = Array.from({ length: 40 }, (_, index) => ({ ...pair, id: `${index}` }))
    const compare = () => judge(firstWins, { order: 'random' }).compare(pairs, { rng: new Rng(1) })
    const values = (await compare()).map(({ value }) => value)
    expect(new Set(values)).toEqual(new Set([0, 1]))
    expect((await compare()).map(({ value }) => value)).toEqual(values)
  })

  test('one order that cannot be read leaves the pair out', async () => {
    const comparisons = await judge((_, index) => (index === 0 ? 'hm' : '<answer>A</answer>')).compare([pair])
    expect(comparisons).toMatchObject([{ value: null, code: 'unparsable', parts: { parsed: 0.5 } }])
    expect(slotReport(comparisons)).toMatchObject({ pairs: 1, judged: 0, parsed: 0.5, slotBias: null })
  })

  test('the slot that a probability is about is a field', async () => {
    const { model } = scriptedChoices((messages) => {
      const text = textOfConversation(messages)
      return text.indexOf('four') < text.indexOf('five') ? 0.9 : 0.3 // the first slot, and the better output
    })
    const compare = async (candidateSlot: 'first' | 'second') =>
      (
        await pairJudge({ name: 'p', prompt: pairPrompt, ask: byProbability(model), candidateSlot }).compare([
          pair,
        ])
      )[0]!
    expect((await compare('first')).value).toBeCloseTo(0.8, 9)
    expect(await compare('first')).toMatchObject({ orders: [expect.closeTo(0.9, 9), expect.closeTo(0.7, 9)] })
    expect((await compare('second')).value).toBeCloseTo(0.2, 9)
    // P(a, b) + P(b, a) - 1
    expect(slotReport([await compare('first')]).slotBias).toBeCloseTo(0.9 + 0.3 - 1, 9)
  })

  test('a noisy oracle is right as often as its noise lets it', async () => {
    const pairs = Array.from({ length: 400 }, (_, index) => ({
      id: `${index}`,
      a: sample(`a${index}`, `four ${index}`),
      b: sample(`b${index}`, `five ${index}`),
    }))
    const { model } = noisyOracle(
      (text) => {
        const right = fourWins(text)
        return [right, right.includes('A') ? '<answer>B</answer>' : '<answer>A</answer>']
      },
      { error: 0.2 },
    )
    const comparisons = await pairJudge({
      name: 'p',
      prompt: pairPrompt,
      ask: byReply(model, reader),
    }).compare(pairs)
    const mean = comparisons.reduce((sum, { value }) => sum + value!, 0) / pairs.length
    expect(mean).toBeGreaterThan(0.75)
    expect(mean).toBeLessThan(0.85)
    expect(Math.abs(slotReport(comparisons).slotBias!)).toBeLessThan(0.1)
  })
})

describe('a list judge', () => {
  const group = ['good', 'bad', 'middling'].map((output) => sample(output, output))
  const worth: Readonly<Record<string, number>> = { good: 5, middling: 3, bad: 1 }
  const read = (text: string) =>
    [...text.matchAll(/<<<(model-\d) [0-9a-f]+>>>\n(\w+)\n/g)].map(([, name, output]) => ({
      name: name!,
      score: worth[output!]!,
    }))
  const reply = (items: readonly { name: string; score: number }[]) =>
    JSON.stringify({
      scores: Object.fromEntries(items.map(({ name, score }) => [name, score])),
      'best-to-worst': items.toSorted((a, b) => b.score - a.score).map(({ name }) => name),
    })

  test('unmasks the names, in whatever order they are shown', async () => {
    const { model, seen } = scriptedModel((messages) => reply(read(textOfConversation(messages))))
    const scores = await listJudge({
      name: 'l',
      prompt: listPrompt,
      criterion: { principle: 'Prefer the good.' },
      permutations: 3,
      ask: byReply(model, listReader),
    }).score(group)
    expect(scores.map(({ value }) => value)).toEqual([5, 1, 3])
    expect(scores[0]).toMatchObject({ parts: { parsed: 1, place: 1, covered: 1 } })
    const shown = seen.map((messages) => [
      ...textOfConversation(messages).matchAll(/>>>\n(good|bad|middling)\n/g),
    ])
    expect(shown).toHaveLength(3)
    for (const place of [0, 1, 2]) expect(new Set(shown.map((found) => found[place]![1])).size).toBe(3)
  })

  test('an output that is left out is unscored, the others are not', async () => {
    const { model } = scriptedModel((messages) =>
      reply(read(textOfConversation(messages)).filter(({ score }) => score !== 3)),
    )
    const scores = await listJudge({ name: 'l', prompt: listPrompt, ask: byReply(model, listReader) }).score(
      group,
    )
    expect(scores).toMatchObject([{ value: 5 }, { value: 1 }, { value: null, code: 'unparsable' }])
  })

  test('scores outside of the scale and failures', async () => {
    const judge = (text: string | null) =>
      listJudge({
        name: 'l',
        prompt: listPrompt,
        ask: byReply(scriptedModel(() => text).model, listReader),
      }).score(group)
    for (const score of await judge('{"scores": {"model-1": 50, "model-2": 0, "model-3": 1e999}}'))
      expect(score).toMatchObject({ value: null, code: 'unparsable' })
    for (const score of await judge('{')) expect(score).toMatchObject({ value: null, code: 'unparsable' })
    for (const score of await judge(null)) expect(score).toMatchObject({ value: null, code: 'outage' })
    expect(
      await listJudge({
        name: 'l',
        prompt: listPrompt,
        ask: byReply(scriptedModel(() => '').model, listReader),
      }).score(group.slice(0, 1)),
    ).toMatchObject([{ code: 'not-applicable' }])
  })
})

test('votes', () => {
  expect(voteK([1, 0, 1])).toMatchObject({ value: 2 / 3 })
  expect(voteK([1, 0, 1, 0.5], { rule: 'majority' }).value).toBe(1)
  expect(voteK([1, 0], { rule: 'majority' }).value).toBe(0.5)
  expect(voteK([1, 5, 2, 9], { rule: 'median', range: [1, 10] }).value).toBe(3.5)
  expect(voteK([4])).toEqual({ value: 4 })
  expect(() => voteK([])).toThrow(RangeError)
})

describe('models by name', () => {
  const ask = (model: string) =>
    pointJudge({ name: 'p', prompt: pointPrompt, ask: byReply(namedModel(model), yesNoReader()) }).score([
      sample('a', '4'),
    ])

  test('a constant model, a name that is none, weights that are not there, a model that cannot chat', async () => {
    expect(await ask('constant:no')).toMatchObject([{ value: 0 }])
    expect(() => namedModel('embeded:text-lm')).toThrow(/there is no model "embeded:text-lm".*embedded/s)
    expect(await ask('embedded:none-of-these')).toMatchObject([{ value: null, code: 'crashed' }])
    expect(await ask('embedded:scenes-clip')).toMatchObject([
      { value: null, code: 'crashed', reason: expect.stringContaining('answers in words') },
    ])
  })

  test('other weights are another model', () => {
    expect(namedModel('embedded:text-lm').id).toMatch(/^embedded:text-lm#[0-9a-f]{12}$/)
    expect(namedModel('embedded:text-lm').id).not.toBe(namedModel('embedded:text-lm-sft').id)
  })
})
