import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Audit } from '../../apply/audit.ts'
import { auditReport } from '../../apply/audit-report.ts'
import { auditVerdict, missedLimits } from '../../apply/audit-verdict.ts'
import { auditDocument } from '../../apply/kept-documents.ts'
import { certifiedThings, certify, checkCertificate, parseCertificate } from '../../audit/certificate.ts'
import { GuerdonError } from '../../core/index.ts'
import { auditByName, type NamedAudit, openAll } from '../../methods/audit-by-name.ts'
import { resolveReward } from '../../methods/resolve.ts'
import { figure, intervalFigure } from '../../stats/figure.ts'
import { reportPicture } from '../report-picture.ts'
import {
  interruptible,
  judgingWork,
  readOptions,
  type ScoringOptions,
  type Session,
  withSession,
} from '../session.ts'
import { table } from '../table.ts'
import type { ExitCode, Terminal } from '../terminal.ts'

export interface AuditCommandOptions extends ScoringOptions {
  readonly on?: readonly string[]
  readonly attacks?: readonly string[] | true
  readonly items: number
  readonly stopAt?: number
  readonly failBelow?: number
  readonly failAttacksAbove?: number
  readonly out: string
  readonly certificate?: string
  readonly cases: number
}

/** `guerdon audit REWARD --on BENCHMARKS --attacks`: how far to trust a reward, as one page; exit code 1 where a limit is not kept. */
export async function auditCommand(
  expression: string,
  options: AuditCommandOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  return withSession<ExitCode>(options, (session) =>
    judgingWork(session, options, terminal, async (signal) => {
      const { config, store } = session
      const named = namedAudit(expression, options)
      if (options.queue) await judgeOnWorkers(session, named, options, terminal)
      const { found, judge } = await auditByName(named, {
        ...(config.rewards === undefined ? {} : { rewards: config.rewards }),
        store,
        signal,
        onProgress: (what, done, total) => terminal.progress(what, done, total),
      })
      terminal.progressEnd()
      const missed = missedLimits(found, options)
      await writeFile(
        options.out,
        await auditReport({
          audit: found,
          missed,
          picture: reportPicture(process.cwd()),
          cases: options.cases,
        }),
      )
      await store.documents.keep(
        await auditDocument(found, {
          created: new Date().toISOString(),
          missed,
          picture: reportPicture(process.cwd()),
        }),
      )
      if (options.certificate !== undefined)
        await writeCertificate(options.certificate, expression, found, options, judge)
      if (options.json)
        terminal.result(JSON.stringify({ ...summaryOf(found), missed, file: resolve(options.out) }))
      else printAudit(found, options, terminal)
      for (const { what, limit, value } of missed)
        terminal.problem(`limit not kept: ${what} has ${figure(value)}, the limit is ${figure(limit)}`)
      return missed.length > 0 ? 1 : 0
    }),
  )
}

function namedAudit(expression: string, options: AuditCommandOptions): NamedAudit {
  return {
    expression,
    on: (options.on ?? []).map((one) => (existsSync(one) ? resolve(one) : one)),
    items: options.items,
    seed: options.seed ?? '0',
    read: readOptions(options),
    ...(options.attacks === undefined ? {} : { attacks: options.attacks }),
    ...(options.stopAt === undefined ? {} : { stopAt: options.stopAt }),
  }
}

/** With `--queue` workers judge first; the audit then finds every judgement in the store. */
async function judgeOnWorkers(
  session: Session,
  named: NamedAudit,
  options: AuditCommandOptions,
  terminal: Terminal,
): Promise<void> {
  const { atWorkplace } = await import('../queue.ts') // brings the driver of PostgreSQL along
  const { orderAudit } = await import('../../serve/workers/index.ts')
  await atWorkplace(session, options, (place) =>
    interruptible(terminal, (signal) => orderAudit(place, named, session.configFile, signal)),
  )
}

