// The call layer: overhead at 256 at a time against an endpoint of 50 ms, and 10,000 judgements with a fifth of the
// requests faulty. The endpoint runs in a process of its own and costs next to nothing; beside the layer, by turns, a
// bare `node:http` client asks the same, which is what this machine can reach at best. Memory is measured after a
// forced collection, after each of the rounds.
//   npm run -s bench -- calls [--short] [--json]
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { CallLayer } from '../src/models/calls/call-layer.ts'
import { ask, type ChatModel } from '../src/models/chat-model.ts'
import { openaiModel } from '../src/models/endpoint/openai-model.ts'
import { openStore } from '../src/store/index.ts'
import { openaiServer, passingFaults } from '../tests/openai-server.ts'
import { cannedEndpoint } from './_canned-endpoint.ts'
import { print } from './_throughput.ts'

const concurrency = 256
const latencyMs = 50
const batch = 64

if (process.send) await serve()
else await measure()

async function serve(): Promise<void> {
  process.on('disconnect', () => process.exit())
  if (!process.argv.includes('--faulty')) {
    const message = { role: 'assistant', content: 'a reply of a few words' }
    const usage = { prompt_tokens: 104, completion_tokens: 5, total_tokens: 109 }
    const choices = [{ index: 0, message, logprobs: null, finish_reason: 'stop' }]
    const answer = { id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: 'm', choices, usage }
    process.send!(await cannedEndpoint(JSON.stringify(answer), latencyMs))
    return
  }
  const server = await openaiServer({
    reply: ({ text }) => `reply to ${text}`,
    keepsRequests: false,
    faults: { rate: 0.2, seed: 'bench', kinds: passingFaults },
  })
  process.send!({ baseUrl: server.baseUrl })
  process.on('message', () => process.send!({ count: server.count, faulty: server.faulty }))
}

async function measure(): Promise<void> {
  const share = process.argv.includes('--short') ? 0.1 : 1
  print(await overheadOf(20_480 * share, 4))
  const faults = await faultsOf(64, 10_000 * share)
  print([
    {
      measured: `faults: 64 at a time, ${faults.calls} judgements`,
      requests: faults.requests,
      faulty: faults.faulty,
      lost: faults.lost,
      doubled: faults.doubled,
      wrong: faults.wrong,
      seconds: faults.seconds,
    },
  ])
}

async function endpoint(...args: string[]) {
  const child = fork(import.meta.filename, args, { execArgv: process.execArgv })
  const [{ baseUrl }] = (await once(child, 'message')) as [{ baseUrl: string }]
  const counts = async () => {
    child.send('counts')
    return (await once(child, 'message'))[0] as { count: number; faulty: number }
  }
  return { baseUrl, counts, stop: () => child.kill() }
}

/** Asks questions `from` up to `to`; rejects when one has no answer. */
type Client = (from: number, to: number) => Promise<void>

async function overheadOf(calls: number, rounds: number) {
  const { baseUrl, stop } = await endpoint()
  const folder = await mkdtemp(join(tmpdir(), 'guerdon-bench-'))
  const store = await openStore(join(folder, 'store.db'))
  const clients: Readonly<Record<string, Client>> = {
    'bare node:http': bareClient(baseUrl),
    'call layer': layerClient(openaiModel('m', { baseUrl, concurrency, calls: new CallLayer() })),
    'call layer, answers kept in a store': layerClient(
      openaiModel('m', { baseUrl, concurrency, calls: new CallLayer({ cache: store.calls }) }),
    ),
  }
  const measured = Object.entries(clients).map(([name, client]) => ({
    name,
    client,
    seconds: 0,
    cpuMs: 0,
    memory: [] as NodeJS.MemoryUsage[],
  }))
  for (const { client } of measured) await client(0, 4096)
  for (let round = 1; round <= rounds; round++)
    for (const row of measured) {
      const [start, cpu] = [performance.now(), process.cpuUsage()]
      await row.client(round * calls, (round + 1) * calls)
      row.seconds += (performance.now() - start) / 1000
      const used = process.cpuUsage(cpu)
      row.cpuMs += (used.user + used.system) / 1000
      row.memory.push(memoryAfterCollection())
    }
  stop()
  await store.close()
  await rm(folder, { recursive: true })
  const rateOf = ({ seconds }: { seconds: number }) => (calls * rounds) / seconds
  const inMib = (bytes: number) => Math.round(bytes / 2 ** 20)
  return measured.map((row) => ({
    [`${rounds} x ${calls} calls, ${concurrency} at a time, ${latencyMs} ms an answer`]: row.name,
    'calls a second': rateOf(row),
    'of the ideal rate': rateOf(row) / (concurrency / (latencyMs / 1000)),
    'of the bare client': rateOf(row) / rateOf(measured[0]!),
    'CPU a call [ms]': Number((row.cpuMs / (calls * rounds)).toFixed(3)),
    'heap after each round [MiB]': row.memory.map(({ heapUsed }) => inMib(heapUsed)).join(' '),
    'resident [MiB]': row.memory.map(({ rss }) => inMib(rss)).join(' '),
  }))
}

function questionOf(index: number): string {
  return `question ${index} ${'word '.repeat(100)}`
}

/** As a run asks: batches, eight at a time. */
function layerClient(model: ChatModel): Client {
  return async (from, to) => {
    let next = from
    const lane = async () => {
      while (next < to) {
        const first = next
        next += batch
        const count = Math.min(batch, to - first)
        const replies = await model.chat(
          Array.from({ length: count }, (_, index) => ask(questionOf(first + index))),
        )
        if (replies.some(({ text }) => text === null)) throw new Error('a call failed')
      }
    }
    await Promise.all(Array.from({ length: 8 }, lane))
  }
}

function bareClient(baseUrl: string): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency })
  const { hostname, port, pathname } = new URL(`${baseUrl}/chat/completions`)
  const askOnce = (index: number) =>
    new Promise<void>((resolve, reject) => {
      const content = questionOf(index)
      const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content }], temperature: 0 })
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
      request({ hostname, port, path: pathname, method: 'POST', agent, headers }, (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('end', () => {
          const { choices } = JSON.parse(Buffer.concat(parts).toString('utf8'))
          if (typeof choices[0].message.content === 'string') resolve()
          else reject(new Error('a call failed'))
        })
      })
        .on('error', reject)
        .end(body)
    })
  return async (from, to) => {
    let next = from
    const lane = async () => {
      while (next < to) await askOnce(next++)
    }
    await Promise.all(Array.from({ length: concurrency }, lane))
  }
}

function memoryAfterCollection(): NodeJS.MemoryUsage {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  return process.memoryUsage()
}

async function faultsOf(concurrency: number, calls: number) {
  const { baseUrl, counts, stop } = await endpoint('--faulty')
  const layer = new CallLayer()
  // slow bodies take ten seconds: the limit of time tells them from a busy machine
  const limits = { concurrency, retries: 12, timeoutMs: 5000, backoffMs: 20 }
  const model = openaiModel('m', { baseUrl, calls: layer, ...limits })
  const start = performance.now()
  const replies = await model.chat(Array.from({ length: calls }, (_, index) => ask(`q${index}`)))
  const seconds = (performance.now() - start) / 1000
  const { count, faulty } = await counts()
  stop()
  return {
    calls,
    requests: count,
    faulty,
    lost: replies.filter(({ text }) => text === null).length,
    doubled: Math.max(0, layer.spent.answers - calls),
    wrong: replies.filter(({ text }, index) => text !== null && text !== `reply to q${index}`).length,
    seconds,
  }
}
