import { resolve } from 'node:path'
import { type RunSummary, summarizeRun } from '../apply/run-summary.ts'
import { GuerdonError } from '../core/index.ts'
import {
  type Order,
  openWorkplace,
  orderScores,
  placeOf,
  type Workplace,
  waitForOrder,
  work,
} from '../serve/workers/index.ts'
import { figure } from '../stats/figure.ts'
import {
  interruptible,
  readOptions,
  referenceTo,
  type ScoringOptions,
  type Session,
  wantedExpressions,
} from './session.ts'
import { counted } from './table.ts'
import type { Terminal } from './terminal.ts'

export interface QueueCommandOptions {
  /** Let workers do it. */
  readonly queue?: boolean
  /** Do not wait for them. */
  readonly detach?: boolean
  /** Threads of this process that take part. */
  readonly workers?: number
}

/** `guerdon score --queue`: orders the scores of a source, or of a run's samples, and waits for the workers. */
export async function scoreOnWorkers(
  session: Session,
  source: string,
  options: ScoringOptions,
  terminal: Terminal,
): Promise<RunSummary> {
  if (source === '-')
    throw new GuerdonError('bad-option', 'workers cannot read the standard input of this process.', {
      fix: 'Write it to a file that all machines see.',
    })
  const rewards = Object.fromEntries(
    Object.entries(wantedExpressions(session, options)).map(([name, expression]) => [
      name,
      referenceTo(session, expression),
    ]),
  )
  return atWorkplace(session, options, async (place) => {
    const run = source === 'last' ? (await place.store.runs.list())[0] : await place.store.runs.find(source)
    const order = await interruptible(terminal, (signal) =>
      orderScores(place, {
        samples: run?.id ?? (source.startsWith('hf://') ? source : resolve(source)),
        read: readOptions(options),
        rewards,
        seed: options.seed ?? '0',
        config: session.configFile,
        signal,
        onIntake: (rows) => terminal.progress('reading into the store', rows, null),
        ...(options.run === undefined ? { resume: true } : { runId: options.run }),
        ...(options.step === undefined ? {} : { step: options.step }),
        ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
        ...(options.batch === undefined ? {} : { batchSize: options.batch }),
      }),
    )
    terminal.note(`job ${order.id} scores run ${order.about}`)
    if (options.detach)
      terminal.note(
        `it goes on by itself: guerdon jobs show ${order.id}; the same command without --detach waits`,
      )
    else await waitWithProgress(place, order, options, terminal)
    return summarizeRun(place.store, order.about)
  })
}

/** Work at the queues of the session's store; options that would not hold on other machines are refused. */
export async function atWorkplace<Result>(
  { store }: Pick<Session, 'store'>,
  options: ScoringOptions,
  use: (place: Workplace) => Promise<Result>,
): Promise<Result> {
  refuseLimits(options)
  const place = await openWorkplace(store.address)
  try {
    return await use(place)
  } finally {
    await place.close()
  }
}

function refuseLimits(options: ScoringOptions): void {
  const given = [
    ['--isolate', options.isolate],
    ['--max-cost', options.maxCost],
    ['--max-calls', options.maxCalls],
    ['--requests-per-minute', options.requestsPerMinute],
    ['--tokens-per-minute', options.tokensPerMinute],
    ['--price', options.price],
    ['--no-cache', options.cache === false ? true : undefined],
  ].flatMap(([name, value]) => (value === undefined ? [] : [name]))
  if (given.length > 0)
    throw new GuerdonError('bad-option', `${given.join(', ')} cannot be kept to by many machines together.`, {
      fix: 'Give rates to "guerdon worker", where they hold for that worker, and prices in the configuration; each shard has a thread of its own anyway.',
    })
}

/** Waits for an order; an interrupt cancels it. What failed is told. */
async function waitWithProgress(
  place: Workplace,
  order: Order,
  options: QueueCommandOptions,
  terminal: Terminal,
): Promise<void> {
  const done = new AbortController()
  const helping =
    options.workers === undefined ? undefined : work(place, { threads: options.workers, signal: done.signal })
  let started: number | undefined
  try {
    const status = await interruptible(terminal, (signal) =>
      waitForOrder(place, order, {
        signal,
        onProgress: ({ shards, done, failed, rows }) => {
          started ??= performance.now() // the first report
          const seconds = (performance.now() - started) / 1000
          const rate = seconds > 0 ? `  ${figure(Math.round(rows / seconds))}/s` : ''
          terminal.progress('workers', done + failed, shards, `${figure(rows)} rows${rate}`)
        },
      }),
    )
    if (status === 'failed') await tellFailures(place, order, terminal)
  } finally {
    done.abort()
    await helping
  }
}

export async function tellFailures(place: Workplace, order: Order, terminal: Terminal): Promise<void> {
  const { failed, shards } = await place.orders.progress(order.key)
  terminal.problem(
    `${counted(failed, 'shard')} of ${figure(shards)} failed for good; the rest is done and kept:`,
  )
  for (const shard of await place.orders.failedShards(order.key, 10))
    terminal.problem(
      `  ${order.kind === 'score' ? placeOf(shard) : `job ${shard.number}`}: ${shard.failure} (${counted(shard.attempts, 'attempt')}, last ${shard.worker ?? 'by nobody'})`,
    )
  terminal.problem(`  once the cause is gone: guerdon jobs retry ${order.id}`)
}
