import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { environmentNamed } from '../../worlds/environments.ts'
import { eventText, jsonPieces, resultEvents, waitingStream } from './event-stream.ts'
import { LingeringCalls } from './lingering-calls.ts'
import { LiveSession } from './live-session.ts'
import { orsBlocks } from './ors-blocks.ts'
import { messagesOfItems } from './responses-items.ts'
import { ServedEnvironments, taskNamed } from './served-environments.ts'
import { SessionStore } from './session-store.ts'
import { actsOf, replay } from './trajectory.ts'

describe('sessions', () => {
  const closable = () => {
    const session = { closed: 0, close: async () => void session.closed++ }
    return session
  }

  test('belong to who opened them, and end once', () => {
    const store = new SessionStore()
    const session = closable()
    const id = store.add('anna', session)
    expect(id).toMatch(/^[\w-]{24}$/)
    expect(store.get('anna', id)).toBe(session)
    expect(store.get('ben', id)).toBeUndefined()
    expect(store.get(null, id)).toBeUndefined()
    expect(store.delete('ben', id)).toBe(false)
    expect(store.hasEnded('anna', id)).toBe(false)
    expect(store.delete('anna', id)).toBe(true)
    expect(store.delete('anna', id)).toBe(false)
    expect(store.hasEnded('anna', id)).toBe(true)
    expect(store.hasEnded('ben', id)).toBe(false)
    expect(session.closed).toBe(1)
    store.close()
  })

  test('idle ones are closed, used ones are not', () => {
    let now = 0
    const store = new SessionStore({ idleMs: 100, now: () => now })
    const [idle, used] = [closable(), closable()]
    const [idleId, usedId] = [store.add(null, idle), store.add(null, used)]
    now = 90
    store.get(null, usedId)
    now = 150
    store.reap()
    expect([idle.closed, used.closed, store.size]).toEqual([1, 0, 1])
    now = 300
    expect(store.get(null, usedId)).toBeUndefined() // before any reaping
    expect(store.hasEnded(null, idleId)).toBe(true)
    store.close()
  })

  test('a full store gives the room of the one idle longest, and refuses while all are in use', () => {
    let now = 0
    const store = new SessionStore({ most: 2, evictableMs: 50, now: () => now })
    const [first, second] = [closable(), closable()]
    const firstId = store.add(null, first)
    store.add(null, second)
    expect(() => store.add(null, closable())).toThrow('2 sessions are open')
    now = 40
    store.get(null, firstId)
    now = 60
    store.add(null, closable())
    expect([first.closed, second.closed, store.size]).toEqual([0, 1, 2])
    const controller = new AbortController()
    store.closeOn(controller.signal)
    controller.abort()
    expect([first.closed, store.size]).toEqual([1, 0])
  })
})

describe('events', () => {
  /** As the SDKs read: data stripped on the left, pieces joined, parsed once. */
  function parsed(stream: string): unknown {
    let text = ''
    for (const block of stream.split('\n\n').slice(0, -1)) {
      const [event, data] = block.split('\n') as [string, string]
      expect(event).toMatch(/^event: (chunk|end)$/)
      expect(data.length).toBeLessThan(4096 + 20)
      text += data.slice('data:'.length).trim()
    }
    return text === '' ? null : JSON.parse(text)
  }

  test('values survive careless readers, whatever they hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        expect(parsed(resultEvents({ [text]: [text] }))).toEqual({ [text]: [text] })
        expect(jsonPieces(text).join('')).toMatch(/^[\x20-\x7e]*$/)
      }),
      { numRuns: 50 },
    )
    for (const text of [' '.repeat(20_000), 'é\u2028😀'.repeat(4000), `${'a'.repeat(4094)}   b`, '\n\r'])
      expect(parsed(resultEvents({ text }))).toEqual({ text })
    expect(resultEvents(null)).toBe('event: end\ndata: \n\n')
  })

  test('a stream says the id at once, then comments while it waits', async () => {
    let finish!: (text: string) => void
    const rest = new Promise<string>((resolve) => {
      finish = resolve
    })
    let text = ''
    for await (const bytes of waitingStream(eventText('task_id', 'x'), rest, 5)) {
      text += Buffer.from(bytes).toString()
      if (text.includes(': keep-alive')) finish(eventText('end', '1'))
    }
    expect(text).toMatch(/^event: task_id\ndata: x\n\n(: keep-alive\n\n)+event: end\ndata: 1\n\n$/)
  })

  test('a call is found again by its caller, and only by them; errors are one line', async () => {
    const calls = new LingeringCalls()
    let times = 0
    const { id, events } = calls.start('anna', async () => ++times)
    expect(await calls.find('anna', id)).toBe(await events)
    expect(calls.find('ben', id)).toBeUndefined()
    expect(times).toBe(1)
    const failed = calls.start('anna', async () => {
      throw new Error('two\nlines')
    })
    expect(await failed.events).toBe('event: error\ndata: two lines\n\n')
  })
})

