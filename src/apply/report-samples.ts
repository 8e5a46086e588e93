import { type Html, html } from '../audit/report/html.ts'
import { dataKey, sampleCard } from '../audit/report/sample-view.ts'
import type { ScoredSample } from '../core/index.ts'
import { figure } from '../stats/figure.ts'
import type { MeasureComparison } from './compare.ts'
import { measureReader } from './measure.ts'
import type { RunReportOptions } from './report.ts'
import type { RunFacts } from './report-facts.ts'

export async function samplesSection(
  options: RunReportOptions,
  facts: RunFacts,
  comparisons: readonly MeasureComparison[],
  shown: number,
): Promise<Html> {
  const { run, samples, gold } = options
  const ranges = Object.fromEntries(run.rewards.map(({ name, range }) => [name, range]))
  const wanted = chosenIds(comparisons, gold, 4 * shown)
  const found = new Map<string, ScoredSample>()
  const fill: ScoredSample[] = []
  const every = Math.max(1, Math.floor(facts.samples / shown))
  let index = 0
  for await (const scored of samples()) {
    if (wanted.has(scored.sample.id)) found.set(scored.sample.id, scored)
    else if (index % every === 0 && fill.length < shown) fill.push(scored)
    index++
  }
  const ordered = inRotation(
    [
      ...[...wanted].flatMap(([id, note]) => (found.has(id) ? [{ scored: found.get(id)!, note }] : [])),
      ...fill.map((scored) => ({ scored, note: '' })),
    ],
    ({ scored }) => String(scored.sample.meta.kind ?? ''),
  ).slice(0, shown)
  const goldReader = gold === undefined ? undefined : measureReader(gold)
  const cards: Html[] = []
  for (const [rank, { scored, note }] of ordered.entries()) {
    const truth = goldReader?.read(scored)
    const recipe = scored.sample.meta.recipe
    const said = [
      note,
      typeof recipe === 'string' ? recipe : '',
      truth === undefined || truth === null ? '' : `${gold} ${figure(truth)}`,
    ]
    cards.push(
      await sampleCard(scored, rank, {
        ranges,
        picture: options.picture,
        note: said.filter(Boolean).join(' · '),
      }),
    )
  }
  const kinds = [...facts.kinds].sort()
  return html`<form class="tools" aria-label="Filter and order">
<label>search<input name="q" type="search" placeholder="text, id, recipe"></label>
${kinds.length > 1 && html`<label>kind<select name="kind"><option value="">all</option>${kinds.map((kind) => html`<option>${kind}</option>`)}</select></label>`}
<label>order<select name="order"><option value="rank:1">worst disagreements first</option>${run.rewards.map(({ name }) => html`<option value="${dataKey(name)}:-1">${name}, highest first</option><option value="${dataKey(name)}:1">${name}, lowest first</option>`)}</select></label>
<span class="count soft" aria-live="polite">${ordered.length} of ${figure(facts.samples)} samples shown</span></form>
<div class="samples">${cards}</div>`
}

/** One of each kind, then the second of each, ...: no kind crowds out the others; order within a kind stays. */
function inRotation<T>(items: readonly T[], kindOf: (item: T) => string): T[] {
  const kinds = [...Map.groupBy(items, kindOf).values()]
  const longest = Math.max(0, ...kinds.map(({ length }) => length))
  return Array.from({ length: longest }, (_, place) => place).flatMap((place) =>
    kinds.flatMap((kind) => (place < kind.length ? [kind[place]!] : [])),
  )
}

/** Ids to show with the reason, worst disagreements first: with the truth where there is one, else between rewards. */
function chosenIds(
  comparisons: readonly MeasureComparison[],
  gold: string | undefined,
  shown: number,
): Map<string, string> {
  const relevant = comparisons.filter(
    ({ first, second }) => gold === undefined || first === gold || second === gold,
  )
  const ids = new Map<string, string>()
  const longest = Math.max(0, ...relevant.map(({ disagreements }) => disagreements.length))
  for (let place = 0; place < longest && ids.size < shown; place++)
    for (const { first, second, disagreements } of relevant) {
      const item = disagreements[place]
      if (item === undefined || ids.has(item.id)) continue
      const [higher, lower] = item.rankGap > 0 ? [first, second] : [second, first]
      ids.set(
        item.id,
        `${higher} ranks it ${Math.round(100 * Math.abs(item.rankGap))} points higher than ${lower}`,
      )
    }
  return ids
}
