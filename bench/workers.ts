// Workers on a shared store: killed and cut off at random, and how throughput grows with them. Starts a PostgreSQL of its
// own (or uses DATABASE_URL); workers are processes of one thread on this machine.
//
//   npm run -s bench -- workers [--part disturbed,endpoint,processor,size] [--rows 200000] [--latency 200] [--json]
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { scoreRun } from '../src/apply/run.ts'
import { Rng } from '../src/core/index.ts'
import {
  openWorkplace,
  orderScores,
  type ScoreOrderOptions,
  type Workplace,
  waitForOrder,
} from '../src/serve/workers/index.ts'
import { openaiServer } from '../tests/openai-server.ts'
import { type PostgresServer, postgresServer } from '../tests/postgres-server.ts'
import {
  amongDisturbances,
  contentOf,
  ended,
  startWorker,
  withStore,
  workerReward,
  writeSamples,
} from '../tests/worker-jobs.ts'
import { print } from './_throughput.ts'

type Row = Readonly<Record<string, string | number>>

const { values } = parseArgs({
  options: {
    part: { type: 'string', default: 'disturbed,endpoint,processor,size' },
    rows: { type: 'string', default: '200000' },
    latency: { type: 'string', default: '200' },
    json: { type: 'boolean', default: false },
  },
})
const folder = mkdtempSync(join(tmpdir(), 'guerdon-bench-workers-'))

/** Four workers, killed and cut off at random; what is there in the end is what one undisturbed process finds. */
async function disturbed(server: PostgresServer): Promise<Row[]> {
  const rows = Number(values.rows)
  const samples = join(folder, 'samples.jsonl')
  await writeSamples(samples, rows)
  const rewards = { exact: workerReward('exact'), drawn: workerReward('drawn') }
  const expected = await withStore(join(folder, 'store.db'), async (store) => {
    const { run } = await scoreRun({ store, samples, rewards, context: { rng: new Rng('seed') } })
    return contentOf(store, run)
  })
  const address = server.fresh()
  const place = await openWorkplace(address, { lease: 10 })
  const started = performance.now()
  const { result: order, disturbed } = await amongDisturbances(
    server,
    address,
    { seed: 'bench', workers: 4, kills: 12, drops: 12, pause: 2500 },
    async () => {
      const order = await orderScores(place, { samples, rewards, seed: 'seed' })
      const status = await waitForOrder(place, order)
      if (status !== 'complete') throw new Error(`the order is ${status}`)
      return order
    },
  )
  const seconds = (performance.now() - started) / 1000
  const found = await contentOf(place.store, order.about)
  if (found.hash !== expected.hash) throw new Error('the scores are not those of an undisturbed run')
  const { shards } = await place.orders.progress(order.key)
  const attempts = (await place.store.postgres.get<{ most: number; all: number }>(
    'SELECT max(attempts) AS most, sum(attempts) AS all FROM shards',
  ))!
  await place.close()
  return [
    {
      samples: found.samples,
      scores: found.scores,
      shards,
      attempts: attempts.all,
      'most attempts': attempts.most,
      kills: disturbed.kills,
      drops: disturbed.drops,
      'connections dropped': disturbed.connections,
      seconds,
      'same as undisturbed': found.hash === expected.hash ? 'yes' : 'no',
    },
  ]
}

/** Rows a second of an order while all workers are at it: from when each has done a shard until nine tenths are done. */
async function rate(place: Workplace, workers: number, options: ScoreOrderOptions): Promise<number> {
  const order = await orderScores(place, options)
  const { samples } = await place.store.runs.totals(order.about)
  let first: { rows: number; at: number } | undefined
  let last: { rows: number; at: number } | undefined
  for (;;) {
    const { rows, busy } = (await place.store.postgres.get<{ rows: number; busy: number }>(
      `SELECT coalesce(sum(rows), 0) AS rows, count(DISTINCT worker) AS busy FROM shards
       WHERE order_key = $1 AND status = 'done'`,
      order.key,
    ))!
    const now = { rows, at: performance.now() }
    if (busy === workers) first ??= now
    if (rows >= 0.9 * samples) last ??= now
    if (rows === samples) break
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  if (first === undefined || last === undefined || last.rows <= first.rows)
    throw new Error('the workers were not all at it: give more rows')
  return ((last.rows - first.rows) / (last.at - first.at)) * 1000
}

async function withWorkers<Result>(
  server: PostgresServer,
  count: number,
  use: (place: Workplace) => Promise<Result>,
): Promise<Result> {
  const address = server.fresh()
  const place = await openWorkplace(address, { lease: 10 })
  const workers = Array.from({ length: count }, () => startWorker(address))
  try {
    await new Promise((resolve) => setTimeout(resolve, 3000)) // to start
    return await use(place)
  } finally {
    for (const worker of workers) worker.kill('SIGTERM')
    await Promise.all(workers.map(ended))
    await place.close()
  }
}

/**
 * A judge at an endpoint that takes `--latency` [ms], eight calls of each worker at a time; samples grow with the workers.
 * The endpoint, the database and all workers share this machine: at 50 ms eight workers want more than its two cores have.
 */
async function endpoint(server: PostgresServer): Promise<Row[]> {
  const latency = Number(values.latency)
  const endpoint = await openaiServer({ reply: () => '0.5', latencyMs: latency, keepsRequests: false })
  const rows: Row[] = []
  for (const workers of [1, 2, 4, 8]) {
    const samples = join(folder, `endpoint-${workers}.jsonl`)
    await writeSamples(samples, 1200 * workers)
    const measured = await withWorkers(server, workers, (place) =>
      rate(place, workers, {
        samples,
        rewards: { judged: workerReward('judged', { baseUrl: endpoint.baseUrl }) },
        concurrency: 8,
        batchSize: 1,
        shardRows: 80,
      }),
    )
    const [one = measured] = rows.map((row) => Number(row['samples/s']))
    rows.push({
      workers,
      samples: 1200 * workers,
      'samples/s': measured,
      'ideal samples/s': (workers * 8000) / latency,
      'times one': measured / one,
    })
  }
  await endpoint.close()
  return rows
}

/**
 * A reward of about half a millisecond of processor time a sample, with one worker and with two; and the same loop in one
 * and two bare processes, which says what the machine has to give at that moment. By turns.
 */
async function processor(server: PostgresServer): Promise<Row[]> {
  const samples = join(folder, 'processor.jsonl')
  await writeSamples(samples, 40_000)
  const options = { samples, rewards: { busy: workerReward('busy', { ms: 0.5 }) }, shardRows: 500 }
  const rows: Row[] = []
  for (let round = 0; round < 3; round++) {
    const bareOne = await bare(1)
    const one = await withWorkers(server, 1, (place) => rate(place, 1, options))
    const bareTwo = await bare(2)
    const two = await withWorkers(server, 2, (place) => rate(place, 2, options))
    rows.push({
      round: round + 1,
      'one worker, samples/s': one,
      two,
      ratio: two / one,
      'one bare process': bareOne,
      'two bare': bareTwo,
      'bare ratio': bareTwo / bareOne,
    })
  }
  return rows
}

/** Samples a second of the loop of `busy` in processes that do nothing else. */
async function bare(processes: number): Promise<number> {
  const program = `
    import { busy } from ${JSON.stringify(new URL('../tests/worker-rewards.ts', import.meta.url).href)}
    const reward = busy({ ms: 0.5 })
    const batch = Array.from({ length: 64 }, (_, index) => ({ id: String(index), prompt: '', output: '1', meta: {} }))
    await reward.score(batch)
    const started = performance.now()
    let done = 0
    while (performance.now() - started < 4000) done += (await reward.score(batch)).length
    console.log(done / (performance.now() - started) * 1000)`
  const rates = await Promise.all(
    Array.from({ length: processes }, async () => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      return Number(await text(child.stdout))
    }),
  )
  return rates.reduce((sum, one) => sum + one, 0)
}

