import { createServer, type Server } from 'node:http'
import { type AddressInfo, Server as NetServer } from 'node:net'
import { GuerdonError } from '../core/index.ts'
import type { Store } from '../store/index.ts'
import { Door } from './door.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { Mount, Protocol } from './protocol.ts'
import { Routes } from './routes.ts'
import type { ScoringService } from './scoring/scoring-service.ts'
import { isLoopback } from './security/gate.ts'
import { TokenBook } from './security/tokens.ts'
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
  const routes = new Routes(context, { protocols, roots, mounts })
  const door = new Door({ context, routes, protocols, tokens, origins: options.origins })
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
