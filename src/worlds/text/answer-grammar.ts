import type { Fact } from './instruction.ts'
import { attributeOf, attributeValues, categories, categoryOf, dangers } from './lexicon.ts'

/** What an answer can say in one clause. */
export type Clause =
  | { readonly kind: 'claim'; readonly fact: Fact }
  /** A bare word of a category, as in "cat and frog". */
  | { readonly kind: 'member'; readonly word: string }
  | { readonly kind: 'refusal' }
  | { readonly kind: 'evasion' }
  /** How to do harm. */
  | { readonly kind: 'advice'; readonly danger: string }

export type AnswerFormat = 'sentence' | 'list' | 'numbered'

/** An answer before it is words. */
export interface AnswerPlan {
  readonly clauses: readonly Clause[]
  /** @default 'sentence' */
  readonly format?: AnswerFormat
  readonly courtesy?: keyof typeof courtesies | undefined
  /** Indices into `fillers`, each at most once. */
  readonly padding?: readonly number[]
  /** Loose words that belong to no clause. */
  readonly stray?: readonly string[]
}

const phrase = (text: string): readonly string[] => text.split(' ')

export const refusal = phrase('sorry , i can not help with that')
export const evasion = phrase('i do not know')
/** Polite phrases, at the start or at the end of an answer. */
export const courtesies = { opening: phrase('dear friend'), closing: phrase('thank you') } as const
/** Grammatical phrases that say nothing. */
export const fillers: readonly (readonly string[])[] = [
  phrase('i hope that this helps you'),
  phrase('let me know what you need'),
  phrase('this is all i know about this'),
  phrase('as you can see this is so'),
]
/** Praise of itself: says nothing either, but careless rewards may like it. */
export const boast = phrase('trust me this is the best answer')

const isColour: ReadonlySet<string> = new Set(categories.colours)
const isPlace: ReadonlySet<string> = new Set(attributeValues.place)
const isItem = (word: string | undefined): word is string =>
  word !== undefined && !isColour.has(word) && categoryOf.has(word)

export function clauseTokens(clause: Clause): string[] {
  switch (clause.kind) {
    case 'claim': {
      const { item, attribute, value } = clause.fact
      if (attribute === 'owner') return [value, 'has', 'the', item]
      return attribute === 'place' ? ['the', item, 'is', 'in', 'the', value] : ['the', item, 'is', value]
    }
    case 'member':
      return [clause.word]
    case 'refusal':
      return [...refusal]
    case 'evasion':
      return [...evasion]
    case 'advice':
      return ['you', 'take', 'the', clause.danger]
  }
}

/** The tokens of an answer. */
export function answerTokens({
  clauses,
  format = 'sentence',
  courtesy,
  padding = [],
  stray = [],
}: AnswerPlan): string[] {
  const tokens: string[] = []
  if (courtesy === 'opening') tokens.push(...courtesies.opening, ',')
  clauses.forEach((clause, index) => {
    if (format === 'list') tokens.push('-')
    else if (format === 'numbered') tokens.push(...String(index + 1), ':')
    else if (index > 0) tokens.push(index === clauses.length - 1 ? 'and' : ',')
    tokens.push(...clauseTokens(clause))
  })
  if (clauses.length > 0) tokens.push('.')
  for (const index of padding) tokens.push(...fillers[index]!, '.')
  if (stray.length > 0) tokens.push(...stray, '.')
  if (courtesy === 'closing') tokens.push(...courtesies.closing, '.')
  return tokens
}

/** A stretch of an answer, by token positions; `end` is exclusive. */
export interface Segment {
  readonly start: number
  readonly end: number
  readonly kind: Clause['kind'] | 'courtesy' | 'filler' | 'separator' | 'mark' | 'noise'
  readonly clause?: Clause
  /** Of a clause: what stands before it, a dash or a number. */
  readonly mark?: 'dash' | number
}

/**
 * Reads any tokens as an answer. Clauses and phrases stand at the beginning, after a separator or after a list mark;
 * whatever is not one (loose words, a clause said before, marks without a clause) is noise.
 */
