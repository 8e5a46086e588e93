import { type Html, html } from '../audit/report/html.ts'
import { page, type Section } from '../audit/report/page.ts'
import type { SampleViewOptions } from '../audit/report/sample-view.ts'
import { figure } from '../stats/figure.ts'
import type { Audit } from './audit.ts'
import { attackCases, benchmarkCases } from './audit-cases.ts'
import { attacksSection, benchmarksSection, calibrationSection, targetsSection } from './audit-sections.ts'
import { auditVerdict, type Finding, type MissedLimit, percent } from './audit-verdict.ts'

export interface AuditReportOptions {
  readonly audit: Audit
  readonly missed?: readonly MissedLimit[]
  /** Makes an image ready for the page, or says why it cannot be shown. */
  readonly picture: SampleViewOptions['picture']
  /** Worst cases of each benchmark. @default 5 */
  readonly cases?: number
  readonly title?: string
}

/** One self-contained HTML page about an audit: the verdict first, then the numbers, then the worst cases. */
export async function auditReport(options: AuditReportOptions): Promise<string> {
  const { audit, missed = [], picture, cases = 5, title = `Audit of ${audit.name}` } = options
  const sections: Section[] = [{ id: 'verdict', title: 'Verdict', body: verdictSection(audit, missed) }]
  if (audit.benchmarks.length > 0)
    sections.push({ id: 'benchmarks', title: 'Benchmarks', body: await benchmarksSection(audit.benchmarks) })
  if (audit.attacks)
    sections.push({ id: 'attacks', title: 'Attacks', body: await attacksSection(audit.attacks) })
  if (audit.benchmarks.some(({ calibration }) => calibration))
    sections.push({
      id: 'calibration',
      title: 'Calibration',
      body: await calibrationSection(audit.benchmarks),
    })
  if (audit.targets.length > 0)
    sections.push({ id: 'nonsense', title: 'Built-in nonsense', body: targetsSection(audit.targets) })
  const worst = await benchmarkCases(audit.benchmarks, cases, picture)
  const fooled = audit.attacks ? await attackCases(audit.attacks, picture) : []
  if (worst.length + fooled.length > 0)
    sections.push({
      id: 'cases',
      title: 'Worst cases',
      body: html`${worst.length > 0 && html`<h3>Surest while wrong</h3><div class="cases">${worst}</div>`}${
        fooled.length > 0 && html`<h3>Fooled</h3><div class="cases">${fooled}</div>`
      }`,
    })
  sections.push({ id: 'method', title: 'How this was measured', body: methodSection(audit) })
  return page({
    title,
    lead: html`<p>${audit.kind === 'comparator' ? 'A comparator of pairs' : 'A reward of single outputs'} on ${audit.benchmarks.length} ${audit.benchmarks.length === 1 ? 'benchmark' : 'benchmarks'}${audit.attacks && html`, ${audit.attacks.attacks.length} attacks`}.</p>`,
    sections,
  })
}

function verdictSection(audit: Audit, missed: readonly MissedLimit[]): Html {
  const { goodFor, failsAt, costs } = auditVerdict(audit)
  const list = (title: string, tone: string, findings: readonly Finding[], none: string) =>
    html`<div class="${tone}"><h3>${title}</h3>${
      findings.length === 0
        ? html`<p class="soft">${none}</p>`
        : html`<ul>${findings.map(({ text }) => html`<li>${text}</li>`)}</ul>`
    }</div>`
  return html`${
    missed.length > 0 &&
    html`<div class="missed"><b class="bad">Limits not kept</b><ul>${missed.map(
      ({ what, limit, value }) => html`<li>${what}: ${figure(value)}, the limit is ${figure(limit)}</li>`,
    )}</ul></div>`
  }<div class="verdict">${list('Good for', 'good', goodFor, 'Nothing was shown.')}${list(
    'Fails at',
    'bad',
    failsAt,
    'Nothing was found.',
  )}${list('Costs', '', costs, '')}</div>`
}

function methodSection({ identity, seed, attacks, benchmarks }: Audit): Html {
  return html`<p>Brackets are 95% intervals. Benchmarks are scored by their own published rules; intervals resample clusters (items of one prompt together). What could not be judged is counted and never a silent 0.</p>
${
  attacks &&
  html`<p>An answer counts as accepted above ${figure(attacks.scale.accept)}; changes up to ${figure(attacks.scale.tolerance)} count as none. Without attacks the judge accepts ${shareOf(attacks.natural.recall)} of good answers and ${shareOf(attacks.natural.falsePositives)} of bad ones: a rate of an attack means little beside a recall near 0.${
    attacks.saved > 0 &&
    html` Attacks whose rate was surely on one side of the limit were stopped early, which saved ${figure(attacks.saved)} judgements; their rates are rougher.`
  }</p>`
}
<p class="soft">Identity of the judge <code>${identity}</code>, seed <code>${seed}</code>${benchmarks.map(({ benchmark }) => html`; ${benchmark.spec.title} from <code>${benchmark.source}</code>`)}.</p>`
}

function shareOf(share: { readonly estimate: number } | null): string {
  return share === null ? 'none known' : percent(share.estimate)
}
