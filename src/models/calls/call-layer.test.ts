import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { faults, type OpenAIServer, openaiServer, passingFaults } from '../../../tests/openai-server.ts'
import { openStore, type Store } from '../../store/index.ts'
import { ask, type ChatReply } from '../chat-model.ts'
import { openaiModel } from '../endpoint/openai-model.ts'
import { CallLayer, SpendingStopped } from './call-layer.ts'

let server: OpenAIServer
let folder: string
let store: Store
beforeEach(async () => {
  server = await openaiServer({ reply: ({ text }) => `reply to ${text}` })
  folder = await mkdtemp(join(tmpdir(), 'calls-'))
  store = await openStore(join(folder, 'store.db'))
})
afterEach(async () => {
  await store.close()
  await server.close()
  await rm(folder, { recursive: true, force: true })
})

const quick = { backoffMs: 1, timeoutMs: 20_000 }
const price = { input: 1e6, output: 2e6 } // a dollar for a token read, two for one written
const modelOf = (calls: CallLayer, options: Parameters<typeof openaiModel>[1] = {}) =>
  openaiModel('m', { baseUrl: server.baseUrl, calls, ...quick, ...options })
const questions = (count: number, word = 'q') =>
  Array.from({ length: count }, (_, index) => ask(`${word}${index}`))
const textOf = ({ text }: ChatReply) => text

test('1,000 judgements, a fifth of the requests faulty, 64 at a time: none lost, none doubled, none wrong', async () => {
  const kinds = passingFaults.filter((fault) => fault !== 'slow') // would need a limit of time that a busy machine breaks
  server.setFaults({ rate: 0.2, seed: 'faults', kinds })
  const calls = new CallLayer({ cache: store.calls })
  const model = modelOf(calls, { concurrency: 64, retries: 12, timeoutMs: 100_000 })
  const replies = await model.chat(questions(1000))
  replies.forEach(({ text }, index) => {
    expect(text).toBe(`reply to q${index}`)
  })
  expect(server.faulty).toBeGreaterThan(150)
  const { requests, answers, retries, failures } = calls.spent
  expect({ answers, failures }).toEqual({ answers: 1000, failures: 0 })
  expect(requests).toBe(server.count)
  expect(requests).toBe(1000 + retries)
  expect((await store.calls.totals()).answers).toBe(1000)
  expect(server.mostAtOnce).toBeLessThanOrEqual(64)
}, 120_000)

describe('after each kind of fault the numbers are the same, byte for byte', () => {
  test.each(faults)('%s', async (fault) => {
    const asked = questions(12)
    const whole = await modelOf(new CallLayer()).chat(asked)
    // first every third request fails and nothing is repeated, then the run is resumed
    server.setFaults((_, index) => (index % 3 === 1 ? fault : undefined))
    const first = await modelOf(new CallLayer({ cache: store.calls }), {
      retries: 0,
      timeoutMs: fault === 'slow' ? 500 : 20_000,
    }).chat(asked)
    const lost = first.filter(({ failure }) => failure !== undefined)
    expect(lost.length).toBe(4)
    for (const { failure } of lost)
      expect(failure!.code).toBe(fault === 'refusal' ? 'refused' : fault === 'slow' ? 'timeout' : 'outage')
    server.setFaults(undefined)
    const before = server.count
    const resumed = await modelOf(new CallLayer({ cache: store.calls })).chat(asked)
    const plain = resumed.map(({ cached, ...reply }) => reply)
    if (fault === 'refusal') {
      expect(server.count).toBe(before) // an answer that the model gave: not asked again
      expect(plain.filter(({ text }) => text === null)).toHaveLength(4)
    } else {
      expect(server.count - before).toBe(4)
      expect(JSON.stringify(plain)).toBe(JSON.stringify(whole.map(({ cached, ...reply }) => reply)))
    }
  })
})

