import { Agent as HttpAgent, type IncomingHttpHeaders, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { messageOf } from '../../core/index.ts'
import { CallError } from '../calls/call.ts'
import { withoutKeys } from '../secrets.ts'

export interface HttpRequest {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** JSON text. */
  readonly body: string
  /** [bytes] An answer that goes on is cut off and is an error. */
  readonly maxBytes: number
  readonly signal: AbortSignal
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

// Node's own agents: a call costs a third of what `fetch` costs, and no hidden limit of time cuts a slow answer off.
const settings = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, proxyEnv: process.env }
const agents = { 'http:': new HttpAgent(settings), 'https:': new HttpsAgent(settings) } as const

/**
 * Posts JSON and reads the whole answer, whatever its status. Throws a `CallError` (`outage`, to be tried again) when
 * the connection breaks or the answer is too long, and the signal's reason when it is aborted.
 */
export function postJson({ url, headers, body, maxBytes, signal }: HttpRequest): Promise<HttpAnswer> {
  const isSecure = url.protocol === 'https:'
  return new Promise((resolve, reject) => {
    let settled = false
    const settle = (finish: () => void) => {
      if (settled) return
      settled = true
      signal.removeEventListener('abort', stop)
      finish()
    }
    const fail = (error: unknown) => settle(() => reject(error))
    const broken = (error: unknown) =>
      fail(
        new CallError('outage', `the connection failed: ${withoutKeys(messageOf(error))}`, {
          retryable: true,
        }),
      )
    const request = (isSecure ? requestHttps : requestHttp)(
      url,
      {
        method: 'POST',
        agent: agents[isSecure ? 'https:' : 'http:'],
        headers: {
          accept: 'application/json',
          'accept-encoding': 'identity',
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'user-agent': 'guerdon',
          ...headers,
        },
      },
      (response) => {
        const parts: Buffer[] = []
        let length = 0
        response.on('data', (part: Buffer) => {
          length += part.length
          if (length <= maxBytes) parts.push(part)
          else {
            fail(new CallError('outage', `the answer is longer than ${maxBytes} bytes`, { retryable: true }))
            request.destroy()
          }
        })
        response.on('error', broken)
        response.on('close', () => {
          if (!response.complete) broken(new Error('it ended in the middle of the answer'))
        })
        response.on('end', () => {
          if (!response.complete) return
          const text = Buffer.concat(parts, length).toString('utf8')
          settle(() => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
        })
      },
    )
    const stop = () => {
      fail(signal.reason)
      request.destroy()
    }
    request.on('error', broken)
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    else request.end(body)
  })
}
