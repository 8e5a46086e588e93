import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { LookupFunction } from 'node:net'
import { GuerdonError, messageOf } from '../core/index.ts'
import { type AddressRules, allowedAddressOf } from './public-address.ts'

export interface FetchLimits extends AddressRules {
  /** Largest body [bytes]. */
  readonly maxBytes: number
  /** For everything, redirects included [ms]. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

const maxRedirects = 5

/**
 * The body at an http or https URL, within limits. Every hop is checked anew: scheme, credentials, and that each of the
 * host's addresses is allowed; the connection goes to the very address that was checked. Proxies of the environment
 * are not used. Throws a `GuerdonError`.
 */
export async function fetchBytes(url: string, limits: FetchLimits): Promise<Uint8Array> {
  const deadline = AbortSignal.timeout(limits.timeoutMs)
  const signal = limits.signal ? AbortSignal.any([deadline, limits.signal]) : deadline
  let target = checkedUrl(url)
  try {
    for (let hop = 0; hop <= maxRedirects; hop++) {
      const response = await get(target, limits, signal)
      const status = response.statusCode ?? 0
      if (status >= 300 && status < 400 && response.headers.location) {
        response.destroy()
        target = checkedUrl(new URL(response.headers.location, target).href)
        continue
      }
      if (status !== 200) {
        response.destroy()
        throw problem('fetch-failed', `${shown(target)} answers with status ${status}.`)
      }
      return await body(response, target, limits.maxBytes)
    }
    throw problem('fetch-failed', `${shown(target)} redirects more than ${maxRedirects} times.`)
  } catch (error) {
    limits.signal?.throwIfAborted()
    if (deadline.aborted)
      throw problem('fetch-failed', `${shown(target)} does not answer within ${limits.timeoutMs} ms.`)
    throw error instanceof GuerdonError
      ? error
      : problem('fetch-failed', `${shown(target)} cannot be fetched: ${messageOf(error)}.`)
  }
}

function checkedUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw problem('bad-url', `${JSON.stringify(text.slice(0, 100))} is not an http or https URL.`)
  if (url.username || url.password)
    throw problem('bad-url', 'the URL holds a user name or password.', 'Leave credentials out of URLs.')
  return url
}

async function get(url: URL, limits: FetchLimits, signal: AbortSignal): Promise<IncomingMessage> {
  const pinned = await allowedAddressOf(url.hostname, limits)
  const lookup: LookupFunction = (_host, options, done) =>
    options.all ? done(null, [pinned]) : done(null, pinned.address, pinned.family)
  const request = url.protocol === 'https:' ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    request(
      url,
      {
        signal,
        agent: false,
        headers: { accept: 'image/*', 'user-agent': 'guerdon' },
        lookup,
      },
      resolve,
    )
      .on('error', reject)
      .end()
  })
}

async function body(response: IncomingMessage, url: URL, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = () =>
    problem(
      'too-large',
      `${shown(url)} holds more than ${maxBytes} bytes.`,
      'Raise maxBytes if it is to be read.',
    )
  try {
    if (Number(response.headers['content-length'] ?? 0) > maxBytes) throw tooLarge()
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of response as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > maxBytes) throw tooLarge()
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  } finally {
    response.destroy()
  }
}

/** A URL for messages: without its query, which may hold a signature. */
function shown(url: URL): string {
  return `${url.origin}${url.pathname}`
}

function problem(code: string, what: string, fix?: string): GuerdonError {
  return new GuerdonError(code, what, fix ? { fix } : {})
}
