import {
  contentAt,
  type Extraction,
  escapePattern,
  indexOrEnd,
  missing,
  type Span,
  trimmedSpan,
  type Which,
} from './extraction.ts'

export interface TagOptions {
  /** @default 'first' */
  readonly which?: Which
  /** An opening tag without a closing one holds everything up to the next opening tag, or to the end. @default false */
  readonly allowMissingClose?: boolean
  /** Content may hold line breaks; false reads as `.` does in a pattern without the dot-all flag. @default true */
  readonly multiline?: boolean
  /** Without white space at both ends. @default true */
  readonly trim?: boolean
  /** Content of white space only is a value; otherwise it is the error `empty`. @default false */
  readonly allowEmpty?: boolean
}

/**
 * Content of `<tag>...</tag>`. Blocks are read from left to right without overlap, as a lazy pattern reads them: a
 * block starts at an opening tag and ends at the first closing tag after it, so that an opening tag inside a block
 * is content.
 */
export function extractTag(text: string, tag: string, options: TagOptions = {}): Extraction<string> {
  let found: Span | undefined
  let unclosed = false
  for (const block of tagSpans(text, tag, options)) {
    if (block.closed) found = block
    else if (options.allowMissingClose) found = block
    else unclosed = true
    if (found && options.which !== 'last') break
  }
  if (!found) return missing(unclosed ? 'unclosed' : 'absent')
  return contentAt(text, found, options)
}

/** The content of every `<tag>...</tag>`, in order; empty ones left out unless `allowEmpty`. */
export function extractTags(text: string, tag: string, options: Omit<TagOptions, 'which'> = {}) {
  const found: { value: string; span: Span }[] = []
  for (const block of tagSpans(text, tag, options)) {
    if (!block.closed && !options.allowMissingClose) continue
    const { value, span } = contentAt(text, block, options)
    if (value !== undefined && span) found.push({ value, span })
  }
  return found
}

function* tagSpans(
  text: string,
  tag: string,
  { allowMissingClose, multiline = true }: TagOptions,
): Generator<Span & { closed: boolean }> {
  const open = `<${tag}>`
  const close = `</${tag}>`
  let from = 0
  let closeAt = -1 // Infinity = none; first closing tag at or after the content being looked at; reused, so that the scan stays linear
  let lineEnd = -1
  for (;;) {
    const openAt = text.indexOf(open, from)
    if (openAt < 0) return
    const start = openAt + open.length
    if (closeAt < start) {
      closeAt = text.indexOf(close, start)
      if (closeAt < 0) closeAt = Number.POSITIVE_INFINITY
    }
    if (closeAt === Number.POSITIVE_INFINITY && !allowMissingClose) {
      yield { start, end: text.length, closed: false }
      return
    }
    const nextOpen = allowMissingClose ? text.indexOf(open, start) : -1
    if (closeAt === Number.POSITIVE_INFINITY || (nextOpen >= 0 && nextOpen < closeAt)) {
      yield { start, end: nextOpen < 0 ? text.length : nextOpen, closed: false }
      if (nextOpen < 0) return
      from = nextOpen
      continue
    }
    if (!multiline) {
      if (lineEnd < start) lineEnd = indexOrEnd(text, '\n', start)
      if (lineEnd < closeAt) {
        from = start
        continue
      }
    }
    yield { start, end: closeAt, closed: true }
    from = closeAt + close.length
  }
}

export interface NumberedTagOptions {
  /** Which block of one number counts. @default 'last' */
  readonly which?: Which
  /** Numbers run on from here. @default 1 */
  readonly from?: number
}

/**
 * Contents (trimmed, possibly empty) of `<name1>...</name1>`, `<name2>...</name2>`, ...: index 0 is number `from`,
 * and the first number that is missing ends the list. One pass, however many there are.
 */
export function extractNumberedTags(
  text: string,
  name: string,
  { which = 'last', from = 1 }: NumberedTagOptions = {},
): { value: string; span: Span }[] {
  const opened = new Map<string, number>()
  const found = new Map<string, Span>()
  const tags = new RegExp(`<(/?)${escapePattern(name)}(\\d{1,9})>`, 'g')
  for (let match = tags.exec(text); match; match = tags.exec(text)) {
    const number = match[2]!
    if (match[1] === '') {
      if (!opened.has(number)) opened.set(number, tags.lastIndex)
      continue
    }
    const start = opened.get(number)
    if (start === undefined) continue
    opened.delete(number)
    if (which === 'last' || !found.has(number)) found.set(number, trimmedSpan(text, start, match.index))
  }
  const contents: { value: string; span: Span }[] = []
  for (let number = from; ; number++) {
    const span = found.get(String(number))
    if (!span) return contents
    contents.push({ value: text.slice(span.start, span.end), span })
  }
}