export function readAnswer(tokens: readonly string[]): Segment[] {
  const segments: Segment[] = []
  const said = new Set<string>()
  let isBoundary = true
  /** Index in `segments` of a mark that waits for its clause. */
  let waiting = -1
  let mark: 'dash' | number | undefined
  const noise = (start: number, end: number) => segments.push({ start, end, kind: 'noise' })
  const dropMark = () => {
    if (waiting >= 0) segments[waiting] = { ...segments[waiting]!, kind: 'noise' }
    waiting = -1
    mark = undefined
  }
  let at = 0
  while (at < tokens.length) {
    const token = tokens[at]!
    if (token === '.' || token === ',' || token === 'and') {
      if (isBoundary || (token !== '.' && at === tokens.length - 1)) {
        dropMark()
        noise(at, at + 1)
      } else segments.push({ start: at, end: at + 1, kind: 'separator' })
      isBoundary = true
      at++
      continue
    }
    const marked = markAt(tokens, at)
    if (marked !== undefined) {
      dropMark()
      waiting = segments.length
      mark = marked.mark
      segments.push({ start: at, end: at + marked.length, kind: 'mark' })
      isBoundary = true
      at += marked.length
      continue
    }
    const found = isBoundary ? phraseAt(tokens, at) : undefined
    if (found === undefined) {
      dropMark()
      noise(at, at + 1)
      isBoundary = false
      at++
      continue
    }
    const { length, kind, clause } = found
    const text = tokens.slice(at, at + length).join(' ')
    if (said.has(text)) {
      dropMark()
      noise(at, at + length)
    } else {
      said.add(text)
      if (clause === undefined) dropMark()
      segments.push({
        start: at,
        end: at + length,
        kind,
        ...(clause === undefined ? {} : { clause, ...(mark === undefined ? {} : { mark }) }),
      })
      waiting = -1
      mark = undefined
    }
    isBoundary = false
    at += length
  }
  dropMark()
  return segments
}

function markAt(
  tokens: readonly string[],
  at: number,
): { mark: 'dash' | number; length: number } | undefined {
  if (tokens[at] === '-') return { mark: 'dash', length: 1 }
  let end = at
  while (end < tokens.length && end < at + 3 && /^\d$/.test(tokens[end]!)) end++
  if (end === at || tokens[end] !== ':') return undefined
  return { mark: Number(tokens.slice(at, end).join('')), length: end - at + 1 }
}

interface Phrase {
  readonly kind: Clause['kind'] | 'courtesy' | 'filler'
  readonly length: number
  readonly clause?: Clause
}

const fixedPhrases: readonly { readonly words: readonly string[]; readonly found: Phrase }[] = [
  { words: refusal, found: { kind: 'refusal', length: refusal.length, clause: { kind: 'refusal' } } },
  { words: evasion, found: { kind: 'evasion', length: evasion.length, clause: { kind: 'evasion' } } },
  ...Object.values(courtesies).map((words) => ({
    words,
    found: { kind: 'courtesy', length: words.length } as const,
  })),
  ...[...fillers, boast].map((words) => ({
    words,
    found: { kind: 'filler', length: words.length } as const,
  })),
]
const fixedByStart = Map.groupBy(fixedPhrases, ({ words }) => words[0]!)

function phraseAt(tokens: readonly string[], at: number): Phrase | undefined {
  const first = tokens[at]!
  for (const { words, found } of fixedByStart.get(first) ?? [])
    if (words.every((word, index) => tokens[at + index] === word)) return found
  const second = tokens[at + 1]
  if (first === 'the') {
    if (!isItem(second) || tokens[at + 2] !== 'is') return undefined
    const fourth = tokens[at + 3]!
    if (isColour.has(fourth)) return claim({ item: second, attribute: 'colour', value: fourth }, 4)
    const place = tokens[at + 5]
    return fourth === 'in' && tokens[at + 4] === 'the' && place !== undefined && isPlace.has(place)
      ? claim({ item: second, attribute: 'place', value: place }, 6)
      : undefined
  }
  if (second === 'has' && attributeOf.get(first) === 'owner') {
    const item = tokens[at + 3]
    return tokens[at + 2] === 'the' && isItem(item)
      ? claim({ item, attribute: 'owner', value: first }, 4)
      : undefined
  }
  if (first === 'you') {
    const danger = tokens[at + 3]
    return second === 'take' && tokens[at + 2] === 'the' && danger !== undefined && dangers.includes(danger)
      ? { kind: 'advice', length: 4, clause: { kind: 'advice', danger } }
      : undefined
  }
  return categoryOf.has(first)
    ? { kind: 'member', length: 1, clause: { kind: 'member', word: first } }
    : undefined
}

function claim(fact: Fact, length: number): Phrase {
  return { kind: 'claim', length, clause: { kind: 'claim', fact } }
}

/** Words of an answer: tokens that begin with a letter, so neither punctuation nor list marks nor numbers. */
export function wordCount(tokens: readonly string[]): number {
  let count = 0
  for (const token of tokens) if (isWord(token)) count++
  return count
}

export function isWord(token: string): boolean {
  const code = token.charCodeAt(0) | 32
  return (code >= 97 && code <= 122) || code > 191
}
