import { GuerdonError, isObject, type Preference, type Sample } from '../core/index.ts'
import { type Convention, preferencesOf, type Reading, samplesOf } from './conventions/convention.ts'
import { conventionNamed, conventionOf, conventions } from './conventions.ts'
import { DuplicateIds } from './duplicate-ids.ts'
import { type FieldMapping, mappedConvention } from './mapping.ts'
import { noUsableRow, type RecordOptions, readRows } from './records.ts'
import { Row } from './row.ts'
import type { RawBatch, RawRecord } from './rows.ts'
import { sourceName } from './source.ts'

export interface ReadOptions extends RecordOptions {
  /** Which column is what; wins over every convention. */
  readonly mapping?: FieldMapping
  /** Read rows by this convention. @default the first in `conventions` whose columns the first usable row has */
  readonly convention?: string
  /** Read rows without an output (prompt-only, verl's tasks) with an empty one. @default false: such a row is an error */
  readonly promptsOnly?: boolean
}

interface BatchHead {
  /** 1-based line or row of each element. */
  readonly lines: readonly number[]
  /** Rows that could not be read, each naming file, line and field. */
  readonly errors: readonly GuerdonError[]
  /** Rows that were read, but not all as it was written. */
  readonly warnings: readonly GuerdonError[]
  /** Bytes of the source consumed so far, for progress. */
  readonly bytesRead: number
  /** Size of the source [bytes], null where it is not known. */
  readonly bytesTotal: number | null
}

export interface SampleBatch extends BatchHead {
  readonly samples: readonly Sample[]
}

export interface PreferenceBatch extends BatchHead {
  readonly preferences: readonly Preference[]
  /** Pairs that the rows call equal (equal scores, the same text twice, strength 0): no preference is made of them. */
  readonly ties: number
}

/**
 * The samples of a data set, in batches, in the order of the file. The convention is detected from the columns of
 * the first row that fits one (see `conventions`), said by `convention`, or described by `mapping`; columns that it
 * does not know are kept in `meta`. A row without an id gets `row-` and its line (text formats) or row number.
 *
 * A row that is broken, does not fit, or repeats an id is an error in its batch, and the rest goes on. Throws a
 * `GuerdonError` when the source cannot be read at all, is empty, or has no usable row.
 */
export async function* readSamples(source: string, options: ReadOptions = {}): AsyncGenerator<SampleBatch> {
  const ids = new DuplicateIds()
  for await (const { batch, readings, lines, errors } of readingsOf(source, options)) {
    const samples: Sample[] = []
    const sampleLines: number[] = []
    for (let index = 0; index < readings.length; index++) {
      const line = lines[index]!
      for (const sample of samplesOf(readings[index]!)) {
        const before = ids.lineOf(sample.id, line)
        if (before !== undefined) errors.push(duplicate(source, sample.id, line, before))
        else {
          samples.push(sample)
          sampleLines.push(line)
        }
      }
    }
    yield { ...headOf(batch, errors), samples, lines: sampleLines }
  }
}

/**
 * The preferences of a data set, in batches: what its rows call chosen and rejected, and every strict order that
 * their ratings or rankings imply (`id#chosen-rejected` with positions from 0, where a row gives several). Ties are
 * counted and left out. Throws for a convention whose rows are not compared with each other.
 */
export async function* readPreferences(
  source: string,
  options: ReadOptions = {},
): AsyncGenerator<PreferenceBatch> {
  const ids = new DuplicateIds()
  for await (const { batch, readings, lines, errors, convention } of readingsOf(source, options)) {
    if (convention?.unpaired !== undefined)
      throw new GuerdonError('no-preferences', `holds no preferences: ${convention.unpaired}.`, {
        place: { file: source },
        fix: 'Score the samples and build pairs from the scores.',
      })
    const preferences: Preference[] = []
    const preferenceLines: number[] = []
    let ties = 0
    for (const [index, reading] of readings.entries()) {
      const line = lines[index]!
      ties += reading.ties ?? 0
      for (const preference of preferencesOf(reading)) {
        const before = ids.lineOf(preference.id, line)
        if (before !== undefined) errors.push(duplicate(source, preference.id, line, before))
        else {
          preferences.push(preference)
          preferenceLines.push(line)
        }
      }
    }
    yield { ...headOf(batch, errors), preferences, lines: preferenceLines, ties }
  }
}

