import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { GuerdonError, type JsonObject } from '../core/index.ts'
import type { ColumnSchema } from './parquet.ts'
import type { RawBatch, RowOptions } from './rows.ts'
import { fileKind, openBytes, sourceName, unreadable } from './source.ts'

/** Where rows are read from and how. */
export interface RecordOptions {
  /** @default by extension: `.jsonl .ndjson .json .csv .tsv .parquet`, each also `.gz`; standard input is JSON Lines */
  readonly format?: 'jsonl' | 'json' | 'csv' | 'tsv' | 'parquet'
  /** Rows handed over at a time; fewer when they hold much text. @default 1024 */
  readonly batchSize?: number
  /** Stop after this many rows. */
  readonly limit?: number
  /** Plain JSON Lines only: rows that start inside these byte offsets (`byteRanges` makes equal parts). */
  readonly range?: readonly [startByte: number, endByte: number]
  /** Line number of the first row of `range`. @default counted from the file's start */
  readonly firstLine?: number
  /** JSON only: dotted path of the list of records inside a top-level object, such as `annotations`. */
  readonly at?: string
  readonly signal?: AbortSignal
}

export interface RecordBatch {
  readonly records: readonly JsonObject[]
  /** 1-based line (JSON Lines, CSV, TSV) or row (JSON, Parquet) of each record. */
  readonly lines: readonly number[]
  /** Rows that could not be read, each naming file, line and field. */
  readonly errors: readonly GuerdonError[]
  /** Rows that were read, but not all as it was written. */
  readonly warnings: readonly GuerdonError[]
  /** Bytes of the source consumed so far, for progress. */
  readonly bytesRead: number
  /** Size of the source [bytes], null where it is not known. */
  readonly bytesTotal: number | null
  /** Of Parquet: the columns' types; `writeRecords` takes them to write the same types back. */
  readonly schema?: ColumnSchema
}

/**
 * The rows of a file as they stand, in batches: nothing is dropped, renamed or converted. Numbers keep their text and
 * objects their order of keys when `writeRecords` writes them; bytes of Parquet are base64 text.
 *
 * `source` is a path, `-` (JSON Lines on standard input) or `hf://owner/name/split`. A row that cannot be read is an
 * error in its batch and the rest goes on. Throws a `GuerdonError` when the source cannot be read at all, is empty,
 * or holds no usable row.
 */
export async function* readRecords(source: string, options: RecordOptions = {}): AsyncGenerator<RecordBatch> {
  yield* readRows(source, options, true) as AsyncGenerator<RecordBatch>
}

/** As `readRecords`; with `exact` false bytes stay bytes and only integers that a double rounds are warned of. */
export async function* readRows(
  source: string,
  options: RecordOptions,
  exact: boolean,
): AsyncGenerator<RawBatch> {
  const { limit = Number.POSITIVE_INFINITY, signal } = options
  checkOptions(source, options)
  let left = limit
  let rows = 0
  let firstError: GuerdonError | undefined
  for await (const batch of await rowsOf(source, options, exact)) {
    signal?.throwIfAborted()
    rows += batch.records.length
    firstError ??= batch.errors[0]
    if (batch.records.length >= left) {
      yield firstOf(batch, left)
      return
    }
    left -= batch.records.length
    yield batch
  }
  if (rows === 0 && options.range === undefined) throw noUsableRow(source, firstError)
}

/** A batch cut after so many rows, with what is said of them. */
function firstOf(batch: RawBatch, rows: number): RawBatch {
  const lines = batch.lines.slice(0, rows)
  const inside = ({ place: { line } }: GuerdonError) => line === undefined || line <= lines.at(-1)!
  return {
    ...batch,
    records: batch.records.slice(0, rows),
    lines,
    errors: batch.errors.filter(inside),
    warnings: batch.warnings.filter(inside),
  }
}

/** The error for a source without one row that can be used. */
export function noUsableRow(source: string, firstError: GuerdonError | undefined): GuerdonError {
  const file = sourceName(source)
  return firstError
    ? new GuerdonError(
        'no-usable-row',
        `has no row that can be used; the first problem: ${firstError.message}`,
        {
          place: { file },
          cause: firstError,
        },
      )
    : new GuerdonError('empty', 'is empty.', { place: { file }, fix: 'Write at least one row.' })
}

