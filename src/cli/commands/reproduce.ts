import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { GuerdonError } from '../../core/index.ts'
import { catalogueEntry } from '../../methods/catalogue/catalogue.ts'
import type { StageProgress } from '../../methods/reproduce/jobs.ts'
import { reproductionDocument } from '../../methods/reproduce/kept-reproduction.ts'
import { proofOf, provenIds } from '../../methods/reproduce/proofs.ts'
import { metricText } from '../../methods/reproduce/report.ts'
import {
  type ReproduceOptions,
  type ReproductionResult,
  reproduce,
} from '../../methods/reproduce/reproduce.ts'
import { reproductionsMarkdown } from '../../methods/reproduce/reproductions-markdown.ts'
import { readSummaries, writeSummary } from '../../methods/reproduce/verdicts.ts'
import { figure } from '../../stats/figure.ts'
import { type GlobalOptions, interruptible, keepDocument, withSession } from '../session.ts'
import { table } from '../table.ts'
import type { ExitCode, Terminal } from '../terminal.ts'

export interface ReproduceCommandOptions extends GlobalOptions {
  readonly all?: boolean
  readonly seeds?: number
  readonly quick?: boolean
  readonly workers?: number
  readonly queue?: boolean
  readonly out: string
  readonly results?: string
  readonly write?: string
}

/** `guerdon reproduce ID`: the small-scale proof of a published system; `--all`: of every one that has one. */
export async function reproduceCommand(
  id: string | undefined,
  options: ReproduceCommandOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  if (id === undefined && !options.all)
    throw new GuerdonError('bad-option', 'say which system to reproduce, or --all.', {
      fix: `There are reproductions of ${provenIds.join(', ')}.`,
    })
  if (options.write !== undefined && options.results === undefined)
    throw new GuerdonError('bad-option', '--write makes a page of the results in a folder; say which.', {
      fix: 'Add --results <folder>.',
    })
  const ids = options.all ? provenIds : [catalogueEntry(id!).id]
  const results: ReproductionResult[] = []
  for (const each of ids) {
    const result = await one(each, options, terminal)
    results.push(result)
    if (options.results !== undefined && result.verdict !== null)
      terminal.note(`the result is in ${await writeSummary(options.results, result)}`)
  }
  if (options.write !== undefined) {
    await writeFile(options.write, reproductionsMarkdown(readSummaries(options.results!)))
    terminal.note(`the verdicts are in ${options.write}`)
  }
  if (options.json) terminal.result(JSON.stringify(options.all ? results : results[0]))
  return results.some(({ failures }) => failures.length > 0) ? 2 : 0
}

async function one(
  id: string,
  options: ReproduceCommandOptions,
  terminal: Terminal,
): Promise<ReproductionResult> {
  const proof = await proofOf(id)
  const folder = resolve(options.out, options.quick ? `${id}-quick` : id)
  const kept = { folder, quick: options.quick ?? false, created: new Date().toISOString() }
  await keepDocument(options, reproductionDocument(proof, kept))
  const result = await withJobs(id, options, terminal, (jobs) =>
    reproduce(proof, {
      folder,
      quick: options.quick ?? false,
      ...(options.seeds === undefined ? {} : { seeds: options.seeds }),
      ...(options.workers === undefined ? {} : { workers: options.workers }),
      ...jobs,
      onProgress: (progress) => showProgress(id, progress, terminal),
    }),
  )
  terminal.progressEnd()
  await keepDocument(options, reproductionDocument(proof, { ...kept, result }))
  if (options.json) return result
  terminal.result(`${catalogueEntry(id).name}: ${result.verdict ?? 'no verdict'}`)
  terminal.result(result.claim)
  if (result.criteria.length > 0) {
    terminal.result('')
    for (const line of table(
      ['holds', 'kind', 'criterion', 'measured'],
      result.criteria.map(({ holds, kind, name, measured }) => [holds ? 'yes' : 'no', kind, name, measured]),
    ))
      terminal.result(line)
  }
  const metrics = [...new Set(result.arms.flatMap(({ metrics }) => Object.keys(metrics)))]
  terminal.result('')
  for (const line of table(
    ['arm', ...metrics, 'samples'],
    result.arms.map((arm) => [
      arm.arm,
      ...metrics.map((metric) => metricText(arm.metrics[metric])),
      figure(arm.samples),
    ]),
  ))
    terminal.result(line)
  for (const { what, trials, chosen, usedBy } of result.tuning)
    terminal.note(`${what} of ${usedBy.join(', ')}: ${figure(chosen)}, of ${trials.length} values tried`)
  for (const { run, reason } of result.failures) terminal.problem(`${run} failed: ${reason}`)
  terminal.note(
    `\n${result.seeds} seeds, ${figure(result.seconds / 60, 1)} minutes of one core; report: ${join(folder, 'report.html')}`,
  )
  return result
}

/** With `--queue` the workers do the runs: all at once, as far as there are workers. An interrupt cancels them. */
async function withJobs<Result>(
  id: string,
  options: ReproduceCommandOptions,
  terminal: Terminal,
  work: (jobs: Pick<ReproduceOptions, 'runJobs' | 'workers' | 'signal'>) => Promise<Result>,
): Promise<Result> {
  if (!options.queue) return work({})
  const { atWorkplace } = await import('../queue.ts') // brings the driver of PostgreSQL along
  const { queuedJobs } = await import('../../serve/workers/index.ts')
  return withSession(options, (session) =>
    atWorkplace(session, {}, (place) =>
      interruptible(terminal, (signal) =>
        work({ signal, workers: 1000, runJobs: queuedJobs(place, 'reproduction', id) }),
      ),
    ),
  )
}

/** `toolrl, runs  [###...] 32%  12/40, 2 min left  fine, seed 2: 34/80, reward 1.93; ...` */
function showProgress(id: string, { stage, done, all, running }: StageProgress, terminal: Terminal): void {
  const parts = running.reduce((sum, run) => sum + run.done / run.all, 0)
  const each = running.map(({ run, done, all, note }) => `${run}: ${done}/${all}${note ? `, ${note}` : ''}`)
  terminal.progress(`${id}, ${stage}`, done + parts, all, `${done}/${all}  ${each.join('; ')}`)
}
