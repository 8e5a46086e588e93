import { writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { runReport } from '../../apply/report.ts'
import { summarizeRun } from '../../apply/run-summary.ts'
import { scoredSamples } from '../../apply/scored-samples.ts'
import { reportPicture } from '../report-picture.ts'
import { runOf, type ScoringOptions, type Session, withSession } from '../session.ts'
import type { ExitCode, Terminal } from '../terminal.ts'

interface ReportCommandOptions extends ScoringOptions {
  readonly out: string
  readonly gold?: string
  readonly breakdown?: string
  readonly samples: number
  readonly title?: string
}

/** `guerdon report RUN`: one self-contained HTML page. */
export async function reportCommand(
  data: string,
  options: ReportCommandOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  return withSession<ExitCode>(options, async (session) => {
    const { run, summary } = await runOf(session, data, options, terminal)
    await writeReport(session, run, options.out, {
      shown: options.samples,
      ...(options.gold === undefined ? {} : { gold: options.gold }),
      ...(options.breakdown === undefined ? {} : { breakdown: options.breakdown }),
      ...(options.title === undefined ? {} : { title: options.title }),
    })
    const path = resolve(options.out)
    terminal.result(options.json ? JSON.stringify({ run, file: path }) : `report of run ${run}: ${path}`)
    return summary !== null && summary.failures > 0 ? 2 : 0
  })
}

/** Writes the report of a run of the session's store. */
export async function writeReport(
  { store }: Session,
  run: string,
  file: string,
  options: { gold?: string; breakdown?: string; title?: string; shown?: number },
): Promise<void> {
  const stored = (await store.runs.find(run))!
  const baseDirectory =
    stored.source === undefined || stored.source === '-' ? process.cwd() : dirname(resolve(stored.source))
  const page = await runReport({
    ...options,
    run: stored,
    summary: await summarizeRun(store, run),
    samples: () => scoredSamples(store, run),
    picture: reportPicture(baseDirectory),
  })
  await writeFile(file, page)
}
