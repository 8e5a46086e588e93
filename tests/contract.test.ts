import { describe, expect, test } from 'vitest'
import { type Json, type Reward, Rng, rewardIdentity, type Sample, type Turns } from '../src/core/index.ts'
import { methods } from '../src/methods/registry.ts'
import { rewardTypes } from '../src/rewards/registry.ts'
import type { RewardType } from '../src/rewards/reward-type.ts'

// What every reward promises, whoever wrote it. A reward joins by joining a registry.
const all: readonly RewardType[] = [...rewardTypes, ...methods.flatMap((method) => method.rewards)]

/** What the world may put in a sample: each is tried as the output of an example's sample. */
const hostileOutputs = [
  '',
  ' ',
  '\n',
  '\u0000',
  '\ud800',
  '{',
  '[]',
  'null',
  '<think></think><answer></answer>',
  '<answer>',
  '```json\n```',
  '```json\n[{"bbox_2d": [1, 2, 3]}]\n```',
  '[{"bbox_2d": [1e999, -1, null, "x"], "label": 3}]',
  '<tool_call>\n{"name": 3}\n</tool_call>',
  '<svg xmlns="http://www.w3.org/2000/svg"></svg>',
  '\\boxed{',
  '\\boxed{\\frac{1}{0}}',
  '9^{9^{9^{9}}}',
  'NaN',
  '-Infinity',
  '['.repeat(5000),
  'a '.repeat(20_000),
]
const hostileReferences = [
  null,
  '',
  0,
  [],
  {},
  'None',
  [[]],
  { boxes: null },
  Number.MAX_VALUE,
  ['a', 3, null],
  JSON.parse('{"__proto__": {"boxes": []}, "constructor": [1, 2, 3, 4]}'),
]
/** Own keys that plain objects inherit: an assignment would change the prototype instead. */
const protoMeta = JSON.parse(
  '{"__proto__": {"width": 8}, "constructor": "x", "toString": null, "hasOwnProperty": 1}',
)
const jsonParts: readonly Json[] = [
  null,
  0,
  'text',
  [],
  {},
  [[1, 2, 3, 4]],
  [null, { a: [null, 1e308] }],
  JSON.parse('{"__proto__": {"mark": "bar"}, "constructor": {"name": "f"}}'),
  JSON.parse('[{"name": "__proto__", "arguments": {"__proto__": 1}}]'),
]
const turns: readonly Turns[] = [
  [],
  [{ role: 'assistant', content: 'yes' }],
  [{ role: 'assistant', content: '' }],
  [{ role: 'user', content: 'no answer yet' }],
  [{ role: 'assistant', content: [{ type: 'image' }] }],
  [
    { role: 'user', content: 'again' },
    { role: 'assistant', content: '', toolCalls: [{ name: 'toString', arguments: { constructor: 1 } }] },
    { role: 'tool', content: 'done', toolCallId: 'x' },
  ],
]

const sameScores = (a: unknown, b: unknown) =>
  expect(JSON.parse(JSON.stringify(a))).toEqual(JSON.parse(JSON.stringify(b)))

test('names are unique and kebab-case', () => {
  const names = all.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  for (const name of names) expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
})

