import { isObject } from '../../core/index.ts'
import type { TopToken } from '../choices-from-top.ts'
import { malformed } from './endpoint.ts'

/**
 * The likeliest first tokens of an answer of `/chat/completions`; null where the endpoint tells none. Throws a
 * `CallError` (to be tried again) for what is no log-probability.
 */
export function topTokensOf(choice: Readonly<Record<string, unknown>>): TopToken[] | null {
  const { logprobs } = choice
  if (!isObject(logprobs) || !Array.isArray(logprobs.content) || logprobs.content.length === 0) return null
  const [first] = logprobs.content as unknown[]
  if (!isObject(first)) throw malformed('the log-probabilities are not readable')
  const listed = Array.isArray(first.top_logprobs) ? first.top_logprobs : []
  const found = new Map<string, number>()
  // the token that was drawn need not be among the likeliest
  for (const entry of [...listed, first] as unknown[]) {
    if (!isObject(entry) || typeof entry.token !== 'string') throw malformed('a log-probability has no token')
    found.set(tokenText(entry), checkedLogProbability(entry.logprob))
  }
  return checkedTop([...found].map(([token, logp]) => ({ token, logp })))
}

/** The likeliest tokens of one place of an answer of `/completions`: `{token: log-probability}`. */
export function topTokensFrom(listed: Readonly<Record<string, unknown>>): TopToken[] {
  return checkedTop(
    Object.entries(listed).map(([token, logp]) => ({ token, logp: checkedLogProbability(logp) })),
  )
}

/** Throws a `CallError` unless it is a log-probability; a little above 0 is rounding, -9999 stands for none. */
export function checkedLogProbability(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value > 1e-3)
    throw malformed(`${JSON.stringify(value) ?? 'nothing'} is no log-probability`)
  return Math.min(0, value)
}

function checkedTop(tokens: TopToken[]): TopToken[] {
  const mass = tokens.reduce((sum, { logp }) => sum + Math.exp(logp), 0)
  if (mass > 1.01) throw malformed(`the probabilities of the likeliest tokens add up to ${mass.toFixed(3)}`)
  return tokens
}

/** Bytes tell halves of characters apart that look the same as text. */
function tokenText({ token, bytes }: Record<string, unknown>): string {
  if (!Array.isArray(bytes) || !/�/.test(token as string)) return token as string
  return Buffer.from(bytes as number[]).toString('latin1')
}
