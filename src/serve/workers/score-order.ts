import { segmentsFor } from '../../apply/run.ts'
import { openRun, storedRewards, timedId } from '../../apply/run-open.ts'
import { duplicateMessage, lineOf, placedRows } from '../../apply/run-rows.ts'
import { type ShardWork, unfinishedSegments, withConvention } from '../../apply/run-segments.ts'
import { scoreStream } from '../../apply/run-stream.ts'
import { surveyFile } from '../../apply/run-survey.ts'
import type { WorkerTask } from '../../apply/run-worker.ts'
import { GuerdonError, type Json, type Reward, rewardIdentity } from '../../core/index.ts'
import { type ReadOptions, readSamples } from '../../data/read.ts'
import {
  isRewardReference,
  loadReward,
  type ModuleExport,
  type PortableReference,
  portableReference,
  type RewardReference,
} from '../../rewards/reward-reference.ts'
import { localModule, portableModule } from './modules.ts'
import type { Order } from './orders.ts'
import type { Workplace } from './workplace.ts'

export interface ScoreOrderOptions {
  /**
   * A path or address that every worker can read, as `readSamples` reads it; or the id of a run, whose samples the store
   * has already.
   */
  readonly samples: string
  readonly read?: ReadOptions
  /** By the name that each has in the run. References alone: no code goes to the workers. */
  readonly rewards: Readonly<Record<string, RewardReference>>
  /** Where the names of expressions are looked up. @default the plain rewards */
  readonly lookup?: ModuleExport
  /** As of `scoreRun`. */
  readonly runId?: string
  readonly resume?: boolean
  readonly seed?: string
  readonly step?: number
  /** Calls of each reward at a time, in each thread. @default 8 */
  readonly concurrency?: number
  readonly batchSize?: number
  /** The configuration file that names models of one's own, at the same path on every machine. */
  readonly config?: string | null
  /** Samples to a shard where they come from the store. @default enough for 64 shards, 100 to 2000 */
  readonly shardRows?: number
  /** A file of fewer segments (of 2 MiB) is read into the store, and cut finer there. @default 16 */
  readonly fewestSegments?: number
  readonly signal?: AbortSignal
  /** Told of samples while they are read into the store. */
  readonly onIntake?: (rows: number) => void
}

/** What the shards of a score order have in common. */
export type ScoreSpec = Omit<WorkerTask, 'store' | 'seen' | 'turn' | 'models'> & {
  readonly config: string | null
}

/**
 * Orders the scores of a run. A large plain JSON Lines file is cut into segments of bytes that workers read by
 * themselves; everything else (other files, `hf://`, rewards of groups) is read into the store here and judged from
 * there. Where an order for the run is open, nothing is ordered twice.
 *
 * @throws GuerdonError what `scoreRun` throws before it judges, and `bad-option` for rewards that are not references
 */
export async function orderScores(workplace: Workplace, options: ScoreOrderOptions): Promise<Order> {
  const { store, orders, queue } = workplace
  const { samples, read = {}, seed, step } = options
  const { rewards, references } = await loaded(options)
  const stored = await store.runs.find(samples)
  const survey = stored === undefined ? await surveyFile(samples) : undefined
  const cut = survey && segmentsFor(samples, read, rewards, survey)
  const segments = cut !== undefined && cut.length >= (options.fewestSegments ?? 16) ? cut : undefined
  const terms = { runId: options.runId, resume: options.resume, seed, step, survey, read, rewards }
  const run = stored?.id ?? (await openRun(store, { ...terms, source: samples })).id
  if (stored !== undefined) await store.runs.addRewards(run, storedRewards(rewards))
  const open = await orders.openAbout('score', run)
  if (open !== undefined) return open
  if (stored === undefined && segments === undefined)
    await intake(workplace, run, options, survey !== undefined)
  const names = [...rewards.keys()]
  const shards: readonly ShardWork[] =
    segments === undefined
      ? await stretches(workplace, run, rewards, options.shardRows)
      : await unfinishedSegments(store, run, names, segments, lineOf)
  await store.runs.setStatus(run, 'running')
  const { signal: _, ...plain } = segments === undefined ? {} : await withConvention(samples, read)
  const spec: ScoreSpec = {
    run,
    ...(segments === undefined ? {} : { source: samples }),
    read: plain,
    references,
    concurrency: options.concurrency ?? 8,
    batchSize: options.batchSize ?? 64,
    seed,
    step,
    config: options.config ?? null,
  }
  const order = {
    id: timedId(),
    kind: 'score' as const,
    about: run,
    created: new Date().toISOString(),
    spec: portable(spec) as unknown as Json,
    shards: shards as unknown as readonly Json[],
  }
  const key = await orders.create(order)
  await queue.put('score', key, shards.keys().toArray())
  return { ...order, key, status: 'open' }
}

