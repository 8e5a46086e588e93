import { pause } from './pause.ts'
import type { StopSignal } from './stop-signal.ts'

/**
 * At most so many units in any minute. A tenth of them may come at once, the rest flows evenly, so that no window of 60
 * seconds holds more. An amount larger than that tenth waits until the tenth is full, and then blocks what follows for
 * as long as it is worth.
 */
export class RateLimit {
  readonly #burst: number
  /** [units per ms] */
  readonly #flow: number
  #level: number
  #time = performance.now()
  #last: Promise<void> = Promise.resolve()

  constructor(perMinute: number) {
    this.#burst = Math.max(1, perMinute / 10)
    this.#flow = Math.max(perMinute - this.#burst, perMinute / 10) / 60_000
    this.#level = this.#burst
  }

  /** Waits until `amount` may be used, first come first served. Rejects with the signal's reason when it is aborted. */
  take(amount: number, signal: StopSignal): Promise<void> {
    const turn = this.#last.then(async () => {
      signal.throwIfAborted()
      const needed = Math.min(amount, this.#burst)
      for (;;) {
        this.#refill()
        if (this.#level >= needed - 1e-9) break
        await pause(Math.ceil((needed - this.#level) / this.#flow), signal)
      }
      this.#level -= amount
    })
    this.#last = turn.catch(() => {})
    return turn
  }

  /** Corrects what was taken: `amount` more was used (or less, when negative). */
  settle(amount: number): void {
    this.#refill()
    this.#level = Math.min(this.#burst, this.#level - amount)
  }

  #refill(): void {
    const now = performance.now()
    this.#level = Math.min(this.#burst, this.#level + (now - this.#time) * this.#flow)
    this.#time = now
  }
}
