import { GuerdonError, nearest } from '../../core/index.ts'

/** A token's place in a text. Offsets are UTF-16 code units, `end` exclusive. */
export interface TokenSpan {
  readonly id: number
  readonly start: number
  readonly end: number
}

export interface VocabularyParts {
  /** Marks of the dialogue, first in the vocabulary; written as they are, like words. */
  readonly special: readonly string[]
  /** Tokens written without spaces around them: line breaks and pieces of JSON. */
  readonly glued: readonly string[]
  readonly words: readonly string[]
}

/**
 * A closed word-level vocabulary. Text is words with one space between them; glued tokens touch their neighbours; the
 * digits of a number are tokens of their own and touch each other, so that `12` is two tokens. For any ids,
 * `encode(decode(ids))` gives the ids back, and `decode(encode(text))` is the text with its white space normalised.
 */
export class Vocabulary {
  readonly tokens: readonly string[]
  readonly special: readonly string[]
  readonly #parts: VocabularyParts
  readonly #ids: ReadonlyMap<string, number>
  /** Glued tokens by their first character, longest first. */
  readonly #gluedByStart: ReadonlyMap<string, readonly string[]>
  /** Punctuation and operators: a character that is a token of its own wherever it stands. */
  readonly #signs: ReadonlySet<string>
  readonly #isGlued: readonly boolean[]
  readonly #isDigit: readonly boolean[]

  constructor(parts: VocabularyParts) {
    this.#parts = parts
    this.special = parts.special
    this.tokens = [...parts.special, ...parts.glued, ...parts.words]
    this.#ids = new Map(this.tokens.map((token, id) => [token, id]))
    if (this.#ids.size !== this.tokens.length) {
      const twice = this.tokens.find((token, id) => this.#ids.get(token) !== id)
      throw new GuerdonError('bad-config', `the vocabulary holds ${JSON.stringify(twice)} twice.`)
    }
    const byStart = new Map<string, string[]>()
    for (const token of [...parts.glued].sort((a, b) => b.length - a.length)) {
      const start = token[0]!
      byStart.set(start, [...(byStart.get(start) ?? []), token])
    }
    this.#gluedByStart = byStart
    this.#signs = new Set(parts.words.filter((word) => /^[^\p{L}\p{N}]$/u.test(word)))
    this.#isGlued = this.tokens.map((token) => parts.glued.includes(token))
    this.#isDigit = this.tokens.map((token) => /^\d$/.test(token))
  }

  get size(): number {
    return this.tokens.length
  }

  /** The same vocabulary with more words after its own, so that known ids stay. Words already known are left out. */
  extended(words: readonly string[]): Vocabulary {
    const added = [...new Set(words)].filter((word) => !this.#ids.has(word))
    return new Vocabulary({ ...this.#parts, words: [...this.#parts.words, ...added] })
  }

  has(token: string): boolean {
    return this.#ids.has(token)
  }

  /** Throws a `GuerdonError` (`unknown-word`) for a token that the vocabulary lacks. */
  id(token: string): number {
    const id = this.#ids.get(token)
    if (id === undefined) {
      const close = nearest(token, this.tokens)
      throw new GuerdonError('unknown-word', `${JSON.stringify(token)} is not in the vocabulary.`, {
        fix: close === undefined ? 'Use the words of the world only.' : `Did you mean "${close}"?`,
      })
    }
    return id
  }

  /** Throws as `id` does; with `unknown`, unknown words become that token instead. */
  encode(text: string, { unknown }: { unknown?: string } = {}): number[] {
    return this.spans(text, unknown === undefined ? {} : { unknown }).map(({ id }) => id)
  }

  /** Ids of tokens that are already apart. */
  encodeTokens(tokens: readonly string[]): number[] {
    return tokens.map((token) => this.id(token))
  }

  /** The tokens of a text with their places. Throws as `encode` does. */
  spans(text: string, { unknown }: { unknown?: string } = {}): TokenSpan[] {
    const found: TokenSpan[] = []
    for (const [start, end] of this.#pieces(text)) {
      const piece = text.slice(start, end)
      const id = this.#ids.get(piece) ?? this.id(unknown ?? piece)
      found.push({ id, start, end })
    }
    return found
  }

  /** The tokens of a text as strings; words that the vocabulary lacks stand as they are. */
  split(text: string): string[] {
    return this.#pieces(text).map(([start, end]) => text.slice(start, end))
  }

  /** @param ids of this vocabulary; a `RangeError` says which one is not. */
  decode(ids: Iterable<number>, { skipSpecial = false }: { skipSpecial?: boolean } = {}): string {
    let text = ''
    let last = -1
    for (const id of ids) {
      const token = this.tokens[id]
      if (token === undefined) throw new RangeError(`${id} is not a token of a vocabulary of ${this.size}`)
      if (skipSpecial && id < this.special.length) continue
      const touches =
        last < 0 || this.#isGlued[last] || this.#isGlued[id] || (this.#isDigit[last] && this.#isDigit[id])
      text += touches ? token : ` ${token}`
      last = id
    }
    return text
  }

  /** Text of tokens that are already apart; the same as decoding their ids, and unknown words are kept. */
  join(tokens: readonly string[]): string {
    let text = ''
    let last = ''
    for (const token of tokens) {
      const touches =
        last === '' || this.#touches(last) || this.#touches(token) || (isDigit(last) && isDigit(token))
      text += touches ? token : ` ${token}`
      last = token
    }
    return text
  }

  #touches(token: string): boolean {
    const id = this.#ids.get(token)
    return id !== undefined && this.#isGlued[id]!
  }

  #pieces(text: string): [start: number, end: number][] {
    const pieces: [number, number][] = []
    let at = 0
    while (at < text.length) {
      const glued = this.#gluedAt(text, at)
      if (glued !== undefined) {
        pieces.push([at, at + glued.length])
        at += glued.length
        continue
      }
      const code = text.charCodeAt(at)
      if (isSpace(code)) {
        at++
        continue
      }
      if ((code >= 48 && code <= 57) || this.#signs.has(text[at]!)) {
        pieces.push([at, ++at])
        continue
      }
      const start = at++
      while (at < text.length && !this.#endsWord(text, at)) at++
      pieces.push([start, at])
    }
    return pieces
  }

  #endsWord(text: string, at: number): boolean {
    return isSpace(text.charCodeAt(at)) || this.#signs.has(text[at]!) || this.#gluedAt(text, at) !== undefined
  }

  #gluedAt(text: string, at: number): string | undefined {
    return this.#gluedByStart.get(text[at]!)?.find((token) => text.startsWith(token, at))
  }
}

function isDigit(token: string): boolean {
  return token.length === 1 && token >= '0' && token <= '9'
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13) || code === 160
}
