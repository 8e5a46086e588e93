import { randomUUID } from 'node:crypto'
import { messageOf } from '../../core/index.ts'
import { eventText, resultEvents } from './event-stream.ts'

export interface LingeringCallsOptions {
  /** How long an answer is kept after it is there, for callers whose connection broke [ms]. @default 60000 */
  readonly lingerMs?: number
  /** Calls kept at most; the oldest are forgotten first. @default 4096 */
  readonly most?: number
}

/**
 * Calls under ids, so that a caller whose stream broke comes back for the answer and nothing is done twice. What a call
 * throws becomes an `error` event.
 */
export class LingeringCalls {
  readonly #calls = new Map<string, Promise<string>>()
  readonly #lingerMs: number
  readonly #most: number

  constructor({ lingerMs = 60_000, most = 4096 }: LingeringCallsOptions = {}) {
    this.#lingerMs = lingerMs
    this.#most = most
  }

  /** Begins a call. */
  start(
    owner: string,
    work: () => Promise<unknown>,
  ): { readonly id: string; readonly events: Promise<string> } {
    const id = randomUUID()
    const key = `${owner} ${id}`
    const events = work().then(resultEvents, (error) => eventText('error', oneLine(messageOf(error))))
    this.#calls.set(key, events)
    if (this.#calls.size > this.#most) this.#calls.delete(this.#calls.keys().next().value!)
    void events.then(() => setTimeout(() => this.#calls.delete(key), this.#lingerMs).unref())
    return { id, events }
  }

  /** The events of a call that was begun before; undefined when it is not known (any more). */
  find(owner: string, id: string): Promise<string> | undefined {
    return this.#calls.get(`${owner} ${id}`)
  }
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ')
}