/** `guerdon certificate FILE`: whether a calibration still speaks of what is there now; exit code 1 where it does not. */
export async function certificateCommand(
  file: string,
  options: ScoringOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  return withSession<ExitCode>(options, async ({ config }) => {
    const text = await readFile(file, 'utf8').catch((cause) => {
      throw new GuerdonError('not-found', 'cannot be read.', { place: { file }, cause })
    })
    const certificate = parseCertificate(text, file)
    const { benchmarks } = await openAll(certificate.on, options.seed ?? '0', readOptions(options))
    const now = certifiedThings(resolveReward(certificate.reward, config.rewards), benchmarks)
    const check = checkCertificate(certificate, now)
    if (options.json) terminal.result(JSON.stringify({ ...check, reward: certificate.reward }))
    else
      terminal.result(
        check.isValid
          ? `valid: ${certificate.reward} has an expected calibration error of ${figure(certificate.measured.expectedError)} on ${certificate.on.join(', ')} (${figure(certificate.measured.n)} verdicts)`
          : `stale: ${check.changed.join(', ')} changed since ${certificate.reward} was measured`,
      )
    return check.isValid ? 0 : 1
  })
}

async function writeCertificate(
  file: string,
  reward: string,
  { benchmarks }: Audit,
  { on = [] }: AuditCommandOptions,
  judge: ReturnType<typeof resolveReward>,
): Promise<void> {
  const measured = benchmarks.find(({ calibration }) => calibration !== undefined)
  if (measured?.calibration === undefined)
    throw new GuerdonError(
      'no-calibration',
      `"${reward}" gives no probabilities on what it was audited on, so there is no calibration to certify.`,
      {
        fix: 'Certificates are for comparators, and for rewards in [0, 1] on single outputs that are good or bad.',
      },
    )
  const certificate = certify({
    reward,
    on,
    things: certifiedThings(
      judge,
      benchmarks.map(({ benchmark }) => benchmark),
    ),
    calibration: measured.calibration,
    score: measured.result.headline.score,
  })
  await writeFile(file, `${JSON.stringify(certificate, null, 2)}\n`)
}

/** What a script wants of an audit: everything but the items. */
function summaryOf(found: Audit) {
  return {
    name: found.name,
    identity: found.identity,
    verdict: auditVerdict(found),
    benchmarks: found.benchmarks.map(({ result: { rows: _, ...result }, length, calibration }) => ({
      ...result,
      length,
      calibration,
    })),
    ...(found.attacks === undefined
      ? {}
      : {
          attacks: {
            ...found.attacks,
            attacks: found.attacks.attacks.map(({ examples: _, ...attack }) => attack),
          },
        }),
    nonsense: found.targets.flatMap(({ target, probes }) =>
      probes
        .filter(({ isPaid }) => isPaid)
        .map(({ attack, output, most, score }) => ({
          target: target.note ?? target.reward,
          attack,
          output,
          most,
          earned: score.value,
        })),
    ),
    judgements: found.judgements,
    cost: found.cost,
  }
}

function printAudit(found: Audit, options: AuditCommandOptions, terminal: Terminal): void {
  const { goodFor, failsAt, costs } = auditVerdict(found)
  for (const [title, findings] of [
    ['good for', goodFor],
    ['fails at', failsAt],
    ['costs', costs],
  ] as const) {
    if (findings.length === 0) continue
    terminal.result(title)
    for (const { text } of findings) terminal.result(`  ${text}`)
  }
  if (found.attacks) {
    terminal.result('')
    for (const line of table(
      ['attack', 'succeeds', 'trials', 'worst variant'],
      found.attacks.attacks.map(({ attack, rate, trials, worst }) => [
        attack,
        intervalFigure(rate),
        figure(trials),
        worst && worst.rate > 0 ? worst.name : '',
      ]),
    ))
      terminal.result(`  ${line}`)
  }
  terminal.result(`\nreport: ${resolve(options.out)}`)
}
