import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { configFile, type GuerdonConfig, loadConfigFile } from '../apply/config.ts'
import { scoreRun } from '../apply/run.ts'
import type { RunSummary } from '../apply/run-summary.ts'
import { GuerdonError, Rng } from '../core/index.ts'
import type { FieldMapping, ReadOptions } from '../data/index.ts'
import { resolveReward } from '../methods/resolve.ts'
import { type IsolatedReward, type IsolateOptions, isolate } from '../rewards/isolate.ts'
import type { RewardReference } from '../rewards/reward-reference.ts'
import { figure } from '../stats/figure.ts'
import {
  defaultStorePath,
  isPostgresAddress,
  type KeptDocument,
  openStore,
  type Store,
  storeOfEnvironment,
} from '../store/index.ts'
import { type ModelCallOptions, withModelCalls } from './model-calls.ts'
import type { QueueCommandOptions } from './queue.ts'
import type { ExitCode, Terminal } from './terminal.ts'

export interface GlobalOptions {
  readonly config?: string
  readonly store?: string
  readonly json?: boolean
  readonly quiet?: boolean
}

export interface ScoringOptions extends GlobalOptions, ModelCallOptions, QueueCommandOptions {
  readonly reward?: readonly string[]
  readonly run?: string
  readonly seed?: string
  readonly step?: number
  readonly batch?: number
  readonly isolate?: string | true
  readonly format?: string
  readonly convention?: string
  readonly map?: readonly string[]
  readonly at?: string
  readonly limit?: number
}

/** What every command that touches runs has: the configuration and the open store. */
export interface Session {
  readonly config: GuerdonConfig
  readonly configFile: string | null
  readonly store: Store
}

export async function withSession<T>(
  options: GlobalOptions,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const file = configFile(process.cwd(), options.config)
  const config = file === null ? {} : await loadConfigFile(file)
  const store = await openStore(storeLocation(options, config, file))
  try {
    return await work({ config, configFile: file, store })
  } finally {
    await store.close()
  }
}

/** Keeps a document for the page in the browser; the store is closed again while what it tells of goes on. */
export function keepDocument(options: GlobalOptions, document: KeptDocument): Promise<void> {
  return withSession(options, ({ store }) => store.documents.keep(document))
}

/** The store of the command line, else of the environment (`DATABASE_URL`), else of the configuration. */
export function storeLocation(options: GlobalOptions, config: GuerdonConfig, file: string | null): string {
  const given = options.store ?? storeOfEnvironment()
  if (given !== undefined) return given
  if (config.store === undefined) return defaultStorePath
  return isPostgresAddress(config.store) || file === null ? config.store : join(dirname(file), config.store)
}

const resolver = new URL(
  `../methods/resolve${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`,
  import.meta.url,
).href

/** Names with their expressions, as the command line gives them: `NAME=EXPRESSION`, or an expression, which then is its own name. */
export function namedExpressions(texts: readonly string[]): Record<string, string> {
  const expressions: Record<string, string> = {}
  for (const text of texts) {
    const named = /^([A-Za-z][\w.-]*)=(.+)$/s.exec(text)
    const [name, expression] = named ? [named[1]!, named[2]!] : [text.trim(), text]
    if (Object.hasOwn(expressions, name))
      throw new GuerdonError('duplicate-reward', `two rewards are called "${name}".`, {
        fix: 'Give one another name: --reward NAME=EXPRESSION.',
      })
    expressions[name] = expression
  }
  return expressions
}

/** Those of `namedExpressions` that the command line names, or else the configuration. A misspelt name or an empty list is an error. */
export function wantedExpressions(
  { config }: Pick<Session, 'config'>,
  options: Pick<ScoringOptions, 'reward'>,
): Record<string, string> {
  const wanted = options.reward ?? config.score ?? []
  if (wanted.length === 0)
    throw new GuerdonError('no-rewards', 'no reward is named.', {
      fix: 'Add --reward NAME ("guerdon rewards" lists them), or name rewards under "score" in the configuration.',
    })
  const expressions = namedExpressions(wanted)
  // A misspelt name is said before anything is read.
  for (const expression of Object.values(expressions)) resolveReward(expression, config.rewards)
  return expressions
}

