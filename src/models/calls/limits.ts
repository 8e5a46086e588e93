import { GuerdonError } from '../../core/index.ts'

/** How an endpoint may be used. */
export interface CallLimits {
  /**
   * Requests at a time, at most: the layer begins there, and with fewer when the endpoint says that it has too much to
   * do. @default begins with 32 and finds out, up to 512
   */
  readonly concurrency?: number
  /** @default as many as the endpoint takes */
  readonly requestsPerMinute?: number
  /** Tokens read and written. @default as many as the endpoint takes */
  readonly tokensPerMinute?: number
  /** How often a failed attempt that may succeed is repeated; 0 is never. @default 8 */
  readonly retries?: number
  /** Before the first repetition; doubled with each, up to half a minute, and half of it random [ms]. @default 500 */
  readonly backoffMs?: number
  /** For one attempt, its answer included [ms]. @default 120000 */
  readonly timeoutMs?: number
  /** Wait no longer than this when the endpoint says when to come back [ms]. @default 120000 */
  readonly longestRetryAfterMs?: number
  /** Failures in a row after which the endpoint is left alone for a while. @default 25 */
  readonly breakAfter?: number
  /** Calls are given up when the endpoint has been down for so long [ms]. @default 60000 */
  readonly giveUpAfterMs?: number
}

export const limitDefaults = {
  retries: 8,
  backoffMs: 500,
  timeoutMs: 120_000,
  longestRetryAfterMs: 120_000,
  breakAfter: 25,
  giveUpAfterMs: 60_000,
} as const

/** An attempt that ran out of time is repeated this often at most, since it has cost the most already. */
export const timeoutRetries = 2

const least: Readonly<Record<keyof CallLimits, number>> = {
  concurrency: 1,
  requestsPerMinute: 1,
  tokensPerMinute: 1,
  retries: 0,
  backoffMs: 0,
  timeoutMs: 1,
  longestRetryAfterMs: 0,
  breakAfter: 1,
  giveUpAfterMs: 0,
}

export const limitNames = Object.keys(least) as readonly (keyof CallLimits)[]

/** Throws a `GuerdonError` (`bad-option`) for a limit that is no number or too small. */
export function checkLimits(limits: CallLimits): void {
  for (const name of limitNames) {
    const value = limits[name]
    if (value !== undefined && !(value >= least[name]))
      throw new GuerdonError('bad-option', `${name} is ${value}; it is at least ${least[name]}.`)
  }
}