interface ReadingBatch {
  readonly batch: RawBatch
  readonly readings: readonly Reading[]
  readonly lines: readonly number[]
  readonly errors: GuerdonError[]
  readonly convention: Convention | undefined
}

async function* readingsOf(source: string, options: ReadOptions): AsyncGenerator<ReadingBatch> {
  let convention = options.mapping
    ? mappedConvention(options.mapping)
    : options.convention === undefined
      ? undefined
      : conventionNamed(options.convention)
  const row = new Row(sourceName(source), options.promptsOnly)
  let usable = 0
  let firstError: GuerdonError | undefined
  for await (const batch of readRows(source, options, false)) {
    const readings: Reading[] = []
    const lines: number[] = []
    const errors = [...batch.errors]
    row.nullsMayBeAbsent = batch.schema !== undefined
    row.textOnly = batch.textOnly ?? false
    convention ??= batch.records.map(conventionOf).find((found) => found !== undefined)
    if (convention === undefined && batch.records.length > 0)
      throw unknownColumns(row.file, batch.records[0]!)
    for (let index = 0; index < batch.records.length; index++) {
      row.record = batch.records[index]!
      row.line = batch.lines[index]!
      try {
        if (!convention!.matches(row.record)) throw unlikeTheRest(row, convention!)
        readings.push(convention!.read(row))
        lines.push(row.line)
      } catch (error) {
        if (!(error instanceof GuerdonError)) throw error
        errors.push(error)
      }
    }
    usable += readings.length
    firstError ??= errors[0]
    yield { batch, readings, lines, errors, convention }
  }
  if (usable === 0 && options.range === undefined) throw noUsableRow(source, firstError)
}

function headOf({ warnings, bytesRead, bytesTotal }: RawBatch, errors: readonly GuerdonError[]) {
  return { errors, warnings, bytesRead, bytesTotal }
}

function duplicate(file: string, id: string, line: number, before: number): GuerdonError {
  return new GuerdonError(
    'duplicate-id',
    `the id "${id}" stands on line ${before} already; this row is left out.`,
    {
      place: { file: sourceName(file), line, field: 'id' },
      fix: 'Give every row an id of its own, or leave ids out.',
    },
  )
}

/** The error for a row that lacks the columns its file's other rows have: where one field is missing, for that. */
function unlikeTheRest(row: Row, convention: Convention): GuerdonError {
  try {
    convention.read(row)
  } catch (error) {
    if (error instanceof GuerdonError && error.code === 'missing-field') return error
  }
  return new GuerdonError(
    'missing-field',
    `does not have the columns of "${convention.name}" (${convention.columns}).`,
    {
      place: { file: row.file, line: row.line },
      fix: `It has ${Object.keys(row.record).slice(0, 12).join(', ') || 'no fields'}. Files of mixed kinds are read one kind at a time.`,
    },
  )
}

function unknownColumns(file: string, record: RawRecord): GuerdonError {
  const columns = Object.keys(record)
  const list = columns.find((name) => Array.isArray(record[name]) && isObject(record[name][0]))
  const kinds = conventions.map(({ name, columns }) => `${name} (${columns.split(';')[0]})`)
  return new GuerdonError(
    'unknown-columns',
    `no known kind of data set has the columns ${columns.slice(0, 20).join(', ') || '(none)'}.`,
    {
      place: { file },
      fix: [
        `Say which column is what: --map prompt=${columns[0] ?? 'question'} output=${columns[1] ?? 'answer'} (\`mapping\` in code).`,
        ...(list === undefined
          ? []
          : [
              `If the rows are the list "${list}" of a JSON file, read it with --at ${list} (\`at\` in code).`,
            ]),
        `Known kinds: ${kinds.join('; ')}.`,
      ].join(' '),
    },
  )
}
