import { type Reward, Rng, type ScoreContext } from '../core/index.ts'
import { conventionOf } from '../data/conventions.ts'
import { type ReadOptions, readSamples } from '../data/read.ts'
import { readRecords } from '../data/records.ts'
import type { Store } from '../store/index.ts'
import type { SeenIds } from './run-rows.ts'
import { type StreamCounts, scoreStream } from './run-stream.ts'
import type { Segment } from './run-survey.ts'

/** A segment with the rewards that have not finished it. */
export interface SegmentWork {
  readonly segment: Segment
  readonly rewards: readonly string[]
}

export interface SegmentScorerOptions {
  readonly store: Store
  readonly run: string
  readonly source: string
  readonly read: ReadOptions
  readonly rewards: ReadonlyMap<string, Reward>
  readonly concurrency: number
  readonly batchSize: number
  readonly seenIds: SeenIds
  readonly context: ScoreContext
  /** Told what was read since it was last told. */
  readonly onRead: (bytes: number, counts: StreamCounts) => void
}

const rowsPerRead = 1024

/** Returns a function that judges one segment and resolves to the seconds that each reward took. */
export function segmentScorer(options: SegmentScorerOptions) {
  const { run, source, seenIds } = options
  return async ({ segment, rewards }: SegmentWork): Promise<ReadonlyMap<string, number>> => {
    const told = new ReadCounter(options.onRead)
    const batches = readSamples(source, {
      ...options.read,
      batchSize: rowsPerRead,
      range: [segment.start, segment.end],
      firstLine: segment.firstLine,
    })
    const { counts, seconds } = await scoreStream(batches, {
      run,
      runs: options.store.runs,
      rewards: new Map(rewards.map((name) => [name, options.rewards.get(name)!])),
      concurrency: options.concurrency,
      batchSize: options.batchSize,
      groupWindow: 1, // rewards of groups do not work by segments
      file: source,
      known: true, // by its hash
      earlierLine: (id) => {
        seenIds.add(id)
        return undefined
      },
      context: options.context,
      segment,
      onBatch: ({ bytesRead }, counts) => told.upTo(bytesRead, counts),
    })
    told.upTo(segment.end - segment.start, counts)
    return seconds
  }
}

/** Turns running totals into steps. */
export class ReadCounter {
  readonly #tell: (bytes: number, counts: StreamCounts) => void
  #bytes = 0
  #counts: StreamCounts = { rows: 0, badRows: 0, scores: 0 }

  constructor(tell: (bytes: number, counts: StreamCounts) => void) {
    this.#tell = tell
  }

  upTo(bytesRead: number | undefined, { rows, badRows, scores }: StreamCounts): void {
    const bytes = bytesRead ?? this.#bytes
    this.#tell(bytes - this.#bytes, {
      rows: rows - this.#counts.rows,
      badRows: badRows - this.#counts.badRows,
      scores: scores - this.#counts.scores,
    })
    this.#bytes = bytes
    this.#counts = { rows, badRows, scores }
  }
}

/** The segments that some reward has not finished, or where a failure may be tried again. */
export async function unfinishedSegments(
  store: Store,
  run: string,
  rewards: readonly string[],
  segments: readonly Segment[],
  lineOf: (position: number) => number,
): Promise<SegmentWork[]> {
  const progress = await store.runs.progress(run)
  const waiting = new Map<number, string[]>()
  for (const name of rewards) {
    const { segments: done, retryable } = progress[name]!
    const open = new Set(segments.filter(({ number }) => !done.has(number)).map(({ number }) => number))
    let current = 0
    for (const line of retryable.map(lineOf)) {
      while (current + 1 < segments.length && segments[current + 1]!.firstLine <= line) current++
      open.add(current)
    }
    for (const number of open) waiting.set(number, [...(waiting.get(number) ?? []), name])
  }
  return segments.flatMap((segment) => {
    const names = waiting.get(segment.number)
    return names ? [{ segment, rewards: names }] : []
  })
}

/**
 * `read` with the convention that the first rows of the file show, so that every segment is read alike. Unchanged
 * when none fits: reading then says so.
 */
export async function withConvention(source: string, read: ReadOptions): Promise<ReadOptions> {
  if (read.mapping !== undefined || read.convention !== undefined) return read
  for await (const { records } of readRecords(source, { ...read, limit: rowsPerRead })) {
    const found = records.map(conventionOf).find((convention) => convention !== undefined)
    if (found) return { ...read, convention: found.name }
  }
  return read
}

/** The context that every thread makes anew from a run's seed and step. */
export function runContext(
  seed: string | undefined,
  step: number | undefined,
  signal: AbortSignal | undefined,
): ScoreContext {
  return {
    ...(seed === undefined ? {} : { rng: new Rng(seed) }),
    ...(step === undefined ? {} : { step }),
    ...(signal === undefined ? {} : { signal }),
  }
}
