import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Call } from './call.ts'
import { CallLayer } from './call-layer.ts'
import { RateLimit } from './rate-limit.ts'
import { recording } from './recording.ts'
import { retryAfterOf } from './retry-after.ts'

test('Retry-After in seconds, as a date, in milliseconds, and nonsense', () => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  expect(retryAfterOf({ 'retry-after': '2' }, now)).toBe(2000)
  expect(retryAfterOf({ 'retry-after': '0.5' }, now)).toBe(500)
  expect(retryAfterOf({ 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT' }, now)).toBe(30_000)
  expect(retryAfterOf({ 'retry-after': 'Wed, 31 Dec 2025 00:00:30 GMT' }, now)).toBe(0)
  expect(retryAfterOf({ 'retry-after-ms': '40', 'retry-after': '9' }, now)).toBe(40)
  for (const header of ['soon', '-1', '', '1e9999'])
    expect(retryAfterOf({ 'retry-after': header }, now)).toBeUndefined()
  expect(retryAfterOf({}, now)).toBeUndefined()
})

test('a rate is kept: a tenth at once, the rest in turn; what was not used is given back', async () => {
  const stop = new AbortController()
  const rate = new RateLimit(6000) // 600 at once, then 90 a second
  const start = performance.now()
  await rate.take(600, stop.signal)
  expect(performance.now() - start).toBeLessThan(50)
  await rate.take(9, stop.signal)
  expect(performance.now() - start).toBeGreaterThan(80)
  rate.settle(-500)
  await rate.take(500, stop.signal)
  const waiting = rate.take(600, stop.signal)
  const behind = rate.take(1, stop.signal)
  stop.abort(new Error('left'))
  await expect(waiting).rejects.toThrow('left')
  await expect(behind).rejects.toThrow('left')
})

test('recorded answers are replayed without the model; damaged recordings are refused', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'recording-'))
  const file = join(folder, 'calls.jsonl')
  let asked = 0
  const call = (key: string): Call<string> => ({
    model: { id: 'm', endpoint: 'e', limits: { retries: 0 } },
    key,
    expected: { inputTokens: 1, outputTokens: 1 },
    send: async () => {
      asked++
      return { answer: `answer ${key}`, inputTokens: 2, outputTokens: 3 }
    },
  })
  const live = new CallLayer({ cache: await recording(file) })
  await live.run(call('a'))
  await live.run(call('a'))
  expect(asked).toBe(1)
  const replay = new CallLayer({ cache: await recording(file), mode: 'replay' })
  expect(await replay.run(call('a'))).toEqual({
    answer: 'answer a',
    usage: { calls: 1, inputTokens: 2, outputTokens: 3 },
    cached: true,
  })
  expect(await replay.run(call('b'))).toMatchObject({
    failure: { code: 'outage', reason: expect.stringMatching(/no recorded answer/) },
  })
  expect(asked).toBe(1)
  await writeFile(file, '{"key": 1}\n')
  await expect(recording(file)).rejects.toThrow(/calls.jsonl:1: this is no recorded call/)
  await rm(folder, { recursive: true, force: true })
})
