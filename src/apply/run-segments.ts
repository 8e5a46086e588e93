import { type Reward, Rng, type ScoreContext } from '../core/index.ts'
import { conventionOf } from '../data/conventions.ts'
import { type ReadOptions, readSamples } from '../data/read.ts'
import { readRecords } from '../data/records.ts'
import type { Store } from '../store/index.ts'
import { type PlacedBatch, placedRows, type SeenIds } from './run-rows.ts'
import { type StreamCounts, scoreStream } from './run-stream.ts'
import type { Segment } from './run-survey.ts'

/** A segment with the rewards that have not finished it. */
export interface SegmentWork {
  readonly segment: Segment
  readonly rewards: readonly string[]
}

/** Samples that the store has, between two positions (both included), with the rewards that are to judge them. */
export interface StretchWork {
  readonly stretch: { readonly first: number; readonly last: number }
  readonly rewards: readonly string[]
}

/** A part of a run that can be judged by itself. */
export type ShardWork = SegmentWork | StretchWork

export interface ShardScorerOptions {
  readonly store: Store
  readonly run: string
  /** Of segments: the file. */
  readonly source?: string
  readonly read: ReadOptions
  readonly rewards: ReadonlyMap<string, Reward>
  readonly concurrency: number
  readonly batchSize: number
  readonly seenIds: SeenIds
  readonly context: ScoreContext
  /** Told what was read since it was last told. */
  readonly onRead: (bytes: number, counts: StreamCounts) => void
}

/** What judging a shard came to; `seconds` are those that each reward took. */
export interface ShardResult {
  readonly seconds: ReadonlyMap<string, number>
  readonly counts: StreamCounts
}

const rowsPerRead = 1024

/** Returns a function that judges one shard; what is judged already is left alone. */
export function shardScorer(options: ShardScorerOptions): (work: ShardWork) => Promise<ShardResult> {
  return async (work) => {
    const told = new ReadCounter(options.onRead)
    const segment = 'segment' in work ? work.segment : undefined
    const batches =
      segment === undefined ? storedRows(options, work as StretchWork) : segmentRows(options, segment)
    const { counts, seconds } = await scoreStream(batches, {
      run: options.run,
      runs: options.store.runs,
      rewards: new Map(work.rewards.map((name) => [name, options.rewards.get(name)!])),
      concurrency: options.concurrency,
      batchSize: options.batchSize,
      groupWindow: Number.POSITIVE_INFINITY, // groups are whole in a stretch; those of segments are not judged so
      ...(options.source === undefined ? {} : { file: options.source }),
      known: true, // by the file's hash, or because it comes from the store
      context: options.context,
      ...(segment === undefined ? {} : { segment }),
      onBatch: ({ bytesRead }, counts) => told.upTo(bytesRead, counts),
    })
    told.upTo(segment && segment.end - segment.start, counts)
    return { seconds, counts }
  }
}

function segmentRows({ source, read, seenIds }: ShardScorerOptions, { start, end, firstLine }: Segment) {
  const batches = readSamples(source!, { ...read, batchSize: rowsPerRead, range: [start, end], firstLine })
  return placedRows(batches, {
    file: source!,
    firstLine,
    earlierLine: (id) => {
      seenIds.add(id)
      return undefined
    },
  })
}

async function* storedRows(
  { store, run }: ShardScorerOptions,
  { stretch: { first, last }, rewards }: StretchWork,
): AsyncGenerator<PlacedBatch> {
  const { samples, settled } = await store.runs.stretch(run, first, last)
  if (rewards.every((name) => settled[name]!.size === samples.size)) return
  for (let after = first - 1; after < last; ) {
    const page = await store.runs.page(run, { after, limit: rowsPerRead })
    const rows = page.filter(({ position }) => position <= last)
    if (rows.length === 0) return
    yield { rows: rows.map(({ position, sample }) => ({ position, sample })) }
    after = rows.at(-1)!.position
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
