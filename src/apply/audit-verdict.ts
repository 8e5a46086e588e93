import { figure, intervalFigure } from '../stats/figure.ts'
import type { Audit, BenchmarkAudit, LengthFindings } from './audit.ts'

/** One sentence of an audit's verdict. */
export interface Finding {
  readonly tone: 'good' | 'bad' | 'plain'
  readonly text: string
}

/** What an audit comes to, in sentences: what the judge is good for, where it fails, what it costs. */
export interface AuditVerdict {
  readonly goodFor: readonly Finding[]
  readonly failsAt: readonly Finding[]
  readonly costs: readonly Finding[]
}

export interface AuditLimits {
  /** Least headline score of each benchmark. */
  readonly failBelow?: number
  /** Highest rate at which an attack may succeed. */
  readonly failAttacksAbove?: number
}

/** A limit that the audit did not keep. */
export interface MissedLimit {
  readonly what: string
  readonly limit: number
  /** Null where there is no number, which keeps no limit. */
  readonly value: number | null
}

/** An attack that succeeds more often than this is named in the verdict. */
const worthNaming = 0.1

export function auditVerdict(audit: Audit): AuditVerdict {
  const goodFor: Finding[] = []
  const failsAt: Finding[] = []
  for (const one of audit.benchmarks) {
    const { text, tone } = benchmarkFinding(one)
    ;(tone === 'good' ? goodFor : failsAt).push({ tone, text })
    const length = lengthFinding(one)
    if (length !== null) failsAt.push(length)
    const { unscored } = one.result
    if (unscored.total > 0.05 * one.result.rows.length)
      failsAt.push({
        tone: 'bad',
        text: `${figure(unscored.total)} of ${figure(one.result.rows.length)} items of ${titleOf(one)} could not be judged${mostlyBecause(one)}.`,
      })
  }
  const attacks = audit.attacks?.attacks.filter(({ rate }) => rate !== null) ?? []
  const open = attacks
    .filter(({ rate }) => rate!.estimate > worthNaming)
    .sort((a, b) => b.rate!.estimate - a.rate!.estimate)
  if (open.length > 0)
    failsAt.push({
      tone: 'bad',
      text: `Fooled by ${open
        .slice(0, 6)
        .map(({ attack, rate }) => `${attack} (${percent(rate!.estimate)})`)
        .join(', ')}${open.length > 6 ? ` and ${open.length - 6} more attacks` : ''}.`,
    })
  const { falsePositives = null, prefersGood = null } = audit.attacks?.natural ?? {}
  if (falsePositives !== null && falsePositives.estimate > 0.9)
    failsAt.push({
      tone: 'bad',
      text: `Accepts ${percent(falsePositives.estimate)} of bad answers: its scores are no verdict by themselves${
        prefersGood === null ? '' : ` (the good answer scores higher in ${percent(prefersGood)} of pairs)`
      }.`,
    })
  const withstood = attacks.length - open.length
  const { recall } = audit.attacks?.natural ?? {}
  if (withstood > 0)
    goodFor.push({
      tone: 'good',
      text: `Withstands ${withstood} of ${attacks.length} attacks (each succeeds in at most ${percent(worthNaming)} of trials)${
        recall && recall.estimate < 0.5
          ? `; but it accepts only ${percent(recall.estimate)} of good answers, and who rejects is not fooled`
          : ''
      }.`,
    })
  const probes = audit.targets.flatMap(({ probes }) => probes)
  const paid = probes.filter(({ isPaid }) => isPaid)
  if (probes.length > 0)
    (paid.length === 0 ? goodFor : failsAt).push({
      tone: paid.length === 0 ? 'good' : 'bad',
      text:
        paid.length === 0
          ? `Pays for none of ${figure(probes.length)} built-in nonsense outputs.`
          : `Pays for ${figure(paid.length)} of ${figure(probes.length)} built-in nonsense outputs.`,
    })
  return { goodFor, failsAt, costs: [costFinding(audit)] }
}

