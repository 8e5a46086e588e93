import { type Html, html } from '../audit/report/html.ts'
import { page, type Section } from '../audit/report/page.ts'
import type { Picture } from '../audit/report/sample-view.ts'
import type { ImageSource, ScoredSample } from '../core/index.ts'
import { figure, intervalFigure } from '../stats/figure.ts'
import type { StoredRun } from '../store/index.ts'
import { compare, type MeasureComparison } from './compare.ts'
import { type Ranking, rank } from './rank.ts'
import { type RunFacts, runFacts } from './report-facts.ts'
import { samplesSection } from './report-samples.ts'
import { agreementSection, breakdownSection, rankingSection, rewardsSection } from './report-sections.ts'
import type { RunSummary } from './run-summary.ts'

export interface RunReportOptions {
  readonly run: StoredRun
  readonly summary: RunSummary
  /** Gives the run's samples anew each time it is called (they are read twice). */
  readonly samples: () => AsyncIterable<ScoredSample>
  /** Makes an image ready for the page, or says why it cannot be shown. */
  readonly picture: (source: ImageSource) => Promise<Picture | string>
  /** @default the run's id */
  readonly title?: string
  /** The truth that rewards are judged by: a measure such as `meta.quality` or another reward. */
  readonly gold?: string
  /** A text field of `meta` to break every reward down by. */
  readonly breakdown?: string
  /** Samples shown as cards. @default 120 */
  readonly shown?: number
}

/**
 * One self-contained HTML page about a run: what was judged and what was not, how scores are spread, what choosing by
 * each reward earns, how far rewards agree, and samples with their pictures, worst disagreements first.
 */
export async function runReport(options: RunReportOptions): Promise<string> {
  const { run, summary, samples, gold, breakdown, title = `Run ${run.id}`, shown = 120 } = options
  const names = run.rewards.map(({ name }) => name)
  const facts = await runFacts(samples(), names, gold, breakdown)
  const hasGroups = facts.groups > 0 && facts.groups < facts.samples
  const rankings: Ranking[] = []
  if (hasGroups)
    for (const by of names)
      rankings.push(await rank(facts.measured, gold === undefined ? { by } : { by, gold }))
  const measures = gold === undefined || names.includes(gold) ? names : [...names, gold]
  const comparisons: MeasureComparison[] = []
  for (let i = 0; i < measures.length; i++)
    for (let j = i + 1; j < measures.length; j++)
      comparisons.push(
        await compare(facts.measured, {
          first: measures[i]!,
          second: measures[j]!,
          disagreements: shown,
          ...(facts.samples <= resampledSamples ? { resamples: 200 } : {}),
        }),
      )

  const sections: Section[] = [
    { id: 'rewards', title: 'Rewards', body: await rewardsSection(run, summary, facts) },
  ]
  if (rankings.length > 0)
    sections.push({ id: 'best-of-n', title: 'Best of n', body: await rankingSection(rankings) })
  if (facts.breakdown.size > 0)
    sections.push({ id: 'breakdown', title: `By ${breakdown}`, body: await breakdownSection(run, facts) })
  if (comparisons.length > 0)
    sections.push({
      id: 'agreement',
      title: 'Agreement',
      body: await agreementSection(measures, comparisons, hasGroups),
    })
  sections.push({
    id: 'samples',
    title: 'Samples',
    body: await samplesSection(options, facts, comparisons, shown),
  })
  return page({ title, lead: leadOf(summary, facts, rankings, gold), sections })
}

/** Of more samples than this, intervals come from batches (see `compare`): a report of many takes seconds. */
const resampledSamples = 10_000

function leadOf(
  summary: RunSummary,
  facts: RunFacts,
  rankings: readonly Ranking[],
  gold: string | undefined,
): Html {
  const best = gold === undefined ? undefined : bestChooser(rankings)
  return html`<p>${figure(facts.samples)} samples of ${figure(facts.groups)} prompts${summary.source && html` from <code>${summary.source}</code>`}, judged by ${summary.rewards && Object.keys(summary.rewards).length} rewards.${
    summary.rows.bad > 0 &&
    html` <span class="bad">${figure(summary.rows.bad)} rows could not be read.</span>`
  }</p>${
    best &&
    html`<p>Choosing the best of n by <b>${best.by}</b> earns <b>${intervalFigure(best.outcomes.chosen)}</b> of ${best.gold}; at random ${intervalFigure(best.outcomes.random)}, an oracle ${intervalFigure(best.outcomes.oracle)}.</p>`
  }`
}

function bestChooser(rankings: readonly Ranking[]): Ranking | undefined {
  return rankings
    .filter(({ by, gold, outcomes }) => by !== gold && outcomes.chosen !== null)
    .sort((a, b) => b.outcomes.chosen!.estimate - a.outcomes.chosen!.estimate)[0]
}
