/**
 * How long an endpoint wants to be left alone [ms], from its headers: `Retry-After-Ms`, or `Retry-After` as seconds or
 * as an HTTP date. Undefined where it does not say so in a way that can be read.
 *
 * @source RFC 9110, section 10.2.3
 */
export function retryAfterOf(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  now: number = Date.now(),
): number | undefined {
  const milliseconds = numberOf(headers['retry-after-ms'])
  if (milliseconds !== undefined) return milliseconds
  const header = headers['retry-after']
  const seconds = numberOf(header)
  if (seconds !== undefined) return seconds * 1000
  const date = typeof header === 'string' && /[A-Za-z]/.test(header) ? Date.parse(header) : Number.NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

function numberOf(header: string | readonly string[] | undefined): number | undefined {
  return typeof header === 'string' && /^\s*\d+(?:\.\d+)?\s*$/.test(header) ? Number(header) : undefined
}
