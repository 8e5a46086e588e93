import type { IncomingMessage } from 'node:http'
import { RequestProblem } from './request-problem.ts'

/**
 * The bytes of a body of JSON. Rejects with a `RequestProblem` as `bytesOf` does, and with 415 for one that is compressed or
 * not JSON.
 */
export function bodyOf(request: IncomingMessage, mostBytes: number): Promise<Buffer> {
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity')
    return refuse(415, 'compressed-body', 'compressed bodies are not read.')
  const type = request.headers['content-type']
  if (type !== undefined && type !== 'application/json' && !/json/i.test(type))
    return refuse(415, 'not-json', 'the body must be JSON.', 'Send "Content-Type: application/json".')
  return bytesOf(request, mostBytes)
}

/**
 * The bytes of any body. Rejects with a `RequestProblem`: 413 for a larger one (said by its head before a byte is read),
 * `aborted` when the caller goes before its end.
 */
export function bytesOf(request: IncomingMessage, mostBytes: number): Promise<Buffer> {
  const problem = tooLargeByHead(request, mostBytes)
  if (problem !== undefined) return Promise.reject(problem)
  return new Promise((resolve, reject) => {
    let first: Buffer | undefined
    let more: Buffer[] | undefined
    let length = 0
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > mostBytes) {
        request.removeAllListeners('data')
        reject(tooLarge(mostBytes))
      } else if (first === undefined) first = chunk
      else if (more === undefined) more = [first, chunk]
      else more.push(chunk)
    })
    request.on('end', () =>
      resolve(more === undefined ? (first ?? Buffer.alloc(0)) : Buffer.concat(more, length)),
    )
    const gone = () => reject(new RequestProblem(400, 'aborted', 'the request ended before its body did.'))
    request.on('error', gone)
    request.on('aborted', gone)
  })
}

/** The problem of a body that its head says is too large. */
export function tooLargeByHead({ headers }: IncomingMessage, mostBytes: number): RequestProblem | undefined {
  return Number(headers['content-length'] ?? 0) > mostBytes ? tooLarge(mostBytes) : undefined
}

function tooLarge(mostBytes: number): RequestProblem {
  return new RequestProblem(413, 'body-too-large', `the body has more than ${mostBytes} bytes.`, {
    fix: 'Send fewer samples in a request.',
  })
}

function refuse(status: number, code: string, message: string, fix?: string): Promise<never> {
  return Promise.reject(new RequestProblem(status, code, message, fix === undefined ? {} : { fix }))
}
