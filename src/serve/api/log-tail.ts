import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Json } from '../../core/index.ts'

/** New lines of one JSON Lines file, parsed; `isAnew` where the file was begun anew and what was read of it is void. */
export interface LogNews {
  readonly file: string
  readonly records: readonly Json[]
  readonly isAnew: boolean
}

/** Most that is read of one file at a time [bytes]. */
const chunk = 4 * 2 ** 20

/** Reads what was appended to JSON Lines files since it last looked; a line that is not whole waits for its rest. */
export class LogTail {
  readonly #folder: string
  readonly #files = new Map<string, { offset: number; rest: Buffer }>()

  /** @param folder holds the logs, some levels deep */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** Files in the order of their names; nothing where nothing is new. */
  async news(): Promise<LogNews[]> {
    const found: LogNews[] = []
    for (const file of await logFiles(this.#folder)) {
      const news = await this.#newsOf(file)
      if (news !== null) found.push(news)
    }
    return found
  }

  async #newsOf(file: string): Promise<LogNews | null> {
    const path = join(this.#folder, file)
    const size = (await stat(path).catch(() => undefined))?.size ?? 0
    let state = this.#files.get(file) ?? { offset: 0, rest: Buffer.alloc(0) }
    const isAnew = size < state.offset
    if (isAnew) state = { offset: 0, rest: Buffer.alloc(0) }
    if (size === state.offset && !isAnew) return null
    const handle = await open(path)
    try {
      const bytes = Buffer.alloc(Math.min(chunk, size - state.offset))
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, state.offset)
      const text = Buffer.concat([state.rest, bytes.subarray(0, bytesRead)])
      const end = text.lastIndexOf(10) + 1
      this.#files.set(file, { offset: state.offset + bytesRead, rest: Buffer.from(text.subarray(end)) })
      const records = text
        .subarray(0, end)
        .toString('utf8')
        .split('\n')
        .flatMap((line) => {
          try {
            return line.trim() === '' ? [] : [JSON.parse(line) as Json]
          } catch {
            return [] // a line cut by a killed process
          }
        })
      return records.length === 0 && !isAnew ? null : { file, records, isAnew }
    } finally {
      await handle.close()
    }
  }
}

/** Paths below the folder, with slashes; no links are followed. */
async function logFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.jsonl'))
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    )
    .sort()
    .slice(0, 200)
}
