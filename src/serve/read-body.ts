import type { IncomingMessage } from 'node:http'
import { RequestProblem } from './request-problem.ts'

/**
 * The bytes of a request's body. Rejects with a `RequestProblem`: 413 for a larger one (said by its head before a byte is
 * read), 415 for one that is compressed or not JSON, `aborted` when the caller goes before its end.
 */
export function bodyOf(request: IncomingMessage, mostBytes: number): Promise<Buffer> {
  const { headers } = request
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity')
    return refuse(415, 'compressed-body', 'compressed bodies are not read.')
  const type = headers['content-type']
  if (type !== undefined && type !== 'application/json' && !/json/i.test(type))
    return refuse(415, 'not-json', 'the body must be JSON.', 'Send "Content-Type: application/json".')
  if (Number(headers['content-length'] ?? 0) > mostBytes) return Promise.reject(tooLarge(mostBytes))
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

function tooLarge(mostBytes: number): RequestProblem {
  return new RequestProblem(413, 'body-too-large', `the body has more than ${mostBytes} bytes.`, {
    fix: 'Send fewer samples in a request.',
  })
}

function refuse(status: number, code: string, message: string, fix?: string): Promise<never> {
  return Promise.reject(new RequestProblem(status, code, message, fix === undefined ? {} : { fix }))
}
