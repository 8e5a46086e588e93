import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '../../store/index.ts'
import { type ScoringOptions, type Session, scoreSource, withSession } from '../session.ts'
import { printSummary } from '../summary.ts'
import type { ExitCode, Terminal } from '../terminal.ts'

/** `guerdon score DATA --reward ...`: every sample judged, everything kept in the store. */
export async function score(source: string, options: ScoringOptions, terminal: Terminal): Promise<ExitCode> {
  return withSession<ExitCode>(options, async (session) => {
    if (options.dryRun) return dryRun(session, source, options, terminal)
    const summary = await scoreSource(session, source, options, terminal)
    if (options.json) terminal.result(JSON.stringify(summary))
    else {
      printSummary(summary, terminal)
      if (summary.status === 'complete')
        terminal.note(
          `\nnext: guerdon rank ${summary.run}, guerdon compare ${summary.run}, guerdon report ${summary.run}`,
        )
    }
    if (summary.status === 'stopped') return 130
    return summary.failures > 0 ? 2 : 0
  })
}

/** Goes through the data without asking a model; nothing is added to the store. */
async function dryRun(
  session: Session,
  source: string,
  options: ScoringOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const folder = await mkdtemp(join(tmpdir(), 'guerdon-dry-run-'))
  const store = await openStore(join(folder, 'store.db'))
  try {
    const kept: Session = { ...session, store: { ...store, calls: session.store.calls } }
    const { run: _run, queue: _queue, ...unnamed } = options
    await scoreSource(kept, source, unnamed, terminal)
    return 0
  } finally {
    await store.close()
    await rm(folder, { recursive: true, force: true })
  }
}
