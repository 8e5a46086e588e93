import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { environmentServer } from '../../../tests/environment-server.ts'
import { environmentNamed } from '../../worlds/environments.ts'
import { sceneQuestion } from '../../worlds/scenes/scene-environment.ts'
import { ServedEnvironments } from '../environments/served-environments.ts'
import type { RunningServer } from '../server.ts'
import { openEnv } from './openenv.ts'

/** A client as the protocol's card tells it: one frame, one answer; an error frame is thrown. */
class Client {
  readonly socket: WebSocket
  readonly #answers: any[] = []
  #wake: () => void = () => {}
  closed: Promise<void>

  constructor(base: string) {
    this.socket = new WebSocket(`${base.replace(/^http/, 'ws')}/ws`)
    this.socket.on('message', (data) => {
      this.#answers.push(JSON.parse(String(data)))
      this.#wake()
    })
    this.closed = new Promise((resolve) => this.socket.on('close', () => resolve()))
  }

  async opened(): Promise<this> {
    await new Promise((resolve, reject) => this.socket.once('open', resolve).once('error', reject))
    return this
  }

  async next(): Promise<any> {
    while (this.#answers.length === 0)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    return this.#answers.shift()
  }

  async send(frame: unknown): Promise<any> {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame))
    return this.next()
  }
}

let server: RunningServer
let small: RunningServer
beforeAll(async () => {
  const environments = [environmentNamed('number-line'), environmentNamed('scene-questions')]
  server = await environmentServer({ environments, server: { roots: ['openenv'] } })
  const protocol = openEnv({ environments: new ServedEnvironments(environments), mostSockets: 1 })
  small = await environmentServer({ protocols: [protocol], server: { roots: ['openenv'] } })
})
afterAll(async () => {
  await server.close()
  await small.close()
})

