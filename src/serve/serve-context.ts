import type { Store } from '../store/index.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { ScoringService } from './scoring/scoring-service.ts'

/** Limits of every request, whatever its protocol. */
export interface ServeLimits {
  /** Largest body of a request [bytes]. @default 32 MiB */
  readonly bodyBytes: number
  /** Largest number of samples in one request. @default 16384 */
  readonly samples: number
  /** Largest number of images in one request. @default 256 */
  readonly images: number
  /** Largest image, decoded from base64 [bytes]. @default 16 MiB */
  readonly imageBytes: number
  /** Requests being answered at a time; more are refused with 503. @default 8192 */
  readonly requests: number
  /** Longest time from the last byte of a request to its answer [ms]. @default 170000: OpenRLHF gives up after 180 s */
  readonly answerMs: number
  /** Longest time for the head of a request to arrive [ms]. @default 10000 */
  readonly headMs: number
  /** Longest time for a whole request to arrive [ms]. @default 60000 */
  readonly bodyMs: number
  /** Longest time that work under way is waited for when the server ends [ms]. @default 30000 */
  readonly drainMs: number
  /** Requests a second of each token (without tokens: of each address); 0 = any number. @default 0 */
  readonly requestsPerSecond: number
}

export interface ServeConfig {
  readonly limits: ServeLimits
  /**
   * The number that stands for "could not be judged" in protocols that know only numbers; every use is counted.
   * Undefined = such a request is refused.
   */
  readonly unscoredAs?: number
  /** Whether http and https URLs of images in requests are fetched (public addresses only). @default false */
  readonly imageUrls: boolean
}

/** What a protocol or an API is made with: one for the whole server. */
export interface ServeContext {
  readonly scoring: ScoringService
  readonly store: Store
  readonly metrics: Metrics
  readonly log: Log
  readonly config: ServeConfig
  /** Whether callers need a token. */
  readonly needsToken: boolean
  /** Aborted when the server begins to end: long answers (Server-Sent Events, sockets) should close. */
  readonly closing: AbortSignal
}
