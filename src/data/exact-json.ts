/**
 * JSON that survives being read and written: JavaScript objects lose the text of numbers (`1.0`, `1e3`,
 * `12345678901234567890`) and the place of keys that look like integers. `parseExactJson` remembers both beside the
 * objects, and `exactJson` writes them back as long as the value is still the same.
 */

interface Exactness {
  /** Texts of numbers that JavaScript would write otherwise, by key or index. */
  numbers?: Map<string, string>
  /** Keys in the order of the text, where JavaScript would order them otherwise. */
  keys?: readonly string[]
}

const exactness = new WeakMap<object, Exactness>()
const exactRoots = new WeakSet<object>()

/** Where a JSON text is broken: what, and the path of the value it happened in. */
export class JsonProblem extends Error {
  readonly offset: number
  /** Such as `messages.0.content`; empty at the top. */
  readonly path: string
  /** What to do about it, as a sentence. */
  readonly fix: string | undefined

  constructor(what: string, offset: number, path: string, fix?: string) {
    super(what)
    this.offset = offset
    this.path = path
    this.fix = fix
  }
}

/**
 * True when plain `JSON.parse` might lose the text of a number or the order of keys. Rather true than false: a line
 * for which it is true in vain is only read more slowly.
 */
export function mayLoseText(text: string): boolean {
  return /[:[,\s](?:-0(?![.\d])|-?(?:(?:\d\.?){16}|\d+\.\d*0(?!\d)|\d[\d.]*[eE]|0\.0{6}))|"\d+"\s*:/.test(
    text,
  )
}

/** As `mayLoseText`, for what changes a value and not only its spelling: large integers, numbers beyond any double. */
export function mayLoseValue(text: string): boolean {
  return /[:[,\s]-?(?:\d{16}|\d[\d.]*[eE]\+?\d{3})/.test(text)
}

/** Deepest nesting of arrays and objects that is read. */
export const depthLimit = 512

/** True when `value` nests arrays and objects deeper than `limit`. */
export function isDeeperThan(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return false
  if (limit === 0) return true
  if (Array.isArray(value)) return value.some((item) => isDeeperThan(item, limit - 1))
  for (const key in value) if (isDeeperThan((value as Record<string, unknown>)[key], limit - 1)) return true
  return false
}

/**
 * The value of one JSON text, with what JavaScript forgets remembered. Strict; throws a `JsonProblem` that says
 * where. The text of a number can be asked for with `numberText`.
 */
export function parseExactJson(text: string): unknown {
  let at = 0
  const path: (string | number)[] = []

  const problem = (what: string, fix?: string) => new JsonProblem(what, at, path.join('.'), fix)
  const skipSpace = () => {
    for (;;) {
      const code = text.charCodeAt(at)
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return
      at++
    }
  }
  const string = (): string => {
    const start = at++
    for (;;) {
      const code = text.charCodeAt(at)
      if (Number.isNaN(code)) throw problem('a string is not closed', 'The line may be cut off.')
      if (code === 34) break
      if (code < 32)
        throw problem(
          `a string holds the control character U+${code.toString(16).padStart(4, '0')} as it is`,
          'Write it as an escape, such as \\n or \\t.',
        )
      at += code === 92 ? 2 : 1
    }
    at++
    try {
      return JSON.parse(text.slice(start, at))
    } catch {
      throw problem(`a string has an escape that JSON does not know: ${excerpt(text, start)}`)
    }
  }
  const number = (holder: object | undefined, key: string): number => {
    const lexeme = numberAt(text, at)
    if (lexeme === undefined) throw problem(...unexpected(text, at))
    at += lexeme.length
    const value = Number(lexeme)
    if (!Number.isFinite(value))
      throw problem(`the number ${lexeme} is beyond the range of a double`, 'Write it as a string.')
    if (holder && JSON.stringify(value) !== lexeme) {
      const exact = exactnessOf(holder)
      exact.numbers ??= new Map()
      exact.numbers.set(key, lexeme)
    }
    return value
  }
  const value = (holder: object | undefined, key: string | number): unknown => {
    skipSpace()
    const code = text.charCodeAt(at)
    if (code === 34) return string()
    if (code === 123 || code === 91) {
      if (path.length >= depthLimit)
        throw problem(`nests deeper than ${depthLimit} levels`, 'Flatten the value or write it as a string.')
      return code === 123 ? object() : array()
    }
    if (text.startsWith('true', at)) {
      at += 4
      return true
    }
    if (text.startsWith('false', at)) {
      at += 5
      return false
    }
    if (text.startsWith('null', at)) {
      at += 4
      return null
    }
    return number(holder, String(key))
  }
  const array = (): unknown[] => {
    const items: unknown[] = []
    at++
    skipSpace()
    if (text[at] === ']') {
      at++
      return items
    }
    for (;;) {
      path.push(items.length)
      items.push(value(items, items.length))
      path.pop()
      skipSpace()
      const code = text[at]
      if (code === ',') at++
      else if (code === ']') {
        at++
        return items
      } else throw problem(...unexpected(text, at, ', or ]'))
    }
  }
  const object = (): object => {
    const result: Record<string, unknown> = {}
    const keys: string[] = []
    let reordered = false
    at++
    skipSpace()
    if (text[at] === '}') {
      at++
      return result
    }
    for (;;) {
      skipSpace()
      if (text[at] !== '"') throw problem(...unexpected(text, at, 'a key in double quotes'))
      const key = string()
      skipSpace()
      if (text[at] !== ':') throw problem(...unexpected(text, at, ':'))
      at++
      path.push(key)
      const item = value(result, key)
      path.pop()
      if (!Object.hasOwn(result, key)) keys.push(key) // of a repeated key the last value counts, as in JSON.parse
      setOwn(result, key, item)
      reordered ||= /^\d+$/.test(key)
      skipSpace()
      const code = text[at]
      if (code === ',') at++
      else if (code === '}') {
        at++
        if (reordered) exactnessOf(result).keys = keys
        return result
      } else throw problem(...unexpected(text, at, ', or }'))
    }
  }
  const result = value(undefined, '')
  skipSpace()
  if (at < text.length) throw problem(...unexpected(text, at, 'the end of the value'))
  if (typeof result === 'object' && result !== null) exactRoots.add(result)
  return result
}

/** Sets a key of one's own, `__proto__` included. */
export function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })
  else target[key] = value
}

