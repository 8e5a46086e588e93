import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { hubFiles, readSamples, writeRecords } from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'guerdon-hub-'))
const shards: Buffer[] = []
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
let server: Server
let endpoint = ''
let requests: { path: string; range: string | undefined; authorization: string | undefined }[] = []
/** Cuts the first answer to a download after so many bytes. */
let cutAfter: number | undefined
let damaged = false
let sizeKnownOnly = false

beforeAll(async () => {
  for (const start of [0, 3]) {
    const path = join(folder, `shard-${start}.parquet`)
    await writeRecords(
      path,
      [0, 1, 2].map((index) => ({
        prompt: `p${start + index}`,
        output: Array.from({ length: 300 }, (_, at) => Math.sin(start + index + at)).join(),
      })),
    )
    shards.push(readFileSync(path))
  }
  server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
  rmSync(folder, { recursive: true })
})

let cache = ''
beforeEach(() => {
  cache = mkdtempSync(join(folder, 'cache-'))
  requests = []
  cutAfter = undefined
  damaged = false
  sizeKnownOnly = false
  vi.stubEnv('HF_ENDPOINT', endpoint)
  vi.stubEnv('GUERDON_CACHE', cache)
  vi.stubEnv('HF_TOKEN', undefined)
  vi.stubEnv('HF_HUB_OFFLINE', undefined)
})
afterEach(() => vi.unstubAllEnvs())

function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url!, endpoint)
  const path = decodeURIComponent(url.pathname)
  requests.push({ path, range: request.headers.range, authorization: request.headers.authorization })
  const file = (name: string, shard: number) => ({
    type: 'file',
    path: name,
    size: shards[shard]!.length,
    ...(sizeKnownOnly ? {} : { lfs: { oid: sha256(shards[shard]!), size: shards[shard]!.length } }),
  })
  const json = (value: unknown, headers = {}) => response.writeHead(200, headers).end(JSON.stringify(value))
  if (path === '/api/datasets/o/two/tree/refs/convert/parquet') {
    if (url.searchParams.has('cursor')) json([file('default/train/0001.parquet', 1)])
    else
      json(
        [
          { type: 'directory', path: 'default' },
          file('default/train/0000.parquet', 0),
          file('default/test/0000.parquet', 0),
          file('../evil/train/0000.parquet', 0),
        ],
        {
          link: `<${endpoint}${url.pathname}?recursive=true&cursor=x>; rel="next"`,
        },
      )
  } else if (path === '/api/datasets/o/configs/tree/refs/convert/parquet')
    json([file('a/train/0000.parquet', 0), file('b/partial-train/0000.parquet', 1)])
  else if (path === '/api/datasets/o/plain/tree/main' || path === '/api/datasets/o/two/tree/v1.0')
    json([
      file('data/train-00000-of-00002.parquet', 0),
      file('data/train-00001-of-00002.parquet', 1),
      file('data/training-notes.parquet', 0),
      { type: 'file', path: 'README.md', size: 3 },
    ])
  else if (path.includes('/resolve/')) {
    const shard = /0*1(?:-of-00002)?\.parquet$|^\/datasets\/o\/configs\/.*\/b\//.test(path) ? 1 : 0
    let bytes = shards[shard]!
    if (damaged) bytes = Buffer.from(bytes.map((byte) => byte ^ 1))
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
    const rest = bytes.subarray(start)
    response.writeHead(start > 0 ? 206 : 200, { 'content-length': rest.length })
    if (cutAfter === undefined) response.end(rest)
    else {
      response.write(rest.subarray(0, cutAfter))
      setTimeout(() => response.destroy(), 100)
      cutAfter = undefined
    }
  } else response.writeHead(404).end('{}')
}

const prompts = async (source: string) => {
  const found: unknown[] = []
  for await (const { samples } of readSamples(source))
    found.push(...samples.map(({ id, prompt }) => `${id} ${prompt}`))
  return found
}
const downloads = () => requests.filter(({ path }) => path.includes('/resolve/'))

