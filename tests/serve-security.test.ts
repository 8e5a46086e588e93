import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defineReward, imagesOf, textOf, unscored } from '../src/core/index.ts'
import { loadImage } from '../src/data/index.ts'
import { isolate } from '../src/rewards/isolate.ts'
import {
  createToken,
  readTokens,
  type ServeEnv,
  TokenBook,
  tokenRecord,
  writeTokens,
} from '../src/serve/index.ts'
import { RateLimit } from '../src/serve/security/rate-limit.ts'
import { slowLength, type TestServer, testServer } from './serve-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'guerdon-serve-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const sample = { prompt: 'p', output: 'abc' }
const length = defineReward({ name: 'length', range: [0, 1e9], judge: ({ output }) => textOf(output).length })
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(10)
}

/** What a socket is answered, to its end; `write` is called when it is open. */
function raw(
  port: number,
  write: (send: (text: string) => void, end: () => void) => void | Promise<void>,
): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
    socket.on('connect', () =>
      write(
        (part) => socket.write(part),
        () => socket.destroy(),
      ),
    )
  })
}

describe('tokens', () => {
  const path = join(folder, 'tokens.json')
  const made = {
    score: createToken({ name: 'trainer', scopes: ['score'], created: '' }),
    admin: createToken({ name: 'me', scopes: ['admin'], created: '' }),
    old: createToken({ name: 'old', scopes: ['score'], created: '', expires: '2020-01-01T00:00:00Z' }),
  }
  let server: TestServer
  beforeAll(async () => {
    writeTokens(
      path,
      Object.values(made).map(({ record }) => record),
    )
    server = await testServer({ rewards: { length }, tokens: new TokenBook({ path }), host: '0.0.0.0' })
  })
  afterAll(() => server.close())

  test('only hashes are kept, in a file that its owner alone can read', () => {
    const text = readFileSync(path, 'utf8')
    expect(text).not.toContain(made.score.token)
    expect(text).not.toContain(made.score.token.split('_')[2])
    expect(statSync(path).mode & 0o077).toBe(0)
    expect(readTokens(path)).toHaveLength(3)
  })

  test('as bearer, as X-API-Key and in the path; a wrong, an expired and no token are refused', async () => {
    const ask = (path: string, headers = {}) => server.post(path, { samples: [sample] }, headers)
    expect((await ask('/v1/score', { authorization: `Bearer ${made.score.token}` })).status).toBe(200)
    expect((await ask('/v1/score', { 'x-api-key': made.score.token })).status).toBe(200)
    expect((await ask(`/t/${made.score.token}/v1/score`)).status).toBe(200)
    for (const [path, headers] of [
      ['/v1/score', {}],
      ['/v1/score', { authorization: `Bearer ${made.score.token}x` }],
      ['/v1/score', { authorization: `Bearer ${made.old.token}` }],
      ['/v1/score', { authorization: 'Basic abc' }],
      ['/t/x/v1/score', {}],
    ] as const) {
      const { status, headers: given } = await ask(path, headers)
      expect([status, given.get('www-authenticate')]).toEqual([401, 'Bearer'])
    }
  })

  test('a scope opens what it is for and nothing else; health is open', async () => {
    const as = (token: string) => ({ authorization: `Bearer ${token}` })
    expect((await server.get('/metrics', as(made.score.token))).status).toBe(403)
    expect((await server.get('/v1/drift', as(made.score.token))).status).toBe(403)
    expect((await server.get('/metrics', as(made.admin.token))).status).toBe(200)
    expect((await server.get('/metrics')).status).toBe(401)
    expect((await server.get('/health')).text).toBe('{"status":"ok"}')
    expect((await server.get('/ready')).status).toBe(200)
  })

  test('a token that is revoked stops working without a restart, the last one opens nothing', async () => {
    const ask = () =>
      server.post('/v1/score', { samples: [sample] }, { authorization: `Bearer ${made.score.token}` })
    expect((await ask()).status).toBe(200)
    writeTokens(path, [])
    await pause(1100)
    expect((await ask()).status).toBe(401)
    expect((await server.post('/v1/score', { samples: [sample] })).status).toBe(401)
  })

  test('the log holds no token, no path with one, and nothing of what a sample holds', async () => {
    await server.post(`/t/${made.admin.token}/v1/score`, {
      samples: [{ prompt: 'a secret question', output: 'x' }],
    })
    await server.post('/v1/score', '{"samples": [{"prompt": "a secret question" ')
    const text = server.lines.join('')
    expect(text).toContain('"path":"/v1/score"')
    expect(text).not.toContain(made.admin.token)
    expect(text).not.toContain('secret question')
  })

  test('without a token nobody else is listened to, and a weak one is refused', async () => {
    await expect(testServer({ host: '0.0.0.0' })).rejects.toMatchObject({ code: 'no-token' })
    expect(() => tokenRecord('short', ['score'])).toThrow(/16 characters/)
    writeFileSync(path, '[{"id": 1}]')
    expect(() => readTokens(path)).toThrow(/not a file of tokens/)
  })
})

