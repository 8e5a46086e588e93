import { createWriteStream } from 'node:fs'
import { mkdtemp, open, realpath, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { GuerdonError, type JsonObject, messageOf, type Sample } from '../core/index.ts'
import { exactJson, numberText } from './exact-json.ts'
import type { ColumnSchema } from './parquet.ts'
import { readRecords } from './records.ts'
import { type FileKind, fileKind } from './source.ts'
import { turnsRecord } from './turns.ts'

export interface WriteOptions {
  /** @default by extension, as for reading */
  readonly format?: 'jsonl' | 'json' | 'csv' | 'tsv' | 'parquet'
  /** @default whether the path ends in `.gz` */
  readonly gzip?: boolean
  /** CSV and TSV: the columns, in order. @default every column of any record, in the order they first stand in */
  readonly columns?: readonly string[]
  /** Parquet: the columns' types, as a `RecordBatch` of Parquet has them. @default inferred from all records */
  readonly schema?: ColumnSchema
  readonly signal?: AbortSignal
}

type Records = Iterable<JsonObject> | AsyncIterable<JsonObject>

/**
 * Writes records to a file and returns how many. The file appears whole or not at all: it is written beside its
 * place under a temporary name and renamed at the end, and an older file stays until then. `-` is standard output
 * (JSON Lines). CSV writes text as it is, null as an empty field, the empty text as `""` and lists and objects as
 * JSON; TSV cannot tell null from the empty text. Throws a `GuerdonError` when the place cannot be written (full,
 * read-only) or a record does not fit the format.
 */
export async function writeRecords(
  path: string,
  records: Records,
  options: WriteOptions = {},
): Promise<number> {
  const kind = fileKind(path, options.format)
  const gzip = options.gzip ?? kind.gzip
  if (path === '-') {
    let count = 0
    for await (const record of records) {
      if (!process.stdout.write(`${jsonLine(record, ++count)}\n`))
        await new Promise((resolve) => process.stdout.once('drain', resolve))
    }
    return count
  }
  return atomically(path, (temporary) => writeFile(temporary, { ...kind, gzip }, records, options))
}

/** Writes samples as guerdon's own records: what `readSamples` reads back as the same samples. */
export async function writeSamples(
  path: string,
  samples: Iterable<Sample> | AsyncIterable<Sample>,
  options: WriteOptions = {},
): Promise<number> {
  return writeRecords(path, mapped(samples, sampleRecord), options)
}

/** A sample as a record: id, prompt, output, reference and group where there are, meta. */
export function sampleRecord({ id, prompt, output, reference, group, meta }: Sample): JsonObject {
  return {
    id,
    prompt: turnsRecord(prompt),
    output: turnsRecord(output),
    ...(reference === undefined ? {} : { reference }),
    ...(group === undefined ? {} : { group }),
    ...(Object.keys(meta).length === 0 ? {} : { meta }),
  }
}

export async function* mapped<A, B>(
  items: Iterable<A> | AsyncIterable<A>,
  change: (item: A) => B,
): AsyncGenerator<B> {
  for await (const item of items) yield change(item)
}

let writes = 0

async function atomically(path: string, write: (temporary: string) => Promise<number>): Promise<number> {
  const target = await realpath(path).catch(() => path) // a link stays a link
  const temporary = `${target}.${process.pid}-${++writes}.partial`
  try {
    const count = await write(temporary)
    const handle = await open(temporary, 'r+')
    await handle.sync()
    await handle.close()
    await rename(temporary, target)
    return count
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw error instanceof GuerdonError || (error as Error)?.name === 'AbortError'
      ? error
      : unwritable(path, error)
  }
}

function unwritable(path: string, cause: unknown): GuerdonError {
  const [what, fix] = {
    ENOSPC: ['cannot be written: the disk is full.', 'Free some space or write elsewhere.'],
    EDQUOT: ['cannot be written: the disk quota is used up.', 'Free some space or write elsewhere.'],
    EROFS: ['cannot be written: the disk is read-only.', 'Write elsewhere.'],
    EACCES: ['may not be written.', 'Check the permissions of the folder, or write elsewhere.'],
    EPERM: ['may not be written.', 'Check the permissions of the folder, or write elsewhere.'],
    ENOENT: [`cannot be written: the folder ${dirname(path)} does not exist.`, 'Make the folder first.'],
    EISDIR: ['is a folder.', 'Name a file in it.'],
  }[(cause as NodeJS.ErrnoException)?.code ?? ''] ?? [`cannot be written: ${messageOf(cause)}.`, '']
  return new GuerdonError('cannot-write', what!, { place: { file: path }, ...(fix ? { fix } : {}), cause })
}

async function writeFile(
  path: string,
  kind: FileKind,
  records: Records,
  options: WriteOptions,
): Promise<number> {
  const { format, gzip } = kind
  let count = 0
  const counted = mapped(records, (record) => {
    count++
    return record
  })
  const text = (chunks: AsyncIterable<string>) => writeText(path, chunks, gzip, options.signal)
  switch (format) {
    case 'jsonl':
      await text(joined(mapped(counted, (record) => `${jsonLine(record, count)}\n`)))
      return count
    case 'json':
      await text(joined(jsonArray(counted)))
      return count
    case 'csv':
    case 'tsv': {
      if (options.columns) {
        await text(joined(table(counted, options.columns, format)))
        return count
      }
      return spooled(counted, async (again, columns) => {
        await text(joined(table(again, columns, format)))
        return count
      })
    }
    case 'parquet': {
      const { inferSchema, writeParquet } = await import('./parquet-write.ts')
      if (gzip)
        throw new GuerdonError('bad-option', 'Parquet is not gzipped as a whole.', {
          place: { file: path },
          fix: 'Leave out .gz: its columns are compressed inside.',
        })
      if (options.schema) {
        await writeParquet(path, counted, options.schema)
        return count
      }
      const inference = inferSchema()
      return spooled(
        mapped(counted, (record) => {
          inference.add(record)
          return record
        }),
        async (again) => {
          await writeParquet(path, again, inference.schema())
          return count
        },
      )
    }
  }
}

/**
 * Runs through records once, keeping them in a temporary file, and hands them over again with the columns of all:
 * what a table needs to know before its first row.
 */
async function spooled<T>(
  records: AsyncIterable<JsonObject>,
  use: (again: AsyncIterable<JsonObject>, columns: readonly string[]) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'guerdon-'))
  try {
    const path = join(folder, 'spool.jsonl')
    const columns = new Set<string>()
    let count = 0
    const lines = mapped(records, (record) => {
      for (const key in record) columns.add(key)
      return `${jsonLine(record, ++count)}\n`
    })
    await writeText(path, joined(lines), false)
    return await use(count === 0 ? noRecords() : spooledRecords(path), [...columns])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function* noRecords(): AsyncGenerator<JsonObject> {}

async function* spooledRecords(path: string): AsyncGenerator<JsonObject> {
  for await (const { records, errors } of readRecords(path)) {
    if (errors[0]) throw errors[0]
    yield* records
  }
}

async function writeText(path: string, chunks: AsyncIterable<string>, gzip: boolean, signal?: AbortSignal) {
  const target = createWriteStream(path, { highWaterMark: 1 << 20 })
  const options = signal ? { signal } : {}
  if (gzip) await pipeline(Readable.from(chunks), createGzip(), target, options)
  else await pipeline(Readable.from(chunks), target, options)
}

/** Small texts as few large ones. */
async function* joined(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let parts: string[] = []
  let length = 0
  for await (const text of texts) {
    parts.push(text)
    length += text.length
    if (length < 1 << 18) continue
    yield parts.join('')
    parts = []
    length = 0
  }
  if (parts.length > 0) yield parts.join('')
}

function jsonLine(record: JsonObject, row: number): string {
  try {
    return exactJson(record)
  } catch (error) {
    throw unfit(row, `cannot be written as JSON: ${messageOf(error)}.`)
  }
}

/** The error for a record that a format cannot hold. */
export function unfit(row: number, what: string, field?: string, fix?: string): GuerdonError {
  return new GuerdonError('cannot-write', `record ${row} ${what}`, {
    ...(field === undefined ? {} : { place: { field } }),
    ...(fix === undefined ? {} : { fix }),
  })
}

async function* jsonArray(records: AsyncIterable<JsonObject>): AsyncGenerator<string> {
  let row = 0
  for await (const record of records) yield `${row++ === 0 ? '[\n' : ',\n'}${jsonLine(record, row)}`
  yield row === 0 ? '[]\n' : '\n]\n'
}

async function* table(
  records: AsyncIterable<JsonObject>,
  columns: readonly string[],
  format: 'csv' | 'tsv',
): AsyncGenerator<string> {
  const known = new Set(columns)
  const cell = format === 'csv' ? csvCell : tsvCell
  const delimiter = format === 'csv' ? ',' : '\t'
  yield `${columns.map((name) => cell(name, 0, name)).join(delimiter)}\n`
  let row = 0
  for await (const record of records) {
    row++
    for (const key in record)
      if (!known.has(key)) throw unfit(row, 'has a column that is not among the columns to write.', key)
    yield `${columns.map((name) => cell(cellText(record, name), row, name)).join(delimiter)}\n`
  }
}

function cellText(record: JsonObject, name: string): string | null {
  const value = record[name]
  if (value === undefined || value === null) return null
  if (typeof value === 'string') return value
  if (typeof value === 'number') return numberText(record, name) ?? String(value)
  return exactJson(value)
}

function csvCell(text: string | null): string {
  if (text === null) return ''
  return text === '' || /["\r\n,]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function tsvCell(text: string | null, row: number, name: string): string {
  if (text !== null && /[\t\r\n]/.test(text))
    throw unfit(row, 'holds a tab or a line break, which TSV cannot.', name, 'Write CSV or JSON Lines.')
  return text ?? ''
}
