import { isBlank } from './asides.ts'
import { escapePattern, type Span } from './extraction.ts'

/**
 * What stands between two marks: '' = nothing; 'white-space' = any, also none; 'anything' = any text, line breaks
 * included; 'newline-or-nothing' = at most one line break (what `$` of some languages lets pass at the end);
 * `{ text }` = exactly this.
 */
export type Gap = '' | 'white-space' | 'anything' | 'newline-or-nothing' | { readonly text: string }

/** One block of a response, `<tag> ... </tag>`. */
export interface FormatBlock {
  /** Name of the tag; or the marks themselves. */
  readonly tag?: string
  readonly open?: string
  readonly close?: string
  /** Between the previous block (or the start) and this one. @default 'white-space'; before the first block '' */
  readonly before?: Gap
  /** Directly inside the opening and the closing mark; the content is what stands between. @default '' */
  readonly padding?: Gap
  /**
   * Exactly one opening mark in the entire response, and of a tag one closing mark (a brace closes more than one
   * thing). @default false
   */
  readonly once?: boolean
  /** The content shows something: see `isBlank`. @default false */
  readonly nonEmpty?: boolean
  /**
   * What the content holds, in this order with anything between: a text, or a pattern (linear: no nested
   * repetition). A number is the least count of characters before the next.
   */
  readonly contains?: readonly (string | RegExp | number)[]
}

/** The shape of a response: blocks in order, as data. */
export interface FormatSpec {
  readonly blocks: readonly FormatBlock[]
  /** `full`: the whole response; `prefix`: from its start; `search`: anywhere in it. @default 'full' */
  readonly match?: 'full' | 'prefix' | 'search'
  /** After the last block of a full match. @default '' */
  readonly after?: Gap
  /** White space around every `<`, `>` and `/` is removed first. @default false */
  readonly tightTags?: boolean
  /** Marks that may not occur at all. */
  readonly without?: readonly string[]
}

export type FormatCheck =
  | {
      readonly matches: true
      /** Content of each block, in the order of the specification; offsets into the text (tightened if asked). */
      readonly blocks: readonly Span[]
    }
  | {
      readonly matches: false
      /** What is not as it should be, for people. */
      readonly reason: string
    }

/**
 * Whether a response has a shape, or one of several. Blocks match as the usual patterns do: content may hold
 * further tags as long as the whole can be divided in the order given; `once` rules that out. Linear in the length
 * of the text.
 */
export function checkFormat(text: string, spec: FormatSpec | readonly FormatSpec[]): FormatCheck {
  if (!isList(spec)) return checkOne(text, spec)
  let check: FormatCheck = { matches: false, reason: 'no format is allowed' }
  for (const alternative of spec) {
    check = checkOne(text, alternative)
    if (check.matches) break
  }
  return check
}

/** 1 or 0: `checkFormat` as a number. */
export function formatScore(text: string, spec: FormatSpec | readonly FormatSpec[]): 0 | 1 {
  return checkFormat(text, spec).matches ? 1 : 0
}

/** The same format, but every block stands once and holds something: what the plain patterns forget to ask. */
export function strictFormat(spec: FormatSpec): FormatSpec {
  return { ...spec, blocks: spec.blocks.map((block) => ({ ...block, once: true, nonEmpty: true })) }
}

function isList(spec: FormatSpec | readonly FormatSpec[]): spec is readonly FormatSpec[] {
  return Array.isArray(spec)
}

/** White space around every `<`, `>` and `/` removed. */
export function tightenTags(text: string): string {
  const isMark = (character: string | undefined) =>
    character === '<' || character === '>' || character === '/'
  return text.replace(/\s+/g, (run, offset: number) =>
    isMark(text[offset - 1]) || isMark(text[offset + run.length]) ? '' : run,
  )
}

// A specification is a row of rigid pieces with anything between them. Each piece is looked for once, as early as it
// can stand: the earliest place never rules out a later piece.
interface Piece {
  readonly pattern: RegExp // global: looked for from a position; sticky: stands at it
  /** Characters that must stand before it. */
  readonly distance: number
  readonly name: string
  /** The block whose content ends where this piece begins. */
  readonly closes?: number
  /** The block whose content begins where this piece ends. */
  readonly opens?: number
}

