// The call layer: overhead at 256 at a time against an endpoint of 50 ms, and 10,000 judgements with a fifth of the
// requests faulty. The endpoint runs in a process of its own, so that only the layer's CPU is counted. The share of the
// ideal rate is of this machine with all that it does besides: on a busy one only the CPU a call says something.
//   npm run -s bench -- calls [--short] [--json]
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { CallLayer } from '../src/models/calls/call-layer.ts'
import { ask } from '../src/models/chat-model.ts'
import { openaiModel } from '../src/models/endpoint/openai-model.ts'
import { openaiServer, passingFaults } from '../tests/openai-server.ts'
import { print } from './_throughput.ts'

if (process.send) await serve()
else await measure()

async function serve(): Promise<void> {
  const faulty = process.argv.includes('--faulty')
  const server = await openaiServer({
    reply: ({ text }) => `reply to ${text}`,
    latencyMs: faulty ? 0 : 50,
    keepsRequests: false,
    ...(faulty ? { faults: { rate: 0.2, seed: 'bench', kinds: passingFaults } } : {}),
  })
  process.send!({ baseUrl: server.baseUrl })
  process.on('message', () => process.send!({ count: server.count, faulty: server.faulty }))
}

async function measure(): Promise<void> {
  const share = process.argv.includes('--short') ? 0.1 : 1
  const overhead = await overheadOf(256, 20_480 * share)
  const faults = await faultsOf(64, 10_000 * share)
  print([
    {
      measured: `overhead: 256 at a time, 50 ms an answer, ${overhead.calls} calls`,
      'calls a second': overhead.rate,
      'of the ideal rate': overhead.ofIdeal,
      'CPU a call [ms]': overhead.cpuMs,
      'memory before [MiB]': overhead.memoryMb[0]!,
      'memory after [MiB]': overhead.memoryMb[1]!,
    },
  ])
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

async function overheadOf(concurrency: number, calls: number) {
  const { baseUrl, stop } = await endpoint()
  const model = openaiModel('m', { baseUrl, concurrency, calls: new CallLayer() })
  const questions = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => ask(`question ${from + index} ${'word '.repeat(100)}`))
  await model.chat(questions(-2048, 2048))
  globalThis.gc?.()
  const memoryMb = [process.memoryUsage().rss / 2 ** 20]
  const [start, cpu] = [performance.now(), process.cpuUsage()]
  // as a run asks: batches, eight at a time
  const batch = 64
  let next = 0
  const lane = async () => {
    while (next < calls) {
      const from = next
      next += batch
      const replies = await model.chat(questions(from, batch))
      if (replies.some(({ text }) => text === null)) throw new Error('a call failed')
    }
  }
  await Promise.all(Array.from({ length: 8 }, lane))
  const seconds = (performance.now() - start) / 1000
  const used = process.cpuUsage(cpu)
  globalThis.gc?.()
  memoryMb.push(process.memoryUsage().rss / 2 ** 20)
  stop()
  const rate = calls / seconds
  return {
    calls,
    rate,
    ofIdeal: rate / (concurrency / 0.05),
    cpuMs: (used.user + used.system) / 1000 / calls,
    memoryMb,
  }
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
