import type { IncomingMessage } from 'node:http'
import { Hono, type MiddlewareHandler } from 'hono'
import { GuerdonError } from '../core/index.ts'
import type { Endpoint, Mount, Protocol, ServeApp, ServeEnv, SocketRoute } from './protocol.ts'
import { bytesOf, tooLargeByHead } from './read-body.ts'
import { problemBody, problemOf, RequestProblem } from './request-problem.ts'
import type { Scope } from './security/tokens.ts'
import type { ServeContext } from './serve-context.ts'

/** An endpoint where it is mounted. */
export interface RoutedEndpoint {
  readonly endpoint: Endpoint
  /** Id of its protocol. */
  readonly protocol: string
  readonly scope: Scope | 'public'
  readonly problemBody: (problem: RequestProblem) => object
}

interface RoutedApp {
  readonly prefix: string
  readonly protocol: string
  readonly scope: (method: string, path: string) => Scope | 'public'
  readonly problemBody: (problem: RequestProblem) => object
}

export interface RouteOptions {
  readonly protocols: readonly Protocol[]
  /** Ids of protocols that also answer at the root; where two want one path, the first has it. */
  readonly roots: readonly string[]
  readonly mounts: readonly Mount[]
}

/** Where everything is: endpoints and sockets by their whole path, everything else in one Hono app. */
export class Routes {
  readonly endpoints = new Map<string, Map<string, RoutedEndpoint>>()
  readonly sockets = new Map<string, { readonly route: SocketRoute; readonly scope: Scope }>()
  readonly app: ServeApp
  readonly #apps: RoutedApp[] = []

  constructor(context: ServeContext, { protocols, roots, mounts }: RouteOptions) {
    this.app = new Hono<ServeEnv>()
    this.app.use(limitedBody(context.config.limits.bodyBytes))
    for (const protocol of protocols) {
      const names = protocol.names?.(context) ?? context.scoring.rewards().map(({ name }) => name)
      for (const name of names) this.#mount(context, protocol, name, `/p/${protocol.id}/${name}`)
    }
    for (const id of roots) {
      const protocol = protocols.find((each) => each.id === id)
      if (protocol === undefined)
        throw new GuerdonError('unknown-protocol', `there is no protocol "${id}".`, {
          fix: `Protocols: ${protocols.map((each) => each.id).join(', ')}.`,
        })
      this.#mount(context, protocol, undefined, '')
    }
    for (const { path, app, scope } of mounts) {
      const prefix = path === '/' ? '' : path
      this.app.route(path, app)
      this.#apps.push({
        prefix,
        protocol: path,
        scope: typeof scope === 'function' ? scope : () => scope,
        problemBody,
      })
    }
    // The longest prefix that fits says whose a path is.
    this.#apps.sort((a, b) => b.prefix.length - a.prefix.length)
    this.app.notFound((request) => request.json(problemBody(notFound), 404))
    this.app.onError((error, request) => {
      const problem = problemOf(error)
      if (problem.status >= 500) context.log.error(failureOf(problem), 'request failed')
      const shape = this.appAt(request.req.path)?.problemBody ?? problemBody
      return request.json(shape(problem), problem.status as never, headersOf(problem, request.env.incoming))
    })
  }

  /** Whose a path is that no endpoint has. */
  appAt(path: string): RoutedApp | undefined {
    return this.#apps.find(({ prefix }) => prefix === '' || path === prefix || path.startsWith(`${prefix}/`))
  }

  #mount(context: ServeContext, protocol: Protocol, name: string | undefined, prefix: string): void {
    const { id, scope = 'score' } = protocol
    const shape = protocol.problemBody?.bind(protocol) ?? problemBody
    for (const endpoint of protocol.endpoints?.(context, name) ?? []) {
      const path = `${prefix}${endpoint.path}`
      const methods = this.endpoints.get(path) ?? new Map<string, RoutedEndpoint>()
      this.endpoints.set(path, methods)
      if (!methods.has(endpoint.method))
        methods.set(endpoint.method, {
          endpoint,
          protocol: id,
          scope: endpoint.scope ?? scope,
          problemBody: shape,
        })
    }
    for (const route of protocol.sockets?.(context, name) ?? []) {
      const path = `${prefix}${route.path}`
      if (!this.sockets.has(path)) this.sockets.set(path, { route, scope })
    }
    const app = protocol.routes?.(context, name)
    if (app === undefined) return
    this.app.route(prefix === '' ? '/' : prefix, app)
    this.#apps.push({ prefix, protocol: id, scope: () => scope, problemBody: shape })
  }
}

/**
 * Refuses bodies that are larger: by what their head says, and those that come in chunks as they come. (Hono's own limit
 * makes a new `Request` of what the Node adapter gives, which fails for a chunked body, and for none.)
 */
function limitedBody(mostBytes: number): MiddlewareHandler<ServeEnv> {
  return async (c, next) => {
    const { incoming } = c.env
    const problem = tooLargeByHead(incoming, mostBytes)
    if (problem !== undefined) throw problem
    if (incoming.headers['transfer-encoding'] !== undefined) {
      const bytes = await bytesOf(incoming, mostBytes)
      // The cache holds promises, whatever its type says.
      c.req.bodyCache.arrayBuffer = Promise.resolve(new Uint8Array(bytes).buffer) as never
    }
    await next()
  }
}

export const notFound = new RequestProblem(404, 'not-found', 'nothing is served here.', {
  fix: '/openapi.json lists what is.',
})

/** What the log may say of a failure: its kind and where it happened, not its words, which may repeat what was sent. */
export function failureOf({ code, cause }: RequestProblem): object {
  if (!(cause instanceof Error)) return { code }
  return {
    code,
    error: cause.name,
    at: (cause.stack ?? '')
      .split('\n')
      .filter((line) => /^\s+at /.test(line))
      .slice(0, 8),
  }
}

/** Headers that a problem is answered with. */
export function headersOf(
  { status, retryAfter }: RequestProblem,
  { complete }: IncomingMessage,
): Record<string, string> {
  return {
    ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
    ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    // A body that was not read to its end must not be taken for the next request.
    ...(complete ? {} : { connection: 'close' }),
  }
}
