import { open } from 'node:fs/promises'
import type { AsyncBuffer, FileMetaData, SchemaElement } from 'hyparquet'
import { GuerdonError, messageOf } from '../core/index.ts'
import { rememberNumberText, setOwn } from './exact-json.ts'
import { BatchBuilder, type RawBatch, type RawRecord, type RowOptions } from './rows.ts'
import { fileSize, unreadable } from './source.ts'

/** Types of a Parquet file's columns, as its own schema has them (a depth-first list below a root). */
export type ColumnSchema = readonly SchemaElement[]

/** Rows of one row group are decoded in parts of about this size [bytes], to bound memory. */
const partBytes = 256 * 2 ** 20

/**
 * The rows of a Parquet file, one row group in memory at a time. Integers of 64 bits become numbers (their digits are
 * remembered), dates and timestamps ISO texts to their full precision, NaN and infinities null with a warning, bytes
 * stay bytes (`exact`: base64 text). Absent values are null: Parquet does not tell a missing key from null.
 */
export async function* parquetRows(path: string, options: RowOptions): AsyncGenerator<RawBatch> {
  const { parquetMetadataAsync, parquetReadObjects } = await import('hyparquet')
  const { compressors } = await import('hyparquet-compressors')
  const bytesTotal = await fileSize(path)
  const handle = await open(path).catch((error) => {
    throw unreadable(path, error)
  })
  const batch = new BatchBuilder(options.name, options.batchSize)
  try {
    const file = fileBuffer(handle, bytesTotal)
    let metadata: FileMetaData
    try {
      metadata = await parquetMetadataAsync(file)
    } catch (error) {
      throw new GuerdonError('broken-parquet', `is not readable Parquet: ${messageOf(error)}.`, {
        place: { file: path },
        fix: 'The file may be cut off (an unfinished download) or of another format.',
        cause: error,
      })
    }
    const total = Number(metadata.num_rows)
    const take = (rows: number): RawBatch => ({
      ...batch.take(total === 0 ? bytesTotal : Math.floor((bytesTotal * rows) / total), bytesTotal),
      schema: metadata.schema,
    })
    let groupStart = 0
    for (const group of metadata.row_groups) {
      const rows = Number(group.num_rows)
      const rowBytes = Number(group.total_byte_size) / Math.max(1, rows)
      const parts = Math.max(1, Math.ceil(Number(group.total_byte_size) / partBytes))
      const step = Math.max(1, Math.ceil(rows / parts))
      for (let from = 0; from < rows; from += step) {
        const rowStart = groupStart + from
        const rowEnd = groupStart + Math.min(rows, from + step)
        try {
          const objects = await parquetReadObjects({
            file,
            metadata,
            rowStart,
            rowEnd,
            compressors,
            utf8: false,
            useOffsetIndex: parts > 1,
            parsers,
          })
          for (const [index, object] of objects.entries()) {
            const line = rowStart + index + 1
            batch.push(plain(object, line, batch, options.exact), line, rowBytes)
            if (batch.full) yield take(line)
          }
        } catch (error) {
          batch.fail(
            rowStart + 1,
            'broken-parquet',
            `rows ${rowStart + 1} to ${rowEnd} cannot be read: ${messageOf(error)}.`,
            'The file may be damaged; other rows are kept.',
          )
        }
      }
      groupStart += rows
    }
    if (!batch.empty) yield take(total)
  } finally {
    await handle.close()
  }
}

function fileBuffer(handle: import('node:fs/promises').FileHandle, byteLength: number): AsyncBuffer {
  return {
    byteLength,
    slice: async (start, end = byteLength) => {
      const bytes = new Uint8Array(Math.max(0, end - start))
      let filled = 0
      while (filled < bytes.length) {
        const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, start + filled)
        if (bytesRead === 0) throw new Error('the file ends early')
        filled += bytesRead
      }
      return bytes.buffer
    },
  }
}

const parsers = {
  timestampFromMilliseconds: (units: bigint) => isoTime(units, 3),
  timestampFromMicroseconds: (units: bigint) => isoTime(units, 6),
  timestampFromNanoseconds: (units: bigint) => isoTime(units, 9),
  dateFromDays: (days: number) => new Date(days * 86_400_000).toISOString().slice(0, 10),
}

/** ISO 8601 in UTC with all of the column's digits, such as `2024-05-01T12:00:00.123456Z`. */
function isoTime(units: bigint, digits: 3 | 6 | 9): string {
  const perSecond = 10n ** BigInt(digits)
  const fraction = ((units % perSecond) + perSecond) % perSecond
  const seconds = Number((units - fraction) / perSecond)
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${String(fraction).padStart(digits, '0')}Z`
}

/** A row in plain values. */
function plain(root: RawRecord, line: number, batch: BatchBuilder, base64: boolean): RawRecord {
  const value = (item: unknown, holder: object, key: string, path: string): unknown => {
    switch (typeof item) {
      case 'bigint': {
        const number = Number(item)
        if (!Number.isSafeInteger(number)) rememberNumberText(result, holder, key, String(item))
        return number
      }
      case 'number':
        if (Number.isFinite(item)) return item
        batch.warnings.push(
          new GuerdonError('not-finite', `is ${item}, which JSON does not have; it is read as null.`, {
            place: { file: batch.name, line, field: path },
          }),
        )
        return null
      case 'undefined':
        return null
      case 'object':
        break
      default:
        return item
    }
    if (item === null) return null
    if (item instanceof Uint8Array) return base64 ? Buffer.from(item).toString('base64') : item
    if (Array.isArray(item)) {
      const list: unknown[] = []
      for (let index = 0; index < item.length; index++)
        list.push(value(item[index], list, String(index), `${path}.${index}`))
      return list
    }
    return fields(item as RawRecord, {}, `${path}.`)
  }
  const fields = (from: RawRecord, to: RawRecord, prefix: string): RawRecord => {
    for (const key of Object.keys(from)) setOwn(to, key, value(from[key], to, key, prefix + key))
    return to
  }
  const result: RawRecord = {}
  return fields(root, result, '')
}