/** The commonest reason why items have no verdict, in the words of the first that has it. */
function mostlyBecause({ result }: BenchmarkAudit): string {
  const reasons = result.rows.flatMap(({ outcome, reason }) =>
    outcome === 'unresolved' && reason !== undefined ? [reason] : [],
  )
  const [most] = [...Map.groupBy(reasons, (reason) => reason.replace(/"[^"]*"|\d+/g, '')).values()].sort(
    (a, b) => b.length - a.length,
  )
  return most === undefined ? '' : `, mostly since ${most[0]!.replace(/\.$/, '').slice(0, 200)}`
}

/** No item has a verdict: its score, if a benchmark's rules give one, is that of silence. */
export function judgedNothing({ rows, unscored }: BenchmarkAudit['result']): boolean {
  return unscored.total === rows.length
}

/** A headline for people; `-` where nothing could be judged. */
export function headlineFigure(result: BenchmarkAudit['result']): string {
  const { score, interval } = result.headline
  if (judgedNothing(result)) return '-'
  return interval ? intervalFigure(interval) : figure(score)
}

function benchmarkFinding(one: BenchmarkAudit): Finding {
  const { headline, chance } = one.result
  const { score, interval } = headline
  const text = `${titleOf(one)}: ${interval ? intervalFigure(interval) : figure(score)}`
  if (score === null || judgedNothing(one.result))
    return { tone: 'bad', text: `${titleOf(one)}: nothing could be judged.` }
  if (chance === undefined || interval === null) return { tone: 'good', text: `${text}.` }
  if (interval.low > chance) return { tone: 'good', text: `${text}, above chance (${figure(chance)}).` }
  return interval.high < chance
    ? { tone: 'bad', text: `${text}, worse than chance (${figure(chance)}).` }
    : { tone: 'bad', text: `${text}, not told from chance (${figure(chance)}).` }
}

/**
 * Whether verdicts follow length: the judge is right clearly more often where the better answer is the longer one than
 * where it is the shorter (the interval of that gap lies above 10 points). Mere noise leaves no gap, however often the
 * data's better answers are short.
 */
export function lovesLength(length: LengthFindings | null | undefined): boolean {
  return length?.gap != null && length.gap.low > 0.1
}

function lengthFinding(one: BenchmarkAudit): Finding | null {
  const { length } = one
  if (length === undefined || !lovesLength(length)) return null
  const { whenAligned, whenOpposed, balanced, correlation } = length
  return {
    tone: 'bad',
    text: `Loves length on ${titleOf(one)}: right in ${percent(whenAligned!.estimate)} of pairs whose better answer is the longer one, in ${percent(whenOpposed!.estimate)} where it is the shorter${
      balanced ? `; with length balanced its accuracy is ${intervalFigure(balanced)}` : ''
    }${correlation ? `; rank correlation of score and length ${figure(correlation.estimate, 2)}` : ''}.`,
  }
}

function costFinding({ judgements, cost }: Audit): Finding {
  const parts = [
    cost.calls === undefined ? '' : `${figure(cost.calls)} calls`,
    cost.inputTokens === undefined ? '' : `${figure(cost.inputTokens)} tokens read`,
    cost.outputTokens === undefined ? '' : `${figure(cost.outputTokens)} written`,
    cost.costUsd === undefined ? '' : `$${cost.costUsd.toFixed(2)}`,
  ].filter(Boolean)
  return {
    tone: 'plain',
    text: `${figure(judgements)} judgements${parts.length > 0 ? `: ${parts.join(', ')}` : ', no model called'}.`,
  }
}

/** The limits that the audit missed, benchmarks first. */
export function missedLimits(audit: Audit, { failBelow, failAttacksAbove }: AuditLimits): MissedLimit[] {
  const missed: MissedLimit[] = []
  if (failBelow !== undefined)
    for (const { result } of audit.benchmarks) {
      const value = judgedNothing(result) ? null : result.headline.score
      if (value === null || value < failBelow)
        missed.push({ what: result.benchmark, limit: failBelow, value })
    }
  if (failAttacksAbove !== undefined) {
    for (const { attack, rate } of audit.attacks?.attacks ?? [])
      if (rate === null || rate.estimate > failAttacksAbove)
        missed.push({ what: attack, limit: failAttacksAbove, value: rate?.estimate ?? null })
    const probes = audit.targets.flatMap(({ probes }) => probes)
    const paid = probes.filter(({ isPaid }) => isPaid).length
    if (probes.length > 0 && paid / probes.length > failAttacksAbove)
      missed.push({ what: 'built-in nonsense', limit: failAttacksAbove, value: paid / probes.length })
  }
  return missed
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(share > 0 && share < 0.01 ? 1 : 0)}%`
}

function titleOf({ benchmark }: BenchmarkAudit): string {
  return benchmark.spec.title
}
