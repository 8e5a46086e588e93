import type { IncomingHttpHeaders } from 'node:http'
import { CallError } from './call.ts'
import { retryAfterOf } from './retry-after.ts'

export interface ErrorStatus {
  readonly status: number
  readonly headers: IncomingHttpHeaders | Readonly<Record<string, string>>
  /** What was said, for people; without keys. */
  readonly message: string
  /** Words by which providers tell kinds of errors apart. */
  readonly type: string
}

/** What an HTTP status other than 2xx means for a call: whether it may succeed when repeated, and who is to blame. */
export function statusError({ status, headers, message, type }: ErrorStatus, keyHint = ''): CallError {
  const retryAfterMs = retryAfterOf(headers)
  const after = retryAfterMs === undefined ? {} : { retryAfterMs }
  if (status === 429 && /insufficient_quota|billing/.test(type))
    return new CallError('outage', message, { fatal: true })
  if (status === 429 || status === 503 || status === 529)
    return new CallError('outage', message, { retryable: true, overloaded: true, ...after })
  if (status === 408 || status === 409 || status === 425 || status >= 500)
    return new CallError('outage', message, { retryable: true, ...after })
  if (status === 401) return new CallError('outage', `${message}${keyHint}`, { fatal: true })
  if (status === 404) return new CallError('outage', message, { fatal: true })
  if (status === 403 || /content_?filter|content_?policy|moderation/.test(type))
    return new CallError('refused', message)
  if (status >= 300 && status < 400) return new CallError('outage', `${message} (redirects are not followed)`)
  return new CallError('bad-input', message)
}
