import { randomBytes } from 'node:crypto'
import { Overloaded } from '../request-problem.ts'

/** What a store keeps: anything that can be closed. */
export interface Closable {
  close(): Promise<void>
}

export interface SessionStoreOptions {
  /** Sessions that nobody has asked for so long are closed [ms]. @default 900000 */
  readonly idleMs?: number
  /** Sessions at most. @default 4096 */
  readonly most?: number
  /** When the store is full, the one least recently asked for makes way if it was idle for so long [ms]. @default 60000 */
  readonly evictableMs?: number
  readonly now?: () => number
}

interface Entry<Value> {
  readonly value: Value
  usedAt: number
}

/**
 * Sessions under opaque ids, each belonging to whoever opened it: another caller's id finds nothing. Bounded in number;
 * what nobody uses is closed.
 */
export class SessionStore<Value extends Closable> {
  /** In the order of their last use, the oldest first. */
  readonly #entries = new Map<string, Entry<Value>>()
  /** Ids of sessions that ended, so that their callers can be told. Bounded: the oldest are forgotten. */
  readonly #ended = new Set<string>()
  readonly #idleMs: number
  readonly #most: number
  readonly #evictableMs: number
  readonly #now: () => number
  readonly #reaper: NodeJS.Timeout
  readonly #closers = new WeakSet<AbortSignal>()

  constructor(options: SessionStoreOptions = {}) {
    this.#idleMs = options.idleMs ?? 900_000
    this.#most = options.most ?? 4096
    this.#evictableMs = options.evictableMs ?? 60_000
    this.#now = options.now ?? (() => performance.now())
    this.#reaper = setInterval(() => this.reap(), Math.min(30_000, this.#idleMs))
    this.#reaper.unref()
  }

  get size(): number {
    return this.#entries.size
  }

  /** Keeps a session under a new id that cannot be guessed. Throws `Overloaded` when there is no room. */
  add(owner: string | null, value: Value): string {
    const id = randomBytes(18).toString('base64url')
    this.#makeRoom()
    this.#entries.set(keyOf(owner, id), { value, usedAt: this.#now() })
    return id
  }

  /** The caller's session of this id, which counts as a use of it. */
  get(owner: string | null, id: string): Value | undefined {
    const key = keyOf(owner, id)
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (this.#now() - entry.usedAt > this.#idleMs) {
      this.#end(key, entry)
      return undefined
    }
    entry.usedAt = this.#now()
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry.value
  }

  /** Whether there was such a session and is no more (as far back as the store remembers). */
  hasEnded(owner: string | null, id: string): boolean {
    return this.#ended.has(keyOf(owner, id))
  }

  /** Closes a session; false when there is none. */
  delete(owner: string | null, id: string): boolean {
    const key = keyOf(owner, id)
    const entry = this.#entries.get(key)
    if (entry === undefined) return false
    this.#end(key, entry)
    return true
  }

  /** Closes what has been idle for too long. */
  reap(): void {
    const before = this.#now() - this.#idleMs
    for (const [key, entry] of this.#entries) {
      if (entry.usedAt >= before) break
      this.#end(key, entry)
    }
  }

  /** Closes everything when `signal` is aborted; asked again with the same signal it does nothing. */
  closeOn(signal: AbortSignal): void {
    if (this.#closers.has(signal)) return
    this.#closers.add(signal)
    signal.addEventListener('abort', () => this.close(), { once: true })
  }

  close(): void {
    clearInterval(this.#reaper)
    for (const [key, entry] of this.#entries) this.#end(key, entry)
  }

  #makeRoom(): void {
    if (this.#entries.size < this.#most) return
    const [key, oldest] = this.#entries.entries().next().value!
    if (this.#now() - oldest.usedAt < this.#evictableMs)
      throw new Overloaded(`${this.#most} sessions are open.`, 5)
    this.#end(key, oldest)
  }

  #end(key: string, { value }: Entry<Value>): void {
    this.#entries.delete(key)
    this.#ended.add(key)
    if (this.#ended.size > 4 * this.#most) this.#ended.delete(this.#ended.values().next().value!)
    // A session that fails to close is gone all the same.
    value.close().catch(() => {})
  }
}

function keyOf(owner: string | null, id: string): string {
  return `${owner ?? ''} ${id}`
}
