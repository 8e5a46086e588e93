import { type Json, messageOf, Rng, type Usage } from '../../core/index.ts'
import type { CachedCall, Calls } from '../../store/index.ts'
import { failed } from '../outcome.ts'
import { Budget, type BudgetLimits, type Spent } from './budget.ts'
import { type Answered, type Call, CallError, type CallOutcome, type Sent } from './call.ts'
import { type Estimate, EstimateCounter } from './estimate.ts'
import { gathered } from './gathered.ts'
import { Lane } from './lane.ts'
import { type CallLimits, checkLimits, limitDefaults, timeoutRetries } from './limits.ts'
import { pause } from './pause.ts'
import { costOf, type Price } from './price.ts'
import { Stopper, type StopSignal } from './stop-signal.ts'

/** Where answers are kept: the store's calls, or a recording. */
export type CallCache = Pick<Calls, 'find' | 'keep' | 'keepFailures'>

export interface CallLayerOptions extends BudgetLimits {
  /** Answers are looked up here first and kept here. @default none: every question is asked */
  readonly cache?: CallCache
  /**
   * `live` asks; `replay` answers from the cache alone, what is not there is an outage; `estimate` asks nothing and adds
   * up what it would cost. @default 'live'
   */
  readonly mode?: 'live' | 'replay' | 'estimate'
  /** Of every endpoint, where its model does not say otherwise. */
  readonly limits?: CallLimits
}

/** With so many questions in flight, answers are kept together for so long [ms]: a transaction costs more than an answer. */
const busy = 16
const keepWithinMs = 5

/** The reason that calls were stopped with: what is in flight may finish, so that nothing paid for is lost. */
export class SpendingStopped extends Error {
  override readonly name = 'SpendingStopped'
}

/**
 * The one way to models that are not in this process: looks up what was answered before, asks equal questions once,
 * keeps to the limits of endpoint and budget, repeats what may succeed, and counts what it cost. A question that cannot
 * be answered is a failure of its own; nothing is thrown.
 */
export class CallLayer {
  readonly mode: 'live' | 'replay' | 'estimate'
  readonly #cache: CallCache | undefined
  readonly #limits: CallLimits
  readonly #budget: Budget
  readonly #estimate = new EstimateCounter()
  readonly #lanes = new Map<string, Lane>()
  readonly #inFlight = new Map<string, SharedCall>()
  /** Why no call of a model can succeed, by its id. */
  readonly #hopeless = new Map<string, string>()
  readonly #stop = new AbortController()
  readonly #find: ((key: string) => Promise<ReadonlyMap<string, CachedCall>>) | undefined
  /** Answers that come at the same time are written in one transaction, before anyone sees them. */
  readonly #keep: ((call: CachedCall) => Promise<void>) | undefined

  /** Throws a `GuerdonError` (`bad-option`) for a limit that is none. */
  constructor({ cache, mode = 'live', limits = {}, ...budget }: CallLayerOptions = {}) {
    checkLimits(limits)
    this.mode = mode
    this.#cache = cache
    this.#find = cache && gathered((keys) => cache.find(keys))
    const keepMs = () => (this.#inFlight.size < busy ? 0 : keepWithinMs)
    this.#keep = cache && gathered((calls) => cache.keep(calls), keepMs)
    this.#limits = limits
    this.#budget = new Budget(budget)
  }

  get spent(): Spent {
    return this.#budget.spent
  }

  /** Of a layer in the mode `estimate`. */
  get estimate(): Estimate {
    return this.#estimate.estimate
  }

  /** Aborted, with a `SpendingStopped`, when the budget lets nothing more be asked. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }

  /** Requests at a time to an endpoint, now; undefined before the first. */
  concurrencyOf(endpoint: string): number | undefined {
    return this.#lanes.get(endpoint)?.concurrency
  }

  /** One answer, from wherever it comes. Never rejects. */
  run<Answer extends Json>(call: Call<Answer>, signal?: StopSignal): Promise<CallOutcome<Answer>> {
    if (signal?.aborted) return Promise.resolve(failed('cancelled', 'cancelled before it was asked'))
    const running = this.#inFlight.get(call.key)
    if (running !== undefined && !running.stop.aborted)
      return this.#shared(running.join(signal)) as Promise<CallOutcome<Answer>>
    const asked = new SharedCall()
    this.#inFlight.set(call.key, asked)
    asked.outcome = this.#answer(call, asked.stop)
    return asked.join(signal) as Promise<CallOutcome<Answer>>
  }

  async #shared(answer: Promise<CallOutcome<Json>>): Promise<CallOutcome<Json>> {
    const outcome = await answer
    if ('failure' in outcome) return outcome
    this.#budget.count('cached')
    return { ...outcome, cached: true }
  }

  async #answer(call: Call, stop: StopSignal): Promise<CallOutcome<Json>> {
    try {
      const known = this.#find && (await this.#find(call.key)).get(call.key)
      if (known !== undefined) {
        this.#budget.count('cached')
        this.#estimate.addCached()
        return { answer: known.answer, usage: known.usage ?? {}, cached: true }
      }
      if (this.mode === 'estimate') {
        this.#estimate.add(call, this.#budget.expectedTokens(call))
        return failed('cancelled', 'nothing is asked in a dry run')
      }
      if (this.mode === 'replay')
        return failed('outage', `no recorded answer of ${call.model.id} to this question`)
      const outcome = await this.#asked(call, stop)
      if ('failure' in outcome) {
        this.#budget.count('failures')
        const { code, reason } = outcome.failure
        if (code !== 'cancelled')
          await this.#cache?.keepFailures([{ key: call.key, model: call.model.id, code, reason }])
      }
      return outcome
    } catch (error) {
      return failed('crashed', messageOf(error))
    } finally {
      if (this.#inFlight.get(call.key)?.stop === stop) this.#inFlight.delete(call.key)
    }
  }

