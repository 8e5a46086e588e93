import type { Json } from '../../core/index.ts'
import { AdaptiveLimit, type SlotOutcome } from './adaptive-limit.ts'
import { CallError, type Sent } from './call.ts'
import { CircuitBreaker } from './circuit-breaker.ts'
import { type CallLimits, limitDefaults } from './limits.ts'
import { pause } from './pause.ts'
import { RateLimit } from './rate-limit.ts'

/** The way to one endpoint: all that limits how it is used. */
export class Lane {
  readonly #limit: AdaptiveLimit
  readonly #circuit: CircuitBreaker
  readonly #requests: RateLimit | undefined
  readonly #tokens: RateLimit | undefined
  /** The endpoint asked to be left alone until then. */
  #quietUntil = 0

  constructor(limits: CallLimits) {
    const { concurrency, requestsPerMinute, tokensPerMinute } = limits
    this.#limit = new AdaptiveLimit({ start: concurrency ?? 32, most: concurrency ?? 512 })
    this.#circuit = new CircuitBreaker({
      breakAfter: limits.breakAfter ?? limitDefaults.breakAfter,
      giveUpAfterMs: limits.giveUpAfterMs ?? limitDefaults.giveUpAfterMs,
    })
    this.#requests = requestsPerMinute === undefined ? undefined : new RateLimit(requestsPerMinute)
    this.#tokens = tokensPerMinute === undefined ? undefined : new RateLimit(tokensPerMinute)
  }

  /** Requests at a time, now. */
  get concurrency(): number {
    return this.#limit.limit
  }

  /**
   * One attempt, when its turn has come. Throws a `CallError`, or the signal's reason when it is aborted.
   *
   * @param tokens expected, read and written
   */
  async attempt<Answer extends Json>(
    send: (signal: AbortSignal) => Promise<Sent<Answer>>,
    { tokens, timeoutMs, signal }: { tokens: number; timeoutMs: number; signal: AbortSignal },
  ): Promise<Sent<Answer>> {
    const slot = await this.#limit.acquire(signal)
    let outcome: SlotOutcome = 'failed'
    try {
      await this.#mayGo(tokens, signal)
      const sent = await withTimeout(send, timeoutMs, signal)
      outcome = 'done'
      this.#circuit.succeeded()
      this.#tokens?.settle((sent.inputTokens ?? 0) + (sent.outputTokens ?? 0) - tokens)
      return sent
    } catch (error) {
      if (error instanceof CallError) {
        if (error.overloaded) outcome = 'overloaded'
        if (error.retryAfterMs !== undefined && error.overloaded)
          this.#quietUntil = Math.max(this.#quietUntil, performance.now() + error.retryAfterMs)
        this.#circuit.failed(error.message, error.outage && !error.overloaded)
      } else this.#circuit.failed('', false)
      throw error
    } finally {
      this.#limit.release(slot, outcome)
    }
  }

  async #mayGo(tokens: number, signal: AbortSignal): Promise<void> {
    await this.#circuit.pass(signal)
    if (this.#requests) await this.#requests.take(1, signal)
    if (this.#tokens) await this.#tokens.take(tokens, signal)
    for (let left = 0; ; ) {
      left = this.#quietUntil - performance.now()
      if (left <= 0) return
      await pause(left, signal)
    }
  }
}

async function withTimeout<Result>(
  send: (signal: AbortSignal) => Promise<Result>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Result> {
  const attempt = new AbortController()
  const stop = () => attempt.abort(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  const timer = setTimeout(
    () =>
      attempt.abort(
        new CallError('timeout', `no whole answer within ${timeoutMs / 1000} s`, { retryable: true }),
      ),
    timeoutMs,
  )
  try {
    signal.throwIfAborted()
    return await send(attempt.signal)
  } catch (error) {
    throw attempt.signal.aborted ? attempt.signal.reason : error
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}