describe('a socket', () => {
  test('is an episode: reset, step, state, close', async () => {
    const client = await new Client(server.url).opened()
    const reset = await client.send({ type: 'reset', data: { seed: 7, episode_id: 'ep-1' } })
    expect(reset).toMatchObject({ type: 'observation', data: { reward: null, done: false } })
    const [, target, current] = /target: (\d+) current: (\d+)/.exec(reset.data.observation.text)!
    expect(reset.data.observation.images[0].mime_type).toBe('image/png')
    const towards = Number(target) > Number(current) ? '+' : '-'
    const steps = Math.abs(Number(target) - Number(current))
    let last: any
    for (let step = 0; step < steps; step++)
      last = await client.send({ type: 'step', data: { message: towards, metadata: { any: 1 } } })
    expect(last).toMatchObject({ type: 'observation', data: { reward: 1, done: true } })
    expect(last.data.observation.reward_components).toEqual({ won: 1, legal: 1 })
    expect(Object.keys(last.data)).toEqual(['observation', 'reward', 'done'])
    const state = await client.send({ type: 'state' })
    expect(state).toMatchObject({
      type: 'state',
      data: { episode_id: 'ep-1', step_count: steps, episode_reward: 1 },
    })
    expect(JSON.stringify(state)).not.toContain('hidden')
    const after = await client.send({ type: 'step', data: { message: '+' } })
    expect(after.data).toMatchObject({
      reward: null,
      done: true,
      observation: { problem: 'The episode is over.' },
    })
    const again = await client.send({ type: 'reset', data: { seed: 7 } })
    expect(again.data.observation.text).toBe(reset.data.observation.text)
    client.socket.send('{"type":"close"}')
    await client.closed
  })

  test('errors keep it open', async () => {
    const client = await new Client(server.url).opened()
    const code = async (frame: unknown) => {
      const answer = await client.send(frame)
      expect(answer.type).toBe('error')
      return answer.data.code
    }
    expect(await code('{')).toBe('INVALID_JSON')
    expect(await code('{"type":"reset","data":{"seed":NaN}}')).toBe('INVALID_JSON')
    expect(await code('[]')).toBe('INVALID_JSON')
    expect(await code({ type: 'fly' })).toBe('UNKNOWN_TYPE')
    expect(await code({ type: 'step', data: { message: '+' } })).toBe('EXECUTION_ERROR') // before a reset
    expect(await code({ type: 'reset', data: { episode_id: 3 } })).toBe('VALIDATION_ERROR')
    expect(await code({ type: 'reset', data: { index: 4711 } })).toBe('EXECUTION_ERROR')
    await client.send({ type: 'reset' })
    for (const data of [
      undefined,
      {},
      { message: 1 },
      { message: 'a', extra: 1 },
      { tool: 'play', message: 'a' },
    ])
      expect(await code({ type: 'step', data })).toBe('VALIDATION_ERROR')
    expect((await client.send({ type: 'step', data: { message: '+' } })).type).toBe('observation')
    client.socket.close()
  })

  test('frames that are sent ahead are answered in order', async () => {
    const client = await new Client(server.url).opened()
    client.socket.send(JSON.stringify({ type: 'reset', data: { index: 3 } }))
    client.socket.send(JSON.stringify({ type: 'step', data: { message: 'x' } }))
    client.socket.send(JSON.stringify({ type: 'state' }))
    expect((await client.next()).data.reward).toBeNull()
    expect((await client.next()).data.reward).toBe(-1)
    expect((await client.next()).data.step_count).toBe(1)
    client.socket.close()
  })

  test('tools, as uses of tools and as MCP actions', async () => {
    const client = await new Client(`${server.url}/p/openenv/scene-questions`).opened()
    const { question } = sceneQuestion('train', 2)
    await client.send({ type: 'reset', data: { index: 2 } })
    const listed = await client.send({ type: 'step', data: { type: 'list_tools' } })
    expect(listed.data.observation.tools.map(({ name }: any) => name)).toEqual(['look', 'zoom', 'answer'])
    const looked = await client.send({
      type: 'step',
      data: { type: 'call_tool', tool_name: 'look', arguments: {} },
    })
    expect(looked.data.observation).toMatchObject({
      tool_name: 'look',
      error: null,
      result: { images: [{}] },
    })
    const wrong = await client.send({
      type: 'step',
      data: { type: 'call_tool', tool_name: 'fly', arguments: {} },
    })
    expect(wrong.data.observation).toMatchObject({ result: null, error: { error_type: 'not_found' } })
    const answered = await client.send({
      type: 'step',
      data: { tool: 'answer', arguments: { text: question.answer } },
    })
    expect(answered.data).toMatchObject({ reward: 1, done: true })
    client.socket.close()
  })

  test('a server that has all its sockets says so and closes', async () => {
    const first = await new Client(small.url).opened()
    await first.send({ type: 'reset' })
    const second = new Client(small.url)
    expect((await second.next()).data).toMatchObject({
      code: 'CAPACITY_REACHED',
      active_sessions: 1,
      max_sessions: 1,
    })
    await second.closed
    first.socket.close()
    await first.closed
    for (let tries = 0; ; tries++) {
      const third = await new Client(small.url).opened()
      const answer = await third.send({ type: 'reset' })
      third.socket.close()
      if (answer.type === 'observation') break
      expect(tries).toBeLessThan(50)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })
})

describe('over HTTP', () => {
  const post = async (path: string, body?: unknown) => {
    const answer = await fetch(`${server.url}${path}`, {
      method: 'POST',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: answer.status, body: (await answer.json()) as any }
  }
  const get = async (path: string) => (await (await fetch(`${server.url}${path}`)).json()) as any

  test('probes: health, metadata, schema, and stateless reset and step', async () => {
    expect(await get('/health')).toEqual({ status: 'healthy' })
    expect(await get('/metadata')).toMatchObject({ name: 'number-line', version: '1' })
    expect(Object.keys(await get('/schema'))).toEqual(['action', 'observation', 'state'])
    expect(await get('/state')).toMatchObject({ episode_id: null, step_count: 0 })
    expect(await post('/reset')).toMatchObject({ status: 200, body: { reward: null, done: false } })
    expect(await post('/step', { action: { message: 'x' }, timeout_s: 30 })).toMatchObject({
      status: 200,
      body: { reward: -1, done: false },
    })
    const wrong = await post('/step', { action: { massage: '+' } })
    expect(wrong.status).toBe(422)
    expect(wrong.body.detail[0].loc).toEqual(['body', 'massage'])
  })

  test('MCP: tools without a session, calls within one', async () => {
    const call = async (method: string, params: object = {}) =>
      (await post('/mcp', { jsonrpc: '2.0', id: 1, method, params })).body
    expect((await call('tools/list')).result.tools[0]).toMatchObject({
      name: 'play',
      inputSchema: { type: 'object' },
    })
    expect((await call('initialize')).result.capabilities).toEqual({ tools: {} })
    expect((await call('tools/call', { name: 'play', arguments: {} })).error.code).toBe(-32000)
    const { session_id } = (await call('openenv/session/create', { index: 3 })).result
    const played = await call('tools/call', { name: 'play', arguments: { action: 'x' }, session_id })
    expect(played.result).toMatchObject({ isError: false, structuredContent: { reward: -1, done: false } })
    expect((await call('tools/call', { name: 'fly', session_id })).result.isError).toBe(true)
    expect((await call('openenv/session/close', { session_id })).result).toEqual({})
    expect((await call('openenv/session/close', { session_id })).error.code).toBe(-32000)
    expect((await call('fly')).error.code).toBe(-32601)
    expect((await post('/mcp', { id: 1 })).body.error.code).toBe(-32600)
    const broken = await fetch(`${server.url}/mcp`, { method: 'POST', body: '{' })
    expect(((await broken.json()) as any).error.code).toBe(-32700)
  })
})
