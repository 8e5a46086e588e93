import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Admitted, EndpointRequest } from './protocol.ts'

/** A request of an endpoint; its signal is made when somebody asks for it. */
export class AskedRequest implements EndpointRequest {
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
