import { isUtf8 } from 'node:buffer'
import { GuerdonError } from '../core/index.ts'
import { setOwn } from './exact-json.ts'
import { lineRows, withoutByteOrderMark } from './lines.ts'
import { BatchBuilder, type RawBatch, type RawRecord, type RowOptions } from './rows.ts'
import { openBytes, unreadable } from './source.ts'

/** Longest row that is read [bytes]. */
const rowLimit = 256 * 2 ** 20

/**
 * The rows of a CSV file with a header line, quoted as RFC 4180 says, with LF or CRLF. Every value is text, as it
 * stands (`007` stays `007`); an empty field is null and a quoted empty field (`""`) the empty text. Fields that a row
 * lacks at its end are missing, with a warning.
 */
export async function* csvRows(path: string, options: RowOptions): AsyncGenerator<RawBatch> {
  const { parse } = await import('csv-parse')
  const source = await openBytes(path, { gzip: options.gzip })
  const batch = new BatchBuilder(options.name, options.batchSize)
  const take = () => ({ ...batch.take(source.bytesRead(), source.bytesTotal), textOnly: true })
  let header: readonly string[] | undefined
  let line = 1
  let parserLines = 0
  const parser = parse({
    // Bytes one to one, so that what is not UTF-8 can be told row by row.
    encoding: 'latin1',
    info: true,
    max_record_size: rowLimit,
    relax_quotes: true, // a quote inside a bare field is text; refusing it would lose every row after it
    relax_column_count: true,
    skip_records_with_error: true,
    cast: (value, context) => (value === '' && !context.quoting ? null : value),
    on_skip: (error) => {
      batch.fail(
        line,
        'broken-csv',
        `${error?.message ?? 'the row cannot be read'}.`,
        'Close every quote, and double the quotes inside quoted fields.',
      )
      if (typeof error?.lines !== 'number') return
      line += Math.max(1, error.lines - parserLines)
      parserLines = error.lines
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
      const start = line
      line += 1 + newlinesIn(record) // the parser counts CRLF inside quotes twice
      parserLines = info.lines
      if (record.length === 1 && record[0] === null && header?.length !== 1) continue // a blank line
      const values = decoded(record)
      if (values === undefined)
        batch.fail(start, 'invalid-utf8', 'holds bytes that are not UTF-8.', 'Save the file as UTF-8.')
      else if (header === undefined) header = headerOf(values, path)
      else addRow(batch, header, values, start, 'Quote fields that hold commas or line breaks.')
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

/**
 * The rows of a TSV file with a header line. TSV knows no quoting: a field is the text between two tabs, an empty one
 * null.
 */
export async function* tsvRows(path: string, options: RowOptions): AsyncGenerator<RawBatch> {
  let header: readonly string[] | undefined
  const notCareful = () => false
  const rows = lineRows(path, options, notCareful, (text, _careful, line, batch) => {
    const bare = text.endsWith('\r') ? text.slice(0, -1) : text
    if (bare === '' && header?.length !== 1) return
    const values = bare.split('\t').map((field) => (field === '' ? null : field))
    if (header === undefined) header = headerOf(values, path)
    else addRow(batch, header, values, line, 'Write a file whose fields hold tabs or line breaks as CSV.')
  })
  for await (const batch of rows) yield { ...batch, textOnly: true }
}

/** Adds the fields of a row under their names; missing last ones are missing, not null, with a warning. */
function addRow(
  batch: BatchBuilder,
  header: readonly string[],
  values: readonly (string | null)[],
  line: number,
  fix: string,
): void {
  const what = `has ${values.length} fields where the header names ${header.length}.`
  if (values.length > header.length) {
    batch.fail(line, 'broken-csv', what, fix)
    return
  }
  const row: RawRecord = {}
  let textLength = 0
  for (let index = 0; index < values.length; index++) {
    setOwn(row, header[index]!, values[index])
    textLength += values[index]?.length ?? 0
  }
  batch.push(row, line, textLength)
  if (values.length < header.length)
    batch.warnings.push(
      new GuerdonError('short-row', what, {
        place: { file: batch.name, line, field: header[values.length]! },
        fix: 'The row may be cut off, or the header may name a column too many.',
      }),
    )
}

function newlinesIn(fields: readonly (string | null)[]): number {
  let count = 0
  for (const field of fields)
    if (field !== null) for (let at = field.indexOf('\n'); at >= 0; at = field.indexOf('\n', at + 1)) count++
  return count
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
