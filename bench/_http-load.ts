// Load for a server, from a process of its own: keep-alive connections over plain sockets, one request at a time on each.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface Load {
  readonly port: number
  readonly path: string
  /** Sent in turn. */
  readonly bodies: readonly string[]
  readonly connections: number
  readonly seconds: number
  /** Not counted, before. */
  readonly warmupSeconds: number
}

export interface LoadResult {
  readonly requests: number
  readonly perSecond: number
  /** [ms] */
  readonly p50: number
  readonly p99: number
  /** Answers with a status other than 200, and connections that broke. */
  readonly failures: number
}

/** Runs loads at the same time, each in a process of its own. */
export function loads(...all: readonly Load[]): Promise<LoadResult[]> {
  return Promise.all(
    all.map(async (load) => {
      const child = fork(import.meta.filename, [], { execArgv: process.execArgv })
      child.send(load)
      const [result] = (await once(child, 'message')) as [LoadResult]
      child.kill()
      return result
    }),
  )
}

if (process.send && process.argv[1] === import.meta.filename)
  process.once('message', async (load: Load) => {
    process.send!(await run(load))
  })

async function run({ port, path, bodies, connections, seconds, warmupSeconds }: Load): Promise<LoadResult> {
  const requests = bodies.map((body) =>
    Buffer.from(
      `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    ),
  )
  const start = performance.now() + warmupSeconds * 1000
  const end = start + seconds * 1000
  const latencies: number[] = []
  let failures = 0
  let next = 0
  let left = connections
  const done = Promise.withResolvers<void>()
  const stop = (socket: Socket) => {
    socket.destroy()
    if (--left === 0) done.resolve()
  }
  for (let index = 0; index < connections; index++) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let sent = 0
    let needed = 0
    let got = 0
    const ask = () => {
      sent = performance.now()
      if (sent >= end) return stop(socket)
      got = needed = 0
      socket.write(requests[next++ % requests.length]!)
    }
    socket.on('connect', ask)
    socket.on('data', (chunk: Buffer) => {
      if (needed === 0) {
        // Heads are short and come in one piece.
        const head = chunk.indexOf('\r\n\r\n') + 4
        const text = chunk.toString('latin1', 0, head)
        if (!text.startsWith('HTTP/1.1 200')) failures++
        needed = head + Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0)
      }
      got += chunk.length
      if (got < needed) return
      const now = performance.now()
      if (now >= start && now < end) latencies.push(now - sent)
      ask()
    })
    socket.on('error', () => {
      failures++
      stop(socket)
    })
  }
  await done.promise
  latencies.sort((a, b) => a - b)
  const at = (share: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(share * latencies.length))] ?? 0
  return {
    requests: latencies.length,
    perSecond: latencies.length / seconds,
    p50: at(0.5),
    p99: at(0.99),
    failures,
  }
}
