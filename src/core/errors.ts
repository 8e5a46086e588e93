/** Where in the user's material something went wrong; every known field is part of the message. */
export interface Place {
  readonly file?: string
  /** 1-based line of a text file, or row of a table. */
  readonly line?: number
  readonly field?: string
  readonly sample?: string
  readonly reward?: string
}

/**
 * Thrown for the programmer or the user: a bad option, a misspelt name, an unreadable file. What the *world* does
 * wrong while a sample is judged (an unparsable answer, a refused call) is not thrown but returned as an unscored
 * `Score`.
 */
export class GuerdonError extends Error {
  override readonly name = 'GuerdonError'
  /** A stable kebab-case word to branch on. */
  readonly code: string
  readonly place: Place
  /** What to do about it, as a sentence. */
  readonly fix: string | undefined

  constructor(code: string, what: string, options: { place?: Place; fix?: string; cause?: unknown } = {}) {
    const place = options.place ?? {}
    super(
      [describePlace(place), what, options.fix && ` ${options.fix}`].filter(Boolean).join(''),
      options.cause === undefined ? undefined : { cause: options.cause },
    )
    this.code = code
    this.place = place
    this.fix = options.fix
  }
}

function describePlace({ file, line, field, sample, reward }: Place): string {
  const where = [
    file !== undefined
      ? line !== undefined
        ? `${file}:${line}`
        : file
      : line !== undefined
        ? `line ${line}`
        : '',
    field !== undefined ? `field "${field}"` : '',
    sample !== undefined ? `sample "${sample}"` : '',
    reward !== undefined ? `reward "${reward}"` : '',
  ].filter(Boolean)
  return where.length === 0 ? '' : `${where.join(', ')}: `
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The nearest of `known` to a misspelt name (edit distance at most 2, or a shared prefix), for "did you mean". */
export function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let bestDistance = 3
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance]
  }
  return best ?? known.find((candidate) => name.length >= 3 && candidate.startsWith(name))
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}
