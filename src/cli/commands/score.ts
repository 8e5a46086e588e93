import { type ScoringOptions, scoreSource, withSession } from '../session.ts'
import { printSummary } from '../summary.ts'
import type { ExitCode, Terminal } from '../terminal.ts'

/** `guerdon score DATA --reward ...`: every sample judged, everything kept in the store. */
export async function score(source: string, options: ScoringOptions, terminal: Terminal): Promise<ExitCode> {
  return withSession<ExitCode>(options, async (session) => {
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