test('what is asked twice is asked once: in flight, and from the store; another option is another question', async () => {
  const calls = new CallLayer({ cache: store.calls })
  const model = modelOf(calls)
  const replies = await model.chat([ask('a'), ask('b'), ask('a'), ask('a')])
  expect(server.count).toBe(2)
  expect(replies.map(({ cached }) => cached)).toEqual([false, false, true, true])
  expect(replies[2]!.usage).toEqual(replies[0]!.usage)
  const again = await modelOf(new CallLayer({ cache: store.calls })).chat([ask('b')])
  expect(again[0]).toMatchObject({ text: 'reply to b', cached: true })
  expect(server.count).toBe(2)
  for (const options of [
    { maxTokens: 3 },
    { temperature: 1 },
    { seed: 1 },
    { stop: ['x'] },
    { schema: {} },
    { topP: 0.5 },
  ])
    await model.chat([ask('b')], options)
  expect(server.count).toBe(8)
  await modelOf(calls, { parameters: { reasoning_effort: 'low' } }).chat([ask('b')])
  await openaiModel('other', { baseUrl: server.baseUrl, calls }).chat([ask('b')])
  const pixel = (value: number) => ({ width: 1, height: 1, data: Uint8Array.of(value, 0, 0, 255) })
  await model.chat([ask('b', pixel(1)), ask('b', pixel(2)), ask('b', pixel(1))])
  expect(server.count).toBe(12)
})

test('a budget of calls and of cost stops cleanly, with everything kept', async () => {
  const calls = new CallLayer({ cache: store.calls, maxCalls: 7 })
  const replies = await modelOf(calls, { concurrency: 3 }).chat(questions(20))
  expect(server.count).toBe(7)
  expect(replies.filter(({ text }) => text !== null)).toHaveLength(7)
  expect(replies.find(({ failure }) => failure)!.failure).toEqual({
    code: 'cancelled',
    reason: 'the limit of 7 calls is reached',
  })
  expect(calls.signal.reason).toBeInstanceOf(SpendingStopped)
  expect((await store.calls.totals()).answers).toBe(7)
  // "reply to q0" is 3 tokens written, one read: 7 dollars; the question is expected to have more
  const costly = new CallLayer({ maxCost: 60 })
  await modelOf(costly, { price, concurrency: 1 }).chat(questions(20), { maxTokens: 4 })
  expect(costly.spent.costUsd).toBe(7 * costly.spent.answers)
  expect(costly.spent.costUsd).toBeLessThanOrEqual(60)
  expect(costly.spent.costUsd).toBeGreaterThan(35)
  const unknown = new CallLayer({ maxCost: 60 })
  const [reply] = await modelOf(unknown).chat(questions(1))
  expect(reply!.failure!.reason).toMatch(/price of m@http:.* is not known/)
})

test('answers in flight are kept when the budget ends; a caller who leaves takes only itself along', async () => {
  await server.close()
  server = await openaiServer({ reply: ({ text }) => text, latencyMs: 60 })
  const calls = new CallLayer({ maxCalls: 3, cache: store.calls })
  const model = modelOf(calls)
  const replies = await model.chat(questions(5), { signal: calls.signal })
  expect(replies.filter(({ text }) => text !== null)).toHaveLength(3)

  const leaving = new AbortController()
  const shared = new CallLayer()
  const both = modelOf(shared)
  const staying = both.chat([ask('together')])
  const left = both.chat([ask('together'), ask('alone')], { signal: leaving.signal })
  setTimeout(() => leaving.abort(), 20)
  expect((await left).map(({ failure }) => failure?.code)).toEqual(['cancelled', 'cancelled'])
  expect((await staying).map(textOf)).toEqual(['together'])
  expect(shared.spent).toMatchObject({ answers: 1, failures: 1 })

  // who comes right after the last one has left asks anew
  const last = new AbortController()
  const gone = both.chat([ask('again')], { signal: last.signal })
  setTimeout(() => last.abort(), 20)
  await gone
  expect((await both.chat([ask('again')])).map(textOf)).toEqual(['again'])
})

