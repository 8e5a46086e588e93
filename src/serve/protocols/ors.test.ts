import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { environmentServer } from '../../../tests/environment-server.ts'
import { environmentNamed } from '../../worlds/environments.ts'
import { requestsOf } from '../../worlds/text/tool-environment.ts'
import type { RunningServer } from '../server.ts'

/** A client as the protocol's card tells it: sessions, then calls whose answers are read from events. */
class Client {
  readonly base: string
  session = ''
  constructor(base: string) {
    this.base = base
  }

  async json(path: string, body?: unknown, headers: Record<string, string> = {}) {
    const response = await fetch(`${this.base}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'X-Session-ID': this.session, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: response.status, body: (await response.json()) as any }
  }

  async events(path: string, body: unknown): Promise<{ event: string; data: string }[]> {
    const response = await fetch(`${this.base}${path}`, {
      method: 'POST',
      headers: { 'X-Session-ID': this.session, accept: 'text/event-stream' },
      body: JSON.stringify(body),
    })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    return (await response.text())
      .split('\n\n')
      .filter((block) => block !== '' && !block.startsWith(':'))
      .map((block) => {
        const [event, data] = block.split('\n') as [string, string]
        return { event: event.slice('event: '.length), data: data.slice('data:'.length).trimStart() }
      })
  }

  async open(body: object): Promise<void> {
    const [first, last] = await this.events('/create_session', {})
    expect([first!.event, last!.event, last!.data]).toEqual(['task_id', 'end', ''])
    this.session = first!.data
    expect(await this.json('/create', body)).toEqual({ status: 200, body: { sid: this.session } })
  }

  async call(path: string, name: string, input: unknown): Promise<any> {
    const events = await this.events(path, { name, input })
    expect(events[0]!.event).toBe('task_id')
    expect(events.at(-1)!.event).toBe('end')
    return JSON.parse(
      events
        .slice(1)
        .map(({ data }) => data)
        .join(''),
    )
  }
}

let server: RunningServer
let late: RunningServer
beforeAll(async () => {
  const environments = ['number-line', 'tool-calls', 'scene-questions'].map(environmentNamed)
  server = await environmentServer({ environments, server: { roots: ['ors'] } })
  late = await environmentServer({ environments, rewards: 'at-end', server: { roots: ['ors'] } })
})
afterAll(async () => {
  await server.close()
  await late.close()
})

describe('discovery', () => {
  test('environments, tools, splits and tasks, with the name in the path and without', async () => {
    const client = new Client(server.url)
    expect((await client.json('/health')).body).toEqual({ status: 'ok' })
    expect((await client.json('/list_environments')).body).toEqual([
      'number-line',
      'tool-calls',
      'scene-questions',
    ])
    const named = await client.json('/Number-Line/tools')
    expect(named).toEqual(await client.json('/tools'))
    expect(named.body.tools[0]).toMatchObject({ name: 'play', input_schema: { type: 'object' } })
    expect(named.body.terminal_tool).toBeUndefined()
    expect((await client.json('/tool-calls/task_tools')).body.terminal_tool).toMatchObject({
      name: 'reply',
      arg: 'text',
    })
    expect((await client.json('/splits')).body).toContainEqual({ name: 'train', type: 'train' })
    expect((await client.json('/num_tasks', { split: 'train' })).body).toEqual({ num_tasks: 30 })
    const { body } = await client.json('/number-line/task', { split: 'train', index: 3 })
    expect(body).toMatchObject({ env_name: 'number-line', task: { split: 'train', index: 3 } })
    const all = await client.json('/tasks', { split: 'train' })
    expect(all.body.tasks).toHaveLength(30)
    expect(all.body.tasks[3]).toEqual(body.task)
    const range = await client.json('/task_range', { split: 'train', start: -2 })
    expect(range.body).toEqual({ tasks: all.body.tasks.slice(-2), env_name: 'number-line' })
    const empty = await client.json('/task_range', { split: 'train', start: 5, stop: 2 })
    expect(empty.body.tasks).toEqual([])
  })

  test('mounted below a name, that environment is the default', async () => {
    const client = new Client(`${server.url}/p/ors/tool-calls`)
    expect((await client.json('/list_environments')).body).toEqual(['tool-calls'])
    expect((await client.json('/tools')).body.tools.map(({ name }: any) => name)).toContain('weather')
  })

  test('what is wrong has its status and a detail', async () => {
    const client = new Client(server.url)
    const status = async (path: string, body?: unknown) => {
      const answer = await client.json(path, body)
      expect(answer.body.detail).toBeTypeOf('string')
      return answer.status
    }
    expect(await status('/nowhere/tools')).toBe(404)
    expect(await status('/num_tasks', { split: 'dev' })).toBe(400)
    expect(await status('/task', { split: 'train', index: 30 })).toBe(400)
    expect(await status('/task', { split: 'train', index: 'x' })).toBe(422)
    expect(await status('/tool-calls/tasks', { split: 'train' })).toBe(400) // too many to list
    expect(await status('/ping', {})).toBe(400) // no header
    client.session = 'unknown'
    expect(await status('/ping', {})).toBe(404)
    expect(await status('/create', { split: 'train', index: 0 })).toBe(404)
  })
})

describe('sessions', () => {
  test('an episode from its prompt to its end, and after', async () => {
    const client = new Client(server.url)
    await client.open({ split: 'train', index: 3 })
    const prompt = await client.json('/number-line/prompt')
    expect(prompt.body.map(({ type, detail }: any) => [type, detail])).toEqual([
      ['text', null],
      ['image', null],
    ])
    expect(Buffer.from(prompt.body[1].data, 'base64').subarray(1, 4).toString()).toBe('PNG')
    const [, target, current] = /target: (\d+) current: (\d+)/.exec(prompt.body[0].text)!
    const towards = Number(target) > Number(current) ? '+' : '-'
    const steps = Math.abs(Number(target) - Number(current))
    for (let step = 1; step <= steps; step++) {
      const result = await client.call('/number-line/call', 'play', { action: towards })
      expect(Object.keys(result)).toEqual(['ok', 'output'])
      expect(Object.keys(result.output)).toEqual(['blocks', 'metadata', 'reward', 'finished'])
      expect(result.output.reward).toBe(step === steps ? 1 : 0)
      expect(result.output.finished).toBe(step === steps)
    }
    expect(await client.call('/call', 'play', { action: towards })).toEqual({
      ok: false,
      error: 'The episode is over.',
    })
    expect(await client.json('/ping', {})).toEqual({ status: 200, body: { status: 'ok' } })
    for (const path of ['/delete', '/delete_session'])
      expect(await client.json(path, {})).toEqual({ status: 200, body: { sid: client.session } })
    expect((await client.json('/ping', {})).status).toBe(410)
    expect((await client.json('/prompt')).status).toBe(410)
  })

  test('tools that are misused are told so, with a reason', async () => {
    const client = new Client(server.url)
    await client.open({ env_name: 'tool-calls', task_spec: { split: 'train', index: 1, requests: 99 } })
    expect(await client.call('/tool-calls/call', 'fly', {})).toMatchObject({ ok: false, reason: 'not_found' })
    expect(await client.call('/tool-calls/call', 'weather', {})).toMatchObject({
      ok: false,
      reason: 'input_validation',
      error: expect.stringContaining('Tool input validation error'),
    })
    expect(await client.call('/tool-calls/call', 'weather', 'oslo')).toMatchObject({
      reason: 'bad_input_shape',
    })
    expect((await client.call('/tool-calls/call', 'weather', { city: 'oslo' })).output.reward).toBeNull()
    expect((await client.json('/number-line/prompt')).status).toBe(400) // another environment's path
    expect((await client.json('/create', { split: 'train', index: 0 })).status).toBe(400) // has one already
  })

  test('before a task is chosen there is nothing to see', async () => {
    const client = new Client(server.url)
    const [first] = await client.events('/create_session', {})
    client.session = first!.data
    expect((await client.json('/prompt')).status).toBe(400)
    expect((await client.json('/create', { task_spec: { index: 0 } })).status).toBe(400)
    // The other dialect: JSON for who accepts nothing else.
    const response = await fetch(`${server.url}/create_session`, {
      method: 'POST',
      headers: { accept: 'application/json' },
    })
    expect(((await response.json()) as any).sid).toMatch(/^[\w-]{24}$/)
  })

  test('a request may have no body, or one in chunks', async () => {
    const none = await new Promise<string>((resolve) => {
      const asked = request(`${server.url}/create_session`, { method: 'POST' }, (answer) => {
        let text = ''
        answer.on('data', (chunk) => {
          text += chunk
        })
        answer.on('end', () => resolve(text))
      })
      asked.end()
    })
    expect(none).toMatch(/^event: task_id/)
    const chunked = await fetch(`${server.url}/num_tasks`, {
      method: 'POST',
      body: new Response('{"split":"train"}').body!,
      duplex: 'half',
    } as RequestInit)
    expect(await chunked.json()).toEqual({ num_tasks: 30 })
  })

  test('a broken stream is taken up again without doing anything twice', async () => {
    const client = new Client(server.url)
    await client.open({ split: 'train', index: 3 })
    const first = await client.events('/call', { name: 'play', input: { action: 'x' } })
    const again = await client.events('/call', {
      name: 'play',
      input: { action: 'x' },
      task_id: first[0]!.data,
    })
    expect(again).toEqual(first)
    const next = await client.call('/call', 'play', { action: 'x' })
    expect(next.output.metadata.episode_reward).toBe(-2) // two steps, not three
    expect(await client.events('/call', { name: 'play', input: {}, task_id: 'nothing' })).toEqual([
      { event: 'error', data: 'unknown task_id' },
    ])
  })

  test('large answers come in pieces', async () => {
    const client = new Client(server.url)
    await client.open({ env_name: 'scene-questions', split: 'train', index: 0 })
    const events = await client.events('/scene-questions/call', {
      name: 'zoom',
      input: { x1: 0, y1: 0, x2: 64, y2: 64 },
    })
    const text = events
      .slice(1)
      .map(({ data }) => data)
      .join('')
    expect(JSON.parse(text).output.blocks[0].type).toBe('image')
    for (const { data } of events) expect(data.length).toBeLessThan(4200)
  })
})

test('rewards at the end: null until the last step, which pays them all', async () => {
  const index = Array.from({ length: 50 }, (_, each) => each).find(
    (each) => requestsOf('train', each).length === 2,
  )!
  const client = new Client(late.url)
  await client.open({ env_name: 'tool-calls', split: 'train', index })
  const first = await client.call('/tool-calls/call', 'reply', { text: 'done' })
  expect(first.output).toMatchObject({ reward: null, finished: false })
  const last = await client.call('/tool-calls/call', 'reply', { text: 'done' })
  expect(last.output.finished).toBe(true)
  expect(last.output.reward).toBe(last.output.metadata.episode_reward)
})
