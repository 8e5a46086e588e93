import type { Json, UnscoredCode, Usage } from '../../core/index.ts'
import type { Failed } from '../outcome.ts'
import type { CallLimits } from './limits.ts'
import type { Price } from './price.ts'
import type { StopSignal } from './stop-signal.ts'

/** Whom a call goes to. */
export interface CalledModel {
  /** Names model and endpoint; calls are kept under it. */
  readonly id: string
  /** Whose limits it shares with other models: an address without credentials. */
  readonly endpoint: string
  readonly limits: CallLimits
  readonly price?: Price
}

/** Tokens that a call is expected to need, before it is made. */
export interface ExpectedTokens {
  readonly inputTokens: number
  /** Undefined where nothing bounds the answer. */
  readonly outputTokens: number | undefined
}

/** One question to a model. */
export interface Call<Answer extends Json = Json> {
  readonly model: CalledModel
  /** `identityOf` of everything that determines the answer (see `CachedCall.key`). */
  readonly key: string
  readonly expected: ExpectedTokens
  /** Asks once. Throws a `CallError`; stops when the signal says so. */
  send(signal: StopSignal): Promise<Sent<Answer>>
}

export interface Sent<Answer extends Json> {
  readonly answer: Answer
  readonly inputTokens?: number
  readonly outputTokens?: number
}

export interface Answered<Answer extends Json> {
  readonly answer: Answer
  readonly usage: Usage
  /** It was not asked for now. */
  readonly cached: boolean
}

export type CallOutcome<Answer extends Json> = Answered<Answer> | Failed

interface CallErrorOptions {
  /** Asking again may help. @default false */
  readonly retryable?: boolean
  /** The endpoint has too much to do. @default false */
  readonly overloaded?: boolean
  /** The endpoint, not this question, is to blame: counts towards a break. @default `retryable` */
  readonly outage?: boolean
  /** No call of this model can succeed (a wrong key or name). @default false */
  readonly fatal?: boolean
  /** How long the endpoint wants to be left alone [ms]. */
  readonly retryAfterMs?: number
}

/** Why one attempt at a call failed. Its message holds no keys. */
export class CallError extends Error {
  override readonly name = 'CallError'
  readonly code: UnscoredCode
  readonly retryable: boolean
  readonly overloaded: boolean
  readonly outage: boolean
  readonly fatal: boolean
  readonly retryAfterMs: number | undefined

  constructor(code: UnscoredCode, message: string, options: CallErrorOptions = {}) {
    super(message)
    const { retryable = false, overloaded = false, outage = retryable, fatal = false } = options
    this.code = code
    this.retryable = retryable
    this.overloaded = overloaded
    this.outage = outage
    this.fatal = fatal
    this.retryAfterMs = options.retryAfterMs
  }
}
