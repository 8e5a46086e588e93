import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import type { Admitted } from '../protocol.ts'
import { RequestProblem } from '../request-problem.ts'
import { RateLimit } from './rate-limit.ts'
import { type Scope, scopes, type TokenBook } from './tokens.ts'

/** What the gate looks at. */
export interface Caller {
  readonly headers: IncomingHttpHeaders
  /** A token that stood in the address. */
  readonly secret: string | undefined
  readonly address: string | undefined
}

export interface GateOptions {
  readonly tokens: TokenBook
  /** Of each token; without tokens of each address. 0 = any number. */
  readonly requestsPerSecond: number
  /** Origins of pages in browsers that may ask from elsewhere. @default none */
  readonly origins?: readonly string[]
}

const everyone: Admitted = { token: null, scopes: new Set(scopes) }

/** The one place where callers are let in: every protocol, the API and every socket goes through it. */
export class Gate {
  readonly #tokens: TokenBook
  readonly #rate: RateLimit
  readonly #origins: ReadonlySet<string>

  constructor({ tokens, requestsPerSecond, origins = [] }: GateOptions) {
    this.#tokens = tokens
    this.#rate = new RateLimit(requestsPerSecond)
    this.#origins = new Set(origins)
  }

  /** Throws a `RequestProblem`: 401 without a token that is known, 403 without its scope, 429 for too many requests. */
  admit(caller: Caller, scope: Scope | 'public'): Admitted {
    this.#checkOrigin(caller.headers)
    if (!this.#tokens.isRequired) {
      checkHost(caller.headers.host)
      this.#rate.take(caller.address ?? '')
      return everyone
    }
    if (scope === 'public') return { token: null, scopes: new Set() }
    const given = caller.secret ?? tokenIn(caller.headers)
    const record = given === undefined ? undefined : this.#tokens.find(given)
    if (record === undefined)
      throw new RequestProblem(
        401,
        'unauthorized',
        given === undefined ? 'a token is needed.' : 'the token is not known, or has expired.',
        {
          fix: 'Send it as "Authorization: Bearer TOKEN", or where headers cannot be sent as /t/TOKEN/ before the path.',
        },
      )
    if (!record.scopes.includes(scope) && !record.scopes.includes('admin'))
      throw new RequestProblem(
        403,
        'forbidden',
        `the token "${record.name}" is not made for this: it needs the scope "${scope}".`,
      )
    this.#rate.take(record.id)
    return { token: record.id, scopes: new Set(record.scopes.includes('admin') ? scopes : record.scopes) }
  }

  /** Headers for a page of an allowed origin; none for everybody else. */
  corsHeaders(origin: string | undefined): Readonly<Record<string, string>> {
    if (origin === undefined || !this.#origins.has(origin)) return {}
    return {
      'access-control-allow-origin': origin,
      'access-control-allow-headers': 'authorization, content-type, idempotency-key, x-api-key',
      'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
      'access-control-max-age': '600',
      vary: 'origin',
    }
  }

  /** A page of another site may not ask through the browser of somebody who can reach this server. */
  #checkOrigin({ origin, host }: IncomingHttpHeaders): void {
    if (origin === undefined || this.#origins.has(origin)) return
    if (URL.canParse(origin) && new URL(origin).host === host) return
    throw new RequestProblem(403, 'foreign-origin', 'pages of other origins may not ask here.', {
      fix: '"guerdon serve --cors ORIGIN" allows one.',
    })
  }
}

/** The name that was last found to be this machine's, since nearly all requests say the same. */
let ownHost: string | undefined

/** Without tokens only this machine may ask, under a name that no foreign page can make its own (DNS rebinding). */
function checkHost(host: string | undefined): void {
  if (host === ownHost) return
  const name = host
    ?.replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '')
    .toLowerCase()
  if (name === undefined || name === 'localhost' || name.endsWith('.localhost') || isIP(name) !== 0) {
    ownHost = host
    return
  }
  throw new RequestProblem(
    403,
    'foreign-host',
    'this server has no tokens and answers to addresses and localhost only.',
    {
      fix: 'Create a token with "guerdon token create".',
    },
  )
}

function tokenIn(headers: IncomingHttpHeaders): string | undefined {
  const { authorization } = headers
  if (authorization !== undefined) {
    if (/^bearer /i.test(authorization)) return authorization.slice(7).trim()
    return undefined
  }
  const key = headers['x-api-key']
  return typeof key === 'string' ? key : undefined
}

/** The path of a request without query and slash at the end, and the token where one stands before it (`/t/TOKEN/...`). */
export function targetOf(url: string): {
  readonly path: string
  readonly query: string
  readonly secret: string | undefined
} {
  const mark = url.indexOf('?')
  let path = mark < 0 ? url : url.slice(0, mark)
  const query = mark < 0 ? '' : url.slice(mark)
  let secret: string | undefined
  if (path.startsWith('/t/')) {
    const end = path.indexOf('/', 3)
    secret = path.slice(3, end < 0 ? undefined : end)
    path = end < 0 ? '/' : path.slice(end)
  }
  if (path.length > 1 && path.endsWith('/')) path = path.slice(0, -1)
  return { path, query, secret }
}

/** Whether an address is this machine's own. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}
