import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Hono } from 'hono'
import type { WebSocket } from 'ws'
import type { z } from 'zod'
import type { RequestProblem } from './request-problem.ts'
import type { Scope } from './security/tokens.ts'
import type { ServeContext } from './serve-context.ts'

/** Who asks, as the server let it in. */
export interface Admitted {
  /** Id of its token (never the token); null where the server has no tokens. */
  readonly token: string | null
  readonly scopes: ReadonlySet<Scope>
}

/** The environment of every Hono app that is mounted here: `c.env.admitted`. */
export interface ServeEnv {
  Bindings: {
    readonly admitted: Admitted
    readonly incoming: IncomingMessage
    readonly outgoing: ServerResponse
  }
}

/** A Hono app as the server mounts it. Bodies are limited, callers admitted and errors encoded by the server. */
export type ServeApp = Hono<ServeEnv>

/** One request of an endpoint, its body read and parsed within the limits. */
export interface EndpointRequest {
  /** Parsed JSON; undefined for a GET. */
  readonly body: unknown
  readonly admitted: Admitted
  /** `performance.now()` by which there must be an answer [ms]. */
  readonly deadline: number
  /** Aborted when the caller has gone or the deadline has passed. */
  readonly signal: AbortSignal
  header(name: string): string | undefined
}

export interface Reply {
  /** @default 200 */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** A JSON value. Must hold finite numbers only: what JSON cannot say is an error of the server. */
  readonly body: unknown
}

/**
 * One route whose body is JSON: decode, score, encode. Endpoints are answered on the short way, without the objects of
 * the fetch standard, which at one sample a request cost more than judging does. They are also what the OpenAPI document
 * is made from.
 */
export interface Endpoint {
  readonly method: 'GET' | 'POST'
  /** Below where the protocol is mounted, without parameters: `/get_reward`. */
  readonly path: string
  readonly summary: string
  /** What the OpenAPI document says of the body; decoding checks it. */
  readonly request?: z.ZodType
  readonly response?: z.ZodType
  /** @default the protocol's */
  readonly scope?: Scope
  answer(request: EndpointRequest): Promise<Reply>
}

/** A WebSocket route below where the protocol is mounted. */
export interface SocketRoute {
  readonly path: string
  accept(socket: WebSocket, request: IncomingMessage, admitted: Admitted): void
}

/**
 * A wire protocol: adapters between requests and guerdon's own types, which alone know the names of its fields. It is
 * mounted under `/p/<id>/<name>/...` for each of its names, and at the root of the server where the caller fixes the path
 * (`guerdon serve --protocol <id>`).
 */
export interface Protocol {
  readonly id: string
  readonly title: string
  /**
   * What it is mounted for: the names of served rewards, or of environments.
   * @default the names of all served rewards
   */
  names?(context: ServeContext): readonly string[]
  /** `name` is undefined at the root of the server: then the request says it, or the first is meant. */
  endpoints?(context: ServeContext, name: string | undefined): readonly Endpoint[]
  /** Routes other than endpoints: streams, sessions, paths with parameters. */
  routes?(context: ServeContext, name: string | undefined): ServeApp
  sockets?(context: ServeContext, name: string | undefined): readonly SocketRoute[]
  /** The scope that a caller's token needs. @default 'score' */
  readonly scope?: Scope
  /** How an error reads in this protocol. @default `problemBody` */
  problemBody?(problem: RequestProblem): object
  /**
   * Lines to paste into the trainer's configuration. `base` is where the protocol is mounted for a name, without a slash
   * at the end; with `secret` the token stands in it, for clients that send no headers.
   */
  setup?(base: {
    readonly url: string
    readonly withSecret: string
    readonly name: string
  }): readonly string[]
}

export function defineProtocol(protocol: Protocol): Protocol {
  return protocol
}

/** Something else that the server carries, such as the API of the page in the browser and the page itself. */
export interface Mount {
  /** Such as `/v1`; `/` for the rest. The longest that fits wins. */
  readonly path: string
  readonly app: ServeApp
  /** The scope that a caller's token needs, or `public`. */
  readonly scope: Scope | 'public' | ((method: string, path: string) => Scope | 'public')
}
