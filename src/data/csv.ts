import { isUtf8 } from 'node:buffer'
import { GuerdonError } from '../core/index.ts'
import { setOwn } from './exact-json.ts'
import { withoutByteOrderMark } from './jsonl.ts'
import { BatchBuilder, type RawBatch, type RawRecord, type RowOptions } from './rows.ts'
import { openBytes, unreadable } from './source.ts'

/** Longest row that is read [bytes]. */
const rowLimit = 256 * 2 ** 20

/**
 * The rows of a CSV or TSV file with a header line. Every value is text, as it stands (`007` stays `007`); an empty
 * field is null and a quoted empty field (`""`) the empty text. CSV is quoted as RFC 4180 says, with LF or CRLF;
 * TSV knows no quoting: a field is what stands between two tabs.
 */
export async function* csvRows(
  path: string,
  delimiter: ',' | '\t',
  options: RowOptions,
): AsyncGenerator<RawBatch> {
  const { parse } = await import('csv-parse')
  const source = await openBytes(path, { gzip: options.gzip })
  const batch = new BatchBuilder(options.name, options.batchSize)
  const take = () => batch.take(source.bytesRead(), source.bytesTotal)
  let header: readonly string[] | undefined
  let endOfLast = 0
  const parser = parse({
    delimiter,
    quote: delimiter === ',' ? '"' : null,
    // Bytes one to one, so that what is not UTF-8 can be told row by row.
    encoding: 'latin1',
    info: true,
    max_record_size: rowLimit,
    relax_column_count: true,
    skip_records_with_error: true,
    cast: (value, context) => (value === '' && !context.quoting ? null : value),
    on_skip: (error) => {
      const line = endOfLast + 1
      batch.fail(
        line,
        'broken-csv',
        `${error?.message ?? 'the row cannot be read'}.`,
        'Quote fields that hold quotes, commas or line breaks, and double the quotes inside.',
      )
      if (typeof error?.lines === 'number') endOfLast = Math.max(line, error.lines)
    },
  })
  const pump = (async () => {
    let first = true
    for await (const chunk of source.chunks) {
      const bytes = first ? withoutByteOrderMark(chunk, path) : chunk
      first = false
      if (!parser.write(bytes)) await new Promise((resolve) => parser.once('drain', resolve))
    }
    parser.end()
  })()
  pump.catch((error) => parser.destroy(error))
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      record: (string | null)[]
      info: { lines: number }
    }>) {
      const line = endOfLast + 1
      endOfLast = info.lines
      if (record.length === 1 && record[0] === null && header?.length !== 1) continue // a blank line
      const values = decoded(record)
      if (values === undefined)
        batch.fail(line, 'invalid-utf8', 'holds bytes that are not UTF-8.', 'Save the file as UTF-8.')
      else if (header === undefined) header = headerOf(values, path)
      else if (values.length !== header.length)
        batch.fail(
          line,
          'broken-csv',
          `has ${values.length} fields where the header names ${header.length}.`,
          delimiter === ','
            ? 'Quote fields that hold commas or line breaks.'
            : 'TSV is read without quoting: write a file whose fields hold tabs or line breaks as CSV.',
        )
      else {
        const row: RawRecord = {}
        for (let index = 0; index < values.length; index++) setOwn(row, header[index]!, values[index])
        batch.records.push(row)
        batch.lines.push(line)
      }
      if (batch.full) yield take()
    }
    await pump
  } catch (error) {
    if (error instanceof GuerdonError) throw error
    batch.errors.push(unreadable(path, error))
  } finally {
    source.close()
    parser.destroy()
  }
  if (!batch.empty) yield take()
}

/** The texts of fields that were read as bytes; `undefined` when one is not UTF-8. */
function decoded(fields: readonly (string | null)[]): (string | null)[] | undefined {
  const texts: (string | null)[] = []
  for (const field of fields) {
    if (field === null || !/[\x80-\xff]/.test(field)) texts.push(field)
    else {
      const bytes = Buffer.from(field, 'latin1')
      if (!isUtf8(bytes)) return undefined
      texts.push(bytes.toString('utf8'))
    }
  }
  return texts
}

function headerOf(values: readonly (string | null)[], path: string): readonly string[] {
  const header = values.map((value) => value ?? '')
  const twice = header.find((name, index) => header.indexOf(name) !== index)
  if (twice !== undefined)
    throw new GuerdonError('bad-header', `the header names the column "${twice}" twice.`, {
      place: { file: path, line: 1 },
      fix: 'Give every column its own name.',
    })
  return header
}