  async #asked(call: Call, stop: StopSignal): Promise<CallOutcome<Json>> {
    const limits = { ...this.#limits, ...call.model.limits }
    const lane = this.#laneOf(call.model.endpoint, limits)
    const timeoutMs = limits.timeoutMs ?? limitDefaults.timeoutMs
    let jitter: Rng | undefined
    let timeouts = 0
    for (let attempt = 0; ; attempt++) {
      let error: CallError
      try {
        const tokens = this.#budget.expectedTokens(call)
        return await this.#answered(
          call,
          await lane.attempt((stopped) => this.#send(call, stopped), {
            tokens: tokens.inputTokens + tokens.outputTokens,
            timeoutMs,
            signal: stop,
          }),
        )
      } catch (thrown) {
        if (stop.aborted) return failed('cancelled', 'cancelled before there was an answer')
        if (!(thrown instanceof CallError)) throw thrown
        error = thrown
      }
      if (error.code === 'timeout') timeouts++
      const left = (limits.retries ?? limitDefaults.retries) - attempt
      const wait = error.retryAfterMs ?? 0
      const tooLong = wait > (limits.longestRetryAfterMs ?? limitDefaults.longestRetryAfterMs)
      if (!error.retryable || left <= 0 || timeouts > timeoutRetries || tooLong)
        return failed(error.code, reasonOf(error, attempt, tooLong))
      this.#budget.count('retries')
      jitter ??= new Rng(call.key)
      // half of it random, so that many do not come back at once
      const doubled = (limits.backoffMs ?? limitDefaults.backoffMs) * 2 ** attempt
      const backoff = Math.min(30_000, doubled) * (0.5 + jitter.uniform() / 2)
      try {
        await pause(Math.max(backoff, wait), stop)
      } catch {
        return failed('cancelled', 'cancelled before there was an answer')
      }
    }
  }

  /** Sends at last, if that still makes sense and there is money for it. */
  async #send(call: Call, stop: StopSignal): Promise<Sent<Json>> {
    const hopeless = this.#hopeless.get(call.model.id)
    if (hopeless !== undefined) throw new CallError('outage', hopeless)
    const reserved = this.#budget.reserve(call)
    if ('refusal' in reserved) {
      this.#stop.abort(new SpendingStopped(reserved.refusal))
      throw new CallError('cancelled', reserved.refusal)
    }
    try {
      return await call.send(stop)
    } catch (error) {
      if (error instanceof CallError && error.fatal) this.#hopeless.set(call.model.id, error.message)
      throw error
    } finally {
      this.#budget.free(reserved)
    }
  }

  async #answered(call: Call, sent: Sent<Json>): Promise<Answered<Json>> {
    const { answer } = sent
    const usage = usageOf(sent, call.model.price)
    this.#budget.answered(usage)
    await this.#keep?.({ key: call.key, model: call.model.id, answer, usage })
    return { answer, usage, cached: false }
  }

  #laneOf(endpoint: string, limits: CallLimits): Lane {
    let lane = this.#lanes.get(endpoint)
    if (lane === undefined) {
      lane = new Lane(limits)
      this.#lanes.set(endpoint, lane)
    }
    return lane
  }
}

/** One question in flight and all who wait for its answer; it is given up when nobody does any more. */
class SharedCall {
  /** Aborted when it is given up: who comes then asks anew. */
  readonly stop = new Stopper()
  outcome!: Promise<CallOutcome<Json>>
  #waiting = 0

  join(signal: StopSignal | undefined): Promise<CallOutcome<Json>> {
    this.#waiting++
    if (signal === undefined) return this.outcome
    return new Promise((resolve) => {
      const leave = () => {
        if (signal.reason instanceof SpendingStopped) return
        resolve(failed('cancelled', 'cancelled before there was an answer'))
        if (--this.#waiting === 0) this.stop.abort(signal.reason)
      }
      signal.addEventListener('abort', leave)
      void this.outcome.then((outcome) => {
        signal.removeEventListener('abort', leave)
        resolve(outcome)
      })
    })
  }
}

function usageOf({ inputTokens, outputTokens }: Sent<Json>, price: Price | undefined): Usage {
  const usage: { -readonly [name in keyof Usage]: Usage[name] } = { calls: 1 }
  if (inputTokens !== undefined) usage.inputTokens = inputTokens
  if (outputTokens !== undefined) usage.outputTokens = outputTokens
  const costUsd = costOf(usage, price)
  if (costUsd !== undefined) usage.costUsd = costUsd
  return usage
}

function reasonOf(error: CallError, attempt: number, tooLong: boolean): string {
  if (tooLong) return `${error.message}; it asks to wait ${Math.round(error.retryAfterMs! / 1000)} s`
  return attempt === 0 ? error.message : `${error.message} (asked ${attempt + 1} times)`
}