describe('limits', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await testServer({
      rewards: { length },
      limits: { bodyBytes: 20_000, samples: 3, images: 2, imageBytes: 64, headMs: 400, bodyMs: 600 },
      mounts: [
        {
          path: '/own',
          scope: 'score',
          app: new Hono<ServeEnv>().post('/echo', async (c) => c.json(await c.req.json())),
        },
      ],
    })
  })
  afterAll(() => server.close())

  test('a body that is too large is 413: by its head, by its bytes, and in a Hono app', async () => {
    const large = JSON.stringify({ samples: [{ prompt: 'p', output: 'x'.repeat(30_000) }] })
    expect((await server.post('/v1/score', large)).status).toBe(413)
    expect((await server.post('/own/echo', large)).status).toBe(413)
    expect((await server.post('/own/echo', '{"a":1}')).body).toEqual({ a: 1 })
    for (const path of ['/v1/score', '/own/echo']) {
      const chunked = await raw(server.port, (send) => {
        send(`POST ${path} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n`)
        for (let index = 0; index < 8; index++) send(`fa0\r\n${'x'.repeat(4000)}\r\n`)
      })
      expect(chunked).toMatch(/^HTTP\/1.1 413/)
      expect(chunked).toMatch(/connection: close/i)
    }
  })

  test('too many samples and images, and images that are too large', async () => {
    const png = `data:image/png;base64,${Buffer.alloc(30).toString('base64')}`
    const image = (url: string) => ({ type: 'image_url', image_url: { url } })
    const ask = (output: unknown, count = 1) =>
      server.post('/v1/score', { samples: Array.from({ length: count }, () => ({ prompt: 'p', output })) })
    expect((await ask('x', 4)).body.error.code).toBe('too-many-samples')
    expect((await ask([image(png), image(png), image(png)])).body.error.code).toBe('too-many-images')
    expect((await ask([image(`data:image/png;base64,${'A'.repeat(400)}`)])).body.error.code).toBe(
      'image-too-large',
    )
    expect((await ask([image(png)])).status).toBe(200)
  })

  test('a head or a body that does not come to its end is given up', async () => {
    const started = performance.now()
    const [head, body] = await Promise.all([
      raw(server.port, (send) => send('POST /v1/score HTTP/1.1\r\nhost: localhost\r\nx-slow: ')),
      raw(server.port, async (send) => {
        send('POST /v1/score HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n')
        for (let index = 0; index < 30; index++) {
          send('[')
          await pause(50)
        }
      }),
    ])
    expect([head, body].map((text) => text.slice(0, 12))).toEqual(['HTTP/1.1 408', 'HTTP/1.1 408'])
    expect(performance.now() - started).toBeLessThan(10_000)
  })

  test('garbage is answered, and the server lives', async () => {
    const nested = '['.repeat(5000) + ']'.repeat(5000)
    for (const [body, code] of [
      ['', 'no-body'],
      ['{', 'bad-json'],
      ['{"samples":[Infinity]}', 'not-a-number'],
      ['{"a":"NaN", "samples": -NaN}', 'not-a-number'],
      ['null', 'bad-body'],
      ['{"samples":5}', 'bad-body'],
      ['{"samples":[{"prompt":"a","output":{}}]}', 'bad-body'],
      [`{"samples":${nested}}`, 'bad-body'],
    ] as const) {
      const { status, body: answer } = await server.post('/v1/score', body)
      expect([status, answer.error.code], body.slice(0, 40)).toEqual([400, code])
    }
    const deep = await server.post(
      '/v1/score',
      `{"samples":[{"prompt":"p","output":"x","reference":${nested}}]}`,
    )
    expect([200, 400]).toContain(deep.status)
    const latin = await fetch(`${server.url}/v1/score`, {
      method: 'POST',
      body: Buffer.from([0x7b, 0xff, 0x7d]),
    })
    expect(latin.status).toBe(400)
    const form = await server.post('/v1/score', '{}', { 'content-type': 'text/plain' })
    expect(form.status).toBe(415)
    expect(await raw(server.port, (send) => send('nonsense\r\n\r\n'))).toMatch(/^HTTP\/1.1 400/)
    expect((await server.post('/v1/score', { samples: [sample] })).body.scores[0].value).toBe(3)
  })

  test('no path leads to a file, however it is written', async () => {
    for (const path of [
      '/../../etc/passwd',
      '/p/openrlhf/..%2f..%2fetc/get_reward',
      '/p/openrlhf/%00/get_reward',
      '//etc/passwd',
      '/%',
      '/p/__proto__/x',
      '/p/openrlhf/constructor/get_reward',
    ]) {
      const answer = await raw(server.port, (send) =>
        send(`GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`),
      )
      expect(answer, path).toMatch(/^HTTP\/1.1 404/)
    }
  })

  test('pages of other origins and foreign names of this machine are refused', async () => {
    expect((await server.post('/v1/score', { samples: [] }, { origin: 'https://evil.example' })).status).toBe(
      403,
    )
    const rebound = await raw(server.port, (send) =>
      send('GET /v1/rewards HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n'),
    )
    expect(rebound).toMatch(/^HTTP\/1.1 403/)
    const open = await testServer({ rewards: { length }, origins: ['https://good.example'] })
    const preflight = await fetch(`${open.url}/v1/score`, {
      method: 'OPTIONS',
      headers: { origin: 'https://good.example' },
    })
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([
      204,
      'https://good.example',
    ])
    expect((await open.post('/v1/score', { samples: [] }, { origin: 'https://good.example' })).status).toBe(
      200,
    )
    await open.close()
  })

  test('too many requests of a caller are 429, with the time to wait', () => {
    let now = 0
    const limit = new RateLimit(2, () => now)
    limit.take('a')
    limit.take('a')
    expect(() => limit.take('a')).toThrow(expect.objectContaining({ status: 429, retryAfter: 1 }))
    limit.take('b')
    now = 600
    limit.take('a')
  })
})

