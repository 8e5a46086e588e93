import type { BenchmarkSpec } from './benchmark.ts'

/** A row of a table as its authors print it. */
export interface PublishedRow {
  readonly who: string
  /** In the table's own units, mostly percent. */
  readonly values: Readonly<Record<string, number>>
}

export interface PublishedTable {
  readonly rows: readonly PublishedRow[]
  /** What a row's other values say these should be; a measure that the row lacks is left out. */
  recompute(values: PublishedRow['values']): Readonly<Record<string, number | null>>
  /** How far rounding alone may lead, by measure or for all. */
  readonly tolerance: number | Readonly<Record<string, number>>
}

/** One published number beside the same number computed here. */
export interface PublishedCheck {
  readonly benchmark: string
  readonly row: string
  readonly measure: string
  readonly published: number
  readonly recomputed: number
  /** Recomputed - published. */
  readonly residual: number
  readonly tolerance: number
  readonly agrees: boolean
}

export function publishedCheck(
  check: Pick<PublishedCheck, 'benchmark' | 'row' | 'measure' | 'published' | 'recomputed' | 'tolerance'>,
): PublishedCheck {
  const residual = check.recomputed - check.published
  return { ...check, residual, agrees: Math.abs(residual) <= check.tolerance + 1e-9 }
}

/**
 * What follows from the parts of a published row beside what the row says: an average that is not the mean of its
 * columns tells that the columns are aggregated otherwise. Empty for a benchmark without published rows.
 */
export function checkPublishedRow(row: PublishedRow, spec: BenchmarkSpec): PublishedCheck[] {
  if (spec.published === undefined) return []
  const { recompute, tolerance } = spec.published
  return Object.entries(recompute(row.values)).flatMap(([measure, recomputed]) => {
    const published = row.values[measure]
    if (published === undefined || recomputed === null) return []
    return [
      publishedCheck({
        benchmark: spec.name,
        row: row.who,
        measure,
        published,
        recomputed,
        tolerance: typeof tolerance === 'number' ? tolerance : (tolerance[measure] ?? 0),
      }),
    ]
  })
}

/** All rows of a spec. */
export function checkPublished(spec: BenchmarkSpec): PublishedCheck[] {
  return (spec.published?.rows ?? []).flatMap((row) => checkPublishedRow(row, spec))
}

/** Rows from a compact table: one line each, names and numbers by columns; `-` where a cell is empty. */
export function publishedRows(
  columns: readonly string[],
  lines: Readonly<Record<string, readonly (number | null)[]>>,
): PublishedRow[] {
  return Object.entries(lines).map(([who, numbers]) => ({
    who,
    values: Object.fromEntries(
      columns.flatMap((column, index) => {
        const value = numbers[index]
        return value === null || value === undefined ? [] : [[column, value]]
      }),
    ),
  }))
}