/** The text that a number of `holder` had where JavaScript would write it otherwise. */
export function numberText(holder: object, key: string): string | undefined {
  return exactness.get(holder)?.numbers?.get(key)
}

/** Remembers the text of a number, such as an integer of 64 bits that a double rounds. */
export function rememberNumberText(root: object, holder: object, key: string, text: string): void {
  const exact = exactnessOf(holder)
  exact.numbers ??= new Map()
  exact.numbers.set(key, text)
  exactRoots.add(root)
}

/** Carries what was remembered of `from`'s own values over to `to`, which holds the same values under the same keys. */
export function keepExactness(from: object, to: object): void {
  const exact = exactness.get(from)
  if (exact?.numbers) exactnessOf(to).numbers = exact.numbers
  if (exactRoots.has(from)) exactRoots.add(to)
}

/**
 * Every number in `value` that a double does not hold exactly, as `[path, text]`: integers beyond 2^53 and the like,
 * not differences of spelling such as `1.0`.
 */
export function inexactNumbers(value: unknown, path = ''): [path: string, text: string][] {
  if (typeof value !== 'object' || value === null) return []
  const found: [string, string][] = []
  for (const [key, text] of exactness.get(value)?.numbers ?? [])
    if (/^-?\d+$/.test(text) && BigInt((value as Record<string, number>)[key]!) !== BigInt(text))
      found.push([path === '' ? key : `${path}.${key}`, text])
  for (const [key, item] of Object.entries(value))
    found.push(...inexactNumbers(item, path === '' ? key : `${path}.${key}`))
  return found
}

/** JSON text of a value, numbers and key order as they were read. Throws a `RangeError` on a value nested too deeply. */
export function exactJson(value: unknown): string {
  if (typeof value !== 'object' || value === null || !exactRoots.has(value)) return JSON.stringify(value)
  return write(value) ?? 'null'
}

function write(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if ('toJSON' in value && typeof value.toJSON === 'function') return JSON.stringify(value)
  const exact = exactness.get(value)
  const item = (key: string, child: unknown): string | undefined => {
    const text = typeof child === 'number' ? exact?.numbers?.get(key) : undefined
    return text !== undefined && Object.is(Number(text), child) ? text : write(child)
  }
  if (Array.isArray(value))
    return `[${value.map((child, index) => item(String(index), child) ?? 'null').join(',')}]`
  const record = value as Record<string, unknown>
  const own = Object.keys(record)
  const remembered = exact?.keys
  const keys =
    remembered?.length === own.length && remembered.every((key) => Object.hasOwn(record, key))
      ? remembered
      : own
  const fields: string[] = []
  for (const key of keys) {
    const text = item(key, record[key])
    if (text !== undefined) fields.push(`${JSON.stringify(key)}:${text}`)
  }
  return `{${fields.join(',')}}`
}

function exactnessOf(holder: object): Exactness {
  let exact = exactness.get(holder)
  if (exact === undefined) {
    exact = {}
    exactness.set(holder, exact)
  }
  return exact
}

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y

function numberAt(text: string, at: number): string | undefined {
  numberPattern.lastIndex = at
  const lexeme = numberPattern.exec(text)?.[0]
  return lexeme === undefined || /[\w.]/.test(text[at + lexeme.length] ?? '') ? undefined : lexeme
}

function unexpected(text: string, at: number, wanted = 'a value'): [what: string, fix?: string] {
  const token = /^[-+]?(?:NaN|Infinity|inf|nan)\b/.exec(text.slice(at, at + 12))?.[0]
  if (token) return [`holds ${token}, which JSON does not have`, 'Write null or leave the key out.']
  const python = /^(?:True|False|None)\b/.exec(text.slice(at, at + 6))?.[0]
  if (python) return [`holds Python's ${python}, which JSON does not have`, 'Write the row with json.dumps.']
  if (at >= text.length) return [`ends where ${wanted} was expected`, 'The line may be cut off.']
  if (text[at] === "'") return [`has single quotes at column ${at + 1}`, 'JSON has double quotes only.']
  return [`has ${excerpt(text, at)} at column ${at + 1} where ${wanted} was expected`]
}

function excerpt(text: string, at: number): string {
  return JSON.stringify(text.slice(at, at + 12))
}
