import type { Json, Preference, Sample, Turns } from '../../core/index.ts'
import type { Row } from '../row.ts'
import type { RawRecord } from '../rows.ts'

type Meta = Readonly<Record<string, Json | undefined>>

/** One output in a row. */
interface Candidate {
  readonly output: Turns
  /** What the row says of this output alone; wins over the row's own meta. */
  readonly meta?: Meta
}

/** One output preferred to another, as indices among the candidates. */
export interface Ordering {
  readonly chosen: number
  readonly rejected: number
  readonly margin?: number
}

/** What a row says, whatever its columns are called. */
export interface Reading {
  readonly id: string
  readonly prompt: Turns
  readonly candidates: readonly Candidate[]
  readonly reference?: Json | undefined
  /** @default the row's id when it has several outputs, else none */
  readonly group?: string | undefined
  /** Everything else, for every output. */
  readonly meta: Meta
  /** Which output is better, where the row says so; ties are left out and counted. */
  readonly orderings?: readonly Ordering[]
  readonly ties?: number
  /** Number the outputs even when there is one, because other rows of the kind have several. */
  readonly several?: boolean
}

/** How a kind of data set names its columns. */
export interface Convention {
  readonly name: string
  /** Other names that people know it by. */
  readonly aliases?: readonly string[]
  readonly title: string
  /** Columns it is known by, for people. */
  readonly columns: string
  /** Why rows of this kind give no preferences; left out for kinds that do. */
  readonly unpaired?: string
  /** Whether a record has these columns. Cheap: it is asked for every row. */
  matches(record: RawRecord): boolean
  /** Throws a `GuerdonError` that names the field when the row is not as it should be. */
  read(row: Row): Reading
}

/** The samples of a row: its id, or `id#0`, `id#1`, ... with a shared group where a row has several outputs. */
export function samplesOf(reading: Reading): Sample[] {
  const { id, prompt, candidates, reference, group, meta, several } = reading
  if (candidates.length === 1 && !several) {
    const [{ output, meta: own }] = candidates as [Candidate]
    const base = { id, prompt, output, meta: own ? { ...meta, ...own } : meta }
    if (reference === undefined) return [group === undefined ? base : { ...base, group }]
    return [group === undefined ? { ...base, reference } : { ...base, reference, group }]
  }
  return candidates.map(({ output, meta: own }, index) => ({
    id: `${id}#${index}`,
    prompt,
    output,
    ...(reference === undefined ? {} : { reference }),
    group: group ?? id,
    meta: own ? { ...meta, ...own } : meta,
  }))
}

/** The preferences of a row: its id, or `id#chosen-rejected` where a row says several. */
export function preferencesOf({
  id,
  prompt,
  candidates,
  meta,
  orderings = [],
  several,
}: Reading): Preference[] {
  return orderings.map(({ chosen, rejected, margin }) => ({
    id: several ? `${id}#${chosen}-${rejected}` : id,
    prompt,
    chosen: candidates[chosen]!.output,
    rejected: candidates[rejected]!.output,
    ...(margin === undefined ? {} : { margin }),
    meta,
  }))
}

/**
 * All strict orderings that scores imply, best first; equal scores are ties. An output without a score is in no
 * ordering and no tie. Margins are differences of scores.
 */
export function orderingsByScore(scores: readonly (number | null)[]): {
  orderings: Ordering[]
  ties: number
} {
  const orderings: Ordering[] = []
  let ties = 0
  for (const [i, a] of scores.entries()) {
    for (const [j, b] of scores.entries()) {
      if (j <= i || a === null || b === null) continue
      if (a === b) ties++
      else
        orderings.push(
          a > b ? { chosen: i, rejected: j, margin: a - b } : { chosen: j, rejected: i, margin: b - a },
        )
    }
  }
  return { orderings, ties }
}

export function hasAll(record: RawRecord, ...fields: readonly string[]): boolean {
  for (const field of fields) if (record[field] === undefined) return false
  return true
}
