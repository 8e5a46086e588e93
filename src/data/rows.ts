import { GuerdonError } from '../core/index.ts'
import { depthLimit, isDeeperThan } from './exact-json.ts'
import type { ColumnSchema } from './parquet.ts'

/** A row as it stands in the source. Binary values of Parquet are bytes here; text formats have none. */
export type RawRecord = Record<string, unknown>

/** Some rows of a source, in order. */
export interface RawBatch {
  readonly records: readonly RawRecord[]
  /** 1-based line (text formats) or row (JSON arrays, Parquet) of each record. */
  readonly lines: readonly number[]
  readonly errors: readonly GuerdonError[]
  /** Rows that were read, but not as they were written. */
  readonly warnings: readonly GuerdonError[]
  readonly bytesRead: number
  readonly bytesTotal: number | null
  /** Of Parquet: the columns' types, to write them back. */
  readonly schema?: ColumnSchema
  /** Of CSV and TSV: lists and objects are written as JSON text. */
  readonly textOnly?: boolean
}

/** What every format's reader is told. */
export interface RowOptions {
  /** Name of the source in errors. */
  readonly name: string
  readonly batchSize: number
  readonly gzip: boolean
  /** Keep the text of every number and the order of keys, not only warn of integers that a double rounds. */
  readonly exact: boolean
  /** Plain JSON Lines only: rows that start in [start, end). */
  readonly range?: readonly [start: number, end: number]
  /** Line number of the first row of `range`; counted from the file's start when left out. */
  readonly firstLine?: number
  /** JSON only: dotted path of the array of records inside a top-level object. */
  readonly at?: string
}

/** A batch is handed over early when its rows hold more text than this [bytes or UTF-16 code units]. */
const batchText = 16 * 2 ** 20

/** Collects rows into batches. */
export class BatchBuilder {
  records: RawRecord[] = []
  lines: number[] = []
  errors: GuerdonError[] = []
  warnings: GuerdonError[] = []
  readonly name: string
  readonly #size: number
  #text = 0

  constructor(name: string, size: number) {
    this.name = name
    this.#size = size
  }

  get full(): boolean {
    return this.records.length >= this.#size || this.errors.length >= this.#size || this.#text >= batchText
  }

  get empty(): boolean {
    return this.records.length === 0 && this.errors.length === 0 && this.warnings.length === 0
  }

  /** Adds a parsed value when it is an object that is not nested too deeply, an error otherwise. */
  add(value: unknown, line: number, textLength: number): void {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      this.fail(
        line,
        'bad-row',
        `is ${kindOf(value)}, not an object with named fields.`,
        'Write one {"...": ...} a row.',
      )
    else if (textLength > 2 * depthLimit && isDeeperThan(value, depthLimit))
      this.fail(
        line,
        'too-deep',
        `nests deeper than ${depthLimit} levels.`,
        'Flatten the value or write it as a string.',
      )
    else this.push(value as RawRecord, line, textLength)
  }

  push(record: RawRecord, line: number, textLength: number): void {
    this.records.push(record)
    this.lines.push(line)
    this.#text += textLength
  }

  fail(line: number, code: string, what: string, fix?: string, field?: string): void {
    this.errors.push(
      new GuerdonError(code, what, {
        place: { file: this.name, line, ...(field ? { field } : {}) },
        ...(fix ? { fix } : {}),
      }),
    )
  }

  /** The batch so far; a new one is begun. */
  take(bytesRead: number, bytesTotal: number | null): RawBatch {
    const { records, lines, errors, warnings } = this
    this.records = []
    this.lines = []
    this.errors = []
    this.warnings = []
    this.#text = 0
    return { records, lines, errors, warnings, bytesRead, bytesTotal }
  }
}

/** What a value is, for people. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (value instanceof Uint8Array) return 'bytes'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
