import { GuerdonError, type Sample } from '../core/index.ts'
import { type BadRow, type PlacedSample, type RowWarning, sampleText, textHash } from '../store/index.ts'

/** Some samples of a run's data, in order. */
export interface SampleBatch {
  readonly samples: readonly Sample[]
  /**
   * Line or row of each sample in its source, from 1. One row may hold several samples. @default counted
   */
  readonly lines?: readonly number[]
  /** Rows that are no samples; `place.line` says which. */
  readonly errors?: readonly GuerdonError[]
  /** Rows that are samples, but not all as it was written. */
  readonly warnings?: readonly GuerdonError[]
  readonly bytesRead?: number
  readonly bytesTotal?: number | null
}

/** A position is a line number times this, plus the sample's place in the line: unique, and in order of the data. */
const placesPerLine = 1 << 16

/** The line or row that a position of a run stands for. */
export function lineOf(position: number): number {
  return Math.floor(position / placesPerLine)
}

export interface IntakeOptions {
  readonly file?: string
  /** Line of the first row. @default 1 */
  readonly firstLine?: number
  /** Told of every id, in order; returns the line of an earlier row of that id, as far as it knows. */
  readonly earlierLine: (id: string, line: number) => number | undefined
}

/** Rows of a run at their positions, in order. */
export interface PlacedBatch {
  readonly rows: readonly PlacedSample[]
  readonly badRows?: readonly BadRow[]
  readonly warnings?: readonly RowWarning[]
  readonly bytesRead?: number
}

/** The rows of a source at their positions. */
export async function* placedRows(
  batches: AsyncIterable<SampleBatch> | Iterable<SampleBatch>,
  options: IntakeOptions,
): AsyncGenerator<PlacedBatch> {
  const intake = new RowIntake(options)
  for await (const batch of batches)
    yield {
      ...intake.take(batch),
      ...(batch.bytesRead === undefined ? {} : { bytesRead: batch.bytesRead }),
    }
}

/** Gives rows their positions and sorts out what is no sample. */
class RowIntake {
  readonly #options: IntakeOptions
  /** Last line seen, and how many samples it gave. */
  #line: number
  #samples = 0
  /** Added to lines: where a source has several files, each begins at line 1 again. */
  #before = 0

  constructor(options: IntakeOptions) {
    this.#options = options
    this.#line = (options.firstLine ?? 1) - 1
  }

  /** Samples at their positions, and what is none as bad rows. */
  take({ samples, lines, errors = [], warnings = [] }: SampleBatch): {
    rows: PlacedSample[]
    badRows: BadRow[]
    warnings: RowWarning[]
  } {
    const rows: PlacedSample[] = []
    const bad = new NotesByLine()
    const warned = new NotesByLine()
    const firstLine = Math.min(lines?.[0] ?? Infinity, ...errors.map(({ place }) => place.line ?? Infinity))
    if (firstLine + this.#before < this.#line) this.#before = this.#line
    samples.forEach((sample, index) => {
      const line = lines === undefined ? this.#line + 1 : lines[index]! + this.#before
      if (line < this.#line)
        throw new GuerdonError('bad-option', `stands at line ${line}, after line ${this.#line}.`, {
          place: { sample: sample.id },
          fix: 'Leave `lines` out, or give ascending lines.',
        })
      if (line > this.#line) this.#samples = 0
      this.#line = line
      const earlier = this.#options.earlierLine(sample.id, line)
      if (earlier === undefined) rows.push({ position: line * placesPerLine + this.#samples++, sample })
      else bad.add(line, 'duplicate-id', duplicateMessage(this.#options.file, sample.id, line, earlier))
    })
    for (const { place, code, message } of errors) {
      // Damage to the file as a whole has no line: it stands after what could be read.
      const line = place.line === undefined ? this.#line + 1 : place.line + this.#before
      bad.add(line, code, message)
      if (line > this.#line) [this.#line, this.#samples] = [line, 0]
    }
    for (const { place, code, message } of warnings)
      warned.add(place.line === undefined ? this.#line : place.line + this.#before, code, message)
    return { rows, badRows: bad.notes, warnings: warned.notes }
  }
}

/** Gives what is said of lines its positions: after the line's samples, several of one line apart. */
class NotesByLine {
  readonly notes: BadRow[] = []
  readonly #counts = new Map<number, number>()

  add(line: number, kind: string, message: string): void {
    const count = (this.#counts.get(line) ?? 0) + 1
    this.#counts.set(line, count)
    this.notes.push({ position: (line + 1) * placesPerLine - count, kind, message })
  }
}

export function duplicateMessage(
  file: string | undefined,
  sample: string,
  line: number,
  earlier: number,
): string {
  return new GuerdonError('duplicate-id', `the id stands on line ${earlier} already; this row is left out.`, {
    place: { ...(file === undefined ? {} : { file }), line, sample },
    fix: 'Give every row an id of its own (rows of one prompt share a group, not an id).',
  }).message
}

/**
 * Notices data that changed between two parts of a run.
 *
 * @throws GuerdonError `data-changed` when a position holds another sample than it did
 */
export function checkSame(
  stored: readonly PlacedSample[],
  rows: readonly PlacedSample[],
  file: string | undefined,
): void {
  const before = new Map(stored.map(({ position, sample }) => [position, sample]))
  for (const { position, sample } of rows) {
    const known = before.get(position)
    if (known !== undefined && (known.id !== sample.id || sampleText(known) !== sampleText(sample)))
      throw new GuerdonError(
        'data-changed',
        `is not the sample that the run found here before ("${known.id}").`,
        {
          place: { ...(file === undefined ? {} : { file }), line: lineOf(position), sample: sample.id },
          fix: 'Start a new run for the changed data, or bring back the data of this run.',
        },
      )
  }
}

const filterWords = 1 << 22
/** Beyond this many suspects it is quicker to look at all ids. */
const mostSuspects = 10_000

/**
 * Which ids may have stood before, in 16 MiB however many there are: a Bloom filter with five bits of one word for
 * each id, which several threads share. Whoever is not suspected is new; suspects are looked up in the store.
 */
export class SeenIds {
  readonly memory: SharedArrayBuffer
  readonly #words: Uint32Array
  readonly #suspects = new Set<string>()
  #tooMany = false

  constructor(memory = new SharedArrayBuffer(4 * filterWords)) {
    this.memory = memory
    this.#words = new Uint32Array(memory)
  }

  add(id: string): void {
    const hash = textHash(id)
    const high = Math.floor(hash / 0x100000000)
    const bits =
      (1 << (high & 31)) |
      (1 << ((high >>> 5) & 31)) |
      (1 << ((high >>> 10) & 31)) |
      (1 << ((high >>> 15) & 31))
    const before = Atomics.or(this.#words, (hash >>> 0) & (filterWords - 1), bits)
    if ((before & bits) === bits) this.suspect([id])
  }

  suspect(ids: readonly string[]): void {
    if (this.#tooMany) return
    for (const id of ids) this.#suspects.add(id)
    if (this.#suspects.size > mostSuspects) this.suspectAll()
  }

  suspectAll(): void {
    this.#tooMany = true
    this.#suspects.clear()
  }

  /** Ids that may stand more than once; 'all' when there are too many to name. */
  get suspects(): readonly string[] | 'all' {
    return this.#tooMany ? 'all' : [...this.#suspects]
  }
}
