import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Audit, audit } from '../../apply/audit.ts'
import { auditReport } from '../../apply/audit-report.ts'
import { auditVerdict, missedLimits } from '../../apply/audit-verdict.ts'
import { fileBenchmark } from '../../apply/file-benchmark.ts'
import { auditDocument } from '../../apply/kept-documents.ts'
import type { AttackItem } from '../../audit/attacks/attack.ts'
import { attackItems, attackItemsOfTargets } from '../../audit/attacks/attack-items.ts'
import { attacks, attacksNamed } from '../../audit/attacks/attacks.ts'
import { attackTargets } from '../../audit/attacks/targets/index.ts'
import { type Benchmark, openBenchmark } from '../../audit/benchmarks/index.ts'
import { certifiedThings, certify, checkCertificate, parseCertificate } from '../../audit/certificate.ts'
import { GuerdonError, Rng } from '../../core/index.ts'
import { resolveReward, rewardTypeNamed } from '../../methods/resolve.ts'
import { figure, intervalFigure } from '../../stats/figure.ts'
import { reportPicture } from '../report-picture.ts'
import { judgingWork, readOptions, type ScoringOptions, withSession } from '../session.ts'
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
      const judge = resolveReward(expression, config.rewards)
      const { benchmarks, items } = await openAll(options.on ?? [], options)
      const wanted =
        options.attacks === undefined || options.attacks === true ? attacks : attacksNamed(options.attacks)
      const targets = options.attacks === undefined ? [] : targetsOf(expression)
      if (benchmarks.length === 0 && items.length === 0 && targets.length === 0)
        throw new GuerdonError('nothing-to-audit', `there is nothing to audit "${expression}" on.`, {
          fix: 'Name a benchmark or a file with --on ("guerdon audit --help" shows how), or add --attacks for a reward with built-in targets.',
        })
      const attacked = items.length > 0 ? items : attackItemsOfTargets(targets.map(({ target }) => target))
      const found = await audit({
        name: expression,
        judge,
        benchmarks,
        store,
        signal,
        rng: new Rng(options.seed ?? '0'),
        targets,
        ...(options.attacks === undefined
          ? {}
          : {
              attacks: {
                attacks: wanted,
                items: attacked,
                most: options.items,
                ...(options.stopAt === undefined ? {} : { stopAt: options.stopAt }),
              },
            }),
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
    const { benchmarks } = await openAll(certificate.on, options)
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

/** Benchmarks by name, and a user's own files. */
export async function openAll(
  references: readonly string[],
  options: ScoringOptions,
): Promise<{ readonly benchmarks: readonly Benchmark[]; readonly items: readonly AttackItem[] }> {
  const benchmarks: Benchmark[] = []
  const items: AttackItem[] = []
  for (const reference of references) {
    if (existsSync(reference) || reference.startsWith('hf://')) {
      const own = await fileBenchmark(reference, readOptions(options))
      if (own.benchmark !== null) benchmarks.push(own.benchmark)
      items.push(...own.attackItems)
      continue
    }
    const benchmark = await openBenchmark(reference, {
      seed: options.seed ?? '0',
      ...(options.limit === undefined ? {} : { limit: options.limit }),
    })
    benchmarks.push(benchmark)
    items.push(...attackItems(benchmark.items))
  }
  return { benchmarks, items }
}

/** The built-in targets of a registered reward, in the variant that the expression names. */
function targetsOf(expression: string) {
  const [, name, given = ''] = /^\s*([\w-]+)\s*(?:\((.*)\))?\s*$/s.exec(expression) ?? []
  const variant = /\bvariant\s*=\s*(released|paper|guarded)\b/.exec(given)?.[1]
  return attackTargets
    .filter(({ reward }) => reward === name)
    .map((target) => ({
      target,
      reward: rewardTypeNamed(target.reward).create({
        ...target.options,
        ...(variant === undefined ? {} : { variant }),
      }),
    }))
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