/** What another process or thread makes the reward of an expression from. */
export function referenceTo(
  { configFile }: Pick<Session, 'configFile'>,
  expression: string,
): RewardReference {
  return { module: resolver, export: 'resolveConfigured', options: { config: configFile, expression } }
}

/** The rewards of `wantedExpressions`, isolated where that is asked for. */
async function namedRewards(
  session: Pick<Session, 'config' | 'configFile'>,
  options: ScoringOptions,
): Promise<Record<string, IsolatedReward | RewardReference>> {
  const limits = options.isolate === undefined ? undefined : isolationLimits(options.isolate)
  const rewards: Record<string, IsolatedReward | RewardReference> = {}
  for (const [name, expression] of Object.entries(wantedExpressions(session, options))) {
    const reference = referenceTo(session, expression)
    rewards[name] = limits === undefined ? reference : await isolate(reference, limits)
  }
  return rewards
}

/** A run by its id, or `last`; or a data file, which is scored first. */
export async function runOf(
  session: Session,
  runOrData: string,
  options: ScoringOptions,
  terminal: Terminal,
): Promise<{ run: string; summary: RunSummary | null }> {
  const { store } = session
  const isData = runOrData === '-' || runOrData.startsWith('hf://') || existsSync(runOrData)
  if (isData && options.reward === undefined && session.config.score === undefined) {
    const known = (await store.runs.list()).find(({ source }) => source === runOrData)
    if (known !== undefined) return { run: known.id, summary: null }
  }
  if (!isData) {
    const runs = await store.runs.list()
    if (runOrData === 'last') {
      if (runs[0] === undefined)
        throw new GuerdonError('unknown-run', 'the store holds no runs yet.', {
          place: { file: store.location },
        })
      return { run: runs[0].id, summary: null }
    }
    if (!runs.some(({ id }) => id === runOrData))
      throw new GuerdonError('unknown-run', `"${runOrData}" is neither a run nor a file.`, {
        fix:
          runs.length === 0
            ? 'The store holds no runs yet.'
            : `The newest runs: ${runs
                .slice(0, 5)
                .map(({ id }) => id)
                .join(', ')}.`,
      })
    return { run: runOrData, summary: null }
  }
  const summary = await scoreSource(session, runOrData, options, terminal)
  return { run: summary.run, summary }
}

/**
 * Scores a source into the store, with progress; an interrupt, or the end of the budget, stops it with everything kept.
 */
export async function scoreSource(
  session: Session,
  source: string,
  options: ScoringOptions,
  terminal: Terminal,
): Promise<RunSummary> {
  if (options.queue) {
    const { scoreOnWorkers } = await import('./queue.ts') // brings the driver of PostgreSQL along
    return scoreOnWorkers(session, source, options, terminal)
  }
  const isLimited = options.maxCost !== undefined || options.maxCalls !== undefined || options.dryRun
  if (options.isolate !== undefined && isLimited)
    throw new GuerdonError('bad-option', 'a budget of model calls does not reach into isolated processes.', {
      fix: 'Leave out --isolate, or --max-cost, --max-calls and --dry-run.',
    })
  return withModelCalls(session, options, terminal, (calls) =>
    scoreWith(session, source, options, terminal, calls.signal),
  )
}

async function scoreWith(
  session: Session,
  source: string,
  options: ScoringOptions,
  terminal: Terminal,
  spent: AbortSignal,
): Promise<RunSummary> {
  const rewards = await namedRewards(session, options)
  try {
    return await interruptible(terminal, (signal) =>
      scoreRun({
        samples: source,
        read: readOptions(options),
        rewards,
        store: session.store,
        signal: AbortSignal.any([signal, spent]),
        context: {
          rng: new Rng(options.seed ?? '0'),
          ...(options.step === undefined ? {} : { step: options.step }),
        },
        onProgress: ({ rows, rowsPerSecond, bytesRead, bytesTotal }) =>
          terminal.progress(
            'scoring',
            bytesRead,
            bytesTotal,
            `${figure(rows)} rows  ${figure(Math.round(rowsPerSecond))}/s`,
          ),
        ...(options.run === undefined ? { resume: true } : { runId: options.run }),
        ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
        ...(options.batch === undefined ? {} : { batchSize: options.batch }),
        ...(options.workers === undefined ? {} : { workers: options.workers }),
      }),
    )
  } finally {
    for (const reward of Object.values(rewards))
      if (typeof reward === 'object' && 'close' in reward) (reward as IsolatedReward).close()
  }
}

