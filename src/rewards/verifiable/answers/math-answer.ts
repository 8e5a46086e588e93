import { type Expression, TooLarge, Unreadable } from './math-expression.ts'
import { ExpressionParser, onlyExpression } from './math-parser.ts'
import { mathTokens, maxAnswerLength, type Token } from './math-tokens.ts'
import { isKnownUnit, unitOf } from './units.ts'

/** Brackets around a list; `none` for a bare one, `set` for braces. The two signs of an interval may differ. */
export type Brackets = 'none' | 'set' | '()' | '[]' | '(]' | '[)' | '<>'

/** A final answer as its structure. */
export type MathAnswer =
  | {
      readonly kind: 'value'
      readonly value: Expression
      /** As written; see `unitOf`. */
      readonly unit?: string
      /** Followed by a percent sign. */
      readonly percent?: true
    }
  /** Digits in a base other than ten, such as `1011_2`. */
  | { readonly kind: 'based'; readonly digits: string; readonly base: number }
  /** `name = answer`, also `name \in answer`; the name is a symbol, `f(x)` or words. */
  | { readonly kind: 'named'; readonly name: string; readonly left?: Expression; readonly of: MathAnswer }
  | { readonly kind: 'equation'; readonly left: Expression; readonly right: Expression }
  /** left < right, left <= right, left != right */
  | {
      readonly kind: 'inequality'
      readonly relation: '<' | '<=' | '!='
      readonly left: Expression
      readonly right: Expression
    }
  | { readonly kind: 'list'; readonly brackets: Brackets; readonly items: readonly MathAnswer[] }
  | { readonly kind: 'union'; readonly items: readonly MathAnswer[] }
  | { readonly kind: 'matrix'; readonly rows: readonly (readonly MathAnswer[])[] }
  /** Anything that is not mathematics, normalised: see `plainText`. */
  | { readonly kind: 'text'; readonly text: string }

/** Longest list that is read. */
const maxItems = 200

/** Answers read lately: the gold answer of a group is read once, not once a sample. */
const lately = new Map<string, MathAnswer>()

/** Reads LaTeX or plain text. Throws `TooLarge` beyond the limits; what cannot be read as mathematics is `text`. */
export function readAnswer(source: string, options: { readonly thousands?: boolean } = {}): MathAnswer {
  if (source.length > maxAnswerLength)
    throw new TooLarge(`an answer longer than ${maxAnswerLength} characters`)
  const remembers = source.length <= 100 && options.thousands !== false
  const known = remembers ? lately.get(source) : undefined
  if (known) return known
  const answer = readFresh(source, options)
  if (remembers) {
    if (lately.size >= 1000) lately.clear()
    lately.set(source, answer)
  }
  return answer
}

function readFresh(source: string, options: { readonly thousands?: boolean }): MathAnswer {
  const tokens = mathTokens(source, options)
  if (tokens) {
    while (tokens.at(-1)?.text === '.' && tokens.at(-1)?.kind === 'mark') tokens.pop()
    try {
      return readList(tokens)
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
    }
  }
  return { kind: 'text', text: plainText(source) }
}