test('a dry run asks nothing and adds up what is not there yet', async () => {
  await modelOf(new CallLayer({ cache: store.calls })).chat([ask('q0')], { maxTokens: 10 })
  const before = server.count
  const dry = new CallLayer({ cache: store.calls, mode: 'estimate' })
  await modelOf(dry, { price }).chat([...questions(4), ask('q1')], { maxTokens: 10 })
  const { calls, cached, inputTokens, outputTokens, costUsd, unpriced } = dry.estimate
  expect({ calls, cached, outputTokens, unpriced }).toEqual({
    calls: 3,
    cached: 1,
    outputTokens: 30,
    unpriced: 0,
  })
  expect(costUsd).toBe(inputTokens + 2 * outputTokens)
  expect(server.count).toBe(before)
})

test('Retry-After is waited for, and not longer than allowed', async () => {
  server.setFaults((_, index) => (index === 0 ? '429-seconds' : undefined))
  const start = performance.now()
  const [reply] = await modelOf(new CallLayer()).chat([ask('a')])
  expect(reply!.text).toBe('reply to a')
  expect(performance.now() - start).toBeGreaterThanOrEqual(20)
  server.setFaults((_, index) => (index === 2 ? '429-seconds' : undefined))
  const [late] = await modelOf(new CallLayer(), { longestRetryAfterMs: 10 }).chat([ask('a')])
  expect(late!.failure!.reason).toMatch(/429: Rate limit reached; it asks to wait/)
})

test('a wrong key is said once and not tried again; keys and markup of error pages go nowhere', async () => {
  await server.close()
  const key = 'secret-key-0123456789'
  server = await openaiServer({ key })
  process.env.GUERDON_API_KEY = 'wrong-key-9876543210'
  const calls = new CallLayer({ cache: store.calls })
  const model = modelOf(calls, { concurrency: 1 })
  const refused = await model.chat(questions(5))
  expect(server.count).toBe(1)
  expect(refused[0]!.failure!.reason).toMatch(/401: .*\[key\].*read from GUERDON_API_KEY, which is set/)
  process.env.GUERDON_API_KEY = key
  const good = modelOf(new CallLayer({ cache: store.calls }), { retries: 0 })
  expect((await good.chat(questions(1)))[0]!.failure).toBeUndefined()
  server.setFaults(() => '503-html')
  const broken = await good.chat(questions(1, 'html'))
  expect(broken[0]!.failure!.reason).toMatch(/503: Service unavailable alert\(1\)$/)
  delete process.env.GUERDON_API_KEY
  const kept = await readFile(join(folder, 'store.db'), 'latin1')
  const wal = await readFile(join(folder, 'store.db-wal'), 'latin1').catch(() => '')
  const everything = JSON.stringify([refused, broken, good.id, calls.spent]) + kept + wal
  expect(everything).not.toMatch(/secret-key|wrong-key/)
  expect(kept + wal).toContain('503')
})

test('an endpoint that is down is left alone after some failures, and used again when it is back', async () => {
  server.setFaults(() => '500')
  const calls = new CallLayer()
  const limits = { breakAfter: 5, giveUpAfterMs: 300, retries: 1, concurrency: 4 }
  const replies = await modelOf(calls, limits).chat(questions(100))
  expect(replies.every(({ failure }) => failure?.code === 'outage')).toBe(true)
  expect(server.count).toBeLessThan(15)
  expect(replies.at(-1)!.failure!.reason).toMatch(/has not worked for 0 s: .*500/)
  server.setFaults(undefined)
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const after = await modelOf(calls, limits).chat(questions(20, 'later'))
  expect(after.every(({ text }) => text !== null)).toBe(true)
})

test('concurrency falls while the endpoint is overloaded and finds what it takes', async () => {
  await server.close()
  server = await openaiServer({ reply: ({ text }) => text, latencyMs: 5, capacity: 10 })
  const calls = new CallLayer()
  const model = modelOf(calls, { retries: 30 })
  const replies = await model.chat(questions(600))
  expect(replies.find(({ failure }) => failure)).toBeUndefined()
  const settled = calls.concurrencyOf(server.baseUrl)!
  expect(settled).toBeGreaterThanOrEqual(4)
  expect(settled).toBeLessThanOrEqual(14)
  expect(calls.spent.retries).toBeLessThan(300)
})
