import { groupOf, type ScoredSample } from '../core/index.ts'
import type { MeasureReader, ScoredSamples } from './measure.ts'

/** One sample with its number for each measure. */
export interface GatheredRow {
  readonly scored: ScoredSample
  readonly values: readonly (number | null)[]
}

/**
 * Reads all samples once and gathers them by prompt, groups and rows in the order of the data. `keep` says what to
 * hold of each, so that large outputs need not stay in memory; `undefined` leaves the sample out (a prompt whose
 * samples are all left out stays, empty). Throws a `GuerdonError` for a measure that no sample has.
 */
export async function gather<Row>(
  samples: ScoredSamples,
  readers: readonly MeasureReader[],
  keep: (row: GatheredRow) => Row | undefined,
): Promise<Map<string, Row[]>> {
  const groups = new Map<string, Row[]>()
  for await (const scored of samples) {
    const key = groupOf(scored.sample)
    let group = groups.get(key)
    if (group === undefined) {
      group = []
      groups.set(key, group)
    }
    const row = keep({ scored, values: readers.map((reader) => reader.read(scored)) })
    if (row !== undefined) group.push(row)
  }
  for (const reader of readers) reader.finish()
  return groups
}