describe('live sessions', () => {
  const environment = environmentNamed('number-line')
  const task = { ...environment.task('train', 0) }

  test('refuse what cannot be done, in words', async () => {
    const session = await LiveSession.open(environment, task)
    expect(await session.act('fly', {})).toMatchObject({ ok: false, reason: 'not-found' })
    expect(await session.act('play', 'up')).toMatchObject({ ok: false, reason: 'bad-input-shape' })
    expect(await session.act('play', { action: 3 })).toMatchObject({ ok: false, reason: 'input-validation' })
    expect(await session.act('play', { action: '+', more: 1 })).toMatchObject({ ok: false })
    expect(await session.act('__proto__', {})).toMatchObject({ ok: false, reason: 'not-found' })
    expect([session.steps, session.reward]).toEqual([0, null])
  })

  test('carry acts out in order, and none after the end', async () => {
    const session = await LiveSession.open(environment, environment.task('train', 3))
    const limit = 10
    const all = await Promise.all(
      Array.from({ length: limit + 3 }, () => session.act('play', { action: 'x' })),
    )
    expect(all.slice(0, limit).every(({ ok }) => ok)).toBe(true)
    expect(all.slice(limit)).toEqual(
      Array.from({ length: 3 }, () => ({ ok: false, reason: 'finished', message: 'The episode is over.' })),
    )
    expect([session.steps, session.reward, session.truncated]).toEqual([limit, -limit, true])
    expect(session.parts).toEqual({ won: 0, legal: 0 })
  })
})

test('a recorded trajectory, played again, earns what it earned', async () => {
  const environment = environmentNamed('tool-calls')
  const task = environment.task('train', 4)
  const items = [
    { type: 'reasoning', summary: [] },
    { type: 'function_call', name: 'mcp__guerdon__clock', arguments: '{}', call_id: 'a' },
    { type: 'function_call_output', call_id: 'a', output: 'it is 3' },
    { type: 'function_call', name: 'weather', arguments: 'not json', call_id: 'b' },
    {
      type: 'message',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'done , 3', annotations: [] }],
    },
  ]
  const acts = actsOf(messagesOfItems(items, 'response.output'))
  expect(acts).toEqual([
    { tool: 'clock', input: {} },
    { tool: 'weather', input: 'not json' },
    { text: 'done , 3' },
  ])
  const again = await replay(environment, task, acts)
  const live = await LiveSession.open(environment, task)
  await live.act('clock', {})
  await live.say('done , 3')
  expect(again.reward).toBe(live.reward)
  expect(again.steps).toBe(2)
})

test('names are found in any case; tasks are named by split and index alone', () => {
  const served = new ServedEnvironments([environmentNamed('blackjack'), environmentNamed('household')])
  expect(served.named(undefined).name).toBe('blackjack')
  expect(served.named('HouseHold').name).toBe('household')
  expect(() => served.named('housolhd')).toThrow('no environment')
  expect(
    () => new ServedEnvironments([environmentNamed('blackjack'), environmentNamed('blackjack')]),
  ).toThrow()
  const environment = served.named(undefined)
  expect(taskNamed(environment, { split: 'train', index: 2, goal: 'forged' })).toEqual(
    environment.task('train', 2),
  )
  for (const given of [null, [], {}, { split: 'train' }, { split: 'train', index: 1.5 }])
    expect(() => taskNamed(environment, given)).toThrow('split')
})

test('blocks of ORS always say their detail; images are base64 without a prefix', () => {
  expect(
    orsBlocks([
      { type: 'text', text: 'a' },
      { type: 'json', json: { b: 1 } },
      { type: 'image', image: { bytes: Uint8Array.of(1, 2, 3), mediaType: 'image/png' } },
      { type: 'image', image: { url: 'data:image/webp;base64,AAA=' } },
      { type: 'image', image: { path: '/etc/passwd' } },
      { type: 'image', image: { url: 'http://10.0.0.1/x.png' } },
    ]),
  ).toEqual([
    { type: 'text', text: 'a', detail: null },
    { type: 'text', text: '{"b":1}', detail: null },
    { type: 'image', data: 'AQID', mimeType: 'image/png', detail: null },
    { type: 'image', data: 'AAA=', mimeType: 'image/webp', detail: null },
  ])
})
