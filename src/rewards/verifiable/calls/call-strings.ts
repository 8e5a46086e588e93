import type { Json, JsonObject } from '../../../core/index.ts'

/** A call written as code: `weather.get(city="Oslo", days=3)`. */
export interface CallString {
  readonly name: string
  /** Keyword arguments (`a=1`, or `a: 1` inside the parentheses). */
  readonly arguments: JsonObject
  readonly positional: readonly Json[]
  readonly start: number
  readonly end: number
}

/**
 * The calls of a text that is nothing but calls: one, several separated by commas, semicolons or newlines, or a
 * list `[f(a=1), g()]`; undefined when it is anything else. Python's and JavaScript's literals are both read (True
 * or true, None, null or undefined, lists, tuples, dictionaries with quoted or bare keys); an expression that is no
 * literal (a variable, a nested call, an arrow function) stands for itself as its source text. Linear in the text.
 */
export function parseCallStrings(text: string): CallString[] | undefined {
  try {
    return new CallReader(text).calls()
  } catch (error) {
    if (error instanceof Unreadable) return undefined
    throw error
  }
}

class Unreadable extends Error {}

const blank = /[ \t\r\n]*/y
const word = /[\p{L}_$][\p{L}\p{N}_$]*(?:\.[\p{L}_$][\p{L}\p{N}_$]*)*/uy
const number = /[-+]?(?:0[xX][\da-fA-F]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][-+]?\d+)?)(?![\w.])/y
const constants: ReadonlyMap<string, Json> = new Map<string, Json>([
  ['True', true],
  ['true', true],
  ['False', false],
  ['false', false],
  ['None', null],
  ['null', null],
  ['undefined', null],
])
const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  '0': '\0',
  '\n': '',
}
const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' }
const plain = /[^"'`\\]*/y
const deepest = 100

class CallReader {
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  calls(): CallString[] {
    this.#skip()
    const listed = this.#take('[')
    const calls: CallString[] = []
    for (;;) {
      this.#skip()
      if (listed && this.#take(']')) break
      if (!listed && this.#at >= this.#text.length) break
      calls.push(this.#call())
      const callEnd = this.#at
      this.#skip()
      const onNewLine = !listed && this.#text.slice(callEnd, this.#at).includes('\n')
      const separated = this.#take(',') || (!listed && this.#take(';'))
      const ended = listed ? this.#peek() === ']' : this.#at >= this.#text.length
      if (!separated && !ended && !onNewLine) throw new Unreadable()
    }
    this.#skip()
    if (this.#at < this.#text.length || (calls.length === 0 && !listed)) throw new Unreadable()
    return calls
  }

  #call(): CallString {
    const start = this.#at
    const name = this.#match(word)
    if (name === undefined) throw new Unreadable()
    this.#skip()
    this.#require('(')
    const named: Record<string, Json> = {}
    const positional: Json[] = []
    for (;;) {
      this.#skip()
      if (this.#take(')')) break
      const back = this.#at
      const key = this.#match(word)
      this.#skip()
      const sign = this.#peek()
      const assigns = (sign === '=' && !'=>'.includes(this.#text[this.#at + 1] ?? ' ')) || sign === ':'
      if (key !== undefined && assigns) {
        this.#at++
        define(named, key, this.#value())
      } else {
        this.#at = back
        positional.push(this.#value())
      }
      this.#skip()
      if (!this.#take(',') && this.#peek() !== ')') throw new Unreadable()
    }
    return { name, arguments: named, positional, start, end: this.#at }
  }

  /** A literal, or else the source text up to the next comma or closing bracket of this level. */
  #value(): Json {
    this.#skip()
    const start = this.#at
    if (++this.#depth > deepest) throw new Unreadable()
    try {
      const value = this.#literal()
      if (value !== undefined) {
        this.#skip()
        if (this.#at >= this.#text.length || ',)]}'.includes(this.#peek())) return value
      }
    } finally {
      this.#depth--
    }
    this.#at = start
    return this.#source()
  }

  #literal(): Json | undefined {
    const first = this.#peek()
    if (first === '"' || first === "'" || first === '`') return this.#quoted(first)
    if (first === '[' || first === '(') return this.#items(closing[first]!)
    if (first === '{') return this.#dictionary()
    const digits = this.#match(number)
    if (digits !== undefined) return Number(digits.replaceAll('_', '').replace(/^\+/, ''))
    const name = this.#match(word)
    return name === undefined ? undefined : constants.get(name)
  }

  #items(close: string): Json[] | undefined {
    this.#at++
    const items: Json[] = []
    for (;;) {
      this.#skip()
      if (this.#take(close)) return items
      items.push(this.#value())
      this.#skip()
      if (!this.#take(',') && this.#peek() !== close) return undefined
    }
  }

  #dictionary(): JsonObject | undefined {
    this.#at++
    const entries: Record<string, Json> = {}
    for (;;) {
      this.#skip()
      if (this.#take('}')) return entries
      const first = this.#peek()
      const key =
        first === '"' || first === "'" ? this.#quoted(first) : (this.#match(word) ?? this.#match(number))
      this.#skip()
      if (key === undefined || !this.#take(':')) return undefined
      define(entries, key, this.#value())
      this.#skip()
      if (!this.#take(',') && this.#peek() !== '}') return undefined
    }
  }

  #quoted(quote: string): string {
    const triple = this.#text.startsWith(quote.repeat(3), this.#at)
    const end = triple ? quote.repeat(3) : quote
    let at = this.#at + end.length
    let value = ''
    for (;;) {
      plain.lastIndex = at
      value += plain.exec(this.#text)![0]
      at = plain.lastIndex
      const character = this.#text[at]
      if (character === undefined) throw new Unreadable()
      if (character === '\\') {
        const next = this.#text[at + 1] ?? ''
        const code = /^u([\da-fA-F]{4})|^x([\da-fA-F]{2})/.exec(this.#text.slice(at + 1, at + 6))
        value += code
          ? String.fromCharCode(Number.parseInt(code[1] ?? code[2]!, 16))
          : (escapes[next] ?? next)
        at += 1 + (code ? code[0].length : 1)
      } else if (character === quote && this.#text.startsWith(end, at)) {
        this.#at = at + end.length
        return value
      } else {
        value += character
        at++
      }
    }
  }

  #source(): string {
    const start = this.#at
    const open: string[] = []
    while (this.#at < this.#text.length) {
      const character = this.#peek()
      if (character === '"' || character === "'" || character === '`') {
        this.#quoted(character)
        continue
      }
      if (open.length === 0 && ',)]}'.includes(character)) break
      if (closing[character] !== undefined) open.push(closing[character])
      else if (')]}'.includes(character) && open.pop() !== character) throw new Unreadable()
      this.#at++
    }
    const source = this.#text.slice(start, this.#at).trim()
    if (source === '' || open.length > 0) throw new Unreadable()
    return source
  }

  #peek(): string {
    return this.#text[this.#at] ?? ''
  }
  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }
  #require(character: string): void {
    if (!this.#take(character)) throw new Unreadable()
  }
  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    if (match === null) return undefined
    this.#at = pattern.lastIndex
    return match[0]
  }
  #skip(): void {
    this.#match(blank)
  }
}

/** Also for `__proto__`, which plain assignment would not make a key. */
function define(object: Record<string, Json>, key: string, value: Json): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
}
