import { isAscii, isUtf8 } from 'node:buffer'
import { GuerdonError } from '../core/index.ts'
import { BatchBuilder, type RawBatch, type RowOptions } from './rows.ts'
import { type ByteSource, openBytes, unreadable } from './source.ts'

const newline = 10
/** Longest line that is read [bytes]. */
const lineLimit = 256 * 2 ** 20

/** Adds what a line holds to the batch. `careful` is what `mayNeedCare` said of the block it stands in. */
export type UseLine = (text: string, careful: boolean, line: number, batch: BatchBuilder) => void

/**
 * The rows of a text file with one row a line (without its line feed; a carriage return before it is kept). Lines that
 * are not UTF-8 or longer than 256 MiB are errors, a byte order mark is left out.
 */
export async function* lineRows(
  path: string,
  options: RowOptions,
  mayNeedCare: (text: string) => boolean,
  use: UseLine,
): AsyncGenerator<RawBatch> {
  const { range } = options
  const start = range ? range[0] : 0
  // A row starts after a newline: read from the byte before, to see whether one stands there.
  const source = await openBytes(path, { gzip: options.gzip, start: Math.max(0, start - 1) })
  try {
    let line = options.firstLine ?? 1
    if (range && start > 0 && options.firstLine === undefined) line = 1 + (await newlinesBefore(path, start))
    const reader = new LineReader(options, source, line, mayNeedCare, use)
    let first = true
    for await (const block of wholeLines(path, source, reader, range)) {
      yield* reader.block(first && start === 0 ? withoutByteOrderMark(block, path) : block)
      first = false
    }
    if (!reader.batch.empty) yield reader.take()
  } finally {
    source.close()
  }
}

/** Byte ranges that split a plain JSON Lines file into `count` nearly equal parts, with each part's first line. */
export async function byteRanges(
  path: string,
  count: number,
): Promise<{ range: readonly [start: number, end: number]; firstLine: number }[]> {
  const source = await openBytes(path, { gzip: false })
  const total = source.bytesTotal ?? 0
  const starts = Array.from({ length: count }, (_, index) => Math.floor((total * index) / count))
  const firstLines = [1]
  try {
    let offset = 0
    let newlines = 0
    for await (const chunk of source.chunks) {
      let from = 0
      while (firstLines.length < count && starts[firstLines.length]! - 1 < offset + chunk.length) {
        const to = Math.max(from, starts[firstLines.length]! - 1 - offset)
        newlines += countNewlines(chunk, from, to)
        from = to
        firstLines.push(newlines + 2) // a part's first row follows the first newline from here on
      }
      newlines += countNewlines(chunk, from, chunk.length)
      offset += chunk.length
    }
  } finally {
    source.close()
  }
  return starts.map((start, index) => ({
    range: [start, starts[index + 1] ?? total],
    firstLine: firstLines[index] ?? 1,
  }))
}

/** Turns blocks of whole lines into batches. */
class LineReader {
  readonly batch: BatchBuilder
  line: number
  readonly #source: ByteSource
  readonly #range: readonly [start: number, end: number]
  readonly #mayNeedCare: (text: string) => boolean
  readonly #use: UseLine

  constructor(
    options: RowOptions,
    source: ByteSource,
    line: number,
    mayNeedCare: (text: string) => boolean,
    use: UseLine,
  ) {
    this.batch = new BatchBuilder(options.name, options.batchSize)
    this.#source = source
    this.#range = options.range ?? [0, Number.POSITIVE_INFINITY]
    this.line = line
    this.#mayNeedCare = mayNeedCare
    this.#use = use
  }

