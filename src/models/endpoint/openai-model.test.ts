import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type OpenAIServer,
  type OpenAIServerOptions,
  openaiServer,
  type ScriptedRequest,
} from '../../../tests/openai-server.ts'
import { CallLayer } from '../calls/call-layer.ts'
import { ask } from '../chat-model.ts'
import { isFailed, succeeded } from '../outcome.ts'
import { openaiModel } from './openai-model.ts'

const script: { -readonly [name in keyof OpenAIServerOptions]: OpenAIServerOptions[name] } = {}
let server: OpenAIServer
beforeAll(async () => {
  server = await openaiServer({
    reply: (request) => script.reply?.(request) ?? 'fine',
    firstTokens: (request) => script.firstTokens!(request),
  })
})
afterAll(() => server.close())

const quick = { retries: 2, backoffMs: 1, timeoutMs: 300 }
const model = (options: Parameters<typeof openaiModel>[1] = {}) =>
  openaiModel('m', { baseUrl: server.baseUrl, calls: new CallLayer(), ...quick, ...options })
const lastRequest = (): ScriptedRequest => server.requests.at(-1)!

describe('chat', () => {
  test('messages of one role are one turn; images and frames stand before their text', async () => {
    const red = { width: 1, height: 1, data: Uint8Array.of(255, 0, 0, 255) }
    const url = 'data:image/gif;base64,R0lGODlhAQABAAAAACw='
    const [reply] = await model().chat([
      [
        { role: 'system', text: 'be brief' },
        { role: 'system', text: 'be kind' },
        { role: 'user', text: 'first', images: [red] },
        {
          role: 'user',
          text: 'second',
          images: [{ url }],
          frames: [{ bytes: Buffer.from('\xff\xd8\xff', 'latin1') }],
        },
      ],
    ])
    expect(reply).toEqual({
      text: 'fine',
      finish: 'stop',
      usage: { calls: 1, inputTokens: 1, outputTokens: 1 },
      cached: false,
    })
    const { messages, ...fields } = lastRequest().body
    expect(fields).toEqual({ model: 'm', temperature: 0 })
    expect(messages[0]).toEqual({ role: 'system', content: 'be brief\n\nbe kind' })
    const parts = messages[1].content as { type: string; text?: string; image_url?: { url: string } }[]
    expect(parts.map(({ type, text }) => text ?? type)).toEqual([
      'image_url',
      'first',
      'image_url',
      'image_url',
      'second',
    ])
    expect(parts[0]!.image_url!.url).toMatch(/^data:image\/png;base64,iVBOR/)
    expect(parts[2]!.image_url!.url).toBe(url)
    expect(parts[3]!.image_url!.url).toMatch(/^data:image\/jpeg;/)
  })

  test('options as endpoints name them', async () => {
    const schema = {
      type: 'object',
      properties: { a: { type: 'number' } },
      required: ['a'],
      additionalProperties: false,
    }
    await model({ parameters: { reasoning_effort: 'low', temperature: null } }).chat([ask('a'), ask('b')], {
      maxTokens: 5,
      topP: 0.9,
      seed: ['x', 7],
      stop: ['END'],
      schema,
    })
    const sent = server.requests.slice(-2).map(({ body }) => body)
    expect(sent[0]).toMatchObject({ max_tokens: 5, top_p: 0.9, stop: ['END'], reasoning_effort: 'low' })
    expect(sent[0]).not.toHaveProperty('temperature')
    expect(sent[0]!.response_format).toEqual({
      type: 'json_schema',
      json_schema: { name: 'answer', schema, strict: true },
    })
    expect(sent.map(({ seed }) => seed)).toEqual([expect.any(Number), 7])
    await model().chat([ask('a')], { schema: { type: 'object', properties: { a: {} } } })
    expect(lastRequest().body.response_format.json_schema.strict).toBe(false)
  })

  test('reasoning is kept apart, however the endpoint writes it', async () => {
    const replies: Parameters<typeof replyTo>[0][] = [
      { text: 'yes', reasoning: 'hm' },
      { text: '<think>\nhm\n</think>\n\nyes' },
      { text: 'hm\n</think>yes' },
      { text: '<think>hm, I', finish: 'length' },
      { text: null, reasoning: 'hm, I', finish: 'length' },
      { text: 'the tag <think>a</think> means thinking' },
    ]
    const replyTo = async (said: { text: string | null; reasoning?: string; finish?: string }) => {
      script.reply = () => said
      return (await model().chat([ask('?')]))[0]!
    }
    expect(
      await Promise.resolve(
        replies.reduce(
          async (done, said) => [...(await done), await replyTo(said)],
          Promise.resolve([] as unknown[]),
        ),
      ),
    ).toMatchObject([
      { text: 'yes', reasoning: 'hm' },
      { text: 'yes', reasoning: 'hm' },
      { text: 'yes', reasoning: 'hm' },
      { text: '', reasoning: 'hm, I', finish: 'length' },
      { text: '', reasoning: 'hm, I', finish: 'length' },
      { text: 'the tag <think>a</think> means thinking' },
    ])
    delete script.reply
  })

  test('a stream gives what a whole answer gives', async () => {
    script.reply = ({ text }) => ({ text: `${text}: ja, größer`, reasoning: 'hm', outputTokens: 7 })
    const [whole] = await model().chat([ask('so')])
    const [streamed] = await model({ stream: true }).chat([ask('so')])
    expect(lastRequest().body).toMatchObject({ stream: true, stream_options: { include_usage: true } })
    expect(streamed).toEqual(whole)
    expect(streamed).toMatchObject({ text: 'so: ja, größer', reasoning: 'hm', usage: { outputTokens: 7 } })
    server.setFaults((_, index) =>
      index === server.count - 1 && server.requests.length % 2 ? 'malformed' : undefined,
    )
    for (let n = 0; n < 4; n++)
      expect((await model({ stream: true }).chat([ask('so')]))[0]!.text).toBe(whole!.text)
    server.setFaults(undefined)
    delete script.reply
  })

  test('a refusal is an answer without text', async () => {
    server.setFaults(() => 'refusal')
    expect((await model().chat([ask('a')]))[0]).toMatchObject({
      text: null,
      finish: 'refused',
      failure: { code: 'refused', reason: 'the model declined: I cannot help with that' },
    })
    server.setFaults(undefined)
    script.reply = () => ({ text: 'half', finish: 'content_filter' })
    expect((await model().chat([ask('a')]))[0]).toMatchObject({ text: null, finish: 'refused' })
    delete script.reply
  })

  test('one bad conversation leaves the others alone', async () => {
    const replies = await model().chat([
      [],
      ask('a', { url: 'http://elsewhere/picture.png' }),
      ask('b', { width: 2, height: 2, data: new Uint8Array(3) }),
      ask('c'),
    ])
    expect(replies.map(({ failure }) => failure?.code)).toEqual([
      'bad-input',
      'bad-input',
      'bad-input',
      undefined,
    ])
    expect(replies[3]!.text).toBe('fine')
  })
})

