import { connect } from 'node:net'
import { Rng } from '../src/core/index.ts'

export interface SoakResult {
  readonly seconds: number
  /** Requests that should have been answered with a score. */
  readonly asked: number
  /** Of these: answered with the right score; refused with 503; connections that broke. */
  readonly right: number
  readonly refused: number
  readonly broken: number
  /** Answered with a wrong score, or two answers to one request. */
  readonly wrong: number
  /** Clients that went, sent garbage, half a body, or a slow one. */
  readonly rude: number
  /** Of those that should have been refused (400, 408, 413, 415): were not. */
  readonly unrefused: number
}

/**
 * Mixed load from `clients` well-behaved clients and as many rude ones, until the time is over. The score of a text must be
 * its length, so that an answer to another's question shows.
 */
export async function soak(options: {
  readonly port: number
  readonly seconds: number
  readonly clients: number
  readonly seed: string
}): Promise<SoakResult> {
  const { port, seconds, clients, seed } = options
  const end = performance.now() + seconds * 1000
  const counts = { asked: 0, right: 0, refused: 0, broken: 0, wrong: 0, rude: 0, unrefused: 0 }
  const polite = async (rng: Rng) => {
    while (performance.now() < end) {
      const reward = rng.chance(0.7) ? 'fast' : 'slow'
      const size = rng.chance(0.8) ? 1 : rng.int(2, 65)
      const texts = Array.from({ length: size }, () => 'x'.repeat(rng.int(1, 400)))
      counts.asked++
      const answer = await post(port, `/p/openrlhf/${reward}/get_reward`, JSON.stringify({ query: texts }))
      if (answer === null) counts.broken++
      else if (answer.status === 503) counts.refused++
      else {
        const rewards = answer.status === 200 ? (JSON.parse(answer.body).rewards as number[]) : []
        if (rewards.length === size && rewards.every((value, index) => value === texts[index]!.length))
          counts.right++
        else counts.wrong++
      }
    }
  }
  const rude = async (rng: Rng) => {
    while (performance.now() < end) {
      counts.rude++
      const kind = rng.int(0, 6)
      const body = JSON.stringify({ query: ['x'.repeat(200)] })
      const head = (length: number, path = '/p/openrlhf/slow/get_reward') =>
        `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`
      // Goes before the answer, in the middle of the body, or in the head.
      if (kind === 0) await rawRequest(port, [head(body.length) + body], rng.int(0, 30))
      else if (kind === 1) await rawRequest(port, [head(body.length) + body.slice(0, 50)], rng.int(0, 30))
      else if (kind === 2) await rawRequest(port, ['POST /p/openrlhf/fast/get_rew'], rng.int(0, 30))
      else {
        const parts =
          kind === 3
            ? [head(20) + '\u0000'.repeat(20)] // garbage as a body
            : kind === 4
              ? ['\u0001garbage\r\n\r\n'] // garbage as a head
              : [head(body.length), ...Array.from({ length: 200 }, (_, index) => body[index]!)] // slower than allowed
        const answer = await rawRequest(port, parts, 8000, kind === 5 ? 25 : 0)
        if (performance.now() < end && !/^HTTP\/1\.1 4\d\d/.test(answer)) counts.unrefused++
      }
    }
  }
  const root = new Rng(seed)
  await Promise.all(
    Array.from({ length: clients }, (_, index) => [
      polite(root.fork(`polite ${index}`)),
      rude(root.fork(`rude ${index}`)),
    ]).flat(),
  )
  return { seconds, ...counts }
}

/** Sends parts, some milliseconds apart, and takes what comes until the connection closes or it has waited long enough. */
function rawRequest(port: number, parts: readonly string[], waitMs: number, gapMs = 0): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    const leave = setTimeout(() => socket.destroy(), waitMs)
    let next = 0
    const send = () => {
      if (socket.destroyed || next >= parts.length) return
      socket.write(parts[next++]!)
      if (gapMs > 0) setTimeout(send, gapMs)
      else send()
    }
    socket.on('connect', send)
    socket.on('data', (chunk) => {
      text += chunk
      if (/^HTTP\/1\.1 4\d\d/.test(text)) socket.destroy()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(leave)
      resolve(text)
    })
  })
}

async function post(
  port: number,
  path: string,
  body: string,
): Promise<{ status: number; body: string } | null> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    return { status: response.status, body: await response.text() }
  } catch {
    return null
  }
}
