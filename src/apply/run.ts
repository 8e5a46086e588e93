import { availableParallelism } from 'node:os'
import { GuerdonError, type Need, type Reward, rewardIdentity, type ScoreContext } from '../core/index.ts'
import { DuplicateIds } from '../data/duplicate-ids.ts'
import { type ReadOptions, readSamples } from '../data/read.ts'
import {
  isRewardReference,
  loadReward,
  type ModuleExport,
  type PortableReference,
  portableReference,
  type RewardReference,
} from '../rewards/reward-reference.ts'
import type { Store } from '../store/index.ts'
import { openRun } from './run-open.ts'
import { ProgressCounter, type RunProgress } from './run-progress.ts'
import { duplicateMessage, lineOf, placedRows, type SampleBatch, SeenIds } from './run-rows.ts'
import { ReadCounter, shardScorer, unfinishedSegments, withConvention } from './run-segments.ts'
import { scoreStream } from './run-stream.ts'
import { type RunSummary, summarizeRun } from './run-summary.ts'
import { type Segment, type Survey, surveyFile } from './run-survey.ts'
import { scoreInThreads } from './run-threads.ts'

export interface RunOptions {
  /** A path or address that `readSamples` reads, or batches of samples. */
  readonly samples: string | AsyncIterable<SampleBatch> | Iterable<SampleBatch>
  /** How to read the source. */
  readonly read?: ReadOptions
  /**
   * By the name that each has in the run. A large plain JSON Lines file is judged in several threads when every
   * reward is a `RewardReference` (another thread cannot be given a function) and needs neither groups nor a model.
   */
  readonly rewards: Readonly<Record<string, Reward | RewardReference>>
  /** Where the names of expressions are looked up. @default the plain rewards */
  readonly lookup?: ModuleExport
  readonly store: Store
  /**
   * Goes on with the run of this id, or starts it. What has a score is not scored again, failures that may pass
   * (`retryableCodes`) are; new rewards are added. Changed data and changed rewards are refused.
   * @default a new id
   */
  readonly runId?: string
  /**
   * Without `runId`: goes on with the newest unfinished run of the same file, with the same options and rewards, if
   * there is one, so that the same call after an interrupt or a kill is enough. @default false
   */
  readonly resume?: boolean
  /** Calls of each reward at a time. @default 8 */
  readonly concurrency?: number
  /** Samples in a call. @default 64 */
  readonly batchSize?: number
  /** Threads, where threads can be used. @default the number of cores */
  readonly workers?: number
  /**
   * For rewards that compare the samples of a group: members of one group stand at most this many rows apart, and
   * all groups being put together hold at most ten times as many; otherwise the run stops with `group-split`.
   * @default 10000
   */
  readonly groupWindow?: number
  /** Stops the run: what is known is written, the summary has status `stopped`, and the run can be resumed. */
  readonly signal?: AbortSignal
  /** Called at most every 100 ms, and at the end. */
  readonly onProgress?: (progress: RunProgress) => void
  /** Seed and step are part of the run: a resumed run must have the same. */
  readonly context?: Pick<ScoreContext, 'rng' | 'step'>
}

/**
 * Judges every sample of a data set with several rewards and keeps it all in the store as it goes. The process can
 * be killed at any moment; calling this again with the same `runId` goes on. Memory does not grow with the data
 * (but for 12 to 48 bytes a sample that tell duplicate ids, where the data is not a large plain JSON Lines file).
 *
 * @throws GuerdonError `no-rewards`, `data-changed`, `run-changed`, `reward-changed`, `group-split`, and what the
 * store and the reader throw; everything found out before is kept
 */
export async function scoreRun(options: RunOptions): Promise<RunSummary> {
  const { store, samples, read = {}, context = {}, signal } = options
  const rewards = await resolvedRewards(options)
  const source = typeof samples === 'string' ? samples : undefined
  const survey = source === undefined ? undefined : await surveyFile(source)
  const { seed, step } = { seed: context.rng?.seed, step: context.step }
  const { runId, resume } = options
  const run = await openRun(store, { runId, resume, source, survey, read, seed, step, rewards })
  const progress = new ProgressCounter(run.id, survey?.bytes ?? null, options.onProgress)
  let seconds: ReadonlyMap<string, number>
  try {
    const segments = source === undefined ? undefined : segmentsFor(source, read, rewards, survey)
    if (segments === undefined)
      seconds = await scoreInOrder(options, run.id, rewards, survey !== undefined, progress)
    else {
      const seenIds = new SeenIds()
      if (run.before !== undefined && run.before !== 'complete') seenIds.suspectAll() // those of the first part
      seconds = await scoreBySegments(options, run.id, rewards, segments, seenIds, progress)
      if (seenIds.suspects.length > 0 && !signal?.aborted)
        await store.runs.dropDuplicates(
          run.id,
          (sample, position, first) => duplicateMessage(source, sample, lineOf(position), lineOf(first)),
          seenIds.suspects,
        )
    }
  } catch (error) {
    await store.runs.setStatus(run.id, 'stopped').catch(() => {}) // `error` is the one to tell
    throw error
  }
  await store.runs.setStatus(run.id, signal?.aborted ? 'stopped' : 'complete')
  return summarizeRun(store, run.id, progress.end(), seconds)
}

