import type { SchemaElement } from 'hyparquet'
import { isObject, type JsonObject } from '../core/index.ts'
import { numberText } from './exact-json.ts'
import type { ColumnSchema } from './parquet.ts'
import { unfit } from './write.ts'

/** Rows of a row group at most, and about its size in memory [UTF-16 code units of text]. */
const groupRows = 20_000
const groupText = 64 * 2 ** 20

/** Writes records with the given types, one row group in memory at a time; a column that a record lacks is null. */
export async function writeParquet(
  path: string,
  records: AsyncIterable<JsonObject>,
  elements: ColumnSchema,
): Promise<void> {
  const { fileWriter, ParquetWriter } = await import('hyparquet-writer')
  const root = treeOf(elements)
  const columns = root.children
  const known = new Set(columns.map(({ element }) => element.name))
  const writer = new ParquetWriter({ writer: fileWriter(path), schema: flat(root) })
  let data: unknown[][] = columns.map(() => [])
  let [row, held, text] = [0, 0, 0]
  const flush = () => {
    if (held === 0) return
    writer.write({
      columnData: columns.map(({ element }, index) => ({ name: element.name, data: data[index]! })),
      rowGroupSize: held,
    })
    data = columns.map(() => [])
    held = 0
    text = 0
  }
  for await (const record of records) {
    row++
    for (const key in record)
      if (!known.has(key)) throw unfit(row, 'has a column that the schema does not.', key)
    columns.forEach((node, index) => {
      const name = node.element.name
      data[index]!.push(
        stored(node, record[name], record, name, { row, path: name, size: (length) => (text += length) }),
      )
    })
    held++
    if (held >= groupRows || text >= groupText) flush()
  }
  flush()
  await writer.finish()
}

interface Node {
  readonly element: SchemaElement
  readonly children: readonly Node[]
}

function treeOf(elements: ColumnSchema): Node {
  let next = 0
  const node = (): Node => {
    const element = storable(elements[next++]!)
    return { element, children: Array.from({ length: element.num_children ?? 0 }, node) }
  }
  return node()
}

function flat({ element, children }: Node): SchemaElement[] {
  return [element, ...children.flatMap(flat)]
}

/** An element of a schema that was read, with absent keys left out; the old 96-bit timestamps become 64-bit ones. */
function storable(element: SchemaElement): SchemaElement {
  const kept = Object.fromEntries(
    Object.entries(element).filter(([, value]) => value !== undefined),
  ) as unknown as SchemaElement
  if (kept.type !== 'INT96') return kept
  return { ...kept, type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'NANOS' } }
}

interface Where {
  readonly row: number
  readonly path: string
  size(length: number): void
}

/** A value as the writer takes it: bigint for 64-bit integers and times, bytes for base64 text. */
function stored(node: Node, value: unknown, holder: object, key: string, where: Where): unknown {
  if (value === undefined || value === null) {
    if (node.element.repetition_type === 'REQUIRED')
      throw unfit(where.row, 'lacks a required value.', where.path)
    return null
  }
  const { element, children } = node
  const refuse = (wanted: string): never => {
    throw unfit(
      where.row,
      `has ${JSON.stringify(value)?.slice(0, 60)} in a column of ${wanted}.`,
      where.path,
      'Write JSON Lines, or leave out the schema to have it inferred.',
    )
  }
  const below = (name: string): Where => ({ ...where, path: `${where.path}.${name}` })
  if (children.length > 0) {
    const list = listElement(node)
    if (list) {
      if (!Array.isArray(value)) return refuse('lists')
      return value.map((item, index) => stored(list, item, value, String(index), below(String(index))))
    }
    if (!isObject(value)) return refuse('objects')
    const mapped = mapValue(node)
    if (mapped)
      return Object.fromEntries(
        Object.entries(value).map(([name, item]) => [name, stored(mapped, item, value, name, below(name))]),
      )
    const names = new Set(children.map((child) => child.element.name))
    for (const name in value)
      if (!names.has(name) && value[name] !== undefined)
        throw unfit(where.row, 'has a field that the schema does not.', `${where.path}.${name}`)
    return Object.fromEntries(
      children.map((child) => {
        const { name } = child.element
        return [name, stored(child, value[name], value, name, below(name))]
      }),
    )
  }
  where.size(typeof value === 'string' ? value.length + 16 : 16)
  const logical = element.logical_type?.type
  const converted = element.converted_type
  if (element.repetition_type === 'REPEATED' && Array.isArray(value)) return value
  if (converted === 'JSON') return value
  if (converted === 'UTF8' || logical === 'STRING' || converted === 'ENUM')
    return typeof value === 'string' ? value : refuse('text')
  if (logical === 'UUID') return typeof value === 'string' ? value : refuse('UUIDs')
  if (converted === 'DATE')
    return typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? new Date(value) : refuse('dates')
  const digits = timeDigits(element)
  if (digits !== undefined)
    return typeof value === 'string' ? (timeUnits(value, digits) ?? refuse('times')) : refuse('times')
  if (converted === 'DECIMAL' || logical === 'FLOAT16')
    return typeof value === 'number' ? value : refuse('numbers')
  switch (element.type) {
    case 'BOOLEAN':
      return typeof value === 'boolean' ? value : refuse('true and false')
    case 'INT64': {
      const text = typeof value === 'number' ? (numberText(holder, key) ?? String(value)) : ''
      return /^-?\d+$/.test(text)
        ? BigInt(text)
        : Number.isInteger(value)
          ? BigInt(value as number)
          : refuse('integers')
    }
    case 'INT32':
      return Number.isInteger(value) ? value : refuse('integers')
    case 'FLOAT':
    case 'DOUBLE':
      return typeof value === 'number' ? value : refuse('numbers')
    default:
      return typeof value === 'string'
        ? new Uint8Array(Buffer.from(value, 'base64'))
        : refuse('bytes (base64 text)')
  }
}

