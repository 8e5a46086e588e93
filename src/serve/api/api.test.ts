import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { identityOf, type Sample } from '../../core/index.ts'
import { openStore, type Store } from '../../store/index.ts'
import { apiScope, uiApi } from './api.ts'
import type {
  BlindedPair,
  NextPairs,
  SampleDetail,
  SamplesPage,
  VoteResults,
  VoteTaskDetail,
} from './wire.ts'

const folder = mkdtempSync(join(tmpdir(), 'guerdon-api-'))
const pixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const closing = new AbortController()
let store: Store
let app: ReturnType<typeof uiApi>

const samples: Sample[] = Array.from({ length: 120 }, (_, index) => ({
  id: `s${index}`,
  group: `g${Math.floor(index / 4)}`,
  prompt: [
    {
      type: 'image',
      image: index === 0 ? { bytes: pixel } : { path: index === 1 ? '../secret.png' : 'a.png' },
    },
    { type: 'text', text: 'which?' },
  ],
  output: `answer ${index}`,
  meta: { model: `model-${index % 4}` },
}))

beforeAll(async () => {
  mkdirSync(join(folder, 'data'))
  writeFileSync(join(folder, 'data/a.png'), pixel)
  writeFileSync(join(folder, 'secret.png'), pixel)
  store = await openStore(join(folder, 'store.db'))
  await store.runs.create({
    id: 'r/1',
    created: '2026-01-01T00:00:00.000Z',
    source: join(folder, 'data/x.jsonl'),
    config: {},
  })
  const reward = {
    name: 'a',
    reward: 'a',
    version: '1',
    params: {},
    range: [0, 1] as const,
    identity: identityOf('a'),
  }
  await store.runs.addRewards('r/1', [reward, { ...reward, name: 'b', identity: identityOf('b') }])
  const positions = samples.map((_, index) => index + 1)
  await store.runs.record('r/1', {
    samples: samples.map((sample, index) => ({ position: index + 1, sample })),
    scores: ['a', 'b'].map((name) => ({
      reward: name,
      positions,
      scores: samples.map((_, index) => ({ value: name === 'a' ? (index % 4) / 3 : 1 - (index % 4) / 3 })),
    })),
  })
  app = uiApi({ store, closing: closing.signal })
})
afterAll(async () => {
  closing.abort()
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

const run = `runs/${encodeURIComponent('r/1')}`
const get = (path: string) => app.request(`/${path}`)
const json = async <Answer>(path: string): Promise<Answer> => (await (await get(path)).json()) as Answer
const post = (path: string, body: unknown, type = 'application/json') =>
  app.request(`/${path}`, { method: 'POST', headers: { 'content-type': type }, body: JSON.stringify(body) })

describe('samples', () => {
  test('pages follow one another, and what is asked wrongly is said', async () => {
    const query = (given: object) => `${run}/samples?query=${encodeURIComponent(JSON.stringify(given))}`
    const first = await json<SamplesPage>(
      query({ limit: 100, order: { by: 'value', reward: 'a' }, descending: true }),
    )
    const second = await json<SamplesPage>(
      query({ limit: 100, order: { by: 'value', reward: 'a' }, descending: true, after: first.next }),
    )
    expect(new Set([...first.samples, ...second.samples].map(({ id }) => id)).size).toBe(120)
    expect(second.next).toBeNull()
    for (const bad of [
      { limit: 100_000 },
      { order: { by: 'magic' } },
      { filter: { nonsense: 1 } },
      { after: 'x' },
    ])
      expect((await get(query(bad))).status, JSON.stringify(bad)).toBe(400)
    expect((await get(query({ order: { by: 'value', reward: 'nope' } }))).status).toBe(400)
    expect((await get('runs/nope')).status).toBe(404)
    expect((await get(`${run}/samples/99999`)).status).toBe(404)
    expect((await get(`${run}/samples/..%2f1`)).status).toBe(404)
  })

  test('pictures are given by the hash of where they are, those of the data alone', async () => {
    const image = async (position: number) => {
      const { sample } = await json<SampleDetail>(`${run}/samples/${position}`)
      const [part] = sample.prompt.messages[0]!.parts
      return (part as { image: { url?: string; problem?: string } }).image
    }
    for (const position of [1, 3]) {
      const response = await get((await image(position)).url!.replace('v1/', ''))
      expect(response.headers.get('content-type')).toBe('image/png')
      expect(response.headers.get('content-security-policy')).toContain('sandbox')
      expect(Buffer.from(await response.arrayBuffer()).equals(pixel)).toBe(true)
    }
    expect((await image(2)).problem).toMatch(/outside|leads out/i)
    for (const hash of ['..%2f..%2fsecret.png', 'a.png', '0'.repeat(24)])
      expect((await get(`${run}/media/2/${hash}`)).status, hash).toBe(404)
  })
})

describe('votes', () => {
  const wanted = {
    title: 't',
    question: 'q',
    criteria: [{ id: 'better', text: 'better?' }],
    run: 'r/1',
    choose: 'random',
    pairs: 100,
    votesPerPair: 50,
    rated: 'model',
    attentionChecks: true,
  }
  const made = async (changes: object = {}) =>
    (await (await post('votes', { ...wanted, ...changes })).json()) as VoteTaskDetail
  const vote = (pair: number, voter: string, choice: string) => ({
    id: `${pair} ${voter}`,
    pair,
    criterion: 'better',
    choice,
    voter,
    created: '2026-01-01T00:00:00.000Z',
    seconds: 1,
  })
  /** The better answer by construction: the number in it, modulo four. */
  const better = ({ left, right }: BlindedPair) => {
    const worth = ({ output }: BlindedPair['left']) =>
      Number(/\d+/.exec(JSON.stringify(output.messages[0]!.parts))![0]) % 4
    return worth(left) > worth(right) ? 'left' : 'right'
  }

  test('ten thousand votes, sent again and again, count once', async () => {
    const task = await made()
    const votes = Array.from({ length: 100 }, (_, voter) =>
      Array.from({ length: 100 }, (_, pair) =>
        vote(pair, `v${voter}`, ['left', 'right', 'tie', 'skip'][(pair + voter) % 4]!),
      ),
    ).flat()
    for (let round = 0; round < 2; round++)
      for (let first = 0; first < votes.length; first += 500)
        expect(
          (await post(`votes/${task.id}/votes`, { votes: votes.slice(first, first + 500) })).status,
        ).toBe(200)
    expect(await store.votes.list(task.id)).toHaveLength(10_000)
    const { votes: counted } = await json<VoteResults>(`votes/${task.id}/results`)
    expect(counted).toBe(10_000)
  })

  test('pairs are blinded, sides are a voter’s own, ratings and agreement follow, who pays no heed is left out', async () => {
    const task = await made({ pairs: 60, votesPerPair: 2 })
    const sides = new Map<number, Set<string>>()
    for (const voter of ['ann', 'bob', 'eve']) {
      for (;;) {
        const { pairs } = await json<NextPairs>(`votes/${task.id}/next?voter=${voter}`)
        if (pairs.length === 0) break
        for (const pair of pairs)
          sides.set(pair.pair, (sides.get(pair.pair) ?? new Set()).add(JSON.stringify(pair.left.output)))
        expect(JSON.stringify(pairs)).not.toMatch(/model-|"scores"|"meta"/)
        const choice = (pair: BlindedPair) => (voter === 'eve' ? 'left' : better(pair))
        await post(`votes/${task.id}/votes`, {
          votes: pairs.map((pair) => vote(pair.pair, voter, choice(pair))),
        })
      }
    }
    expect([...sides.values()].some((seen) => seen.size > 1)).toBe(true)
    const results = await json<VoteResults>(`votes/${task.id}/results`)
    const [criterion] = results.criteria
    expect(criterion!.pairsWithTwo).toBe(60)
    expect(criterion!.alpha).toBe(1)
    expect(criterion!.ratings.map(({ name }) => name)).toEqual(['model-3', 'model-2', 'model-1', 'model-0'])
    expect(criterion!.rewards).toMatchObject([
      { reward: 'a', agree: 1 },
      { reward: 'b', agree: 0 },
    ])
    const exported = (await (await get(`votes/${task.id}/export`)).text()).trimEnd().split('\n')
    expect(exported).toHaveLength(60)
    expect(JSON.parse(exported[0]!)).toMatchObject({ chosen: expect.anything(), rejected: expect.anything() })
    expect((await get(`votes/${task.id}/export?as=../../x`)).status).toBe(400)
  })

  test('what is no vote is refused', async () => {
    const task = await made({ pairs: 5 })
    const send = async (votes: unknown) => (await post(`votes/${task.id}/votes`, { votes })).status
    expect(await send([vote(999, 'ann', 'left')])).toBe(400)
    expect(await send([{ ...vote(0, 'ann', 'left'), criterion: 'other' }])).toBe(400)
    expect(await send([vote(0, '', 'left')])).toBe(400)
    expect(await send([vote(0, 'ann', 'middle')])).toBe(400)
    expect(
      (await post(`votes/${task.id}/votes`, { votes: [vote(0, 'ann', 'left')] }, 'text/plain')).status,
    ).toBe(415)
    expect((await post('votes/nope/votes', { votes: [vote(0, 'ann', 'left')] })).status).toBe(404)
    expect(await store.votes.list(task.id)).toEqual([])
  })
})

test('the playground judges part by part, and reads no file that a reference names', async () => {
  const score = async (sample: object, rewards: readonly string[]) =>
    (
      (await (await post('playground/score', { sample, rewards })).json()) as {
        scores: { score: unknown; problem?: string }[]
      }
    ).scores
  const sample = { prompt: '1+1?', output: '\\boxed{2}', reference: '2', meta: {} }
  const [math, wrong] = await score(sample, ['math', 'mth'])
  expect(math!.score).toMatchObject({ value: 1 })
  expect(wrong!.problem).toContain('Did you mean')
  const [drawn] = await score(
    {
      ...sample,
      output: '<svg xmlns="http://www.w3.org/2000/svg"/>',
      reference: { path: join(folder, 'secret.png') },
    },
    ['svg'],
  )
  expect(drawn!.score).toMatchObject({ value: null })
})

test('scopes: voters see pairs and pictures, everything else is for the owner', () => {
  expect(apiScope('GET', '/v1/votes')).toBe('vote')
  expect(apiScope('GET', '/v1/votes/x/next')).toBe('vote')
  expect(apiScope('POST', '/v1/votes/x/votes')).toBe('vote')
  expect(apiScope('GET', '/v1/runs/r/media/12/0123456789abcdef01234567')).toBe('vote')
  expect(apiScope('POST', '/v1/votes')).toBe('admin')
  expect(apiScope('GET', '/v1/votes/x/results')).toBe('admin')
  expect(apiScope('GET', '/v1/runs/r/samples')).toBe('admin')
  expect(apiScope('POST', '/v1/playground/score')).toBe('admin')
})
