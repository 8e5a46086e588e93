import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, Server as NetServer } from 'node:net'
import type { Duplex } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import type { WebSocketServer } from 'ws'
import { GuerdonError } from '../core/index.ts'
import type { Store } from '../store/index.ts'
import { parsedJson } from './json-body.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import { openApiDocument } from './openapi.ts'
import type { Admitted, EndpointRequest, Mount, Protocol, Reply } from './protocol.ts'
import { bodyOf } from './read-body.ts'
import { Overloaded, problemBody, problemOf, RequestProblem } from './request-problem.ts'
import { failureOf, headersOf, notFound, type RoutedEndpoint, Routes } from './routes.ts'
import type { ScoringService } from './scoring/scoring-service.ts'
import { Gate, isLoopback, targetOf } from './security/gate.ts'
import { type Scope, TokenBook } from './security/tokens.ts'
import type { ServeContext, ServeLimits } from './serve-context.ts'

export const defaultLimits: ServeLimits = {
  bodyBytes: 32 * 2 ** 20,
  samples: 16_384,
  images: 256,
  imageBytes: 16 * 2 ** 20,
  requests: 8192,
  answerMs: 170_000,
  headMs: 10_000,
  bodyMs: 60_000,
  drainMs: 30_000,
  requestsPerSecond: 0,
}

export interface ServerOptions {
  readonly scoring: ScoringService & { idle?(): Promise<void> }
  readonly store: Store
  readonly metrics: Metrics
  readonly log: Log
  /** Every one is mounted under `/p/<id>/<name>`. */
  readonly protocols: readonly Protocol[]
  /** Ids of protocols that also answer at the root. @default guerdon's own, where it is among the protocols */
  readonly roots?: readonly string[]
  readonly mounts?: readonly Mount[] | ((context: ServeContext) => Promise<readonly Mount[]>)
  /** @default '127.0.0.1'; any address that others can reach needs a token */
  readonly host?: string
  /** 0 = any free one. @default 0 */
  readonly port?: number
  /** @default none */
  readonly tokens?: TokenBook
  readonly limits?: Partial<ServeLimits>
  readonly unscoredAs?: number
  readonly imageUrls?: boolean
  /** Origins of pages that may ask from browsers. @default none */
  readonly origins?: readonly string[]
}

export interface RunningServer {
  /** Such as `http://127.0.0.1:8000`. */
  readonly url: string
  readonly port: number
  readonly context: ServeContext
  readonly protocols: readonly Protocol[]
  /**
   * Ends gracefully: `/ready` says so at once, what was asked is answered (with `Connection: close`), then everything is closed.
   * Resolves with the number of requests that were still under way after `drainMs` and were cut off.
   */
  close(): Promise<number>
}

/** Starts a server and resolves when it listens. Throws a `GuerdonError` (`no-token`, `port-taken`, `cannot-listen`). */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host = '127.0.0.1', port = 0, tokens = new TokenBook(), scoring, store, metrics, log } = options
  if (!isLoopback(host) && !tokens.isRequired)
    throw new GuerdonError('no-token', `others could reach ${host}, and there is no token.`, {
      fix: 'Create one with "guerdon token create", or leave out --host.',
    })
  const closing = new AbortController()
  const context: ServeContext = {
    scoring,
    store,
    metrics,
    log,
    closing: closing.signal,
    needsToken: tokens.isRequired,
    config: {
      limits: { ...defaultLimits, ...options.limits },
      imageUrls: options.imageUrls ?? false,
      ...(options.unscoredAs === undefined ? {} : { unscoredAs: options.unscoredAs }),
    },
  }
  const { protocols } = options
  const mounts = typeof options.mounts === 'function' ? await options.mounts(context) : (options.mounts ?? [])
  const roots = options.roots ?? protocols.filter(({ id }) => id === 'guerdon').map(({ id }) => id)
  const door = new Door(context, new Routes(context, { protocols, roots, mounts }), options, tokens)
  const server = createServer(
    {
      headersTimeout: context.config.limits.headMs,
      requestTimeout: context.config.limits.bodyMs,
      connectionsCheckingInterval: Math.max(100, Math.min(5000, context.config.limits.headMs / 2)),
      keepAliveTimeout: 65_000,
    },
    (request, response) => door.receive(request, response),
  )
  server.timeout = context.config.limits.answerMs + 60_000
  server.on('upgrade', (request, socket, head) => door.upgrade(request, socket, head))
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new GuerdonError('port-taken', `port ${port} is in use.`, { fix: 'Choose another with --port.' })
          : new GuerdonError('cannot-listen', `cannot listen on ${host}:${port}: ${error.message}`, {
              cause: error,
            }),
      ),
    )
    server.listen({ host, port, backlog: 4096 }, resolve)
  })
  const address = server.address() as AddressInfo
  const shown = host.includes(':') ? `[${host}]` : host
  let closed: Promise<number> | undefined
  return {
    url: `http://${shown}:${address.port}`,
    port: address.port,
    context,
    protocols,
    close: () => {
      closing.abort()
      closed ??= drain(server, door, context).then(async (cut) => {
        await scoring.idle?.()
        return cut
      })
      return closed
    },
  }
}

