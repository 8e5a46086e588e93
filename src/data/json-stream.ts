import { isUtf8 } from 'node:buffer'
import { GuerdonError } from '../core/index.ts'
import { mayLoseText, mayLoseValue, parseExactJson } from './exact-json.ts'
import { brokenJson, warnOfInexactNumbers } from './jsonl.ts'
import { withoutByteOrderMark } from './lines.ts'
import { valueAt } from './paths.ts'
import { BatchBuilder, type RawBatch, type RowOptions } from './rows.ts'
import { openBytes, unreadable } from './source.ts'

/** Longest single record, or whole file whose top level is an object, that is read [bytes]. */
const valueLimit = 256 * 2 ** 20

/**
 * The records of a JSON file, without holding the file in memory: the elements of a top-level array, or, one after
 * the other, top-level objects (a file with one object is one record; with `at` the records are the array at that
 * path inside it). Rows are numbered from 1.
 */
export async function* jsonRows(path: string, options: RowOptions): AsyncGenerator<RawBatch> {
  const source = await openBytes(path, { gzip: options.gzip })
  const batch = new BatchBuilder(options.name, options.batchSize)
  const take = () => batch.take(source.bytesRead(), source.bytesTotal)
  const mayNeedCare = options.exact ? mayLoseText : mayLoseValue
  const splitter = new ValueSplitter(path)
  let row = 0
  const parse = (bytes: Buffer) => {
    row++
    if (!isUtf8(bytes)) {
      batch.fail(row, 'invalid-utf8', 'holds bytes that are not UTF-8.', 'Save the file as UTF-8.')
      return
    }
    const text = bytes.toString('utf8')
    let value: unknown
    try {
      value = mayNeedCare(text) ? parseExactJson(text) : JSON.parse(text)
    } catch (error) {
      batch.errors.push(brokenJson(text, error, batch.name, row))
      return
    }
    if (options.at !== undefined && !splitter.inArray) addAt(value, options.at)
    else batch.add(value, row, text.length)
    if (!options.exact) warnOfInexactNumbers(batch, value, row)
  }
  const addAt = (value: unknown, at: string) => {
    const items = valueAt(value, at)
    if (!Array.isArray(items))
      throw new GuerdonError('bad-option', `has no list of records at "${at}".`, {
        place: { file: path },
        fix: 'Name a key of the top-level object that holds a list.',
      })
    items.forEach((item, index) => {
      batch.add(item, index + 1, valueLimit)
    })
  }
  try {
    let first = true
    for await (const chunk of source.chunks) {
      for (const bytes of splitter.push(first ? withoutByteOrderMark(chunk, path) : chunk)) {
        parse(bytes)
        if (batch.full) yield take()
      }
      first = false
    }
    const rest = splitter.end()
    if (rest) parse(rest)
  } catch (error) {
    if (error instanceof GuerdonError && error.code !== 'broken-json') throw error
    batch.errors.push(error instanceof GuerdonError ? error : unreadable(path, error))
  } finally {
    source.close()
  }
  if (!batch.empty) yield take()
}

const quote = 34
const backslash = 92
const comma = 44
const openArray = 91
const closeArray = 93
const openObject = 123
const closeObject = 125

/** Cuts bytes of JSON into the texts of top-level values, or of the elements of one top-level array. */
class ValueSplitter {
  inArray = false
  readonly #path: string
  #started = false
  #closed = false
  #depth = 0
  #inString = false
  #escaped = false
  #pending: Buffer[] = []
  #pendingBytes = 0
  #elements = 0

  constructor(path: string) {
    this.#path = path
  }

  /** The values that `chunk` completes. */
  *push(chunk: Buffer): Generator<Buffer> {
    let from = 0
    for (let at = 0; at < chunk.length; at++) {
      if (this.#inString) {
        at = this.#stringEnd(chunk, at)
        continue
      }
      const byte = chunk[at]!
      if (byte <= 32) continue
      if (this.#closed) throw this.#broken('goes on after the end of its list')
      if (!this.#started) {
        this.#started = true
        if (byte === openArray) {
          this.inArray = true
          from = at + 1
          continue
        }
      }
      if (byte === quote) this.#inString = true
      else if (byte === openArray || byte === openObject) this.#depth++
      else if (byte === closeArray || byte === closeObject) {
        if (this.#depth === 0) {
          if (!this.inArray || byte === closeObject)
            throw this.#broken('closes a bracket that was not opened')
          const value = this.#takeValue(chunk, from, at)
          if (value) yield value
          else if (this.#elements > 0) throw this.#broken('has a comma before the end of its list')
          this.#closed = true
          from = at + 1
          continue
        }
        this.#depth--
        if (this.#depth === 0 && !this.inArray) {
          const value = this.#takeValue(chunk, from, at + 1)
          if (value) yield value
          from = at + 1
        }
      } else if (byte === comma && this.#depth === 0 && this.inArray) {
        const value = this.#takeValue(chunk, from, at)
        if (!value) throw this.#broken('has two commas with nothing between')
        yield value
        from = at + 1
      }
    }
    if (from < chunk.length) {
      this.#pending.push(chunk.subarray(from))
      this.#pendingBytes += chunk.length - from
      if (this.#pendingBytes > valueLimit)
        throw new GuerdonError('too-long', `has a record longer than ${valueLimit} bytes.`, {
          place: { file: this.#path },
          fix: 'Write it as JSON Lines, one record a line.',
        })
    }
  }

  /** What is left at the end of the file; an unclosed list is an error. */
  end(): Buffer | undefined {
    if (this.inArray && !this.#closed) throw this.#broken('ends inside its list')
    return this.#takeValue(Buffer.alloc(0), 0, 0)
  }

  #stringEnd(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      if (this.#escaped) {
        this.#escaped = false
        continue
      }
      const byte = chunk[at]
      if (byte === backslash) this.#escaped = true
      else if (byte === quote) {
        this.#inString = false
        return at
      }
    }
    return chunk.length
  }

  #takeValue(chunk: Buffer, from: number, to: number): Buffer | undefined {
    const bytes = Buffer.concat([...this.#pending, chunk.subarray(from, to)])
    this.#pending = []
    this.#pendingBytes = 0
    if (bytes.every((byte) => byte <= 32)) return undefined
    this.#elements++
    return bytes
  }

  #broken(what: string): GuerdonError {
    return new GuerdonError('broken-json', `the file ${what}.`, {
      place: { file: this.#path, line: this.#elements + 1 },
      fix: 'The file may be cut off or damaged; rows before this one are kept.',
    })
  }
}
