import { loadConfigFile } from '../../apply/config.ts'
import { GuerdonError, type Json } from '../../core/index.ts'
import { auditByName, type NamedAudit } from '../../methods/audit-by-name.ts'
import { CallLayer } from '../../models/calls/call-layer.ts'
import { withCalls } from '../../models/calls/call-scope.ts'
import { openStore } from '../../store/index.ts'
import type { JobFunction } from '../../tensor/pool.ts'
import { queuedJobs } from './job-order.ts'
import type { Workplace } from './workplace.ts'

interface AuditShard {
  readonly named: NamedAudit
  /** The configuration file, at the same path on every machine. */
  readonly config: string | null
}

/**
 * Has workers judge what an audit will ask: a job for each benchmark and one for the attacks. Judgements are kept in the
 * store, so that the audit itself (`auditByName` with the same store) finds them there and asks next to nothing.
 *
 * @throws GuerdonError `job-failed` when one of them failed
 */
export async function orderAudit(
  workplace: Workplace,
  named: NamedAudit,
  config: string | null,
  signal: AbortSignal,
): Promise<void> {
  const { attacks, ...rest } = named
  const { signal: _, ...read } = named.read
  const pieces: NamedAudit[] = [
    ...named.on.map((one) => ({ ...rest, read, on: [one] })),
    ...(attacks === undefined ? [] : [{ ...rest, read, attacks }]),
  ]
  const outcomes = await queuedJobs(
    workplace,
    'audit',
    named.expression,
  )(
    pieces.map((piece) => ({
      module: import.meta.url,
      export: 'auditShard',
      options: { named: piece, config } as unknown as Json,
    })),
    { signal },
  )
  for (const outcome of outcomes) if (outcome.status === 'failed') throw outcome.error
  if (outcomes.some(({ status }) => status === 'cancelled'))
    throw new GuerdonError('cancelled', 'the audit was cancelled; what was judged is kept.')
}

/** One job of an audit: its judgements are kept in the store, which the worker names. */
export const auditShard: JobFunction<AuditShard & { readonly store: string }, null> = async (
  { named, config, store: address },
  { signal },
) => {
  const store = await openStore(address, { mustExist: true })
  const { rewards, models = {} } = config === null ? {} : await loadConfigFile(config)
  try {
    await withCalls({ calls: new CallLayer({ cache: store.calls }), models }, () =>
      auditByName(named, { ...(rewards === undefined ? {} : { rewards }), store, signal }),
    )
    return null
  } finally {
    await store.close()
  }
}