describe('choices', () => {
  test('token variants are added up, what the list leaves open is a bound', async () => {
    script.firstTokens = () => ({ Yes: 0.5, ' yes': 0.1, No: 0.2, '▁no': 0.05, Y: 0.02, Well: 0.03 })
    const [found] = succeeded(await model().choices([ask('?')], { yes: ['yes'], no: ['no'] }))
    expect(found!.full.yes).toBeCloseTo(0.6, 9)
    expect(found!.full.no).toBeCloseTo(0.25, 9)
    expect(found!.among.yes).toBeCloseTo(0.6 / 0.85, 9)
    // 0.1 is not listed; "Y" may become "Yes"
    expect(found!.bounds!.full.yes[1]).toBeCloseTo(0.72, 9)
    expect(found!.bounds!.full.no[1]).toBeCloseTo(0.35, 9)
    expect(found!.bounds!.among.yes[0]).toBeCloseTo(0.6 / 0.95, 9)
    expect(found!.bounds!.among.yes[1]).toBeCloseTo(0.72 / 0.97, 9)
    expect(found!.usage).toMatchObject({ calls: 1 })
    expect(lastRequest().body).toMatchObject({ logprobs: true, top_logprobs: 20, max_tokens: 1 })
  })

  test('no choice in the list is a failure, never an invented number', async () => {
    script.firstTokens = () => ({ Well: 0.6, So: 0.3 })
    const [found] = await model().choices([ask('?')], { yes: ['yes'], no: ['no'] })
    expect(found).toMatchObject({
      failure: { code: 'unparsable', reason: expect.stringMatching(/likeliest tokens/) },
    })
  })

  test('an endpoint without log-probabilities says so', async () => {
    const [found] = await model().choices([ask('?')], { yes: ['yes'], no: ['no'] })
    script.firstTokens = () => undefined as never
    const [none] = await model().choices([ask('other')], { yes: ['yes'], no: ['no'] })
    expect(isFailed(found)).toBe(true)
    expect(none).toMatchObject({
      failure: { code: 'not-applicable', reason: expect.stringMatching(/tells no log-prob/) },
    })
  })

  test('NaN and impossible log-probabilities are asked again, then fail', async () => {
    script.firstTokens = () => ({ yes: 0.9, no: 0.1 })
    server.setFaults((_, index) => (index % 2 ? undefined : 'nan'))
    const before = server.count
    const found = succeeded(
      await model().choices([ask('1'), ask('2'), ask('3')], { yes: ['yes'], no: ['no'] }),
    )
    for (const { full } of found) expect(full.yes).toBeCloseTo(0.9, 9)
    expect(server.count - before).toBeGreaterThan(3)
    server.setFaults(undefined)
    script.firstTokens = () => ({ yes: 0.9, no: 0.9 })
    const [wrong] = await model().choices([ask('?')], { yes: ['yes'], no: ['no'] })
    expect(wrong).toMatchObject({
      failure: { code: 'outage', reason: expect.stringMatching(/add up to 1.8/) },
    })
  })
})
