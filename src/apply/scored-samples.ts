import type { ScoredSample } from '../core/index.ts'
import type { PlacedScores, Store, StoredRun } from '../store/index.ts'
import { findRun } from './run-summary.ts'

export interface ScoredSamplesOptions {
  /** Begin after this position. @default 0 */
  readonly after?: number
  /** At most this many samples. @default all */
  readonly limit?: number
  /** Samples fetched at a time. @default 500 */
  readonly pageSize?: number
}

/**
 * The samples of a run in the order of the data, each with its scores by the rewards' names in the run (a reward
 * that was not asked is absent). `position` is the line or row in the source. Throws `unknown-run`.
 */
export async function* scoredSamples(
  store: Store,
  runId: string,
  { after = 0, limit = Number.POSITIVE_INFINITY, pageSize = 500 }: ScoredSamplesOptions = {},
): AsyncGenerator<ScoredSample & Pick<PlacedScores, 'position'>> {
  await findRun(store, runId)
  let position = after
  for (let left = limit; left > 0; ) {
    const page = await store.runs.page(runId, { after: position, limit: Math.min(left, pageSize) })
    if (page.length === 0) return
    yield* page
    left -= page.length
    position = page.at(-1)!.position
  }
}

/** The runs of a store, newest first. */
export function runsOf(store: Store): Promise<StoredRun[]> {
  return store.runs.list()
}
