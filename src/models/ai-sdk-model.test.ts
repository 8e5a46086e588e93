import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type OpenAIServer, openaiServer } from '../../tests/openai-server.ts'
import { aiSdkModel } from './ai-sdk-model.ts'
import { CallLayer } from './calls/call-layer.ts'
import { ask } from './chat-model.ts'

let server: OpenAIServer
beforeAll(async () => {
  server = await openaiServer({
    reply: ({ text, images }) => ({ text: `${images.length} images, ${text}`, reasoning: 'hm' }),
  })
})
afterAll(() => server.close())

const model = (retries = 3) =>
  aiSdkModel(
    createOpenAICompatible({
      name: 'local',
      baseURL: server.baseUrl,
      apiKey: 'secret-of-provider-1',
      supportsStructuredOutputs: true,
    })('m'),
    { limits: { retries, backoffMs: 1 }, calls: new CallLayer() },
  )

test('messages, images, options and usage go through the SDK', async () => {
  const image = { width: 1, height: 1, data: Uint8Array.of(1, 2, 3, 255) }
  const schema = { type: 'object', properties: {}, additionalProperties: false }
  const [reply] = await model().chat([[{ role: 'system', text: 'be kind' }, ...ask('see', image)]], {
    maxTokens: 9,
    stop: ['END'],
    seed: 3,
    temperature: 0.5,
    schema,
  })
  expect(reply).toMatchObject({
    text: '1 images, see',
    reasoning: 'hm',
    finish: 'stop',
    usage: { calls: 1, inputTokens: 1 },
  })
  expect(server.requests.at(-1)!.body).toMatchObject({
    max_tokens: 9,
    stop: ['END'],
    seed: 3,
    temperature: 0.5,
    response_format: { type: 'json_schema' },
    messages: [{ role: 'system', content: 'be kind' }, { role: 'user' }],
  })
})

test('faults are repeated by the layer alone, and refused keys are not told', async () => {
  for (const fault of ['429-seconds', '500', 'reset', 'malformed', 'empty-choices', 'cut-off'] as const) {
    server.setFaults((_, index) => (index % 2 ? undefined : fault))
    const replies = await model().chat([ask(`a ${fault}`), ask(`b ${fault}`)])
    expect(replies.map(({ text }) => text)).toEqual([`0 images, a ${fault}`, `0 images, b ${fault}`])
    server.setFaults(() => fault)
    const before = server.count
    const [lost] = await model(1).chat([ask('x')])
    expect([fault, lost!.failure?.code]).toEqual([fault, 'outage'])
    expect(server.count - before).toBe(2)
    expect(JSON.stringify(lost)).not.toContain('secret-of-provider')
  }
  server.setFaults(undefined)
})
