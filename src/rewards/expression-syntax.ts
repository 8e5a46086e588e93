import { GuerdonError, type Json } from '../core/index.ts'

interface Spanned {
  /** Offsets in the text [UTF-16 code units]; `end` is exclusive. */
  readonly start: number
  readonly end: number
}

/** What is written, before any name is looked up. */
export type Expression = Spanned &
  (
    | { readonly kind: 'number'; readonly value: number }
    | {
        readonly kind: 'sum'
        readonly parts: readonly { readonly sign: 1 | -1; readonly expression: Expression }[]
      }
    | { readonly kind: 'product'; readonly factors: readonly Expression[] }
    | { readonly kind: 'quotient'; readonly dividend: Expression; readonly divisor: Expression }
    | {
        /** A reward with its options, or a function of rewards. */
        readonly kind: 'call'
        readonly name: string
        readonly bracketed: boolean
        readonly operands: readonly Expression[]
        readonly options: Readonly<Record<string, Json>>
      }
  )

const deepest = 100
const number = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y
/** Kebab-case or camelCase; a hyphen belongs to the name only between two of its characters. */
const name = /[A-Za-z_][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)*/y
const bareWord = /[^\s,()[\]{}="']+/y
const quoted = /"(?:[^"\\]|\\.)*"|'[^']*'/y

/** Reads the text of a reward expression. Throws a `GuerdonError` that names the character where it stops making sense. */
export function parseExpression(text: string): Expression {
  const parser = new Parser(text)
  parser.skipSpace()
  if (parser.atEnd())
    throw new GuerdonError('bad-expression', 'the reward expression is empty.', {
      fix: 'Name a reward, such as "math".',
    })
  const expression = parser.sum()
  if (!parser.atEnd()) parser.fail(`"${text[parser.at]}" is not expected here`)
  return expression
}

class Parser {
  readonly #text: string
  at = 0
  #end = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  atEnd(): boolean {
    return this.at >= this.#text.length
  }

  skipSpace(): void {
    while (/\s/.test(this.#text[this.at] ?? '')) this.at++
  }

  fail(what: string): never {
    throw new GuerdonError('bad-expression', `"${this.#text}", character ${this.at + 1}: ${what}.`)
  }

  sum(): Expression {
    if (++this.#depth > deepest) this.fail('the expression is nested too deeply')
    const start = this.at
    const parts: { sign: 1 | -1; expression: Expression }[] = []
    let sign: 1 | -1 = 1
    for (;;) {
      parts.push({ sign, expression: this.#product() })
      if (this.#takes('+')) sign = 1
      else if (this.#takes('-')) sign = -1
      else break
    }
    this.#depth--
    return parts.length === 1 ? parts[0]!.expression : { kind: 'sum', parts, start, end: this.#end }
  }

  #product(): Expression {
    const start = this.at
    let left = this.#signed()
    for (;;) {
      if (this.#takes('*')) {
        const right = this.#signed()
        const factors = left.kind === 'product' && left.start === start ? left.factors : [left]
        left = { kind: 'product', factors: [...factors, right], start, end: this.#end }
      } else if (this.#takes('/')) {
        left = { kind: 'quotient', dividend: left, divisor: this.#signed(), start, end: this.#end }
      } else return left
    }
  }

  #signed(): Expression {
    const start = this.at
    let sign: 1 | -1 = 1
    while (this.#takes('-')) sign = sign === 1 ? -1 : 1
    const expression = this.#primary()
    return sign === 1 ? expression : { kind: 'sum', parts: [{ sign, expression }], start, end: this.#end }
  }

  #primary(): Expression {
    const start = this.at
    if (this.#takes('(')) {
      const inner = this.sum()
      if (!this.#takes(')')) this.fail('a ")" is missing')
      return inner
    }
    const digits = this.#match(number)
    if (digits !== undefined) return { kind: 'number', value: Number(digits), start, end: this.#end }
    const word = this.#match(name)
    if (word === undefined)
      this.fail(
        this.atEnd() ? 'a reward or a number is missing' : `"${this.#text[this.at]}" is not expected here`,
      )
    const bracketed = this.#takes('(')
    const { operands, options } = bracketed ? this.#arguments() : { operands: [], options: {} }
    return { kind: 'call', name: word, bracketed, operands, options, start, end: this.#end }
  }

  #arguments() {
    const operands: Expression[] = []
    const options: Record<string, Json> = {}
    if (this.#takes(')')) return { operands, options }
    for (;;) {
      const start = this.at
      const key = this.#match(name)
      if (key !== undefined && this.#takes('=')) {
        if (Object.hasOwn(options, key)) this.fail(`the option "${key}" is given twice`)
        Object.defineProperty(options, key, { value: this.#value(), enumerable: true })
      } else {
        this.at = start
        operands.push(this.sum())
      }
      if (this.#takes(')')) return { operands, options }
      if (!this.#takes(',')) this.fail('a "," or ")" is missing')
    }
  }

  /** A JSON value, or a word without quotes. */
  #value(): Json {
    if (++this.#depth > deepest) this.fail('the value is nested too deeply')
    const value = this.#anyValue()
    this.#depth--
    return value
  }

  #anyValue(): Json {
    if (this.#takes('[')) {
      const items: Json[] = []
      if (this.#takes(']')) return items
      for (;;) {
        items.push(this.#value())
        if (this.#takes(']')) return items
        if (!this.#takes(',')) this.fail('a "," or "]" is missing')
      }
    }
    if (this.#takes('{')) {
      const entries: [string, Json][] = []
      if (this.#takes('}')) return {}
      for (;;) {
        const key = this.#match(quoted) ?? this.#match(name)
        if (key === undefined || !this.#takes(':')) this.fail('a key and ":" are missing')
        entries.push([unquoted(key), this.#value()])
        if (this.#takes('}')) return Object.fromEntries(entries)
        if (!this.#takes(',')) this.fail('a "," or "}" is missing')
      }
    }
    const text = this.#match(quoted)
    if (text !== undefined) return unquoted(text)
    const word = this.#match(bareWord)
    if (word === undefined) this.fail('a value is missing')
    if (word === 'true' || word === 'false') return word === 'true'
    if (word === 'null') return null
    return /^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(word) ? Number(word) : word
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.#text)?.[0]
    if (found === undefined) return undefined
    this.#advance(found.length)
    return found
  }

  #takes(symbol: string): boolean {
    if (this.#text[this.at] !== symbol) return false
    this.#advance(1)
    return true
  }

  #advance(length: number): void {
    this.at += length
    this.#end = this.at
    this.skipSpace()
  }
}

function unquoted(text: string): string {
  if (text.startsWith('"')) {
    try {
      return JSON.parse(text) as string
    } catch {
      return text.slice(1, -1)
    }
  }
  return text.startsWith("'") ? text.slice(1, -1) : text
}
