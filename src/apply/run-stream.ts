import type { Reward, ScoreContext } from '../core/index.ts'
import type { PlacedSample, Runs } from '../store/index.ts'
import { Lane } from './run-lane.ts'
import { checkSame, type PlacedBatch } from './run-rows.ts'
import type { Segment } from './run-survey.ts'
import { RunWriter } from './run-writer.ts'

export interface StreamOptions {
  readonly run: string
  readonly runs: Runs
  readonly rewards: ReadonlyMap<string, Reward>
  readonly concurrency: number
  readonly batchSize: number
  readonly groupWindow: number
  readonly file?: string
  /** The data is known to be what it was when the run was started; otherwise samples are compared. */
  readonly known: boolean
  readonly context: ScoreContext
  /** Called after each batch that was read. */
  readonly onBatch?: (batch: PlacedBatch, counts: StreamCounts) => void
  /** When the rows are one segment of the data: it is marked as finished with the last of its scores. */
  readonly segment?: Segment
}

export interface StreamCounts {
  rows: number
  badRows: number
  /** Scores that were not there before. */
  scores: number
}

/** After the run was stopped, calls under way that do not listen are waited for this long, in milliseconds. */
const gracePeriod = 10_000

/**
 * Judges the samples of a stream with several rewards at once, skipping what the store has, and writes what is
 * found out as it comes. Holds a bounded number of samples. Stops early, with everything written, when
 * `context.signal` is aborted.
 */
export async function scoreStream(
  batches: AsyncIterable<PlacedBatch> | Iterable<PlacedBatch>,
  options: StreamOptions,
): Promise<{ counts: StreamCounts; seconds: ReadonlyMap<string, number> }> {
  const { run, runs, rewards, file, context } = options
  const writer = new RunWriter(runs, run)
  const counts: StreamCounts = { rows: 0, badRows: 0, scores: 0 }
  const lanes = [...rewards].map(
    ([name, reward]) =>
      new Lane({
        ...options,
        name,
        reward,
        keep: (scores) => {
          counts.scores += scores.positions.length
          return writer.add({ scores })
        },
      }),
  )
  const stopped = () => context.signal?.aborted ?? false
  try {
    for await (const batch of batches) {
      if (stopped()) break
      const { rows, badRows = [], warnings = [] } = batch
      counts.rows += rows.length + badRows.length
      counts.badRows += badRows.length
      if (rows.length > 0) {
        const [first, last] = [rows[0]!.position, rows.at(-1)!.position]
        const stored = await runs.stretch(run, first, last)
        if (stored.samples.size > 0 && !options.known)
          checkSame(await runs.samples(run, first, last), rows, file)
        const samples = without(rows, stored.duplicates)
        await writer.add({ samples: without(samples, stored.samples), badRows, warnings })
        for (const lane of lanes) lane.push(samples, stored.settled[lane.name])
      } else await writer.add({ badRows, warnings })
      options.onBatch?.(batch, counts)
      await nextTurn() // lets timers, signals and answers from elsewhere in, however busy the rewards are
      for (const lane of lanes) await lane.room()
    }
    await withinGrace(Promise.all(lanes.map((lane) => lane.finish())), context.signal)
    await writer.flush(
      options.segment === undefined || stopped()
        ? undefined
        : { segment: options.segment.number, rewards: [...rewards.keys()] },
    )
  } catch (error) {
    await writer.flush().catch(() => {}) // what was found out before stays; `error` says what went wrong
    throw error
  }
  return { counts, seconds: new Map(lanes.map(({ name, seconds }) => [name, seconds])) }
}

function without(rows: readonly PlacedSample[], positions: ReadonlySet<number>): readonly PlacedSample[] {
  return positions.size === 0 ? rows : rows.filter(({ position }) => !positions.has(position))
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** `work`, or nothing once the signal was aborted `gracePeriod` ago. */
async function withinGrace(work: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) {
    await work
    return
  }
  let timer: NodeJS.Timeout | undefined
  let start = () => {}
  const expired = new Promise<void>((resolve) => {
    start = () => {
      timer = setTimeout(resolve, gracePeriod)
    }
  })
  if (signal.aborted) start()
  else signal.addEventListener('abort', start)
  try {
    await Promise.race([work, expired])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', start)
  }
}
