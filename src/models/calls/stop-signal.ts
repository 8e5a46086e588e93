/** What tells work to stop; every `AbortSignal` is one. */
export interface StopSignal {
  readonly aborted: boolean
  readonly reason: unknown
  throwIfAborted(): void
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** A stop signal and the one who gives it. Each call has several, and an `AbortController` costs many times as much. */
export class Stopper implements StopSignal {
  #aborted = false
  #reason: unknown
  #listeners: Set<() => void> | undefined

  get aborted(): boolean {
    return this.#aborted
  }

  get reason(): unknown {
    return this.#reason
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners ??= new Set()
    this.#listeners.add(listener)
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners?.delete(listener)
  }

  /** Only the first time counts; each listener is called once. */
  abort(reason: unknown): void {
    if (this.#aborted) return
    this.#aborted = true
    this.#reason = reason
    const listeners = [...(this.#listeners ?? [])]
    this.#listeners = undefined
    for (const listener of listeners) listener()
  }
}

const followers = new WeakMap<AbortSignal, Stopper>()

/** The same signal for many who listen: to listen to an `AbortSignal` takes longer the more do so already. */
export function shared(signal: AbortSignal): StopSignal {
  let follower = followers.get(signal)
  if (follower === undefined) {
    const stopper = new Stopper()
    if (signal.aborted) stopper.abort(signal.reason)
    else signal.addEventListener('abort', () => stopper.abort(signal.reason), { once: true })
    followers.set(signal, stopper)
    follower = stopper
  }
  return follower
}

/** The same signal for interfaces of others. */
export function abortSignalOf(stop: StopSignal): AbortSignal {
  if (stop instanceof AbortSignal) return stop
  const controller = new AbortController()
  if (stop.aborted) controller.abort(stop.reason)
  else stop.addEventListener('abort', () => controller.abort(stop.reason))
  return controller.signal
}
