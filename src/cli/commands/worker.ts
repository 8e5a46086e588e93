import { configFile, loadConfigFile } from '../../apply/config.ts'
import { GuerdonError } from '../../core/index.ts'
import { type OrderKind, openWorkplace, orderKinds, type WorkEvent, work } from '../../serve/workers/index.ts'
import { type GlobalOptions, interruptible, storeLocation } from '../session.ts'
import type { ExitCode, Terminal } from '../terminal.ts'

export interface WorkerCommandOptions extends GlobalOptions {
  readonly threads?: number
  readonly kinds?: string
  readonly lease?: number
  readonly name?: string
  readonly idle?: number
  readonly concurrency?: number
  readonly requestsPerMinute?: number
  readonly tokensPerMinute?: number
}

/** `guerdon worker`: takes work from the queues of the shared store until it is stopped. */
export async function workerCommand(options: WorkerCommandOptions, terminal: Terminal): Promise<ExitCode> {
  const file = configFile(process.cwd(), options.config)
  const config = file === null ? {} : await loadConfigFile(file)
  const { threads = 1 } = options
  return interruptible<ExitCode>(
    terminal,
    async (signal) => {
      const place = await openWorkplace(storeLocation(options, config, file), {
        openPatience: 60_000, // it may be started before the database
        signal,
        ...(options.lease === undefined ? {} : { lease: options.lease }),
        connections: Math.min(8, threads + 2),
      })
      try {
        terminal.note(
          `worker of ${place.store.location}: ${threads} at a time; interrupt or SIGTERM gives back what is under way`,
        )
        await work(place, {
          threads,
          signal,
          kinds: kindsOf(options.kinds),
          limits: limitsOf(options, threads),
          ...(options.name === undefined ? {} : { name: options.name }),
          ...(options.idle === undefined ? {} : { idleLimit: options.idle * 1000 }),
          onEvent: (event) => tell(event, options, terminal),
        })
        return 0
      } finally {
        await place.close()
      }
    },
    'stopping: what is under way is given back (again to stop at once)',
  )
}

function kindsOf(text: string | undefined): readonly OrderKind[] {
  if (text === undefined) return orderKinds
  return text.split(',').map((name) => {
    const kind = orderKinds.find((known) => known === name.trim())
    if (kind === undefined)
      throw new GuerdonError('bad-option', `--kinds knows no "${name}".`, {
        fix: `Kinds of work are ${orderKinds.join(', ')}.`,
      })
    return kind
  })
}

/** Each thread keeps to its share of the rates. */
function limitsOf(
  { concurrency, requestsPerMinute, tokensPerMinute }: WorkerCommandOptions,
  threads: number,
) {
  const share = (rate: number) => Math.max(1, Math.floor(rate / threads))
  return {
    ...(concurrency === undefined ? {} : { concurrency: share(concurrency) }),
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute: share(requestsPerMinute) }),
    ...(tokensPerMinute === undefined ? {} : { tokensPerMinute: share(tokensPerMinute) }),
  }
}

function tell(event: WorkEvent, { json }: GlobalOptions, terminal: Terminal): void {
  if (json) terminal.result(JSON.stringify(event))
  else if (event.type === 'done')
    terminal.note(`${event.order}: shard ${event.shard} done${event.rows ? `, ${event.rows} rows` : ''}`)
  else if (event.type === 'failed')
    terminal.problem(
      `${event.order}: shard ${event.shard} failed${event.isFinal ? ' for good' : ''}: ${event.reason}`,
    )
  else if (event.type === 'stopped')
    terminal.note(`${event.order}: shard ${event.shard} stopped: ${event.why}`)
  else if (event.type === 'trouble') terminal.problem(event.reason)
}