/** How long a server that ends still takes connections, so that what is just being sent is answered [ms]. */
const lingerMs = 300

async function drain(server: Server, door: Door, context: ServeContext): Promise<number> {
  const { drainMs } = context.config.limits
  const over = performance.now() + drainMs
  // Connections that wait to be accepted would be reset: they are taken, and told to close with their answer.
  await pause(Math.min(lingerMs, drainMs))
  // Stops listening and leaves connections open, unlike the http server's own way.
  const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()))
  while (door.underWay > 0 && performance.now() < over) {
    server.closeIdleConnections()
    await pause(20)
  }
  const cut = door.underWay
  server.closeIdleConnections()
  // Answers that have been written leave before their connections are closed.
  await pause(20)
  server.closeAllConnections()
  door.closeSockets()
  await closed
  if (cut > 0) context.log.warn({ requests: cut }, 'requests cut off')
  return cut
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** Told when a request is over, with what it was counted under. */
type Done = (label: string) => void

type Listener = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** What every request goes through, whatever it asks: who may, how much, where to, and what is counted. */
class Door {
  /** Requests that have not been answered. */
  underWay = 0
  readonly #context: ServeContext
  readonly #routes: Routes
  readonly #gate: Gate
  readonly #protocols: readonly Protocol[]
  readonly #hono: Listener
  readonly #isVerbose: boolean
  readonly #counted = new Map<string, Map<number, (seconds: number) => void>>()
  #sockets: WebSocketServer | undefined

