import { GuerdonError, type Unscored } from '../core/index.ts'

export interface RequestProblemOptions {
  /** What to do about it, as a sentence. */
  readonly fix?: string
  /** Which field of the body, as a dotted path. */
  readonly field?: string
  /** Seconds after which the same request may succeed: the header `Retry-After`. */
  readonly retryAfter?: number
  readonly cause?: unknown
}

/** A request that is answered with an error status. What it says is shown to the caller, so it holds no secret. */
export class RequestProblem extends Error {
  override readonly name = 'RequestProblem'
  readonly status: number
  /** A stable kebab-case word to branch on. */
  readonly code: string
  readonly fix: string | undefined
  readonly field: string | undefined
  readonly retryAfter: number | undefined

  constructor(status: number, code: string, message: string, options: RequestProblemOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.status = status
    this.code = code
    this.fix = options.fix
    this.field = options.field
    this.retryAfter = options.retryAfter
  }
}

/**
 * The server has as much work as it may hold, or the caller asks more often than it may. 503 for the first, 429 for the
 * second, both with `Retry-After`.
 */
export class Overloaded extends RequestProblem {
  constructor(message: string, retryAfter: number, status: 429 | 503 = 503) {
    super(status, status === 429 ? 'too-many-requests' : 'overloaded', message, {
      retryAfter,
      fix: `Ask again after ${retryAfter} s.`,
    })
  }
}

/** A sample without a score where the protocol wants a number and no substitute is configured. */
export function refusal(score: Unscored, position: number, retryable: boolean): RequestProblem {
  return new RequestProblem(
    retryable ? 503 : 422,
    score.code,
    `item ${position}: ${score.reason.replace(/\.$/, '')}.`,
    {
      fix: retryable
        ? 'It may succeed when asked again.'
        : 'Asking again does not help. "guerdon serve --unscored-as VALUE" answers a number of your choice, and counts it.',
      ...(retryable ? { retryAfter: 1 } : {}),
    },
  )
}

/** Whatever was thrown while a request was answered, as a problem; a surprise is a 500 that tells nothing. */
export function problemOf(error: unknown): RequestProblem {
  if (error instanceof RequestProblem) return error
  if (error instanceof GuerdonError)
    return new RequestProblem(400, error.code, error.message, { ...(error.fix ? { fix: error.fix } : {}) })
  if (error instanceof RangeError && /call stack/i.test(error.message))
    return new RequestProblem(400, 'too-deep', 'the body is nested too deeply.')
  return new RequestProblem(500, 'internal', 'the server failed; its log says why.', { cause: error })
}

/** How a problem reads where a protocol has no way of its own. */
export function problemBody({ code, message, fix, field }: RequestProblem): object {
  return {
    error: {
      code,
      message,
      ...(fix === undefined ? {} : { fix }),
      ...(field === undefined ? {} : { field }),
    },
  }
}
