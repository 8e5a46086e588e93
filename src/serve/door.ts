import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import type { WebSocketServer } from 'ws'
import { AskedRequest } from './asked-request.ts'
import { parsedJson } from './json-body.ts'
import { openApiDocument } from './openapi.ts'
import type { Admitted, Protocol, Reply } from './protocol.ts'
import { bodyOf } from './read-body.ts'
import { Overloaded, problemBody, problemOf, RequestProblem } from './request-problem.ts'
import { failureOf, headersOf, notFound, type RoutedEndpoint, type Routes } from './routes.ts'
import { Gate, targetOf } from './security/gate.ts'
import type { Scope, TokenBook } from './security/tokens.ts'
import type { ServeContext } from './serve-context.ts'

export interface DoorOptions {
  readonly context: ServeContext
  readonly routes: Routes
  readonly protocols: readonly Protocol[]
  readonly tokens: TokenBook
  /** Origins of pages that may ask from browsers. @default none */
  readonly origins?: readonly string[] | undefined
}

/** Told when a request is over, with what it was counted under. */
type Done = (label: string) => void

type Listener = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** What every request goes through, whatever it asks: who may, how much, where to, and what is counted. */
export class Door {
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

  constructor({ context, routes, protocols, tokens, origins = [] }: DoorOptions) {
    this.#context = context
    this.#routes = routes
    this.#protocols = protocols
    this.#isVerbose = context.log.isLevelEnabled('debug')
    this.#gate = new Gate({
      tokens,
      requestsPerSecond: context.config.limits.requestsPerSecond,
      origins,
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