// A reward type is a function, whose properties Vitest does not put into titles.
describe.each(all.map((type) => [type.name, type] as const))('%s', (_, type) => {
  const examples = type.examples.map((example, index) => ({
    ...example,
    sample: { ...example.sample, id: `${example.sample.id}-${index}` },
    reward: type.create(example.options ?? {}),
  }))
  const rewards = [...new Map(examples.map(({ reward }) => [rewardIdentity(reward), reward])).values()]
  const of = (reward: Reward) =>
    examples
      .filter((example) => rewardIdentity(example.reward) === rewardIdentity(reward))
      .map(({ sample }) => sample)
  const context = () => ({ rng: new Rng('contract'), step: 10 })

  test('has examples, a summary and options that are refused when misspelt', () => {
    expect(examples.length).toBeGreaterThan(0)
    expect(type.summary.length).toBeGreaterThan(10)
    expect(() => type.create({ ...type.examples[0]!.options, misspelt: 1 })).toThrow()
  })

  test('its examples hold', async () => {
    for (const reward of rewards) {
      const mine = examples.filter((example) => rewardIdentity(example.reward) === rewardIdentity(reward))
      const scores = await reward.score(
        mine.map(({ sample }) => sample),
        context(),
      )
      mine.forEach(({ value, sample }, index) => {
        const score = scores[index]!
        if (value === null || score.value === null)
          expect(score.value, `${sample.id}: ${JSON.stringify(score)}`).toBe(value)
        else expect(score.value, sample.id).toBeCloseTo(value, 5)
      })
    }
  })

  test('one score per sample, unscored with a reason or inside the range, whatever the sample holds', async () => {
    for (const reward of rewards) {
      const [low, high] = reward.range
      const base = of(reward)[0]!
      const batch: Sample[] = [
        ...hostileOutputs.map((output, index) => ({ ...base, id: `output-${index}`, output })),
        ...hostileReferences.map((reference, index) => ({ ...base, id: `reference-${index}`, reference })),
        ...jsonParts.map((json, index) => ({
          ...base,
          id: `json-${index}`,
          output: [{ type: 'json' as const, json }],
        })),
        ...turns.map((output, index) => ({ ...base, id: `turns-${index}`, output })),
        { ...base, id: 'bare', meta: {} },
        { ...base, id: 'prototype keys', meta: { ...base.meta, ...protoMeta } },
        { ...base, id: 'prototype keys alone', meta: protoMeta },
      ]
      const scores = await reward.score(batch, context())
      expect(scores).toHaveLength(batch.length)
      scores.forEach((score, index) => {
        const where = `${reward.name} on ${batch[index]!.id}: ${JSON.stringify(score).slice(0, 300)}`
        if (score.value === null) expect(score.reason, where).toBeTruthy()
        else
          expect(score.value >= low && score.value <= high && Number.isFinite(score.value), where).toBe(true)
        if (score.value === null) expect(score.code === 'crashed', where).toBe(false)
        expect(Object.hasOwn(Object.prototype, 'width'), where).toBe(false)
        for (const part of Object.values(score.parts ?? {}))
          expect(part === null || Number.isFinite(part), where).toBe(true)
      })
    }
  })

  test('a batch equals its singles and order does not matter', async () => {
    for (const reward of rewards) {
      const samples = of(reward)
      const together = await reward.score(samples, context())
      const reversed = await reward.score([...samples].reverse(), context())
      sameScores(reversed.reverse(), together)
      if (reward.needs.includes('group')) continue
      const singles = await Promise.all(
        samples.map(async (sample) => (await reward.score([sample], context()))[0]),
      )
      sameScores(singles, together)
    }
  })

  test('an output as text, as parts and as the last turn scores the same', async () => {
    for (const reward of rewards) {
      if (reward.needs.includes('group')) continue
      const texts = of(reward).filter(({ output }) => typeof output === 'string')
      const together = await reward.score(texts, context())
      for (const wrap of [
        (text: string): Turns => [{ type: 'text', text }],
        (text: string): Turns => [
          { role: 'user', content: 'a question' },
          { role: 'assistant', content: text },
        ],
      ]) {
        const wrapped = texts.map((sample) => ({ ...sample, output: wrap(sample.output as string) }))
        const scores = await reward.score(wrapped, context())
        expect(scores.map(({ value }) => value)).toEqual(together.map(({ value }) => value))
      }
    }
  })

  test('samples are not changed, an empty batch gives no scores, params can be stored', async () => {
    for (const reward of rewards) {
      const samples = of(reward)
      const before = structuredClone(samples)
      await reward.score(samples, context())
      expect(samples).toEqual(before)
      expect(await reward.score([], context())).toEqual([])
      expect(JSON.parse(JSON.stringify(reward.params))).toEqual(reward.params)
    }
  })
})
