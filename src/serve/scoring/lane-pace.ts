/** How much the newest call counts in what is known of a lane. */
const weight = 0.2

const callsLookedAt = 4

/** A call may hold this thread about so long [ms]: what other requests then wait at most. */
const turnMs = 8

/**
 * How fast one reward is and how often it is asked, as it turns out: what decides whether samples wait for company, how
 * many make a call, and whether looking for equal ones is worth its time.
 */
export class LanePace {
  /** True while a wait for company has just ended. */
  hasWaited = false
  readonly #batchSize: number
  readonly #windowMs: number
  readonly #concurrency: number
  /** Of the last calls, in this thread, for each sample [ms]; the least of them counts, since code that is new is slow. */
  readonly #blocked: number[] = []
  #blockedMs = 0
  /** Of a call, elsewhere [ms]. */
  #awaitedMs = 0
  /** Of a call, all in all, for each sample [ms]. */
  #spentMs = 0
  /** Between two requests [ms]. */
  #gapMs = 1000
  #arrivedAt = 0
  #running = 0
  #oldestStart = 0

  constructor(options: {
    readonly batchSize: number
    readonly windowMs: number
    readonly concurrency: number
  }) {
    this.#batchSize = options.batchSize
    this.#windowMs = options.windowMs
    this.#concurrency = options.concurrency
  }

  arrived(): void {
    const now = performance.now()
    this.#gapMs += weight * (Math.min(1000, now - this.#arrivedAt) - this.#gapMs)
    this.#arrivedAt = now
  }

  /** A call begins; when [ms]. */
  starts(): number {
    const now = performance.now()
    if (this.#running++ === 0) this.#oldestStart = now
    return now
  }

  /** A call of `size` samples has ended; how long it took [ms]. One that was aborted says nothing of the reward. */
  ends(started: number, size: number, blockedMs: number, isAborted: boolean): number {
    const now = performance.now()
    const spentMs = now - started
    this.#running--
    this.#oldestStart = now
    if (isAborted) return spentMs
    this.#blocked.push(blockedMs / size)
    if (this.#blocked.length > callsLookedAt) this.#blocked.shift()
    this.#blockedMs = Math.min(...this.#blocked)
    this.#awaitedMs += weight * (spentMs - blockedMs - this.#awaitedMs)
    this.#spentMs += weight * (spentMs / size - this.#spentMs)
    return spentMs
  }

  /** Whether a judgement costs so much more than comparing samples does that equal ones are looked for. */
  get isSlow(): boolean {
    return (
      this.#awaitedMs > 1 ||
      this.#blockedMs > 0.1 ||
      (this.#running > 0 && performance.now() - this.#oldestStart > 1)
    )
  }

  /** Whether requests come so often that others are likely to have arrived already. */
  get isDense(): boolean {
    return this.#gapMs < 1
  }

  /** Samples in a call, so that it does not hold this thread for long. */
  get batchSize(): number {
    const least = this.#blocked.length < callsLookedAt ? 16 : 1
    const fitting = Math.max(least, Math.floor(turnMs / this.#blockedMs))
    return fitting >= this.#batchSize ? this.#batchSize : fitting
  }

  /**
   * How long a sample waits for company [ms]: a twentieth of what judging takes, and only where another is expected
   * within that time. 0 for a fast reward and for one that is asked rarely.
   */
  get windowMs(): number {
    if (this.hasWaited || this.#awaitedMs < 5) return 0
    const wait = Math.min(this.#windowMs, this.#awaitedMs / 20)
    return this.#gapMs < wait ? wait : 0
  }

  /** Until that many samples are judged [s], from 1 to 60. */
  secondsFor(samples: number): number {
    return Math.min(60, Math.max(1, Math.ceil((samples * this.#spentMs) / this.#concurrency / 1000)))
  }
}