  constructor(context: ServeContext, routes: Routes, options: ServerOptions, tokens: TokenBook) {
    this.#context = context
    this.#routes = routes
    this.#protocols = options.protocols
    this.#isVerbose = context.log.isLevelEnabled('debug')
    this.#gate = new Gate({
      tokens,
      requestsPerSecond: context.config.limits.requestsPerSecond,
      ...(options.origins === undefined ? {} : { origins: options.origins }),
    })
    this.#hono = getRequestListener(
      (request, env) =>
        routes.app.fetch(request, { ...env, admitted: admittedBy.get(env.incoming as IncomingMessage) }),
      { overrideGlobalObjects: false },
    ) as Listener
    context.metrics.gauge('guerdon_requests_under_way', 'Requests that have not been answered.', [], () => [
      [{}, this.underWay],
    ])
  }

  receive(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const started = performance.now()
    const { path, query, secret } = targetOf(incoming.url!)
    const method = incoming.method!
    this.underWay++
    if (this.#context.closing.aborted) outgoing.setHeader('connection', 'close')
    const methods = this.#routes.endpoints.get(path)
    const routed = methods?.get(method)
    const done: Done = (label) => this.#done(incoming, outgoing, path, label, started)
    if (routed !== undefined) {
      try {
        if (this.#isTaken(incoming, outgoing)) {
          done(routed.protocol)
          return
        }
        void this.#answer(routed, incoming, outgoing, this.#admit(incoming, secret, routed.scope), done)
      } catch (error) {
        this.#refuse(error, routed.problemBody, incoming, outgoing)
        done(routed.protocol)
      }
      return
    }
    const app = this.#routes.appAt(path)
    let label = 'none'
    // What is streamed is over when its connection or its last byte is.
    outgoing.once('close', () => done(label))
    try {
      if (this.#isTaken(incoming, outgoing)) return
      if (this.#answersItself(method, path, incoming, outgoing, secret)) {
        label = 'server'
        return
      }
      if (app === undefined) {
        if (methods === undefined) throw notFound
        outgoing.setHeader('allow', [...methods.keys()].join(', '))
        throw new RequestProblem(405, 'wrong-method', `${method} is not answered here.`)
      }
      label = app.protocol
      admittedBy.set(incoming, this.#admit(incoming, secret, app.scope(method, path)))
      incoming.url = `${path}${query}`
      void this.#hono(incoming, outgoing)
    } catch (error) {
      this.#refuse(error, app?.problemBody, incoming, outgoing)
    }
  }

  #done(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    path: string,
    label: string,
    started: number,
  ): void {
    this.underWay--
    const ms = performance.now() - started
    const status = outgoing.writableEnded ? outgoing.statusCode : 499
    this.#count(label, status, ms / 1000)
    if (this.#isVerbose) this.#context.log.debug({ method: incoming.method, path, status, ms }, 'request')
  }

  /** Whether a request has its answer already: one of a page in a browser. Throws when there are too many requests. */
  #isTaken(incoming: IncomingMessage, outgoing: ServerResponse): boolean {
    if (incoming.headers.origin !== undefined && this.#answersBrowser(incoming, outgoing)) return true
    if (this.underWay > this.#context.config.limits.requests)
      throw new Overloaded('the server has all the requests that it may have at a time.', 1)
    return false
  }

  /** Decode, score, encode: the short way. */
  async #answer(
    { endpoint, problemBody, protocol }: RoutedEndpoint,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    admitted: Admitted,
    done: Done,
  ): Promise<void> {
    try {
      const { bodyBytes, answerMs } = this.#context.config.limits
      const body = endpoint.method === 'GET' ? undefined : parsedJson(await bodyOf(incoming, bodyBytes))
      send(outgoing, await endpoint.answer(new AskedRequest(body, admitted, answerMs, incoming, outgoing)))
    } catch (error) {
      this.#refuse(error, problemBody, incoming, outgoing)
    }
    done(protocol)
  }

  #admit(incoming: IncomingMessage, secret: string | undefined, scope: Scope | 'public'): Admitted {
    return this.#gate.admit(
      { headers: incoming.headers, secret, address: incoming.socket.remoteAddress },
      scope,
    )
  }

  #refuse(
    error: unknown,
    shape: ((problem: RequestProblem) => object) | undefined,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
  ): void {
    const problem = problemOf(error)
    if (problem.status === 500) this.#context.log.error(failureOf(problem), 'request failed')
    if (outgoing.headersSent || outgoing.destroyed) return
    send(outgoing, {
      status: problem.status,
      body: (shape ?? problemBody)(problem),
      headers: headersOf(problem, incoming),
    })
  }

  /** Pages of other origins: answers their preflight, and gives allowed ones their headers. */
  #answersBrowser(incoming: IncomingMessage, outgoing: ServerResponse): boolean {
    const headers = this.#gate.corsHeaders(incoming.headers.origin)
    for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value)
    if (incoming.method !== 'OPTIONS' || headers['access-control-allow-origin'] === undefined) return false
    outgoing.writeHead(204).end()
    return true
  }

  /** What belongs to no protocol: health, metrics, the document. */
  #answersItself(
    method: string,
    path: string,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    secret: string | undefined,
  ): boolean {
    if (method !== 'GET' && method !== 'HEAD') return false
    if (path === '/health') send(outgoing, { body: { status: 'ok' } })
    else if (path === '/ready') {
      const isReady = !this.#context.closing.aborted
      send(outgoing, { status: isReady ? 200 : 503, body: { status: isReady ? 'ready' : 'closing' } })
    } else if (path === '/openapi.json') {
      this.#admit(incoming, secret, 'public')
      send(outgoing, { body: openApiDocument(this.#context, this.#protocols) })
    } else if (path === '/metrics') {
      this.#admit(incoming, secret, 'admin')
      void this.#context.metrics.text().then(
        (text) =>
          outgoing.writeHead(200, { 'content-type': this.#context.metrics.registry.contentType }).end(text),
        (error) => this.#refuse(error, undefined, incoming, outgoing),
      )
    } else return false
    return true
  }

  upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { path, secret } = targetOf(incoming.url!)
    socket.on('error', () => {}) // a caller that goes is no failure of ours
    try {
      const found = this.#routes.sockets.get(path)
      if (found === undefined) throw notFound
      if (this.#context.closing.aborted) throw new RequestProblem(503, 'closing', 'the server is ending.')
      const admitted = this.#admit(incoming, secret, found.scope)
      void this.#webSockets().then((sockets) =>
        sockets.handleUpgrade(incoming, socket, head, (opened) =>
          found.route.accept(opened, incoming, admitted),
        ),
      )
    } catch (error) {
      const { status, code } = problemOf(error)
      socket.end(`HTTP/1.1 ${status} ${code}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
    }
  }

  closeSockets(): void {
    for (const socket of this.#sockets?.clients ?? []) socket.terminate()
  }

  async #webSockets(): Promise<WebSocketServer> {
    if (this.#sockets === undefined) {
      const { WebSocketServer } = await import('ws')
      this.#sockets ??= new WebSocketServer({
        noServer: true,
        maxPayload: this.#context.config.limits.bodyBytes,
      })
    }
    return this.#sockets
  }

  #count(protocol: string, status: number, seconds: number): void {
    let byStatus = this.#counted.get(protocol)
    if (byStatus === undefined) {
      byStatus = new Map()
      this.#counted.set(protocol, byStatus)
    }
    let count = byStatus.get(status)
    if (count === undefined) {
      const { metrics } = this.#context
      const requests = metrics
        .counter('guerdon_requests_total', 'Requests, by protocol and status; 499 = the caller went.', [
          'protocol',
          'status',
        ])
        .labels(protocol, String(status))
      const times = metrics
        .histogram('guerdon_request_seconds', 'Time from the head of a request to the end of its answer.', [
          'protocol',
        ])
        .labels(protocol)
      count = (each) => {
        requests.inc()
        times.observe(each)
      }
      byStatus.set(status, count)
    }
    count(seconds)
  }
}

/** Who a request of the Hono app was admitted as. */
const admittedBy = new WeakMap<IncomingMessage, Admitted>()

/** A request of an endpoint; its signal is made when somebody asks for it. */
class AskedRequest implements EndpointRequest {
  readonly body: unknown
  readonly admitted: Admitted
  readonly deadline: number
  readonly #incoming: IncomingMessage
  readonly #outgoing: ServerResponse
  #stop: AbortController | undefined

  constructor(
    body: unknown,
    admitted: Admitted,
    answerMs: number,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
  ) {
    this.body = body
    this.admitted = admitted
    this.deadline = deadlineOf(incoming, answerMs)
    this.#incoming = incoming
    this.#outgoing = outgoing
  }

  get signal(): AbortSignal {
    if (this.#stop === undefined) {
      const stop = new AbortController()
      this.#stop = stop
      if (this.#outgoing.destroyed) stop.abort()
      else
        this.#outgoing.once('close', () => {
          if (!this.#outgoing.writableEnded) stop.abort()
        })
    }
    return this.#stop.signal
  }

  header(name: string): string | undefined {
    const value = this.#incoming.headers[name]
    return Array.isArray(value) ? value[0] : value
  }
}

/** When the answer must be there: what the caller says in `X-Request-Timeout` [s], at most what the server allows. */
function deadlineOf(incoming: IncomingMessage, answerMs: number): number {
  const given = incoming.headers['x-request-timeout']
  const asked = given === undefined ? Number.NaN : Number(given) * 1000
  return performance.now() + (asked > 0 ? Math.min(asked, answerMs) : answerMs)
}

function send(outgoing: ServerResponse, { status = 200, headers, body }: Reply): void {
  if (outgoing.destroyed) return
  const text = JSON.stringify(body)
  outgoing.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...headers,
  })
  outgoing.end(text)
}