describe('hf:// sources', () => {
  test('all files of a split are read as one data set, once fetched from the cache', async () => {
    const all = [1, 2, 3, 4, 5, 6].map((row) => `row-${row} p${row - 1}`)
    expect(await prompts('hf://o/two/train')).toEqual(all)
    expect(downloads()).toHaveLength(2)
    expect(await prompts('hf://o/two/train')).toEqual(all)
    expect(downloads()).toHaveLength(2)
    expect(existsSync(join(cache, 'hub', 'evil'))).toBe(false)
    vi.stubEnv('HF_ENDPOINT', 'http://127.0.0.1:9')
    expect(await prompts('hf://o/two/train')).toEqual(all)
    vi.stubEnv('HF_HUB_OFFLINE', '1')
    expect(await prompts('hf://o/two/train')).toEqual(all)
  })
  test('a broken download goes on where it stopped', async () => {
    cutAfter = 2000
    expect(await prompts('hf://o/two/test')).toHaveLength(3)
    expect(downloads().map(({ range }) => range)).toEqual([
      undefined,
      expect.stringMatching(/^bytes=[1-9]\d*-$/),
    ])
  })
  test('a damaged download is removed and said; one of the wrong length too', async () => {
    damaged = true
    await expect(hubFiles('hf://o/two/test')).rejects.toMatchObject({ code: 'corrupt-download' })
    damaged = false
    expect(await prompts('hf://o/two/test')).toHaveLength(3)
    sizeKnownOnly = true
    const partial = join(cache, 'hub/o--two/v1.0/data/train-00000-of-00002.parquet.partial')
    mkdirSync(join(partial, '..'), { recursive: true })
    writeFileSync(partial, Buffer.alloc(shards[0]!.length + 1))
    expect(await prompts('hf://o/two/train?revision=v1.0')).toHaveLength(6)
  })
  test('configs, splits and plain repositories', async () => {
    await expect(hubFiles('hf://o/configs/train')).rejects.toThrow(
      /has several configs\. It has a, b\. Add \?config=/,
    )
    expect(await prompts('hf://o/configs/train?config=b')).toEqual(['row-1 p3', 'row-2 p4', 'row-3 p5'])
    await expect(hubFiles('hf://o/two/tran')).rejects.toThrow(
      /no split "tran"\. Did you mean "train"\? It has train, test|It has test, train/,
    )
    expect(await prompts('hf://o/plain/train')).toHaveLength(6)
    await expect(hubFiles('hf://o/absent/train')).rejects.toMatchObject({ code: 'not-found' })
    for (const bad of [
      'hf://o/two',
      'hf://o/two/train?x=1',
      'hf://../two/train',
      'hf://o/two/train?revision=../x',
    ])
      await expect(hubFiles(bad), bad).rejects.toMatchObject({ code: 'bad-source' })
  })
  test('the token goes to the hub and into no message', async () => {
    vi.stubEnv('HF_TOKEN', 'hf_secret')
    await prompts('hf://o/two/test')
    expect(new Set(requests.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer hf_secret']))
    damaged = true
    rmSync(join(cache, 'hub'), { recursive: true })
    const error = await hubFiles('hf://o/two/test').catch((thrown) => thrown)
    expect(String(error.stack) + JSON.stringify(error)).not.toContain('hf_secret')
  })
  test('offline it says where to put what', async () => {
    vi.stubEnv('HF_ENDPOINT', 'http://127.0.0.1:9')
    await expect(hubFiles('hf://o/two/train')).rejects.toThrow(
      /http:\/\/127\.0\.0\.1:9 cannot be reached\. On a machine with network run "hf download o\/two --repo-type dataset/,
    )
    vi.stubEnv('HF_HUB_OFFLINE', '1')
    await expect(hubFiles('hf://o/two/train')).rejects.toThrow(/HF_HUB_OFFLINE is set/)
  })
})