  take(): RawBatch {
    const { bytesTotal } = this.#source
    const [start, end] = this.#range
    const total = bytesTotal === null ? null : Math.min(end - start, bytesTotal)
    return this.batch.take(Math.min(this.#source.bytesRead(), total ?? Number.POSITIVE_INFINITY), total)
  }

  *block(block: Buffer): Generator<RawBatch> {
    // Decoding and looking for trouble a block at a time costs a fraction of doing so line by line.
    if (!isUtf8(block)) {
      yield* this.#blockWithBadBytes(block)
      return
    }
    const text = block.toString(isAscii(block) ? 'latin1' : 'utf8')
    const careful = this.#mayNeedCare(text)
    for (let from = 0; from < text.length; ) {
      let to = text.indexOf('\n', from)
      if (to < 0) to = text.length
      this.#use(text.slice(from, to), careful, this.line, this.batch)
      this.line++
      from = to + 1
      if (this.batch.full) yield this.take()
    }
  }

  *#blockWithBadBytes(block: Buffer): Generator<RawBatch> {
    for (let from = 0; from < block.length; ) {
      let to = block.indexOf(newline, from)
      if (to < 0) to = block.length
      const bytes = block.subarray(from, to)
      if (isUtf8(bytes)) this.#use(bytes.toString('utf8'), true, this.line, this.batch)
      else
        this.batch.fail(
          this.line,
          'invalid-utf8',
          'holds bytes that are not UTF-8.',
          'Save the file as UTF-8, or convert it (for example with iconv).',
        )
      this.line++
      from = to + 1
      if (this.batch.full) yield this.take()
    }
  }
}

/** Strips the mark of UTF-8; a file in UTF-16 is refused by name. */
export function withoutByteOrderMark(block: Buffer, path: string): Buffer {
  if (block[0] === 0xef && block[1] === 0xbb && block[2] === 0xbf) return block.subarray(3)
  if ((block[0] === 0xff && block[1] === 0xfe) || (block[0] === 0xfe && block[1] === 0xff))
    throw new GuerdonError('invalid-utf8', 'is UTF-16, not UTF-8.', {
      place: { file: path },
      fix: 'Save it as UTF-8, or convert it (for example with iconv -f UTF-16 -t UTF-8).',
    })
  return block
}

/** The source in blocks that end with a line's end; the rows that start in `range` only. */
async function* wholeLines(
  path: string,
  source: ByteSource,
  reader: LineReader,
  range: readonly [number, number] | undefined,
): AsyncGenerator<Buffer> {
  let offset = range ? Math.max(0, range[0] - 1) : 0
  let skipping = range !== undefined && range[0] > 0
  let pending: Buffer[] = []
  let pendingBytes = 0
  let tooLong = false
  try {
    for await (let chunk of source.chunks) {
      let last = false
      if (range) {
        if (skipping) {
          const at = chunk.indexOf(newline)
          if (at < 0) {
            offset += chunk.length
            continue
          }
          skipping = false
          offset += at + 1
          chunk = chunk.subarray(at + 1)
        }
        if (offset >= range[1] && pendingBytes === 0) return
        if (offset + chunk.length >= range[1]) {
          const at = chunk.indexOf(newline, Math.max(0, range[1] - 1 - offset))
          if (at >= 0) {
            chunk = chunk.subarray(0, at + 1)
            last = true
          }
        }
        offset += chunk.length
      }
      let cut = chunk.lastIndexOf(newline)
      if (cut >= 0 && tooLong) {
        // The end of a line that was given up.
        const at = chunk.indexOf(newline)
        reader.batch.fail(reader.line, 'too-long', `is longer than ${lineLimit} bytes.`, 'Split the row.')
        reader.line++
        chunk = chunk.subarray(at + 1)
        cut -= at + 1
        tooLong = false
      }
      if (cut >= 0) {
        let from = 0
        if (pendingBytes > 0) {
          from = chunk.indexOf(newline) + 1 // only the cut line is copied
          yield Buffer.concat([...pending, chunk.subarray(0, from)])
          pending = []
          pendingBytes = 0
        }
        if (from <= cut) yield chunk.subarray(from, cut + 1)
        chunk = chunk.subarray(cut + 1)
      }
      if (chunk.length > 0 && !tooLong) {
        pending.push(chunk)
        pendingBytes += chunk.length
        if (pendingBytes > lineLimit) {
          pending = []
          pendingBytes = 0
          tooLong = true
        }
      }
      if (last) return
    }
  } catch (error) {
    if (error instanceof GuerdonError) throw error
    reader.batch.errors.push(unreadable(path, error)) // what came before the damage is kept
    return
  }
  if (tooLong)
    reader.batch.fail(reader.line, 'too-long', `is longer than ${lineLimit} bytes.`, 'Split the row.')
  if (pendingBytes > 0) yield Buffer.concat(pending)
}

async function newlinesBefore(path: string, start: number): Promise<number> {
  if (start === 1) return 1
  const source = await openBytes(path, { gzip: false, end: start - 1 })
  let count = 1 // the newline that ends the row before the first one
  for await (const chunk of source.chunks) count += countNewlines(chunk, 0, chunk.length)
  return count
}

function countNewlines(chunk: Buffer, from: number, to: number): number {
  let count = 0
  for (let at = chunk.indexOf(newline, from); at >= 0 && at < to; at = chunk.indexOf(newline, at + 1)) count++
  return count
}
