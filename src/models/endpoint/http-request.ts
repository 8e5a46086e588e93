import {
  Agent as HttpAgent,
  type IncomingHttpHeaders,
  type RequestOptions,
  request as requestHttp,
} from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { urlToHttpOptions } from 'node:url'
import { messageOf } from '../../core/index.ts'
import { CallError } from '../calls/call.ts'
import type { StopSignal } from '../calls/stop-signal.ts'
import { withoutKeys } from '../secrets.ts'

/** Where to post to, read from a URL once. */
export interface HttpAddress {
  readonly host: string
  readonly options: RequestOptions
}

export interface HttpRequest {
  readonly address: HttpAddress
  /** The header of that name. */
  readonly authorization: string | undefined
  /** JSON text. */
  readonly body: string
  /** [bytes] An answer that goes on is cut off and is an error. */
  readonly maxBytes: number
  readonly signal: StopSignal
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

// Node's own agents: a call costs a third of what `fetch` costs, and no hidden limit of time cuts a slow answer off.
const settings = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, proxyEnv: process.env }
const agents = { 'http:': new HttpAgent(settings), 'https:': new HttpsAgent(settings) } as const

export function httpAddress(url: URL): HttpAddress {
  const { protocol, hostname, port, path } = urlToHttpOptions(url)
  const agent = agents[protocol as 'http:' | 'https:']
  return {
    host: url.host,
    options: { protocol, hostname, port, path, agent, method: 'POST' } as RequestOptions,
  }
}

/**
 * Posts JSON and reads the whole answer, whatever its status. Throws a `CallError` (`outage`, to be tried again) when
 * the connection breaks or the answer is too long, and the signal's reason when it is aborted.
 */
export function postJson({
  address,
  authorization,
  body,
  maxBytes,
  signal,
}: HttpRequest): Promise<HttpAnswer> {
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
    const request = (address.options.protocol === 'https:' ? requestHttps : requestHttp)(
      { ...address.options, headers: headersOf(address, body, authorization) },
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
          const [first] = parts
          const bytes = parts.length === 1 ? first! : Buffer.concat(parts, length)
          const text = bytes.toString('utf8')
          settle(() => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
        })
      },
    )
    const stop = () => {
      fail(signal.reason)
      request.destroy()
    }
    request.on('error', broken)
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
    else request.end(body)
  })
}

/** Name and value by turns: cheaper than an object, whose entries Node checks one by one. */
function headersOf({ host }: HttpAddress, body: string, authorization: string | undefined): string[] {
  const headers = [
    'host',
    host,
    'accept',
    'application/json',
    'accept-encoding',
    'identity',
    'content-type',
    'application/json',
    'content-length',
    String(Buffer.byteLength(body)),
    'user-agent',
    'guerdon',
  ]
  if (authorization !== undefined) headers.push('authorization', authorization)
  return headers
}
