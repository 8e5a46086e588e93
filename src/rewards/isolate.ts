import {
  GuerdonError,
  groupOf,
  messageOf,
  type Reward,
  type Sample,
  type Score,
  type ScoreContext,
} from '../core/index.ts'
import { Pool, type Unit } from './isolation/pool.ts'
import { startProcess, startThread } from './isolation/runner.ts'
import { type ModuleExport, portableReference, type RewardReference } from './reward-reference.ts'

export interface IsolateOptions {
  /** Wall-clock time for one sample (one group, one batch). @default 10000 */
  readonly timeoutMs?: number
  /** CPU time for one sample, all threads together; processes only. @default Infinity */
  readonly cpuSeconds?: number
  /**
   * Memory of the whole process, buffers outside the JavaScript heap included; processes only. A bare one already
   * takes about 60 MiB. @default 512
   */
  readonly memoryMb?: number
  /** Wall-clock time for starting and importing. @default 30000 */
  readonly loadTimeoutMs?: number
  /**
   * `process`: everything can be stopped. `thread`: cheaper per sample, and only wall-clock time is limited: a native
   * call or a loop that V8 does not interrupt is left running while its sample is reported, and a thread that runs
   * out of memory takes this process with it.
   * @default 'process'
   */
  readonly runIn?: 'process' | 'thread'
  /** Processes or threads at once. @default 1 */
  readonly workers?: number
  /**
   * Samples that the reward sees in one call. More than 1 only for a reward that is faster on batches: where a batch
   * fails, its halves are tried in a fresh process until the offending sample stands alone. Groups always stay whole.
   * @default 1
   */
  readonly batchSize?: number
  /** Environment variables besides those of this process; processes only. @default none */
  readonly environment?: Readonly<Record<string, string>>
  /** Where the names of an expression are looked up: exports a function `(name, options) => Reward`. */
  readonly lookup?: ModuleExport
}

export interface IsolatedReward extends Reward, AsyncDisposable {
  /** Ends the processes; what is still pending becomes `cancelled`. They also end with this process, however it ends. */
  close(): void
}

/**
 * A reward that runs in a process (or thread) of its own with limits that stop the work itself: an endless loop, a
 * catastrophic regular expression, a native call, a memory bomb, `process.exit`, a thread left spinning. The sample
 * at fault is unscored (`timeout`, `memory` or `crashed`); the others of its batch are scored as ever. It has the
 * identity of the reward inside, since its scores are the same.
 *
 * This limits accidents. It is no sandbox: the code inside may do whatever this process may.
 *
 * CPU time and memory are read from /proc on Linux; elsewhere the process measures itself from a thread of its own.
 * Rejects with a `GuerdonError` when the reward cannot be loaded.
 *
 * @example
 * await using reward = await isolate({ module: './my-reward.ts' }, { timeoutMs: 1000, memoryMb: 256 })
 * await reward.score(samples)
 */
export async function isolate(
  reference: RewardReference,
  options: IsolateOptions = {},
): Promise<IsolatedReward> {
  const {
    timeoutMs = 10_000,
    cpuSeconds = Infinity,
    memoryMb = 512,
    loadTimeoutMs = 30_000,
    runIn = 'process',
    workers = 1,
    batchSize = 1,
  } = options
  for (const [name, value] of Object.entries({
    timeoutMs,
    cpuSeconds,
    memoryMb,
    loadTimeoutMs,
    workers,
    batchSize,
  }))
    if (!(value > 0))
      throw new GuerdonError('bad-limit', `${name} is ${value}.`, { fix: 'Give a number above 0.' })
  if (runIn === 'thread' && (options.cpuSeconds !== undefined || options.memoryMb !== undefined))
    throw new GuerdonError('bad-limit', 'the CPU time and memory of a thread cannot be limited.', {
      fix: 'Run in a process, or limit timeoutMs only.',
    })
  const pool = new Pool(
    { timeoutMs, cpuSeconds, memoryMb, loadTimeoutMs, workers },
    { type: 'load', ...portableReference(reference, options.lookup) },
    (events) =>
      runIn === 'process' ? startProcess(memoryMb, events, options.environment) : startThread(events),
  )
  const head = await pool.head.catch((error: unknown) => {
    pool.close()
    throw new GuerdonError('not-loaded', `the reward to isolate did not load: ${messageOf(error)}`, {
      cause: error,
    })
  })
  const unitsOf = (samples: readonly Sample[]) =>
    head.needs.includes('group') ? groupsOf(samples) : batchesOf(samples.length, batchSize)
  const close = () => pool.close()
  return {
    ...head,
    score: (samples: readonly Sample[], context: ScoreContext = {}): Promise<Score[]> =>
      pool.judge(samples, unitsOf(samples), context),
    close,
    [Symbol.asyncDispose]: async () => close(),
  }
}

function groupsOf(samples: readonly Sample[]): Unit[] {
  const groups = new Map<string, number[]>()
  samples.forEach((sample, row) => {
    const group = groupOf(sample)
    const rows = groups.get(group)
    if (rows) rows.push(row)
    else groups.set(group, [row])
  })
  return [...groups.values()].map((rows) => ({ rows, divisible: false }))
}

function batchesOf(count: number, size: number): Unit[] {
  return Array.from({ length: Math.ceil(count / size) }, (_, index) => ({
    rows: Array.from({ length: Math.min(size, count - index * size) }, (_, offset) => index * size + offset),
    divisible: true,
  }))
}
