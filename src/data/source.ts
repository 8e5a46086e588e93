import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { GuerdonError, messageOf, nearest } from '../core/index.ts'

const formats = ['jsonl', 'json', 'csv', 'tsv', 'parquet'] as const
type Format = (typeof formats)[number]

const extensions: Readonly<Record<string, Format>> = {
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  json: 'json',
  csv: 'csv',
  tsv: 'tsv',
  parquet: 'parquet',
}

/** What a file's name says: its format, and whether it is gzipped. */
export interface FileKind {
  readonly format: Format
  readonly gzip: boolean
}

/** Format by option, else by extension (`.jsonl .ndjson .json .csv .tsv .parquet`, each also `.gz`). */
export function fileKind(path: string, format?: string): FileKind {
  const [, extension = '', gz] = /\.([^./\\]+?)(\.gz)?$/i.exec(path) ?? []
  const gzip = gz !== undefined
  if (format !== undefined) {
    if ((formats as readonly string[]).includes(format)) return { format: format as Format, gzip }
    const guess = nearest(format, formats)
    throw new GuerdonError('unknown-format', `the format "${format}" is not known.`, {
      place: { file: path },
      fix: `${guess ? `Did you mean "${guess}"? ` : ''}Formats: ${formats.join(', ')}.`,
    })
  }
  if (path === '-') return { format: 'jsonl', gzip: false }
  const known = extensions[extension.toLowerCase()]
  if (known) return { format: known, gzip }
  throw new GuerdonError('unknown-format', `no format goes by the extension "${extension}".`, {
    place: { file: path },
    fix: `Say it with --format (\`format\` in code): ${formats.join(', ')} (each may be gzipped, with .gz after the extension).`,
  })
}

/** What a source is called in messages. */
export function sourceName(source: string): string {
  return source === '-' ? 'standard input' : source
}

/** A file's bytes, decompressed, with how far into the file on disk reading has come. */
export interface ByteSource {
  readonly chunks: AsyncIterable<Buffer>
  /** Bytes on disk, null for a stream of unknown length. */
  readonly bytesTotal: number | null
  bytesRead(): number
  close(): void
}

/** Opens a file or standard input (`-`). `start` and `end` (exclusive) are byte offsets of a plain file. */
export async function openBytes(
  path: string,
  { gzip, start = 0, end }: { gzip: boolean; start?: number; end?: number },
): Promise<ByteSource> {
  let bytesRead = 0
  let raw: Readable
  let bytesTotal: number | null = null
  if (path === '-') raw = process.stdin
  else {
    const size = await fileSize(path)
    bytesTotal = (end === undefined ? size : Math.min(end, size)) - Math.min(start, size)
    raw = createReadStream(path, {
      highWaterMark: 1 << 18,
      start,
      ...(end === undefined ? {} : { end: Math.max(start, end - 1) }),
    })
  }
  raw.on('data', (chunk: Buffer) => {
    bytesRead += chunk.length
  })
  raw.pause()
  let stream: Readable = raw
  if (gzip) {
    const gunzip = createGunzip({ chunkSize: 1 << 18 })
    raw.on('error', (error) => gunzip.destroy(error))
    stream = raw.pipe(gunzip)
  }
  return {
    chunks: stream,
    bytesTotal,
    bytesRead: () => bytesRead,
    close: () => {
      stream.destroy()
      if (path !== '-') raw.destroy()
    },
  }
}

/** Size of a readable regular file in bytes. Throws a `GuerdonError` that says why it cannot be read. */
export async function fileSize(path: string): Promise<number> {
  try {
    const status = await stat(path)
    if (status.isDirectory())
      throw new GuerdonError('unreadable', 'is a folder.', {
        place: { file: path },
        fix: 'Name one file in it.',
      })
    return status.size
  } catch (error) {
    throw error instanceof GuerdonError ? error : unreadable(path, error)
  }
}

/** The error for a file that cannot be opened or read on. */
export function unreadable(path: string, cause: unknown): GuerdonError {
  const code = (cause as NodeJS.ErrnoException)?.code
  const [what, fix] =
    code === 'ENOENT'
      ? ['does not exist.', 'Check the path; it is taken relative to the current folder.']
      : code === 'EACCES' || code === 'EPERM'
        ? ['may not be read.', 'Check its permissions.']
        : code?.startsWith('Z_') || /unexpected end of file|incorrect header check/.test(messageOf(cause))
          ? [
              `is not intact gzip: ${messageOf(cause)}.`,
              'The file may be cut off or not gzipped; make it anew. Rows before the damage are kept.',
            ]
          : [`cannot be read: ${messageOf(cause)}.`, undefined]
  return new GuerdonError('unreadable', what, { place: { file: path }, ...(fix ? { fix } : {}), cause })
}