/** What is left when every shard is done or has failed; may be done twice. */
export async function closeScores({ store }: Workplace, order: Order, failed: number): Promise<void> {
  const { run, source } = order.spec as unknown as ScoreSpec
  if (source !== undefined && failed === 0)
    await store.runs.dropDuplicates(
      run,
      (sample, position, first) => duplicateMessage(source, sample, lineOf(position), lineOf(first)),
      'all', // no worker has seen all ids
    )
  await store.runs.setStatus(run, failed === 0 ? 'complete' : 'stopped')
}

/** Where in the data a shard stands, for people. */
export function placeOf({ spec }: { readonly spec: Json }): string {
  const work = spec as unknown as ShardWork
  if ('segment' in work)
    return `the ${work.segment.end - work.segment.start} bytes from line ${work.segment.firstLine}`
  return `rows ${lineOf(work.stretch.first)} to ${lineOf(work.stretch.last)}`
}

/** Reads the samples of a source into the store. */
async function intake(
  { store }: Workplace,
  run: string,
  { samples, read = {}, signal, onIntake }: ScoreOrderOptions,
  known: boolean,
): Promise<void> {
  await scoreStream(placedRows(readSamples(samples, read), { file: samples, earlierLine: () => undefined }), {
    run,
    runs: store.runs,
    rewards: new Map(),
    concurrency: 1,
    batchSize: 1,
    groupWindow: 1,
    file: samples,
    known,
    context: signal === undefined ? {} : { signal },
    onBatch: (_, { rows }) => onIntake?.(rows),
  })
  signal?.throwIfAborted()
}

async function loaded({ rewards: given, lookup }: ScoreOrderOptions) {
  const rewards = new Map<string, Reward>()
  const references: Record<string, PortableReference & { identity: string }> = {}
  for (const [name, reference] of Object.entries(given)) {
    if (!isRewardReference(reference))
      throw new GuerdonError('bad-option', 'is made in code, which does not travel to workers.', {
        place: { reward: name },
        fix: 'Name it by an expression, or export it from a module that every machine has.',
      })
    const portable = portableReference(reference, lookup)
    const reward = await loadReward(portable)
    rewards.set(name, reward)
    references[name] = { ...portable, identity: rewardIdentity(reward) }
  }
  if (rewards.size === 0)
    throw new GuerdonError('no-rewards', 'there is nothing to score with.', {
      fix: 'Name at least one reward.',
    })
  return { rewards, references }
}

async function stretches(
  { store }: Workplace,
  run: string,
  rewards: ReadonlyMap<string, Reward>,
  shardRows: number | undefined,
): Promise<readonly ShardWork[]> {
  const { samples } = await store.runs.totals(run)
  const size = shardRows ?? Math.min(2000, Math.max(100, Math.ceil(samples / 64)))
  const inGroups = [...rewards.values()].some(({ needs }) => needs.includes('group'))
  return (await store.runs.stretches(run, size, inGroups)).map((stretch) => ({
    stretch,
    rewards: [...rewards.keys()],
  }))
}

function portable(spec: ScoreSpec): ScoreSpec {
  return withModules(spec, portableModule)
}

/** The spec as it is on this machine. */
export function localSpec(spec: ScoreSpec): ScoreSpec {
  return withModules(spec, localModule)
}

function withModules(spec: ScoreSpec, change: (url: string) => string): ScoreSpec {
  return {
    ...spec,
    references: Object.fromEntries(
      Object.entries(spec.references).map(([name, { reference, lookup, identity }]) => [
        name,
        {
          identity,
          reference:
            typeof reference === 'string' ? reference : { ...reference, module: change(reference.module) },
          lookup: { ...lookup, module: change(lookup.module) },
        },
      ]),
    ),
  }
}