/** The element of a list column; of the standard three levels, or of the older two. */
function listElement({ element, children }: Node): Node | undefined {
  if (element.converted_type !== 'LIST' && element.logical_type?.type !== 'LIST') return undefined
  const [repeated] = children
  return repeated?.children.length === 1 ? repeated.children[0] : repeated
}

/** The values of a map column. */
function mapValue({ element, children }: Node): Node | undefined {
  if (element.converted_type !== 'MAP' && element.logical_type?.type !== 'MAP') return undefined
  return children[0]?.children[1]
}

function timeDigits({ converted_type, logical_type }: SchemaElement): 3 | 6 | 9 | undefined {
  if (logical_type?.type === 'TIMESTAMP')
    return logical_type.unit === 'NANOS' ? 9 : logical_type.unit === 'MICROS' ? 6 : 3
  return converted_type === 'TIMESTAMP_MICROS' ? 6 : converted_type === 'TIMESTAMP_MILLIS' ? 3 : undefined
}

function timeUnits(text: string, digits: number): bigint | undefined {
  const [, seconds, fraction = ''] = /^([^.]+?)(?:\.(\d+))?Z?$/.exec(text) ?? []
  const milliseconds = Date.parse(`${seconds}Z`)
  if (Number.isNaN(milliseconds)) return undefined
  return (
    BigInt(milliseconds / 1000) * 10n ** BigInt(digits) +
    BigInt(fraction.padEnd(digits, '0').slice(0, digits) || 0)
  )
}

/** A column's type as far as its values tell: what holds all of them. */
type Shape =
  | { readonly kind: 'none' | 'boolean' | 'integer' | 'double' | 'text' | 'json' }
  | { readonly kind: 'list'; readonly item: Shape }
  | { readonly kind: 'object'; readonly fields: ReadonlyMap<string, Shape> }

/** Objects with more different keys than this are kept as JSON: they are maps rather than structs. */
const fieldLimit = 200

/**
 * Types that hold every record: integers of 64 bits, doubles, text, true and false, lists and structs; a column that
 * mixes kinds, or objects with ever new keys, is JSON text with the logical type that says so.
 */
export function inferSchema(): { add(record: JsonObject): void; schema(): ColumnSchema } {
  const columns = new Map<string, Shape>()
  return {
    add: (record) => {
      for (const key in record)
        columns.set(key, joinedShape(columns.get(key) ?? { kind: 'none' }, shapeOf(record[key], record, key)))
    },
    schema: () => [
      { name: 'schema', num_children: columns.size, repetition_type: 'REQUIRED' },
      ...[...columns].flatMap(([name, shape]) => elementsOf(name, shape)),
    ],
  }
}

function shapeOf(value: unknown, holder: object, key: string): Shape {
  if (value === null || value === undefined) return { kind: 'none' }
  if (typeof value === 'string') return { kind: 'text' }
  if (typeof value === 'boolean') return { kind: 'boolean' }
  if (typeof value === 'number') {
    const text = numberText(holder, key) ?? JSON.stringify(value)
    const whole = /^-?\d+$/.test(text) && text !== '-0' && BigInt.asIntN(64, BigInt(text)) === BigInt(text)
    return { kind: whole ? 'integer' : 'double' }
  }
  if (Array.isArray(value)) {
    let item: Shape = { kind: 'none' }
    for (const [index, element] of value.entries())
      item = joinedShape(item, shapeOf(element, value, String(index)))
    return { kind: 'list', item }
  }
  const entries = Object.entries(value)
  if (entries.length === 0 || entries.length > fieldLimit) return { kind: 'json' }
  return {
    kind: 'object',
    fields: new Map(entries.map(([name, item]) => [name, shapeOf(item, value, name)])),
  }
}

function joinedShape(a: Shape, b: Shape): Shape {
  if (a.kind === 'none') return b
  if (b.kind === 'none') return a
  if (a.kind === 'list' && b.kind === 'list') return { kind: 'list', item: joinedShape(a.item, b.item) }
  if (a.kind === 'object' && b.kind === 'object') {
    const fields = new Map(a.fields)
    for (const [name, shape] of b.fields)
      fields.set(name, joinedShape(fields.get(name) ?? { kind: 'none' }, shape))
    return fields.size > fieldLimit ? { kind: 'json' } : { kind: 'object', fields }
  }
  if (a.kind === b.kind) return a
  const numbers = ['integer', 'double']
  return { kind: numbers.includes(a.kind) && numbers.includes(b.kind) ? 'double' : 'json' }
}

function elementsOf(name: string, shape: Shape): SchemaElement[] {
  const leaf = { name, repetition_type: 'OPTIONAL' } as const
  switch (shape.kind) {
    case 'boolean':
      return [{ ...leaf, type: 'BOOLEAN' }]
    case 'integer':
      return [{ ...leaf, type: 'INT64' }]
    case 'double':
      return [{ ...leaf, type: 'DOUBLE' }]
    case 'none':
    case 'text':
      return [{ ...leaf, type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } }]
    case 'json':
      return [{ ...leaf, type: 'BYTE_ARRAY', converted_type: 'JSON' }]
    case 'list':
      return [
        { ...leaf, num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        ...elementsOf('element', shape.item),
      ]
    case 'object':
      return [
        { ...leaf, num_children: shape.fields.size },
        ...[...shape.fields].flatMap(([field, inner]) => elementsOf(field, inner)),
      ]
  }
}
