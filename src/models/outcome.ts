import { GuerdonError, messageOf, type UnscoredCode, type Usage } from '../core/index.ts'

/** Why a model gave no result for one item. */
export interface CallFailure {
  /** As a score that rests on it would say. */
  readonly code: UnscoredCode
  /** One sentence for people; holds no keys. */
  readonly reason: string
}

export interface Failed {
  readonly failure: CallFailure
  /** What it cost all the same. */
  readonly usage?: Usage
}

/** A result, or why there is none: one bad item of a batch never loses the others. */
export type Outcome<Result> = Result | Failed

export function failed(code: UnscoredCode, reason: string): Failed {
  return { failure: { code, reason } }
}

export function isFailed(outcome: unknown): outcome is Failed {
  return typeof outcome === 'object' && outcome !== null && (outcome as Partial<Failed>).failure !== undefined
}

/** All results, for whoever cannot do without one of them. Throws a `GuerdonError` (`model-call`) at the first failure. */
export function succeeded<Result extends object>(outcomes: readonly Result[]): Exclude<Result, Failed>[] {
  for (const [index, outcome] of outcomes.entries())
    if (isFailed(outcome))
      throw new GuerdonError(
        'model-call',
        `item ${index + 1} of ${outcomes.length}: ${outcome.failure.reason}`,
      )
  return outcomes as readonly Exclude<Result, Failed>[] as Exclude<Result, Failed>[]
}

/**
 * Runs together the items that can be read; the others fail one by one: a `GuerdonError` while reading is `bad-input`.
 * When the signal stops the run, all of it is `cancelled`; what `run` throws otherwise is thrown.
 */
export async function runReadable<Item, Reading, Result>(
  items: readonly Item[],
  read: (item: Item) => Reading | Promise<Reading>,
  run: (readings: readonly Reading[], indices: readonly number[]) => Promise<readonly Result[]>,
  signal?: AbortSignal,
): Promise<Outcome<Result>[]> {
  const outcomes = new Array<Outcome<Result>>(items.length)
  const readings: Reading[] = []
  const indices: number[] = []
  for (const [index, item] of items.entries())
    try {
      readings.push(await read(item))
      indices.push(index)
    } catch (error) {
      if (!(error instanceof GuerdonError)) throw error
      outcomes[index] = failed('bad-input', messageOf(error))
    }
  let results: readonly Outcome<Result>[] = []
  try {
    if (readings.length > 0) results = await run(readings, indices)
  } catch (error) {
    if (!signal?.aborted) throw error
    results = readings.map(() => failed('cancelled', 'cancelled before there was an answer'))
  }
  for (const [position, index] of indices.entries()) outcomes[index] = results[position]!
  return outcomes
}