interface Compiled {
  readonly pieces: readonly Piece[]
  readonly marks: readonly (readonly [open: string, close: string])[]
}

const compiled = new WeakMap<FormatSpec, Compiled>()

function checkOne(original: string, spec: FormatSpec): FormatCheck {
  const text = spec.tightTags ? tightenTags(original) : original
  let program = compiled.get(spec)
  if (!program) {
    program = compile(spec)
    compiled.set(spec, program)
  }
  for (const mark of spec.without ?? [])
    if (text.includes(mark)) return { matches: false, reason: `it holds ${JSON.stringify(mark)}` }
  const starts: number[] = []
  const ends: number[] = []
  let at = 0
  for (const { pattern, distance, name, closes, opens } of program.pieces) {
    pattern.lastIndex = at + distance
    const match = pattern.exec(text)
    if (!match) return { matches: false, reason: `${name} is not where it should be` }
    if (closes !== undefined) ends[closes] = match.index
    if (opens !== undefined) starts[opens] = pattern.lastIndex
    at = pattern.lastIndex
  }
  for (const [index, block] of spec.blocks.entries()) {
    const [open, close] = program.marks[index]!
    if (block.once && !(standsOnce(text, open) && (block.tag === undefined || standsOnce(text, close))))
      return { matches: false, reason: `${open} does not stand once` }
    if (block.nonEmpty && isBlank(text.slice(starts[index], ends[index])))
      return { matches: false, reason: `${open} holds nothing` }
  }
  return { matches: true, blocks: starts.map((start, index) => ({ start, end: ends[index]! })) }
}

function standsOnce(text: string, mark: string): boolean {
  const first = text.indexOf(mark)
  return first >= 0 && text.indexOf(mark, first + mark.length) < 0
}

function compile(spec: FormatSpec): Compiled {
  const { blocks, match = 'full', after = '' } = spec
  const marks = blocks.map(marksOf)
  const pieces: Piece[] = []
  // A piece under construction: it grows until anything may follow.
  let source = ''
  let anchored = match !== 'search'
  let distance = 0
  let name = 'the start'
  let closes: number | undefined
  const finish = (opens?: number, end = '') => {
    if (source !== '' || end !== '')
      pieces.push({
        pattern: new RegExp(source + end, anchored ? 'y' : 'g'),
        distance,
        name,
        ...(closes !== undefined && { closes }),
        ...(opens !== undefined && { opens }),
      })
    source = ''
    distance = 0
    anchored = false
    closes = undefined
  }
  blocks.forEach((block, index) => {
    const [open, close] = marks[index]!
    const before = block.before ?? (index === 0 ? '' : 'white-space')
    if (before === 'anything') finish()
    else source += gapPattern(before)
    name = source === '' ? open : `${open} (after ${marks[index - 1]?.[1] ?? 'the start'})`
    source += escapePattern(open) + gapPattern(block.padding ?? '')
    finish(index)
    for (const wanted of block.contains ?? []) {
      if (typeof wanted === 'number') {
        distance = wanted
        continue
      }
      name = `${wanted} inside ${open}`
      source = typeof wanted === 'string' ? escapePattern(wanted) : wanted.source
      finish()
    }
    name = close
    closes = index
    // After free content optional white space needs no asking, and asking would make the search quadratic.
    source =
      (typeof block.padding === 'object' ? escapePattern(block.padding.text) : '') + escapePattern(close)
  })
  if (match !== 'full' || after === 'anything') finish()
  else finish(undefined, `${gapPattern(after)}$`)
  return { pieces, marks }
}

function marksOf({ tag, open, close }: FormatBlock): readonly [string, string] {
  return [open ?? `<${tag}>`, close ?? `</${tag}>`]
}

function gapPattern(gap: Gap): string {
  if (typeof gap === 'object') return escapePattern(gap.text)
  switch (gap) {
    case '':
      return ''
    case 'white-space':
      return '\\s*'
    case 'newline-or-nothing':
      return '\\n?'
    case 'anything':
      return ''
  }
}