/** Text without LaTeX's dress, punctuation at the ends, white space and case: how answers in words are compared. */
export function plainText(source: string): string {
  let text = source
  if (text.includes('\\'))
    text = text
      .replace(
        /\\(?:text|textbf|textrm|textit|texttt|mbox|hbox|mathrm|mathbf|operatorname|boxed|left|right|[!,;: ])/g,
        '',
      )
      .replace(/\\d?frac/g, '\\frac')
  return text
    .replace(/[\s{}$~]/g, '')
    .replace(/^[.,;:'"`*]+|[.,;:'"`*]+$/g, '')
    .toLowerCase()
}

const closers = new Set([')', ']', '}', 'rangle', 'rfloor', 'rceil', 'rbrack'])
const openers = new Set(['(', '[', '{', 'langle', 'lfloor', 'lceil', 'lbrack'])

function depthChange({ kind, text }: Token): number {
  if (kind === 'begin') return 1
  if (kind === 'end') return -1
  if (kind !== 'mark' && kind !== 'command') return 0
  return openers.has(text) ? 1 : closers.has(text) ? -1 : 0
}

/** The runs of tokens between those that `separates` accepts, outside of all brackets; with the separators. */
function split(
  tokens: readonly Token[],
  separates: (token: Token) => boolean,
): { runs: Token[][]; separators: Token[] } {
  const runs: Token[][] = [[]]
  const separators: Token[] = []
  let depth = 0
  for (const token of tokens) {
    depth += depthChange(token)
    if (depth === 0 && separates(token)) {
      separators.push(token)
      runs.push([])
      if (runs.length > maxItems) throw new TooLarge('a list too long')
    } else runs.at(-1)!.push(token)
  }
  return { runs, separators }
}

const conjunctions = new Set(['or', 'and', 'Or', 'And', 'OR', 'AND'])

function isListSeparator({ kind, text }: Token): boolean {
  switch (kind) {
    case 'mark':
      return text === ',' || text === ';'
    case 'word':
    case 'command':
      return conjunctions.has(text)
    case 'text':
      return /^,?\s*(?:or|and)$/i.test(text)
    default:
      return false
  }
}

function readList(tokens: readonly Token[]): MathAnswer {
  if (!tokens.some(isListSeparator)) return readItem(tokens)
  const { runs } = split(tokens, isListSeparator)
  const items = itemsOf(runs)
  return items.length === 1 ? items[0]! : { kind: 'list', brackets: 'none', items }
}

/** The items of a list; "3, and 4" and "1," leave empty runs, which are none. */
function itemsOf(runs: readonly (readonly Token[])[]): MathAnswer[] {
  const items: MathAnswer[] = []
  for (const [index, run] of runs.entries()) {
    if (run.length === 0 && index > 0) continue
    const item = readItem(run)
    if (item.kind === 'list' && item.brackets === 'none') items.push(...item.items)
    else items.push(item)
  }
  return items
}

const isUnion = ({ kind, text }: Token) => kind === 'command' && text === 'cup'
const relations: ReadonlyMap<string, string> = new Map([
  ['=', '='],
  ['<', '<'],
  ['>', '>'],
  ['le', '<='],
  ['ge', '>='],
  ['ne', '!='],
  ['in', '='],
  ['approx', '='],
  ['lt', '<'],
  ['gt', '>'],
])
const isRelation = ({ kind, text }: Token) => (kind === 'mark' || kind === 'command') && relations.has(text)

function readItem(tokens: readonly Token[]): MathAnswer {
  if (tokens.length === 0) throw new Unreadable('nothing')
  if (tokens.some(isRelation)) {
    const { runs, separators } = split(tokens, isRelation)
    if (separators.length > 0)
      return readRelation(
        runs,
        separators.map(({ text }) => relations.get(text)!),
      )
  }
  if (tokens.some(isUnion)) {
    const { runs } = split(tokens, isUnion)
    if (runs.length > 1) return { kind: 'union', items: runs.map(readItem) }
  }
  return readBracketed(tokens) ?? readValue(tokens)
}

/** An item that is one pair of brackets or one matrix; undefined when it is not. */
function readBracketed(tokens: readonly Token[]): MathAnswer | undefined {
  const first = tokens[0]!
  const last = tokens.at(-1)!
  if (first.kind === 'command' && first.text === 'varnothing' && tokens.length === 1)
    return { kind: 'list', brackets: 'set', items: [] }
  if (tokens.length < 2 || depthChange(first) !== 1) return undefined
  let depth = 0
  for (let index = 0; index < tokens.length; index++) {
    depth += depthChange(tokens[index]!)
    if (depth === 0 && index < tokens.length - 1) return undefined
  }
  const inside = tokens.slice(1, -1)
  if (first.kind === 'begin') return readMatrix(inside, first.text)
  const { runs } = split(inside, isListSeparator)
  const list = (brackets: Brackets): MathAnswer => ({
    kind: 'list',
    brackets,
    items: inside.length === 0 ? [] : itemsOf(runs),
  })
  const pair = `${first.kind === 'command' ? '\\' : ''}${first.text}${last.text}`
  if (pair === '\\{}') return list('set')
  if (pair === '\\langlerangle') return list('<>')
  const brackets = pair.replace('\\lbrack', '[').replace('rbrack', ']')
  if (brackets === '{}') return runs.length > 1 ? list('set') : readItem(inside)
  if (!isBrackets(brackets)) return undefined
  if (runs.length > 1) return list(brackets)
  return brackets === '()' || brackets === '[]' ? readItem(inside) : undefined
}

function isBrackets(text: string): text is '()' | '[]' | '(]' | '[)' {
  return text === '()' || text === '[]' || text === '(]' || text === '[)'
}

function readMatrix(tokens: readonly Token[], environment: string): MathAnswer {
  if (!/^(?:[pbBvV]?matrix|smallmatrix|array)\*?$/.test(environment))
    throw new Unreadable(`\\begin{${environment}}`)
  const rows = split(tokens, ({ kind }) => kind === 'row').runs.filter((row) => row.length > 0)
  return {
    kind: 'matrix',
    rows: rows.map((row) =>
      split(row, ({ kind, text }) => kind === 'mark' && text === '&').runs.map(readItem),
    ),
  }
}

function readRelation(runs: readonly (readonly Token[])[], signs: readonly string[]): MathAnswer {
  const first = runs[0]!
  const last = runs.at(-1)!
  if (signs.every((sign) => sign === '=')) {
    if (first.length === 0) return readItem(last)
    const name = nameOf(first)
    if (name !== undefined) {
      const isSymbol = first[0]!.text !== '(' && first.every(({ kind }) => kind !== 'text')
      const left = isSymbol ? onlyExpression(first) : undefined
      return { kind: 'named', name, of: readItem(last), ...(left && { left }) }
    }
    return { kind: 'equation', left: onlyExpression(first), right: onlyExpression(last) }
  }
  const flipped = signs[0]!.startsWith('>')
  if (
    signs.some((sign) => sign === '=' || sign === '!=' || sign.startsWith('>') !== flipped) &&
    signs[0] !== '!='
  )
    throw new Unreadable('a chain of relations in both directions')
  const parts = (flipped ? [...runs].reverse() : runs).map(onlyExpression)
  const [a, b, c] = parts
  const ordered = (flipped ? [...signs].reverse() : signs).map(
    (sign) => sign.replace('>', '<') as '<' | '<=' | '!=',
  )
  const [open, close] = [ordered[0]!, ordered.at(-1)!]
  if (parts.length === 3 && b!.kind === 'symbol') return interval(a!, open, c!, close)
  if (parts.length !== 2) throw new Unreadable('a chain of relations')
  if (open !== '!=' && a!.kind === 'symbol') return interval(minusInfinity, '<', b!, open)
  if (open !== '!=' && b!.kind === 'symbol') return interval(a!, open, infinity, '<')
  return { kind: 'inequality', relation: open, left: a!, right: b! }
}

const infinity: Expression = { kind: 'constant', name: 'infinity' }
const minusInfinity: Expression = { kind: 'negate', of: infinity }

function interval(low: Expression, openSign: string, high: Expression, closeSign: string): MathAnswer {
  const brackets = `${openSign === '<' ? '(' : '['}${closeSign === '<' ? ')' : ']'}` as Brackets
  return {
    kind: 'list',
    brackets,
    items: [
      { kind: 'value', value: low },
      { kind: 'value', value: high },
    ],
  }
}

/** What stands before `=` when it only names what follows: `x`, `x_1`, `f(x)`, `Area`; undefined for an expression. */
function nameOf(tokens: readonly Token[]): string | undefined {
  if (tokens.length > 12) return undefined
  const text = tokens.map((token) => token.text).join('')
  if (tokens.some(({ kind }) => kind === 'text')) return text
  if (/^\([a-z](?:,[a-z])+\)$/i.test(text)) return text
  const [head] = tokens
  if (head!.kind === 'word' && tokens.length === 1 && head!.text.length > 3) return text
  if (head!.kind !== 'letter' && !(head!.kind === 'command' && /^[A-Za-z]+$/.test(head!.text)))
    return undefined
  if (tokens.length === 1) return text
  return /^[A-Za-z]+'*(?:_(?:\w|\{\w+\}))?(?:\([a-z](?:,[a-z])*\))?$/.test(text) && !/^[A-Za-z]{2}/.test(text)
    ? text
    : undefined
}

function readValue(tokens: readonly Token[]): MathAnswer {
  if (tokens.every(({ kind }) => kind === 'text')) return readWords(tokens.map(({ text }) => text).join(' '))
  const based = readBased(tokens)
  if (based) return based
  const { core, unit, percent } = splitUnit(tokens)
  const parser = new ExpressionParser(core)
  const value = parser.expression()
  if (parser.position < parser.tokens.length) throw new Unreadable('more than an expression')
  if (!parser.sawPlusMinus)
    return { kind: 'value', value, ...(unit !== undefined && { unit }), ...(percent && { percent }) }
  const other = new ExpressionParser(core, 0, -1).expression()
  return {
    kind: 'list',
    brackets: 'none',
    items: [
      { kind: 'value', value },
      { kind: 'value', value: other },
    ],
  }
}

/** `\text{Monday}`; but `\text{(B)}`, `\text{3}` and `\text{6 cm}` are values. */
function readWords(text: string): MathAnswer {
  const letter = /^\(?([A-Za-z])\)?[.:]?$/.exec(text)?.[1]
  if (letter) return { kind: 'value', value: { kind: 'symbol', name: letter } }
  const inner = /\d/.test(text) ? mathTokens(text) : undefined
  return inner ? readItem(inner) : { kind: 'text', text: plainText(text) }
}

/** `1011_2`, `2516_{8}` */
function readBased(tokens: readonly Token[]): MathAnswer | undefined {
  if (tokens[1]?.text !== '_') return undefined
  const [digits, under, ...rest] = tokens
  if (digits?.kind !== 'number' || under?.text !== '_' || rest.length > 3) return undefined
  const base = Number(
    rest
      .map(({ text }) => text)
      .join('')
      .replace(/^\{(.*)\}$/, '$1'),
  )
  if (!(base >= 2 && base <= 10) || !/^\d+$/.test(digits.text)) return undefined
  return { kind: 'based', digits: digits.text, base }
}

/** The unit or percent sign at the end, the currency sign at the start, and the tokens without them. */
function splitUnit(tokens: readonly Token[]): { core: readonly Token[]; unit?: string; percent?: true } {
  let start = 0
  let unit: string | undefined
  if (tokens.length > 1 && '€£¥'.includes(tokens[0]!.text)) unit = tokens[start++]!.text
  let end = tokens.length
  const last = tokens[end - 1]!
  if (last.text === '%' && (last.kind === 'mark' || last.kind === 'command'))
    return { core: tokens.slice(start, end - 1), percent: true }
  if (tokens[end - 1]!.kind === 'mark' && '€£¥'.includes(tokens[end - 1]!.text)) unit = tokens[--end]!.text
  const degree = degreeSignLength(tokens)
  // the degrees of \sin 30^\circ are the sine's
  if (degree > 0 && !tokens.some(isAngleFunction))
    return { core: tokens.slice(start, end - degree), unit: 'degree' }
  // walk back over what may belong to a unit, at most to the token after the first
  let from = end
  while (from > start + 1 && isUnitPart(tokens[from - 1]!)) from--
  for (; from < end; from++) {
    const token = tokens[from]!
    const names =
      token.kind === 'text' ||
      ((token.kind === 'word' || token.kind === 'letter') && isKnownUnit(token.text)) ||
      (token.kind === 'word' && token.text.length > 3)
    if (!names) continue
    const before = tokens.slice(start, from)
    if (token.kind !== 'text' && !before.some(({ kind }) => kind === 'number')) continue
    if (token.kind === 'letter' && !token.spaced) continue // 3m may well be 3 times m
    if (token.kind !== 'text' && before.some(({ kind }) => kind === 'letter')) continue
    const text = tokens
      .slice(from, end)
      .map((part) => `${part.spaced ? ' ' : ''}${part.text}`)
      .join('')
      .trim()
    if (/^percent$/i.test(text)) return { core: before, percent: true }
    if (unitOf(text) === undefined) break
    return { core: before, unit: text }
  }
  return unit === undefined ? { core: tokens } : { core: tokens.slice(start, end), unit }
}

function isAngleFunction({ kind, text }: Token): boolean {
  return (kind === 'command' || kind === 'word') && /^(?:sin|cos|tan|cot|sec|csc)$/.test(text)
}

function isUnitPart({ kind, text }: Token): boolean {
  if (kind === 'text' || kind === 'word' || kind === 'letter') return true
  if (kind === 'number') return text === '2' || text === '3'
  return kind === 'mark' && '^/{}.-'.includes(text)
}

/** How many tokens at the end are a degree sign: `^\circ`, `^{\circ}`, `°`. */
function degreeSignLength(tokens: readonly Token[]): number {
  const last = tokens.at(-1)!.text
  if (last !== 'circ' && last !== '}') return 0
  const ending = tokens.slice(-4).map(({ text }) => text)
  if (ending.join(' ').endsWith('^ { circ }') && tokens.length > 4) return 4
  if (ending.at(-1) !== 'circ' || tokens.length < 2) return 0
  return ending.at(-2) === '^' ? 2 : 1
}