describe('images', () => {
  const looking = defineReward({
    name: 'looking',
    judge: async ({ output, reference }) => {
      try {
        await loadImage(imagesOf(output)[0] ?? { path: String(reference) })
        return 1
      } catch (error) {
        return unscored('bad-input', (error as { code: string }).code)
      }
    },
  })

  test('a path is refused where an image stands, and not opened where a reference does', async () => {
    const server = await testServer({ rewards: { looking } })
    const file = 'package.json'
    const prompt = await server.post('/v1/score', {
      samples: [{ prompt: [{ type: 'image', image: { path: file } }], output: 'x' }],
    })
    expect([prompt.status, prompt.body.error.code]).toEqual([400, 'path-not-allowed'])
    const reference = await server.post('/v1/score', {
      samples: [{ prompt: 'p', output: 'x', reference: file }],
    })
    expect(reference.body.scores[0].reason).toBe('path-not-allowed')
    expect(
      (
        await server.post('/p/vllm/looking/score', {
          queries: 'q',
          documents: { content: [{ type: 'image_url', image_url: { url: file } }] },
        })
      ).body.error.message,
    ).toContain('a path')
    await server.close()
  })

  test('an isolated reward reads no file either', async () => {
    await using reward = await isolate(
      { module: new URL('./looking-reward.ts', import.meta.url).href },
      { environment: { GUERDON_IMAGE_FILES: 'off' } },
    )
    const [score] = await reward.score([
      { id: 'a', prompt: 'p', output: 'x', reference: 'package.json', meta: {} },
    ])
    expect(score).toMatchObject({ value: null, reason: 'path-not-allowed' })
  })

  test('URLs are refused unless allowed; then private addresses are, also behind a redirect', async () => {
    const inside = createServer((_, response) => response.end('secret')).listen(0, '127.0.0.1')
    await new Promise((resolve) => inside.once('listening', resolve))
    const address = `http://127.0.0.1:${(inside.address() as AddressInfo).port}/`
    const ask = (server: TestServer, url: string) =>
      server.post('/v1/score', {
        samples: [{ prompt: 'p', output: [{ type: 'image_url', image_url: { url } }] }],
      })
    const closed = await testServer({ rewards: { looking } })
    expect((await ask(closed, 'https://example.com/a.png')).body.error.code).toBe('url-not-allowed')
    await closed.close()
    const open = await testServer({ rewards: { looking }, imageUrls: true })
    for (const url of [
      address,
      'http://localhost:1/',
      'http://169.254.169.254/latest/meta-data',
      'http://[::1]/',
      'http://0x7f000001/',
    ])
      expect((await ask(open, url)).body.error.code, url).toBe('private-address')
    expect((await ask(open, 'http://user:word@example.com/')).body.error.code).toBe('bad-url')
    await open.close()
    inside.close()
  })
})

