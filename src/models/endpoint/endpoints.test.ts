import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Fault, type OpenAIServer, openaiServer } from '../../../tests/openai-server.ts'
import { CallLayer } from '../calls/call-layer.ts'
import { ask } from '../chat-model.ts'
import { cosineSimilarity } from '../embedder.ts'
import { isFailed, succeeded } from '../outcome.ts'
import { completionsModel } from './completions-model.ts'
import { openaiEmbedder } from './openai-embedder.ts'
import { openaiImageGenerator } from './openai-image-generator.ts'
import { openaiModel } from './openai-model.ts'
import { vllmModel } from './vllm-model.ts'

let server: OpenAIServer
beforeAll(async () => {
  server = await openaiServer({
    reply: ({ text }) => `reply to ${text}`,
    firstTokens: () => ({ ' yes': 0.6, ' no': 0.3 }),
    // the score of a token depends on how many stand before it
    logProbability: (token, before) => -token.trim().length - before.length / 100,
    embed: (text) => (text === 'nothing' ? [0, 0, 0] : [text.length, 1, 0]),
  })
})
afterAll(() => server.close())
beforeEach(() => server.setFaults(undefined))

const options = () => ({ baseUrl: server.baseUrl, calls: new CallLayer(), backoffMs: 1, retries: 4 })
const sum = (values: Float32Array) => values.reduce((a, b) => a + b, 0)
const eachOther = (fault: Fault) => server.setFaults((_, index) => (index % 2 ? undefined : fault))

test('vLLM: a given answer is scored after the tokens of the prompt, whatever the template adds', async () => {
  const model = vllmModel('m', options())
  const prompt = ask('what is it ?')
  const [scores, second] = succeeded(
    await model.logProbabilities([
      { prompt, answer: 'a red cat' },
      { prompt, answer: 'dog' },
    ]),
  )
  // the server's template: "[user] what is it ? [end] [assistant] a red cat"; the space before "a" is a token without it
  expect(scores!.texts).toEqual([' a', ' red', ' cat'])
  expect(new Set(scores!.tokens).size).toBe(3)
  expect([...scores!.logp].map((value) => value.toFixed(2))).toEqual(['-1.07', '-3.08', '-3.09'])
  expect(second!.logp).toHaveLength(1)
  const [ended] = await model.logProbabilities([{ prompt, answer: 'a' }], { ended: true })
  const [ids] = await model.logProbabilities([{ prompt, answer: [1] }])
  for (const outcome of [ended, ids]) expect(outcome).toMatchObject({ failure: { code: 'bad-input' } })
})

test('completions with echo: the same of a model that continues text', async () => {
  const model = completionsModel('m', options())
  const [scores] = succeeded(
    await model.logProbabilities([{ prompt: ask('one two'), answer: ' three four' }]),
  )
  expect(scores!.texts).toEqual([' three', ' four'])
  expect(sum(scores!.logp)).toBeCloseTo(-5.02 - 4.03, 5)
  const [choice] = succeeded(await model.choices([ask('one')], { yes: ['yes'], no: ['no'] }))
  expect(choice!.full.yes).toBeCloseTo(0.6, 9)
  expect(choice!.bounds!.full.yes[1]).toBeCloseTo(0.7, 9)
  const [first] = await model.logProbabilities([{ prompt: ask(''), answer: 'three' }])
  expect(first).toMatchObject({ failure: { code: 'not-applicable' } })
})

test.each(['nan', 'missing-field', 'empty-choices', 'malformed', 'cut-off'] as const)(
  'scores after the fault "%s" are those without it, or a failure',
  async (fault) => {
    const pair = [{ prompt: ask('one two'), answer: ' three four' }]
    const [right] = succeeded(await completionsModel('m', options()).logProbabilities(pair))
    eachOther(fault)
    for (const make of [completionsModel, vllmModel] as const) {
      const [scores] = await make('m', options()).logProbabilities(pair)
      if (!isFailed(scores)) expect(scores!.logp).toHaveLength(2)
      if (make === completionsModel && !isFailed(scores)) expect(scores!.logp).toEqual(right!.logp)
    }
    server.setFaults(() => fault)
    const [lost] = await completionsModel('m', { ...options(), retries: 1 }).logProbabilities(pair)
    expect(isFailed(lost)).toBe(true)
  },
)

test('embeddings are unit vectors; one that is not fails alone', async () => {
  const model = openaiEmbedder('e', options())
  expect(model.dimensions).toBeUndefined()
  const [one, nothing, same] = await model.embedText(['ab', 'nothing', 'ab'])
  expect(nothing).toMatchObject({ failure: { code: 'not-applicable' } })
  const [a, b] = succeeded([one!, same!])
  expect(cosineSimilarity(a!, b!)).toBeCloseTo(1, 6)
  expect(a![0]).toBeCloseTo(2 / Math.sqrt(5), 6)
  expect(model.dimensions).toBe(3)
  const before = server.count
  const many = succeeded(
    await model.embedText(Array.from({ length: 60 }, (_, index) => 'a'.repeat(index + 1))),
  )
  many.forEach((vector, index) => {
    expect(vector[0]! / vector[1]!).toBeCloseTo(index + 1, 3)
  })
  expect(server.count - before).toBeLessThan(10)
  for (const fault of ['nan', 'missing-field', 'malformed'] as const) {
    server.setFaults(() => fault)
    expect((await openaiEmbedder('e', { ...options(), retries: 1 }).embedText(['ab']))[0]).toMatchObject({
      failure: { code: 'outage' },
    })
  }
})

test('images are drawn', async () => {
  const model = openaiImageGenerator('i', options())
  const [image] = succeeded(await model.generate(['a dot'], { seed: 3 }))
  expect(image!.output).toMatchObject({ width: 1, height: 1 })
  expect(image!.logp).toBeUndefined()
  server.setFaults(() => 'empty-choices')
  expect((await model.generate(['another']))[0]).toMatchObject({ failure: { code: 'outage' } })
})

test('a client of the package openai sends the requests, under the same limits', async () => {
  const client = new OpenAI({ baseURL: server.baseUrl, apiKey: 'key-of-the-client-123' })
  const model = openaiModel('m', { ...options(), client })
  expect((await model.chat([ask('a')]))[0]!.text).toBe('reply to a')
  expect(server.requests.at(-1)!.headers.authorization).toBe('Bearer key-of-the-client-123')
  for (const fault of ['429-seconds', '500', 'reset', 'cut-off', 'malformed'] as const) {
    eachOther(fault)
    const replies = await model.chat([ask(`b ${fault}`), ask(`c ${fault}`)])
    expect(replies.map(({ text }) => text)).toEqual([`reply to b ${fault}`, `reply to c ${fault}`])
    server.setFaults(() => fault)
    const before = server.count
    const [lost] = await openaiModel('m', { ...options(), client, retries: 1 }).chat([ask('x')])
    expect(lost!.failure?.code).toBe('outage')
    expect(server.count - before).toBe(2) // the client repeats nothing by itself
  }
})
