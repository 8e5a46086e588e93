import { CallError } from './call.ts'
import { pause } from './pause.ts'
import { Stopper, type StopSignal } from './stop-signal.ts'

/**
 * Leaves an endpoint alone that fails again and again. After `breakAfter` failures in a row all calls wait; after a
 * second one of them tries, then after two, four, ... up to 30 seconds. When nothing has worked for `giveUpAfterMs`,
 * waiting and new calls fail, until one that tries succeeds.
 */
export class CircuitBreaker {
  readonly #breakAfter: number
  readonly #giveUpAfterMs: number
  #failures = 0
  /** Since when nothing has worked; undefined while the circuit is closed. */
  #brokenAt: number | undefined
  #cooldown = 0
  #nextTry = 0
  #trying = false
  #reason = ''
  #wake: (() => void)[] = []

  constructor({ breakAfter, giveUpAfterMs }: { breakAfter: number; giveUpAfterMs: number }) {
    this.#breakAfter = breakAfter
    this.#giveUpAfterMs = giveUpAfterMs
  }

  /** Nothing has to be waited for. */
  get isClosed(): boolean {
    return this.#brokenAt === undefined
  }

  /** Waits until a call may be made. Throws a `CallError` (`outage`) when the endpoint has been down for too long. */
  async pass(signal: StopSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted()
      if (this.#brokenAt === undefined) return
      const now = performance.now()
      if (!this.#trying && now >= this.#nextTry) {
        this.#trying = true
        return
      }
      if (this.#trying) {
        await this.#change(Number.POSITIVE_INFINITY, signal)
        continue
      }
      const left = this.#brokenAt + this.#giveUpAfterMs - now
      if (left <= 0)
        throw new CallError(
          'outage',
          `the endpoint has not worked for ${Math.round((now - this.#brokenAt) / 1000)} s: ${this.#reason}`,
        )
      await this.#change(Math.min(left, this.#nextTry - now), signal)
    }
  }

  succeeded(): void {
    this.#failures = 0
    if (this.#brokenAt === undefined) return
    this.#brokenAt = undefined
    this.#trying = false
    this.#wakeAll()
  }

  /** `outage`: the endpoint is to blame. Anything else frees the way for the next one that tries. */
  failed(reason: string, outage: boolean): void {
    if (!outage) {
      if (this.#trying) {
        this.#trying = false
        this.#wakeAll()
      }
      return
    }
    this.#reason = reason
    this.#failures++
    if (this.#brokenAt === undefined) {
      if (this.#failures < this.#breakAfter) return
      this.#brokenAt = performance.now()
      this.#cooldown = 1000
    } else {
      if (!this.#trying) return
      this.#cooldown = Math.min(30_000, this.#cooldown * 2)
    }
    this.#trying = false
    this.#nextTry = performance.now() + this.#cooldown
    this.#wakeAll()
  }

  /** Waits for the time or for a change, whichever is first. */
  async #change(milliseconds: number, signal: StopSignal): Promise<void> {
    const timer = new Stopper()
    const stop = () => timer.abort(signal.reason)
    signal.addEventListener('abort', stop)
    const woken = new Promise<void>((resolve) => {
      this.#wake.push(resolve)
    })
    try {
      await Promise.race([woken, pause(milliseconds, timer)])
    } finally {
      signal.removeEventListener('abort', stop)
      timer.abort(undefined)
    }
  }

  #wakeAll(): void {
    const wake = this.#wake
    this.#wake = []
    for (const go of wake) go()
  }
}