describe('the end', () => {
  test('what was asked is answered, on connections that then close; nothing is lost', async () => {
    const server = await testServer({ rewards: { slow: slowLength(2000) } })
    const asked = Array.from({ length: 40 }, (_, index) =>
      server.post('/v1/score', { samples: [{ prompt: 'p', output: 'x'.repeat(index) }] }),
    )
    await until(async () => /guerdon_requests_under_way 40\b/.test(await server.metrics.text()))
    const cut = server.close()
    const answers = await Promise.all(asked)
    expect(answers.map(({ body }) => body.scores[0].value)).toEqual(answers.map((_, index) => index))
    expect(await cut).toBe(0)
    await expect(fetch(`${server.url}/health`)).rejects.toThrow()
  })

  test('what takes longer than the server may wait is cut off and counted', async () => {
    let isAsked = false
    const slow = slowLength(4000, () => {
      isAsked = true
    })
    const server = await testServer({ rewards: { slow }, limits: { drainMs: 100 } })
    const asked = server.post('/v1/score', { samples: [sample] }).catch(() => 'cut')
    await until(() => isAsked)
    const closed = server.close()
    expect(await asked).toBe('cut')
    expect(await closed).toBe(1)
  }, 20_000)

  test('a caller that goes stops the judgement', async () => {
    let signal: AbortSignal | undefined
    const slow = slowLength(4000, (_, given) => {
      signal = given
    })
    const server = await testServer({ rewards: { slow } })
    const call = request({
      port: server.port,
      path: '/v1/score',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    })
    call.on('error', () => {})
    call.end(JSON.stringify({ samples: [sample] }))
    await until(() => signal !== undefined)
    call.destroy()
    await until(() => signal!.aborted)
    await server.close()
  })

  test('a deadline of the caller holds', async () => {
    const server = await testServer({ rewards: { slow: slowLength(2000) } })
    const { body } = await server.post('/v1/score', { samples: [sample] }, { 'x-request-timeout': '0.1' })
    expect(body.scores[0]).toMatchObject({ value: null, code: 'timeout' })
    await server.close()
  })

  test('more than there is room for is 503 with the time to wait', async () => {
    let isAsked = false
    const slow = slowLength(1500, () => {
      isAsked = true
    })
    const server = await testServer({ rewards: { slow }, capacity: 2 })
    const held = server.post('/v1/score', { samples: [sample, { ...sample, output: 'y' }] })
    await until(() => isAsked)
    const refused = await server.post('/v1/score', { samples: [sample] })
    expect([refused.status, refused.headers.get('retry-after'), refused.body.error.code]).toEqual([
      503,
      '1',
      'overloaded',
    ])
    expect((await held).status).toBe(200)
    await server.close()
  })
})
