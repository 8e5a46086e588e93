import type { Json } from '../../../core/index.ts'
import {
  contentAt,
  type Extraction,
  indexOrEnd,
  missing,
  type Span,
  trimmedSpan,
  type Which,
} from './extraction.ts'

export interface FenceOptions {
  /** Only fences opened by three backticks and this word; otherwise any, and a word after the opening is left out. */
  readonly language?: string
  /** @default 'first' */
  readonly which?: Which
  /** An unclosed fence holds everything to the end. @default false */
  readonly allowMissingClose?: boolean
  /** @default false */
  readonly allowEmpty?: boolean
}

/** Content of a code fence, trimmed. Fences are paired from left to right. */
export function extractFence(text: string, options: FenceOptions = {}): Extraction<string> {
  const open = `\`\`\`${options.language ?? ''}`
  let found: Span | undefined
  let unclosed = false
  for (let openAt = text.indexOf(open); openAt >= 0; ) {
    let start = openAt + open.length
    if (options.language === undefined) {
      const word = /[\w+#.-]*(?=\s*\n)/y
      word.lastIndex = start
      if (word.test(text)) start = word.lastIndex
    }
    const close = text.indexOf('```', start)
    if (close < 0) {
      unclosed = true
      if (options.allowMissingClose) found = { start, end: text.length }
      break
    }
    found = { start, end: close }
    if (options.which !== 'last') break
    openAt = text.indexOf(open, close + 3)
  }
  if (!found) return missing(unclosed ? 'unclosed' : 'absent')
  return contentAt(text, found, options)
}

export interface JsonOptions {
  /**
   * Where the JSON is: `whole` = the text itself; `fence` = inside a code fence (of any language, or of `language`);
   * `fence-or-whole` = inside a fence when there is one; `embedded` = the first or last balanced `{...}` or `[...]`
   * of the text that parses. @default 'fence-or-whole'
   */
  readonly from?: 'whole' | 'fence' | 'fence-or-whole' | 'embedded'
  readonly language?: string
  /** @default 'first' */
  readonly which?: Which
  /** Deepest nesting of arrays and objects; beyond it the error is `too-deep`. @default 100 */
  readonly maxDepth?: number
}

/** A JSON value in text. `span` is that of the JSON text. */
export function extractJson(text: string, options: JsonOptions = {}): Extraction<Json> {
  const { from = 'fence-or-whole', which = 'first', maxDepth = 100 } = options
  if (from === 'embedded') return embeddedJson(text, which, maxDepth)
  let span: Span | undefined
  if (from !== 'whole') {
    const { language } = options
    const fence = extractFence(text, language === undefined ? { which } : { language, which })
    if (fence.span) span = fence.span
    else if (from === 'fence' || fence.error !== 'absent') return missing(fence.error ?? 'absent')
  }
  span ??= trimmedSpan(text)
  if (span.start === span.end) return missing('empty')
  return parsedJson(text, span, maxDepth)
}

function parsedJson(text: string, span: Span, maxDepth: number): Extraction<Json> {
  if (jsonDepth(text, span) > maxDepth) return missing('too-deep')
  try {
    return { value: JSON.parse(text.slice(span.start, span.end)) as Json, span }
  } catch {
    return missing('unreadable')
  }
}

/** Deepest nesting of brackets outside of strings. */
function jsonDepth(text: string, { start, end }: Span): number {
  let depth = 0
  let deepest = 0
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x22) i = endOfString(text, i, end)
    else if (code === 0x5b || code === 0x7b) deepest = Math.max(deepest, ++depth)
    else if (code === 0x5d || code === 0x7d) depth--
  }
  return deepest
}

/** Index of the quote that closes the string opened at `i` (or `end`). */
function endOfString(text: string, i: number, end: number): number {
  for (i++; i < end; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x5c) i++
    else if (code === 0x22) return i
  }
  return end
}

function embeddedJson(text: string, which: Which, maxDepth: number): Extraction<Json> {
  let found: Extraction<Json> = missing('absent')
  let depth = 0
  let start = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x22 && depth > 0) i = endOfString(text, i, text.length)
    else if (code === 0x5b || code === 0x7b) {
      if (depth++ === 0) start = i
    } else if ((code === 0x5d || code === 0x7d) && depth > 0 && --depth === 0) {
      const parsed = parsedJson(text, { start, end: i + 1 }, maxDepth)
      if (parsed.error === undefined) {
        found = parsed
        if (which === 'first') return found
      } else if (found.error !== undefined) found = parsed
    }
  }
  return depth > 0 && found.error === 'absent' ? missing('unclosed') : found
}

/** One JSON value a line, as tool calls are written. */
export interface JsonLinesOptions {
  /** `refuse` makes a blank line the error `unreadable`. @default 'skip' */
  readonly blankLines?: 'skip' | 'refuse'
  /** @default 100 */
  readonly maxDepth?: number
}

/** Every line of `text` as JSON: all of them, or the first line's error. `span` covers the whole trimmed text. */
export function extractJsonLines(
  text: string,
  { blankLines = 'skip', maxDepth = 100 }: JsonLinesOptions = {},
): Extraction<readonly Json[]> {
  const whole = trimmedSpan(text)
  if (whole.start === whole.end) return missing('empty')
  const values: Json[] = []
  for (let start = whole.start; start < whole.end; ) {
    const lineEnd = Math.min(indexOrEnd(text, '\n', start), whole.end)
    const line = trimmedSpan(text, start, lineEnd)
    start = lineEnd + 1
    if (line.start === line.end) {
      if (blankLines === 'refuse') return missing('unreadable')
      continue
    }
    const { value, error } = parsedJson(text, line, maxDepth)
    if (value === undefined) return missing(error ?? 'unreadable')
    values.push(value)
  }
  return { value: values, span: whole }
}
