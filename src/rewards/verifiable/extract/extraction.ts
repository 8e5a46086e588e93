import { isBlank } from './asides.ts'

/** Half-open range of UTF-16 code units. */
export interface Span {
  readonly start: number
  readonly end: number
}

/**
 * Why nothing was extracted: `absent` (the place is not there), `empty` (it is there and shows nothing: see `isBlank`),
 * `unclosed`, `unreadable` (its content is not what was asked for), `ambiguous` (several answers that differ),
 * `too-deep` (nested beyond the limit).
 */
export type ExtractionError = 'absent' | 'empty' | 'unclosed' | 'unreadable' | 'ambiguous' | 'too-deep'

/** What was found and where, or why not. An extraction without a value never equals anything (`sameExtraction`). */
export interface Extraction<T> {
  readonly value?: T
  /** Of the value's own text: `text.slice(start, end)`, without tags, fences or braces. */
  readonly span?: Span
  /** Present exactly when `value` is absent. */
  readonly error?: ExtractionError
}

export type Which = 'first' | 'last'

/** Whether both hold a value and the values are the same: two failures are never equal. */
export function sameExtraction<T>(a: Extraction<T>, b: Extraction<T>): boolean {
  return a.value !== undefined && b.value !== undefined && Object.is(a.value, b.value)
}

export function missing<T>(error: ExtractionError): Extraction<T> {
  return { error }
}

/** `[start, end)` without the white space at both of its ends. */
export function trimmedSpan(text: string, start = 0, end = text.length): Span {
  while (start < end && isSpace(text.charCodeAt(start))) start++
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--
  return { start, end }
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13) || code === 0xa0 || code === 0x2028 || code === 0x2029
}

/** Where `search` next stands, or the end of the text. */
export function indexOrEnd(text: string, search: string, from: number): number {
  const index = text.indexOf(search, from)
  return index < 0 ? text.length : index
}

/** The text between two offsets as an extraction. */
export function contentAt(
  text: string,
  { start, end }: Span,
  { trim = true, allowEmpty = false }: { readonly trim?: boolean; readonly allowEmpty?: boolean },
): Extraction<string> {
  const span = trimmedSpan(text, start, end)
  if (!allowEmpty && isBlank(text.slice(span.start, span.end))) return missing('empty')
  const kept = trim ? span : { start, end }
  return { value: text.slice(kept.start, kept.end), span: kept }
}

/** `text` with every character that has a meaning in a pattern escaped. */
export function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}
