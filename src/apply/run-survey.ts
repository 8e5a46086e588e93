import { createHash } from 'node:crypto'
import { open, stat } from 'node:fs/promises'

/** A part of a JSON Lines file: the lines that start in [start, end), which are whole. */
export interface Segment {
  readonly number: number
  readonly start: number
  readonly end: number
  /** Line number of its first line, from 1. */
  readonly firstLine: number
}

export interface Survey {
  readonly bytes: number
  /** The first 32 hex digits of SHA-256 over the file's bytes. */
  readonly dataHash: string
  /** Of about `segmentBytes` each, in order; the whole file. Only meaningful for text in lines. */
  readonly segments: readonly Segment[]
}

/** Small enough that a killed run has little to read again, large enough that starting one costs nothing. */
export const segmentBytes = 2 * 2 ** 20

/** Reads a file once: its hash, and where to cut it so that several threads can read it. `undefined` if it is none. */
export async function surveyFile(path: string): Promise<Survey | undefined> {
  const isFile = await stat(path).then(
    (status) => status.isFile(),
    () => false,
  )
  const file = isFile ? await open(path).catch(() => undefined) : undefined
  if (file === undefined) return undefined // whoever reads it says why it cannot be read
  const hash = createHash('sha256')
  const segments: Segment[] = []
  const buffer = Buffer.allocUnsafeSlow(1 << 20)
  let [start, firstLine, line, offset] = [0, 1, 1, 0]
  try {
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, offset)
      if (bytesRead === 0) break
      const chunk = buffer.subarray(0, bytesRead)
      hash.update(chunk)
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) {
        line++
        const next = offset + at + 1
        if (next - start >= segmentBytes) {
          segments.push({ number: segments.length, start, end: next, firstLine })
          start = next
          firstLine = line
        }
      }
      offset += bytesRead
    }
  } finally {
    await file.close()
  }
  if (offset > start) segments.push({ number: segments.length, start, end: offset, firstLine })
  return { bytes: offset, dataHash: hash.digest('hex').slice(0, 32), segments }
}
