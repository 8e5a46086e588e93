import type { Json } from '../../core/index.ts'
import { AdaptiveLimit, type SlotOutcome } from './adaptive-limit.ts'
import { CallError, type Sent } from './call.ts'
import { CircuitBreaker } from './circuit-breaker.ts'
import { type CallLimits, limitDefaults } from './limits.ts'
import { pause } from './pause.ts'
import { RateLimit } from './rate-limit.ts'
import { Stopper, type StopSignal } from './stop-signal.ts'

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
    send: (signal: StopSignal) => Promise<Sent<Answer>>,
    { tokens, timeoutMs, signal }: { tokens: number; timeoutMs: number; signal: StopSignal },
  ): Promise<Sent<Answer>> {
    const slot = await this.#limit.acquire(signal)
    let outcome: SlotOutcome = 'failed'
    try {
      if (!this.#isFree) await this.#mayGo(tokens, signal)
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

  /** Nothing has to be waited for. */
  get #isFree(): boolean {
    const isUnlimited = this.#requests === undefined && this.#tokens === undefined
    return isUnlimited && this.#circuit.isClosed && performance.now() >= this.#quietUntil
  }

  async #mayGo(tokens: number, signal: StopSignal): Promise<void> {
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
  send: (signal: StopSignal) => Promise<Result>,
  timeoutMs: number,
  signal: StopSignal,
): Promise<Result> {
  signal.throwIfAborted()
  const attempt = new Stopper()
  const stop = () => attempt.abort(signal.reason)
  signal.addEventListener('abort', stop)
  const timer = setTimeout(runOut, timeoutMs, attempt, timeoutMs)
  try {
    return await send(attempt)
  } catch (error) {
    throw attempt.aborted ? attempt.reason : error
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

function runOut(attempt: Stopper, timeoutMs: number): void {
  const reason = `no whole answer within ${timeoutMs / 1000} s`
  attempt.abort(new CallError('timeout', reason, { retryable: true }))
}