async function resolvedRewards({ rewards, lookup }: RunOptions): Promise<ReadonlyMap<string, Reward>> {
  const entries = Object.entries(rewards)
  if (entries.length === 0)
    throw new GuerdonError('no-rewards', 'there is nothing to score with.', {
      fix: 'Name at least one reward.',
    })
  return new Map(
    await Promise.all(
      entries.map(
        async ([name, reward]) =>
          [
            name,
            isRewardReference(reward) ? await loadReward(portableReference(reward, lookup)) : reward,
          ] as const,
      ),
    ),
  )
}

/** The parts of the file, when it can be judged part by part: large plain JSON Lines, read whole, no groups. */
export function segmentsFor(
  source: string,
  { format, limit, range, at }: ReadOptions,
  rewards: ReadonlyMap<string, Reward>,
  survey: Survey | undefined,
): readonly Segment[] | undefined {
  const plainLines =
    format === undefined ? /\.(jsonl|ndjson)$/i.test(source) : format === 'jsonl' && !/\.gz$/i.test(source)
  const inGroups = [...rewards.values()].some(({ needs }) => needs.includes('group'))
  if (!plainLines || inGroups || limit !== undefined || range !== undefined || at !== undefined)
    return undefined
  return survey !== undefined && survey.segments.length > 1 ? survey.segments : undefined
}

async function scoreInOrder(
  options: RunOptions,
  run: string,
  rewards: ReadonlyMap<string, Reward>,
  known: boolean,
  progress: ProgressCounter,
): Promise<ReadonlyMap<string, number>> {
  const { samples, read = {}, signal } = options
  const told = new ReadCounter((bytes, counts) => progress.add(bytes, counts))
  const fromFile = typeof samples === 'string'
  const ids = new DuplicateIds()
  const batches = placedRows(fromFile ? readSamples(samples, read) : samples, {
    ...(fromFile ? { file: samples } : {}),
    earlierLine: fromFile ? () => undefined : (id, line) => ids.lineOf(id, line), // the reader of files has looked
  })
  const { counts, seconds } = await scoreStream(batches, {
    run,
    runs: options.store.runs,
    rewards,
    concurrency: options.concurrency ?? 8,
    batchSize: options.batchSize ?? 64,
    groupWindow: options.groupWindow ?? 10_000,
    ...(fromFile ? { file: samples } : {}),
    known,
    context: { ...options.context, ...(signal ? { signal } : {}) },
    onBatch: ({ bytesRead }, counts) => told.upTo(bytesRead, counts),
  })
  told.upTo(undefined, counts)
  return seconds
}

/** What a reward may need and still be judged in any thread at full speed. */
const threadedNeeds: ReadonlySet<Need> = new Set(['reference', 'images', 'step'])

async function scoreBySegments(
  options: RunOptions,
  run: string,
  rewards: ReadonlyMap<string, Reward>,
  segments: readonly Segment[],
  seenIds: SeenIds,
  progress: ProgressCounter,
): Promise<ReadonlyMap<string, number>> {
  const { store, samples, context = {}, signal, concurrency = 8, batchSize = 64 } = options
  const source = samples as string
  const work = await unfinishedSegments(store, run, [...rewards.keys()], segments, lineOf)
  if (work.length === 0) return new Map()
  const { signal: _signal, ...plain } = options.read ?? {} // a signal cannot be handed to a thread
  const read = await withConvention(source, plain)
  const common = { run, source, read, concurrency, batchSize }
  const onRead: ConstructorParameters<typeof ReadCounter>[0] = (bytes, counts) => progress.add(bytes, counts)
  const workers = options.workers ?? availableParallelism()
  const references = workers > 1 ? referencesOf(options, rewards) : undefined
  if (references !== undefined) {
    const task = {
      ...common,
      store: store.address,
      references,
      seed: context.rng?.seed,
      step: context.step,
    }
    return scoreInThreads({ workers, segments: work, task, seenIds, signal, onRead })
  }
  const score = shardScorer({
    ...common,
    store,
    rewards,
    seenIds,
    context: { ...context, ...(signal ? { signal } : {}) },
    onRead,
  })
  const total = new Map<string, number>()
  for (const segment of work) {
    if (signal?.aborted) break
    for (const [name, spent] of (await score(segment)).seconds)
      total.set(name, (total.get(name) ?? 0) + spent)
  }
  return total
}

/** The references of all rewards, when all have one and none needs more than a thread has. */
function referencesOf({ rewards: given, lookup }: RunOptions, rewards: ReadonlyMap<string, Reward>) {
  const references: Record<string, PortableReference & { identity: string }> = {}
  for (const [name, reward] of rewards) {
    const reference = given[name]!
    if (!isRewardReference(reference) || reward.needs.some((need) => !threadedNeeds.has(need)))
      return undefined
    references[name] = { ...portableReference(reference, lookup), identity: rewardIdentity(reward) }
  }
  return references
}
