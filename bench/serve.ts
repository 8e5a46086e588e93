// The server against a bare Node http server that returns a constant, in the same run: one sample a request over 256
// connections, batches of 256, and a fast reward beside a slow one. Servers and loads are processes of their own; rounds
// take turns and medians are told. Processor time a request is the servers' own, whatever else the machine does.
//   npm run -s bench -- serve [--short] [--json]
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineReward } from '../src/core/index.ts'
import { resolveReward } from '../src/methods/resolve.ts'
import { createLog, Metrics, protocols, ServedRewards, startServer } from '../src/serve/index.ts'
import { openStore } from '../src/store/index.ts'
import { type Load, type LoadResult, loads } from './_http-load.ts'
import { print } from './_throughput.ts'

const role = process.argv.find((argument) => argument.startsWith('--role='))?.slice('--role='.length)
if (role === 'bare') await serveBare()
else if (role === 'guerdon') await serveGuerdon()
else await measure()

async function serveBare(): Promise<void> {
  const answer = JSON.stringify({ rewards: [1], scores: [1], extra_logs: { found: [1] } })
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length })
    response.end(answer)
  })
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
    ready((server.address() as { port: number }).port),
  )
}

async function serveGuerdon(): Promise<void> {
  const slow = defineReward({
    name: 'slow',
    judge: () => new Promise<number>((resolve) => setTimeout(resolve, 50, 1)),
  })
  const metrics = new Metrics()
  const log = createLog({ level: 'warn' })
  const store = await openStore(join(tmpdir(), `guerdon-bench-${process.pid}.db`))
  const rewards = {
    exact: resolveReward('exact'),
    math: resolveReward('math'),
    mix: resolveReward('0.7*math + 0.3*format'),
    slow,
  }
  const scoring = new ServedRewards({ rewards, metrics, log })
  const { port } = await startServer({ scoring, store, metrics, log, protocols })
  ready(port)
}

function ready(port: number): void {
  process.send!({ port })
  process.on('SIGINT', () => process.exit(0))
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    process.send!({ cpuMs: (user + system) / 1000, user, system, thread: process.threadCpuUsage() })
  })
}

async function server(name: 'bare' | 'guerdon') {
  const child = fork(import.meta.filename, [`--role=${name}`], { execArgv: process.execArgv })
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  const cpuMs = async () => {
    child.send('cpu')
    return ((await once(child, 'message')) as [{ cpuMs: number }])[0].cpuMs
  }
  return { port, cpuMs, stop: () => child.kill() }
}

interface Round extends LoadResult {
  /** Processor time of the server for each request, warm-up included in both [us]. */
  readonly cpuUs: number
}

async function measure(): Promise<void> {
  const isShort = process.argv.includes('--short')
  const rounds = isShort ? 3 : 5
  const seconds = isShort ? 1.5 : 4
  const [bare, guerdon] = [await server('bare'), await server('guerdon')]
  const chat = (answer: string) =>
    `<|im_start|>user\nWhat is 6*7?<|im_end|>\n<|im_start|>assistant\n${answer}<|im_end|>`
  const single = Array.from({ length: 64 }, (_, index) =>
    JSON.stringify({
      query: [
        chat(
          `Six times seven, that is ${index} and some. ${'Let me think again. '.repeat(8)}It is \\boxed{${index}}.`,
        ),
      ],
      prompts: [chat('').slice(0, -'<|im_end|>'.length)],
      labels: ['42'],
    }),
  )
  const batch = JSON.stringify({
    query: Array.from({ length: 256 }, (_, index) => chat(`It is \\boxed{${index % 50}}.`)),
    prompts: new Array(256).fill(chat('').slice(0, -'<|im_end|>'.length)),
    labels: new Array(256).fill('42'),
  })
  const load = (port: number, path: string, bodies: readonly string[], connections: number): Load => ({
    port,
    path,
    bodies,
    connections,
    seconds,
    warmupSeconds: seconds / 2,
  })
  const one = async (which: typeof bare, ...all: Load[]): Promise<Round> => {
    const before = await which.cpuMs()
    const [result] = await loads(...all)
    const spent = (await which.cpuMs()) - before
    // The warm-up is half as long again.
    return { ...result!, cpuUs: (spent * 1000) / (result!.requests * 1.5) }
  }
  const path = (reward: string) => `/p/openrlhf/${reward}/get_reward`
  const results: Record<string, Round[]> = {}
  const add = async (name: string, round: Promise<Round>) => {
    results[name] ??= []
    results[name].push(await round)
  }
  for (let round = 0; round < rounds; round++) {
    await add('bare', one(bare, load(bare.port, '/', single, 256)))
    await add('exact', one(guerdon, load(guerdon.port, path('exact'), single, 256)))
    await add('math', one(guerdon, load(guerdon.port, path('math'), single, 256)))
    await add('mix', one(guerdon, load(guerdon.port, path('mix'), single, 256)))
    await add('batch exact', one(guerdon, load(guerdon.port, path('exact'), [batch], 4)))
    await add('batch math', one(guerdon, load(guerdon.port, path('math'), [batch], 4)))
    await add('fast alone', one(guerdon, load(guerdon.port, path('exact'), single, 16)))
    await add(
      'fast beside slow',
      one(
        guerdon,
        load(guerdon.port, path('exact'), single, 16),
        load(guerdon.port, path('slow'), single, 16),
      ),
    )
  }
  bare.stop()
  guerdon.stop()
  const median = (name: string, field: keyof Round) =>
    results[name]!.map((round) => round[field]).sort((a, b) => a - b)[Math.floor(rounds / 2)]!
  const rows = (names: readonly string[], against: string, samples: number) =>
    names.map((name) => ({
      load: name,
      'requests/s': Math.round(median(name, 'perSecond')),
      'samples/s': Math.round(median(name, 'perSecond') * samples),
      'of its rate': median(name, 'perSecond') / median(against, 'perSecond'),
      'p50 [ms]': median(name, 'p50'),
      'p99 [ms]': median(name, 'p99'),
      'of its p99': median(name, 'p99') / median(against, 'p99'),
      'CPU/request [us]': median(name, 'cpuUs'),
      failures: results[name]!.reduce((sum, { failures }) => sum + failures, 0),
    }))
  print([
    ...rows(['bare', 'exact', 'math', 'mix'], 'bare', 1),
    ...rows(['batch exact', 'batch math'], 'batch exact', 256),
    ...rows(['fast alone', 'fast beside slow'], 'fast alone', 1),
  ])
}
