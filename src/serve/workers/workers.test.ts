import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresServer, postgresMissing, postgresServer } from '../../../tests/postgres-server.ts'
import {
  amongDisturbances,
  contentOf,
  ended,
  startWorker,
  withStore,
  workerReward,
  writeSamples,
} from '../../../tests/worker-jobs.ts'
import { scoreRun } from '../../apply/run.ts'
import { defineReward, Rng } from '../../core/index.ts'
import { reproduce } from '../../methods/reproduce/reproduce.ts'
import {
  cancelOrder,
  openWorkplace,
  orderScores,
  placeOf,
  type QueueOptions,
  queuedJobs,
  retryOrder,
  type ScoreOrderOptions,
  type WorkEvent,
  type Workplace,
  waitForOrder,
  work,
} from './index.ts'
import { localModule, portableModule } from './modules.ts'

test('modules of guerdon are named by their place in it, others as they are', () => {
  const own = new URL('../../methods/resolve.ts', import.meta.url).href
  expect(portableModule(own)).toBe('guerdon:methods/resolve')
  expect(localModule(portableModule(own))).toBe(own)
  expect(localModule(portableModule('file:///elsewhere/reward.mjs'))).toBe('file:///elsewhere/reward.mjs')
})

// Generous limits: workers are processes that take a second to start, and many times that on a busy machine.
describe.skipIf(postgresMissing !== null)(`workers${postgresMissing ? ` (${postgresMissing})` : ''}`, () => {
  let server: PostgresServer
  let folder: string
  const few = { rows: 600, source: '' }
  const many = { rows: 20_000, source: '' }
  beforeAll(async () => {
    server = await postgresServer()
    folder = mkdtempSync(join(tmpdir(), 'guerdon-workers-'))
    for (const set of [few, many]) {
      set.source = join(folder, `${set.rows}.jsonl`)
      await writeSamples(set.source, set.rows)
    }
  })
  afterAll(async () => {
    await server?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const rewards = { exact: workerReward('exact'), drawn: workerReward('drawn') }
  let stores = 0

  /** What a run in this process says of the same data. */
  async function expected(source: string, wanted: ScoreOrderOptions['rewards']) {
    return withStore(join(folder, `${++stores}.db`), async (store) => {
      const context = { rng: new Rng('seed') }
      const { run } = await scoreRun({ store, samples: source, rewards: wanted, context })
      return contentOf(store, run)
    })
  }

  /** A workplace with a worker in this process, until `use` is over. */
  async function withWorker<Result>(
    use: (place: Workplace, events: WorkEvent[]) => Promise<Result>,
    { threads = 2, ...options }: QueueOptions & { threads?: number } = {},
  ): Promise<Result> {
    const place = await openWorkplace(server.fresh(), { lease: 10, retryDelay: 0, ...options })
    const stop = new AbortController()
    const events: WorkEvent[] = []
    const working = work(place, { threads, signal: stop.signal, onEvent: (event) => events.push(event) })
    try {
      return await use(place, events)
    } finally {
      stop.abort()
      await working
      await place.close()
    }
  }

  test('shards of samples and of groups give what a run in one process gives', {
    timeout: 120_000,
  }, async () => {
    const wanted = { ...rewards, agreement: workerReward('agreement') }
    await withWorker(async (place) => {
      const order = await orderScores(place, { samples: few.source, rewards: wanted, seed: 'seed' })
      expect((await place.orders.progress(order.key)).shards).toBeGreaterThan(3)
      expect(await waitForOrder(place, order, { interval: 100 })).toBe('complete')
      const content = await contentOf(place.store, order.about)
      expect(content).toEqual(await expected(few.source, wanted))
      expect((await place.store.runs.find(order.about))!.status).toBe('complete')
      expect(await place.orders.progress(order.key)).toMatchObject({ failed: 0, rows: content.samples })

      // Another reward on what the store has; nothing is judged again.
      const later = await orderScores(place, {
        samples: order.about,
        rewards: { ...wanted, again: workerReward('drawn') },
        seed: 'seed',
      })
      expect(await waitForOrder(place, later, { interval: 100 })).toBe('complete')
      const { rewards: totals } = await place.store.runs.totals(order.about)
      expect(totals.again).toMatchObject({
        scored: content.samples,
        waiting: 0,
        mean: expect.closeTo(totals.drawn!.mean!, 12),
      })
    })
  })

  test('workers are killed and cut off, and every score is there once', { timeout: 240_000 }, async () => {
    const address = server.fresh()
    const place = await openWorkplace(address, { lease: 10 })
    const { result: order, disturbed } = await amongDisturbances(
      server,
      address,
      { seed: 'disturbed', workers: 4, kills: 3, drops: 3, pause: 2500 },
      async () => {
        const order = await orderScores(place, {
          samples: many.source,
          rewards,
          seed: 'seed',
          fewestSegments: 2, // read by the workers themselves
        })
        expect(await waitForOrder(place, order)).toBe('complete')
        return order
      },
    )
    expect(disturbed.kills + disturbed.drops).toBeGreaterThan(2)
    const content = await contentOf(place.store, order.about)
    expect(content.samples).toBe(many.rows - many.rows / 100)
    expect(content.scores).toBe(2 * content.samples)
    expect(content).toEqual(await expected(many.source, rewards))
    expect((await place.store.runs.totals(order.about)).badRowsBy).toEqual({
      'duplicate-id': many.rows / 100,
    })
    await place.close()
  })

  test('a shard that breaks its thread goes to the dead letters, the rest is done; then it is tried again', {
    timeout: 120_000,
  }, async () => {
    await withWorker(
      async (place, events) => {
        const order = await orderScores(place, {
          samples: few.source,
          rewards: { broken: workerReward('broken') },
          seed: 'seed',
        })
        expect(await waitForOrder(place, order, { interval: 100 })).toBe('failed')
        const failed = await place.orders.failedShards(order.key)
        expect(failed).toEqual([
          expect.objectContaining({
            number: 0,
            attempts: 2,
            failure: expect.stringContaining('must not end the process'),
          }),
        ])
        expect(placeOf(failed[0]!)).toBe('rows 1 to 101')
        expect(events.filter(({ type }) => type === 'failed')).toEqual([
          expect.objectContaining({ isFinal: false }),
          expect.objectContaining({ isFinal: true }),
        ])
        const { scored, waiting } = (await place.store.runs.totals(order.about)).rewards.broken!
        expect({ scored, waiting }).toEqual({ scored: 494, waiting: 100 })
        expect((await place.store.runs.find(order.about))!.status).toBe('stopped')
        expect(await retryOrder(place, (await place.orders.find(order.id))!)).toBe(1)
        expect(await waitForOrder(place, order, { interval: 100 })).toBe('failed')
      },
      { retries: 1 },
    )
  })

  test('a worker that dies with its shard is found out by its lease', { timeout: 180_000 }, async () => {
    const address = server.fresh()
    const place = await openWorkplace(address, { lease: 10, retries: 0 })
    const order = await orderScores(place, {
      samples: few.source,
      rewards: { deadly: workerReward('deadly') },
      seed: 'seed',
    })
    const first = startWorker(address)
    expect(await ended(first)).toBe('SIGKILL')
    const second = startWorker(address)
    expect(await waitForOrder(place, order)).toBe('failed')
    expect(await place.orders.failedShards(order.key)).toEqual([
      expect.objectContaining({ number: 0, failure: expect.stringContaining('died or were cut off') }),
    ])
    const { done, shards } = await place.orders.progress(order.key)
    expect(done).toBe(shards - 1)
    second.kill('SIGTERM')
    expect(await ended(second)).toBe(0)
    await place.close()
  })

  test('a cancelled order stops its workers; taken up again it is finished', {
    timeout: 60_000,
  }, async () => {
    await withWorker(async (place, events) => {
      const slow = { slow: workerReward('slow', { ms: 400 }) }
      const terms = { samples: few.source, rewards: slow, runId: 'run', concurrency: 1, batchSize: 10 }
      const order = await orderScores(place, terms)
      expect((await orderScores(place, terms)).id).toBe(order.id) // the same command waits for the same
      await until(() => events.some(({ type }) => type === 'taken'))
      await cancelOrder(place, order)
      await until(() => events.some((event) => event.type === 'stopped' && event.why === 'cancelled'))
      expect((await place.store.runs.find('run'))!.status).toBe('stopped')
      const { done, shards } = await place.orders.progress(order.key)
      expect(done).toBeLessThan(shards)

      const again = await orderScores(place, { ...terms, concurrency: 100 })
      expect(again.id).not.toBe(order.id)
      expect(await waitForOrder(place, again)).toBe('complete')
      expect((await place.store.runs.totals('run')).rewards.slow).toMatchObject({ scored: 594, waiting: 0 })
    })
  })

  test('SIGTERM gives shards back at once and ends the worker well', { timeout: 120_000 }, async () => {
    const address = server.fresh()
    const place = await openWorkplace(address, { lease: 600 })
    const order = await orderScores(place, {
      samples: few.source,
      rewards: { slow: workerReward('slow', { ms: 150 }) },
      concurrency: 2,
      batchSize: 5,
      shardRows: 600,
    })
    const first = startWorker(address)
    await until(async () => (await place.store.runs.totals(order.about)).rewards.slow!.scored > 0)
    first.kill('SIGTERM')
    expect(await ended(first)).toBe(0)
    const { scored } = (await place.store.runs.totals(order.about)).rewards.slow!
    expect(scored).toBeLessThan(594)
    const second = startWorker(address)
    expect(await waitForOrder(place, order)).toBe('complete') // long before the lease ends
    expect((await place.store.runs.totals(order.about)).rewards.slow).toMatchObject({ scored: 594 })
    second.kill('SIGTERM')
    await ended(second)
    await place.close()
  })

  test('a worker whose database is gone stops soon all the same', { timeout: 120_000 }, async () => {
    const address = server.fresh()
    const place = await openWorkplace(address, { lease: 600 })
    const order = await orderScores(place, {
      samples: few.source,
      rewards: { slow: workerReward('slow', { ms: 150 }) },
      concurrency: 2,
      batchSize: 5,
      shardRows: 600,
    })
    const way = await cuttable(address)
    const worker = startWorker(way.address)
    await until(async () => (await place.store.runs.totals(order.about)).rewards.slow!.scored > 0)
    way.cut()
    await new Promise((resolve) => setTimeout(resolve, 1000)) // for it to meet that
    const asked = performance.now()
    worker.kill('SIGTERM')
    expect(await ended(worker)).toBe(0)
    expect(performance.now() - asked).toBeLessThan(12_000) // patience alone would be a minute, and 15 s for its thread
    await place.close()
  })

  test('reproductions run on workers, failures included', { timeout: 120_000 }, async () => {
    await withWorker(
      async (place) => {
        const result = await reproduce(
          {
            id: 'toolrl',
            claim: 'One is more than nothing.',
            module: new URL('../../../tests/reproduction-jobs.ts', import.meta.url).href,
            settings: {},
            arms: { method: 'adds one', broken: 'fails at seed 1' },
            prepared: true,
            notes: [],
            criteria: () => [],
          },
          {
            folder: join(folder, 'reproduction'),
            seeds: 2,
            workers: 10,
            runJobs: queuedJobs(place, 'reproduction', 'toolrl'),
          },
        )
        expect(result.failures).toEqual([
          { run: 'broken, seed 1', reason: expect.stringContaining('out of luck') },
        ])
        expect(result.seeds).toBe(1)
        expect(result.arms[0]!.metrics.quality!.mean).toBe(1)
      },
      { retries: 0 },
    )
  })

  test('what cannot travel is refused before anything is ordered', async () => {
    const place = await openWorkplace(server.fresh())
    const made = defineReward({ name: 'made', judge: () => 1 })
    await expect(
      orderScores(place, { samples: few.source, rewards: { made: made as never } }),
    ).rejects.toMatchObject({ code: 'bad-option', message: expect.stringContaining('does not travel') })
    await expect(orderScores(place, { samples: few.source, rewards: {} })).rejects.toMatchObject({
      code: 'no-rewards',
    })
    expect(await place.orders.list()).toEqual([])
    await place.close()
    await expect(openWorkplace(join(folder, 'store.db'))).rejects.toMatchObject({ code: 'no-shared-store' })
  })
})

/** A server by a way of its own, which can be cut for good. */
async function cuttable(address: string): Promise<{ readonly address: string; cut(): void }> {
  const { hostname, port } = new URL(address)
  const sockets = new Set<Socket>()
  const proxy = createServer((near) => {
    const far = connect(Number(port || 5432), hostname)
    for (const socket of [near, far]) sockets.add(socket.on('error', () => {}))
    near.pipe(far).pipe(near)
  })
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  const url = new URL(address)
  url.host = `127.0.0.1:${(proxy.address() as AddressInfo).port}`
  return {
    address: url.href,
    cut() {
      proxy.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50))
}
