import {
  GuerdonError,
  type ImageSource,
  isDialogue,
  isObject,
  type Json,
  type Message,
  type Turns,
} from '../core/index.ts'
import { keepExactness, numberText, setOwn } from './exact-json.ts'
import { imageSourceFrom, withImages } from './image-source.ts'
import { kindOf, type RawRecord } from './rows.ts'
import { isMessageLike, turnsFrom, withoutNulls } from './turns.ts'

type Meta = Record<string, Json | undefined>

/** Of a row that says nothing else. */
export const noMeta: Meta = Object.freeze({})

/** One row while it is turned into samples. One object serves a whole file: its record and line are replaced. */
export class Row {
  record: RawRecord = {}
  line = 0
  /** Parquet rows have null where a key was missing. */
  nullsMayBeAbsent = false
  /** CSV rows hold dialogues and meta as JSON text. */
  textOnly = false
  readonly file: string
  /** Rows without an output are read with an empty one. */
  readonly promptsOnly: boolean

  constructor(file: string, promptsOnly = false) {
    this.file = file
    this.promptsOnly = promptsOnly
  }

  /** The row's own `id`, else `row-` and its line or row number. */
  id(field = 'id'): string {
    const value = this.record[field]
    if (typeof value === 'string' && value !== '') return value
    if (typeof value === 'number') return numberText(this.record, field) ?? String(value)
    if (value !== undefined && value !== null && value !== '')
      throw this.problem(
        field,
        `is ${kindOf(value)}, not text or a number.`,
        'Give every row an id of its own.',
      )
    return this.positionId()
  }

  positionId(): string {
    return `row-${this.line}`
  }

  has(field: string): boolean {
    const value = this.record[field]
    return value !== undefined && value !== null
  }

  /** A prompt or an output in any spelling. */
  turns(field: string, value: unknown = this.record[field]): Turns {
    if (typeof value === 'string') return (this.textOnly && this.#dialogueIn(field, value)) || value
    if (value === undefined) throw this.missing(field)
    return turnsFrom(this.nullsMayBeAbsent ? withoutNulls(value) : value, (path, what, fix) =>
      this.problem(path === '' ? field : `${field}.${path}`, what, fix),
    )
  }

  /** A dialogue or parts written as JSON text; `undefined` for any other text. */
  #dialogueIn(field: string, text: string): Turns | undefined {
    const value = objectIn(text)
    const [first]: unknown[] = Array.isArray(value) ? value : [value]
    if (!isObject(first)) return undefined
    return isMessageLike(first) || (Array.isArray(value) && typeof first.type === 'string')
      ? this.turns(field, value)
      : undefined
  }

  messages(field: string): readonly Message[] {
    const turns = this.turns(field, this.list(field))
    if (!isDialogue(turns)) throw this.problem(field, 'is not a list of messages with role and content.')
    return turns
  }

  text(field: string): string {
    const value = this.record[field]
    if (typeof value === 'string') return value
    if (value === undefined) throw this.missing(field)
    throw this.problem(field, `is ${kindOf(value)}, not text.`, 'Write it in double quotes.')
  }

  /** A list, also one written as JSON text (as in CSV). */
  list(field: string): readonly unknown[] {
    const value = this.record[field]
    if (Array.isArray(value)) return value
    const written = typeof value === 'string' ? objectIn(value) : undefined
    if (Array.isArray(written)) return written
    if (value === undefined) throw this.missing(field)
    throw this.problem(field, `is ${kindOf(value)}, not a list.`)
  }

  texts(field: string): readonly string[] {
    return this.list(field).map((item, index) => {
      if (typeof item !== 'string')
        throw this.problem(`${field}.${index}`, `is ${kindOf(item)}, not text.`, 'Write it in double quotes.')
      return item
    })
  }

  /** A prompt with the images of the row's `images` or `image` column in place. */
  prompt(prompt: Turns): Turns {
    const images = this.images()
    if (images === undefined) return prompt
    const filled = withImages(prompt, images)
    if ('problem' in filled)
      throw this.problem('images', filled.problem, 'Give one image for every mark, in order.')
    return filled.turns
  }

  /** The images of the row's `images` or `image` column; `undefined` when it has none. */
  images(): ImageSource[] | undefined {
    const { images, image } = this.record
    const given = Array.isArray(images) ? images : image === undefined || image === null ? [] : [image]
    if (given.length === 0) return undefined
    const field = Array.isArray(images) ? 'images' : 'image'
    return given.flat().map((item, index) => {
      const source = imageSourceFrom(item)
      if (!source)
        throw this.problem(
          field === 'images' ? `images.${index}` : field,
          `is ${kindOf(item)}, not a path, URL, data URL or {bytes, path}.`,
        )
      return source
    })
  }

  /** Every column that is not in `known`, in order, as meta. Bytes become base64 text. */
  rest(known: ReadonlySet<string>): Meta {
    const { record } = this
    let meta: Meta | undefined
    for (const key in record) {
      if (known.has(key)) continue
      meta ??= {}
      setOwn(meta, key, jsonFrom(record[key]))
    }
    if (meta === undefined) return noMeta
    keepExactness(record, meta)
    return meta
  }

  missing(field: string): GuerdonError {
    const columns = Object.keys(this.record)
    return new GuerdonError('missing-field', 'is missing.', {
      place: { file: this.file, line: this.line, field },
      fix: `The row has ${columns.length === 0 ? 'no fields' : columns.slice(0, 12).join(', ')}.`,
    })
  }

  problem(field: string, what: string, fix?: string): GuerdonError {
    return new GuerdonError('bad-row', what, {
      place: { file: this.file, line: this.line, field },
      ...(fix ? { fix } : {}),
    })
  }
}

/** A list or an object written as JSON text; `undefined` for any other text. */
export function objectIn(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A number, or text that is one (old files write ratings as text); null for anything else, such as "N/A". */
export function numberFrom(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value !== 'string' || value.trim() === '') return null
  const number = Number(value)
  return Number.isFinite(number) ? number : null
}

/** A raw value as JSON: bytes as base64 text. */
export function jsonFrom(value: unknown): Json {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (Array.isArray(value)) return value.some(holdsBytes) ? value.map(jsonFrom) : value
  if (isObject(value) && holdsBytes(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, jsonFrom(item)]))
  return value as Json
}

function holdsBytes(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return value instanceof Uint8Array || Object.values(value).some(holdsBytes)
}
