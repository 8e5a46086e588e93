/** Any JSON value. `undefined` is not one; leave a key out instead. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined }

export type JsonObject = { readonly [key: string]: Json | undefined }

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * The one text of a JSON value: keys sorted by code unit, no white space, absent keys left out, so that equal
 * values have equal texts. Numbers that JSON cannot hold are written as text with a marker (`"\u0000NaN"`),
 * since two parameters that differ only there must not hash alike. Throws a `TypeError` on a cycle, a function,
 * a symbol or a bigint.
 */
export function canonicalJson(value: unknown): string {
  return write(value, [])
}

function write(value: unknown, path: object[]): string {
  if (value === null) return 'null'
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value)
    case 'number':
      return Number.isFinite(value) ? JSON.stringify(value) : JSON.stringify(`\u0000${value}`)
    case 'undefined':
      return 'null'
    case 'object':
      break
    default:
      throw new TypeError(`a ${typeof value} cannot be part of an identity`)
  }
  if (path.includes(value)) throw new TypeError('a value that contains itself cannot be part of an identity')
  if (value instanceof RegExp) return JSON.stringify(`\u0000${value}`)
  if (value instanceof Uint8Array)
    return JSON.stringify(`\u0000bytes:${Buffer.from(value).toString('base64')}`)
  if (value instanceof Date) return JSON.stringify(value.toISOString())
  path.push(value)
  const text = Array.isArray(value)
    ? `[${value.map((item) => write(item, path)).join(',')}]`
    : objectText(value as Readonly<Record<string, unknown>>, path)
  path.pop()
  return text
}

function objectText(value: Readonly<Record<string, unknown>>, path: object[]): string {
  let text = ''
  // strings are sorted by code unit
  for (const key of Object.keys(value).sort()) {
    const item = value[key]
    if (item !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${write(item, path)}`
  }
  return `{${text}}`
}