/**
 * Work that asks judges and may call models, within the budget of the command line. Exit code 130 where an interrupt or
 * the end of the budget stopped it: what was judged is kept, and the same command goes on.
 */
export function judgingWork(
  session: Session,
  options: ScoringOptions,
  terminal: Terminal,
  work: (signal: AbortSignal) => Promise<ExitCode>,
): Promise<ExitCode> {
  return withModelCalls(session, options, terminal, async (calls) => {
    let stopped: AbortSignal | undefined
    try {
      return await interruptible(terminal, (signal) => {
        stopped = AbortSignal.any([signal, calls.signal])
        return work(stopped)
      })
    } catch (error) {
      if (!stopped?.aborted) throw error
      terminal.problem('stopped: what was judged is kept, and the same command goes on from there')
      return 130
    }
  })
}

/** Work that an interrupt asks to stop, with everything kept, and a second interrupt ends at once. */
export async function interruptible<T>(
  terminal: Terminal,
  work: (signal: AbortSignal) => Promise<T>,
  said = 'stopping: what is scored is kept (again to stop at once)',
): Promise<T> {
  const stop = new AbortController()
  let interrupts = 0
  const interrupt = () => {
    interrupts++
    if (interrupts > 1) process.exit(130)
    terminal.note(said)
    stop.abort()
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  try {
    return await work(stop.signal)
  } finally {
    terminal.progressEnd()
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', interrupt)
  }
}

export function readOptions(options: ScoringOptions): ReadOptions {
  return {
    ...(options.format === undefined ? {} : { format: options.format as NonNullable<ReadOptions['format']> }),
    ...(options.convention === undefined ? {} : { convention: options.convention }),
    ...(options.limit === undefined ? {} : { limit: options.limit }),
    ...(options.at === undefined ? {} : { at: options.at }),
    ...(options.map === undefined ? {} : { mapping: mappingOf(options.map) }),
  }
}

function mappingOf(entries: readonly string[]): FieldMapping {
  const pairs = entries.map((entry) => {
    const at = entry.indexOf('=')
    if (at < 1)
      throw new GuerdonError('bad-option', `--map ${entry} is not FIELD=PATH.`, {
        fix: 'Such as --map output=answers.0.text.',
      })
    const [field, path] = [entry.slice(0, at), entry.slice(at + 1)]
    return [field, field === 'meta' ? path.split(',') : path] as const
  })
  return Object.fromEntries(pairs) as unknown as FieldMapping
}

/** `seconds=2,cpu=2,memory=512` (memory in MiB); a bare `--isolate` takes the defaults. */
export function isolationLimits(text: string | true): IsolateOptions {
  if (text === true) return {}
  const limits: { timeoutMs?: number; cpuSeconds?: number; memoryMb?: number } = {}
  for (const entry of text.split(',')) {
    const [key, value] = entry.split('=')
    const amount = Number(value)
    if (!(amount > 0))
      throw new GuerdonError('bad-option', `--isolate ${entry} is not a limit.`, {
        fix: 'Such as seconds=2,cpu=2,memory=512.',
      })
    if (key === 'seconds') limits.timeoutMs = amount * 1000
    else if (key === 'cpu') limits.cpuSeconds = amount
    else if (key === 'memory') limits.memoryMb = amount
    else
      throw new GuerdonError('bad-option', `--isolate knows no limit "${key}".`, {
        fix: 'Limits are seconds, cpu and memory.',
      })
  }
  return limits
}
