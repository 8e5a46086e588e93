import type { StopSignal } from './stop-signal.ts'

/** How a slot was used: `overloaded` slows down, `failed` says nothing about load. */
export type SlotOutcome = 'done' | 'overloaded' | 'failed'

export interface Slot {
  readonly taken: number
}

interface Waiter {
  readonly go: (slot: Slot) => void
  gone: boolean
}

/** Answers at least, after which a share of refusals says something. */
const fewestAnswers = 8

/**
 * How many may work at a time, found out: more while all slots are taken and all goes well (doubled each round until
 * something first goes wrong, then one more each round), fewer when the endpoint is overloaded: after each round by half
 * of the share that it refused (as DCTCP, RFC 8257, does), so that an endpoint that refuses a few at random is not taken
 * for one that is full. It also stops growing while answers take several times as long as with fewer at a time: the
 * endpoint then only queues them.
 */
export class AdaptiveLimit {
  readonly most: number
  #limit: number
  #active = 0
  #waiting: Waiter[] = []
  #head = 0
  #starting = true
  /** When it was lowered last: what was sent before says nothing about the limit now. */
  #lowered = Number.NEGATIVE_INFINITY
  /** Of this round. */
  #answers = 0
  #refused = 0
  /** Smoothed time of an answer, and the lowest that it was [ms]. */
  #time = Number.NaN
  #bestTime = Number.POSITIVE_INFINITY

  constructor({ start, most }: { readonly start: number; readonly most: number }) {
    this.most = most
    this.#limit = Math.min(start, most)
  }

  /** At a time, now. */
  get limit(): number {
    return Math.floor(this.#limit)
  }

  get active(): number {
    return this.#active
  }

  /** Waits for a slot, first come first served. Rejects with the signal's reason when it is aborted. */
  acquire(signal: StopSignal): Promise<Slot> {
    if (this.#active < this.limit) {
      this.#active++
      return Promise.resolve({ taken: performance.now() })
    }
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        gone: false,
        go: (slot) => {
          signal.removeEventListener('abort', leave)
          resolve(slot)
        },
      }
      const leave = () => {
        waiter.gone = true
        reject(signal.reason)
      }
      signal.addEventListener('abort', leave)
      this.#waiting.push(waiter)
    })
  }

  release(slot: Slot, outcome: SlotOutcome): void {
    const now = performance.now()
    if (outcome === 'done') this.#grow(now - slot.taken)
    if (outcome !== 'failed' && slot.taken > this.#lowered) this.#count(outcome === 'overloaded', now)
    this.#active--
    this.#admit()
  }

  #count(isRefused: boolean, now: number): void {
    this.#answers++
    if (isRefused) {
      this.#refused++
      this.#starting = false
    }
    if (this.#answers < Math.max(fewestAnswers, this.limit)) return
    if (this.#refused > 0) {
      this.#limit = Math.max(1, this.#limit * (1 - this.#refused / this.#answers / 2))
      this.#lowered = now
    }
    this.#answers = 0
    this.#refused = 0
  }

  #grow(time: number): void {
    this.#time = Number.isNaN(this.#time) ? time : this.#time * 0.95 + time * 0.05
    this.#bestTime = Math.min(this.#bestTime, this.#time)
    if (this.#active < this.limit || this.#time > 4 * this.#bestTime) return
    this.#limit = Math.min(this.most, this.#limit + (this.#starting ? 1 : 1 / this.#limit))
  }

  #admit(): void {
    while (this.#active < this.limit && this.#head < this.#waiting.length) {
      const waiter = this.#waiting[this.#head++]!
      if (waiter.gone) continue
      this.#active++
      waiter.go({ taken: performance.now() })
    }
    if (this.#head > 1024 && this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head)
      this.#head = 0
    }
  }
}