async function rowsOf(
  source: string,
  options: RecordOptions,
  exact: boolean,
): Promise<AsyncIterable<RawBatch>> {
  if (source.startsWith('hf://')) {
    const { hubFiles } = await import('./hub.ts')
    const files = await hubFiles(source, options.signal ? { signal: options.signal } : {})
    return oneAfterTheOther(files, (file) =>
      rowsOfFile(file, `${source} (${basename(file)})`, options, exact),
    )
  }
  return rowsOfFile(source, sourceName(source), options, exact)
}

async function rowsOfFile(
  path: string,
  name: string,
  options: RecordOptions,
  exact: boolean,
): Promise<AsyncIterable<RawBatch>> {
  const { format, gzip } = fileKind(path, options.format)
  const rowOptions: RowOptions = {
    name,
    batchSize: options.batchSize ?? 1024,
    gzip,
    exact,
    ...(options.range ? { range: options.range } : {}),
    ...(options.firstLine === undefined ? {} : { firstLine: options.firstLine }),
    ...(options.at === undefined ? {} : { at: options.at }),
  }
  switch (format) {
    case 'jsonl':
      return (await import('./jsonl.ts')).jsonlRows(path, rowOptions)
    case 'json':
      return (await import('./json-stream.ts')).jsonRows(path, rowOptions)
    case 'csv':
      return (await import('./csv.ts')).csvRows(path, rowOptions)
    case 'tsv':
      return (await import('./csv.ts')).tsvRows(path, rowOptions)
    case 'parquet': {
      const { parquetRows } = await import('./parquet.ts')
      return gzip ? unzipped(path, (plain) => parquetRows(plain, rowOptions)) : parquetRows(path, rowOptions)
    }
  }
}

function checkOptions(source: string, { range, limit, batchSize, format }: RecordOptions): void {
  const fail = (what: string, fix: string) => {
    throw new GuerdonError('bad-option', what, { place: { file: source }, fix })
  }
  if (range) {
    const [start, end] = range
    if (!(Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && end >= start))
      fail(`[${start}, ${end}) is not a range of bytes.`, 'Give two whole numbers, the smaller first.')
    const kind = source.startsWith('hf://') ? undefined : fileKind(source, format)
    if (kind?.format !== 'jsonl' || kind.gzip || source === '-')
      fail('a range of bytes can be read of a plain JSON Lines file only.', 'Leave out `range`.')
  }
  for (const [name, value] of Object.entries({ limit, batchSize }))
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0))
      fail(`${name} is ${value}.`, 'Give a whole number above 0.')
}

/** Rows of several files as of one: bytes are summed and rows numbered on. */
async function* oneAfterTheOther(
  files: readonly { path: string; size: number }[],
  rows: (path: string) => Promise<AsyncIterable<RawBatch>>,
): AsyncGenerator<RawBatch> {
  const bytesTotal = files.reduce((sum, { size }) => sum + size, 0)
  let bytesBefore = 0
  let rowsBefore = 0
  for (const { path, size } of files) {
    let last = 0
    for await (const batch of await rows(path)) {
      const before = rowsBefore
      last = Math.max(last, batch.lines.at(-1) ?? 0)
      yield {
        ...batch,
        lines: before === 0 ? batch.lines : batch.lines.map((line) => line + before),
        bytesRead: bytesBefore + batch.bytesRead,
        bytesTotal,
      }
    }
    bytesBefore += size
    rowsBefore += last
  }
}

/** Parquet is read from its end, so a gzipped file is unpacked to a temporary one first. */
async function* unzipped(
  path: string,
  rows: (path: string) => AsyncIterable<RawBatch>,
): AsyncGenerator<RawBatch> {
  const folder = await mkdtemp(join(tmpdir(), 'guerdon-'))
  try {
    const plain = join(folder, 'unpacked.parquet')
    const source = await openBytes(path, { gzip: true })
    await pipeline(source.chunks, createWriteStream(plain)).catch((error) => {
      throw unreadable(path, error)
    })
    yield* rows(plain)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