/** What a million scores take, by tables and indexes. */
async function size(server: PostgresServer): Promise<Row[]> {
  const place = await openWorkplace(server.fresh())
  const { runs, postgres } = place.store
  await runs.create({ id: 'size', created: '', config: {} })
  const names = ['plain', 'parts']
  await runs.addRewards(
    'size',
    names.map((name) => ({ name, reward: name, version: '1', params: {}, range: [0, 1], identity: name })),
  )
  const total = 1_000_000
  const batch = 4096
  const started = performance.now()
  for (let from = 0; from < total; from += batch) {
    const places = Array.from({ length: Math.min(batch, total - from) }, (_, index) => from + index + 1)
    const positions = places.map((place) => place * 65536)
    await runs.record('size', {
      scores: [
        { reward: 'plain', positions, scores: places.map((place) => ({ value: (place % 1000) / 1000 })) },
      ],
    })
  }
  const scoreSeconds = (performance.now() - started) / 1000
  const measure = async (table: string) => {
    const [sizes] = await postgres.all<{ heap: number; all: number }>(
      `SELECT pg_table_size('${table}') AS heap, pg_total_relation_size('${table}') AS all`,
    )
    return sizes!
  }
  const plain = await measure('scores')
  const tenth = total / 10
  for (let from = 0; from < tenth; from += batch) {
    const places = Array.from({ length: Math.min(batch, tenth - from) }, (_, index) => from + index + 1)
    const positions = places.map((place) => place * 65536)
    await runs.record('size', {
      samples: places.map((place) => ({
        position: place * 65536,
        sample: {
          id: `row-${place}`,
          group: `question-${place >> 2}`,
          prompt: `What is ${place} + ${place + 7}? Think step by step, then give the number alone at the end.`,
          output: `First the tens, then the ones: the two together make ${2 * place + 7}. So the answer is ${2 * place + 7}`,
          reference: String(2 * place + 7),
          meta: { source: 'generated' },
        },
      })),
      scores: [
        {
          reward: 'parts',
          positions,
          scores: places.map((place) => ({
            value: (place % 1000) / 1000,
            parts: { format: 1, correctness: (place % 7) / 7 },
            usage: { calls: 1, inputTokens: 412, outputTokens: 38, costUsd: 0.000184 },
          })),
        },
      ],
    })
  }
  const both = await measure('scores')
  const samples = await measure('samples')
  await place.close()
  return [
    {
      what: 'score, a number alone',
      rows: total,
      'table, bytes each': plain.heap / total,
      'with indexes': plain.all / total,
      'rows/s written': total / scoreSeconds,
    },
    {
      what: 'score with parts and usage',
      rows: tenth,
      'table, bytes each': (both.heap - plain.heap) / tenth,
      'with indexes': (both.all - plain.all) / tenth,
      'rows/s written': '',
    },
    {
      what: 'sample of 330 bytes',
      rows: tenth,
      'table, bytes each': samples.heap / tenth,
      'with indexes': samples.all / tenth,
      'rows/s written': '',
    },
  ]
}

const parts = { disturbed, endpoint, processor, size }
const server = await postgresServer()
try {
  for (const part of values.part.split(',')) {
    if (!values.json) process.stdout.write(`\n${part}\n`)
    print(await parts[part as keyof typeof parts](server))
  }
} finally {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
}
