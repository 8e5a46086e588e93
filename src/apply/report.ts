import { chart } from '../audit/report/chart.ts'
import { type Html, html } from '../audit/report/html.ts'
import { page, type Section } from '../audit/report/page.ts'
import { dataKey, type Picture, sampleCard } from '../audit/report/sample-view.ts'
import { groupOf, type ImageSource, type Score, type ScoredSample, unscored } from '../core/index.ts'
import type { BootstrapInterval } from '../stats/index.ts'
import type { StoredRun } from '../store/index.ts'
import { compare, type MeasureComparison } from './compare.ts'
import { measureReader } from './measure.ts'
import { type Ranking, rank } from './rank.ts'
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
  const facts = await factsOf(samples(), names, gold, breakdown)
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

interface Facts {
  samples: number
  /** Every sample with nothing but its id, its prompt's name and its numbers, the truth's among them. */
  readonly measured: ScoredSample[]
  groups: number
  readonly kinds: Set<string>
  /** By reward: the scored values. */
  readonly values: Map<string, number[]>
  /** By the field's value: how many samples, and each reward's sum and count. */
  readonly breakdown: Map<
    string,
    { samples: number; readonly rewards: Map<string, { sum: number; n: number }> }
  >
}

async function factsOf(
  samples: AsyncIterable<ScoredSample>,
  names: readonly string[],
  gold: string | undefined,
  breakdown: string | undefined,
): Promise<Facts> {
  const facts: Facts = {
    samples: 0,
    measured: [],
    groups: 0,
    kinds: new Set(),
    values: new Map(names.map((name) => [name, []])),
    breakdown: new Map(),
  }
  const groups = new Map<string, string>()
  const truth = gold === undefined || names.includes(gold) ? undefined : measureReader(gold)
  const field = breakdown?.replace(/^meta\./, '')
  for await (const scored of samples) {
    const { sample, scores } = scored
    facts.samples++
    const prompt = groupOf(sample)
    const group = groups.get(prompt) ?? prompt // one string for all samples of the prompt
    groups.set(group, group)
    facts.measured.push({
      sample: { id: sample.id, prompt: '', output: '', group, meta: {} },
      scores: numbersOf(scores, truth && { name: truth.name, value: truth.read(scored) }),
    })
    if (typeof sample.meta.kind === 'string') facts.kinds.add(sample.meta.kind)
    const key = field === undefined ? undefined : sample.meta[field]
    let row: { samples: number; readonly rewards: Map<string, { sum: number; n: number }> } | undefined
    if (typeof key === 'string') {
      row = facts.breakdown.get(key)
      if (row === undefined) {
        row = { samples: 0, rewards: new Map() }
        facts.breakdown.set(key, row)
      }
      row.samples++
    }
    for (const name of names) {
      const value = scores[name]?.value ?? null
      if (value === null) continue
      facts.values.get(name)!.push(value)
      if (row === undefined) continue
      const cell = row.rewards.get(name) ?? { sum: 0, n: 0 }
      cell.sum += value
      cell.n++
      row.rewards.set(name, cell)
    }
  }
  truth?.finish()
  facts.groups = groups.size
  return facts
}

/** The scores without their parts, reasons and evidence, and the truth as if it were one of them. */
function numbersOf(
  scores: ScoredSample['scores'],
  truth: { readonly name: string; readonly value: number | null } | undefined,
): ScoredSample['scores'] {
  const numbers: Record<string, Score> = {}
  for (const name of Object.keys(scores)) numbers[name] = numberOnly(scores[name]!.value)
  if (truth) numbers[truth.name] = numberOnly(truth.value)
  return numbers
}

function numberOnly(value: number | null): Score {
  return value === null ? unscored('not-applicable', '') : { value }
}

function leadOf(
  summary: RunSummary,
  facts: Facts,
  rankings: readonly Ranking[],
  gold: string | undefined,
): Html {
  const best = gold === undefined ? undefined : bestChooser(rankings)
  return html`<p>${number(facts.samples)} samples of ${number(facts.groups)} prompts${summary.source && html` from <code>${summary.source}</code>`}, judged by ${summary.rewards && Object.keys(summary.rewards).length} rewards.${
    summary.rows.bad > 0 &&
    html` <span class="bad">${number(summary.rows.bad)} rows could not be read.</span>`
  }</p>${
    best &&
    html`<p>Choosing the best of n by <b>${best.by}</b> earns <b>${interval(best.outcomes.chosen)}</b> of ${best.gold}; at random ${interval(best.outcomes.random)}, an oracle ${interval(best.outcomes.oracle)}.</p>`
  }`
}

function bestChooser(rankings: readonly Ranking[]): Ranking | undefined {
  return rankings
    .filter(({ by, gold, outcomes }) => by !== gold && outcomes.chosen !== null)
    .sort((a, b) => b.outcomes.chosen!.estimate - a.outcomes.chosen!.estimate)[0]
}

async function rewardsSection(run: StoredRun, summary: RunSummary, facts: Facts): Promise<Html> {
  const rows = run.rewards.map(({ name, reward, range }) => {
    const found = summary.rewards[name]!
    const reasons = Object.entries(found.unscoredBy).map(([code, n]) => `${number(n)} ${code}`)
    return html`<tr><td><b>${name}</b>${reward !== name && html` <span class="soft">${reward}</span>`}</td><td class="n">[${range.map(figure).join(', ')}]</td><td class="n">${number(found.scored)}</td><td class="n">${number(found.unscored + found.waiting)}</td><td class="soft">${reasons.join(', ')}</td><td class="n">${figure(found.mean)}</td><td class="n">${figure(found.minimum)}</td><td class="n">${figure(found.maximum)}</td><td class="n">${
      found.groups.groups > 0 ? `${number(found.groups.zeroVariance)} of ${number(found.groups.groups)}` : '-'
    }</td></tr>`
  })
  const charts = await Promise.all(
    run.rewards.map(async ({ name }) => {
      const values = facts.values.get(name)!
      if (values.length === 0) return null
      return html`<figure>${await histogram(name, values)}<figcaption>${name}: ${number(values.length)} scored samples</figcaption></figure>`
    }),
  )
  return html`<div class="scroll"><table><tr><th>reward</th><th class="n">range</th><th class="n">scored</th><th class="n">unscored</th><th>why</th><th class="n">mean</th><th class="n">min</th><th class="n">max</th><th class="n">flat groups</th></tr>${rows}</table></div>
<p class="soft">Means are over scored samples. A flat group is a prompt whose scored candidates all have the same value: nothing can be chosen or learnt from it.</p>
<div class="charts">${charts}</div>`
}

function histogram(name: string, values: readonly number[]): Promise<Html> {
  const low = Math.min(...values.slice(0, 1), ...extremes(values))
  const high = Math.max(...extremes(values))
  const bins = 20
  const width = (high - low) / bins || 1
  const counts = new Array<number>(high === low ? 1 : bins).fill(0)
  for (const value of values) counts[Math.min(counts.length - 1, Math.floor((value - low) / width))]!++
  return chart(
    {
      width: 260,
      height: 120,
      data: {
        values: counts.map((count, bin) => ({ from: low + bin * width, to: low + (bin + 1) * width, count })),
      },
      mark: { type: 'bar', color: '#3557d5', tooltip: false },
      encoding: {
        x: { field: 'from', type: 'quantitative', bin: { binned: true }, title: name },
        x2: { field: 'to' },
        y: { field: 'count', type: 'quantitative', title: 'samples' },
      },
    },
    `histogram of ${name}`,
  )
}

function extremes(values: readonly number[]): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) {
    if (value < low) low = value
    if (value > high) high = value
  }
  return [low, high]
}

async function rankingSection(rankings: readonly Ranking[]): Promise<Html> {
  const { gold } = rankings[0]!
  const judgedByItself = rankings.every(({ by, gold }) => by === gold)
  const rows = rankings.map(
    ({ by, outcomes, gains, unscored, candidates }) =>
      html`<tr><td><b>${by}</b></td><td class="n">${interval(outcomes.chosen)}</td><td class="n">${interval(gains.overRandom)}</td><td class="n">${interval(outcomes.random)}</td><td class="n">${interval(outcomes.first)}</td><td class="n">${interval(outcomes.oracle)}</td><td class="n">${outcomes.chosen?.n ?? 0}</td><td class="n">${number(unscored)} of ${number(candidates)}</td></tr>`,
  )
  const curve = rankings.flatMap(({ by, curve }) =>
    curve.map(({ k, expected }) => ({
      k,
      value: expected.estimate,
      low: expected.low,
      high: expected.high,
      reward: by,
    })),
  )
  const drawn =
    curve.length > 0
      ? await chart(
          {
            width: 420,
            height: 240,
            data: { values: curve },
            layer: [
              {
                mark: { type: 'area', opacity: 0.12 },
                encoding: {
                  x: {
                    field: 'k',
                    type: 'quantitative',
                    axis: { tickMinStep: 1, format: 'd' },
                    title: 'k candidates',
                  },
                  y: {
                    field: 'low',
                    type: 'quantitative',
                    scale: { zero: false },
                    title: judgedByItself ? 'reward' : gold,
                  },
                  y2: { field: 'high' },
                  color: { field: 'reward', type: 'nominal' },
                },
              },
              {
                mark: { type: 'line', point: true },
                encoding: {
                  x: { field: 'k', type: 'quantitative' },
                  y: { field: 'value', type: 'quantitative' },
                  color: { field: 'reward', type: 'nominal', title: 'chosen by' },
                },
              },
            ],
          },
          'expected best of k',
        )
      : null
  return html`<p>The candidate with the highest reward of each prompt is chosen; the table says what that earns in <b>${judgedByItself ? 'the reward itself' : gold}</b>: mean over prompts, with 95% intervals from resampling prompts.</p>
<div class="scroll"><table><tr><th>chosen by</th><th class="n">chosen</th><th class="n">gain over random</th><th class="n">random</th><th class="n">first</th><th class="n">oracle</th><th class="n">prompts</th><th class="n">unscored</th></tr>${rows}</table></div>
${drawn && html`<figure>${drawn}<figcaption>Expected ${judgedByItself ? 'reward' : gold} of the best of k candidates drawn at random, chosen by each reward; bands are 95% intervals over prompts.</figcaption></figure>`}`
}

async function breakdownSection(run: StoredRun, facts: Facts): Promise<Html> {
  const rows = [...facts.breakdown].sort(([a], [b]) => a.localeCompare(b))
  const ranges = new Map(run.rewards.map(({ name, range }) => [name, range]))
  const values = rows.flatMap(([key, row]) =>
    [...row.rewards].map(([reward, { sum, n }]) => {
      const [low, high] = ranges.get(reward)!
      const [from, to] = Number.isFinite(high - low) ? [low, high] : extremes(facts.values.get(reward)!)
      const mean = sum / n
      return { key, reward, mean, n, share: to > from ? (mean - from) / (to - from) : 0 }
    }),
  )
  const drawn = await chart(
    {
      width: { step: 92 },
      height: { step: 22 },
      data: { values },
      encoding: {
        x: {
          field: 'reward',
          type: 'nominal',
          sort: null,
          axis: { orient: 'top', labelAngle: 0, title: null },
        },
        y: { field: 'key', type: 'nominal', axis: { title: null, labelLimit: 320 } },
      },
      layer: [
        {
          mark: 'rect',
          encoding: {
            color: {
              field: 'share',
              type: 'quantitative',
              scale: { scheme: 'blues', domain: [0, 1] },
              legend: null,
            },
          },
        },
        {
          mark: { type: 'text', fontSize: 11 },
          encoding: {
            text: { field: 'mean', type: 'quantitative', format: '.2f' },
            color: { condition: { test: 'datum.share > 0.6', value: 'white' }, value: '#222' },
          },
        },
      ],
    },
    'mean reward by kind of sample',
  )
  return html`<p>Mean of each reward over the samples of one kind; the colour is its place in the reward's range.</p>${drawn}`
}

async function agreementSection(
  measures: readonly string[],
  comparisons: readonly MeasureComparison[],
  hasGroups: boolean,
): Promise<Html> {
  const cells = comparisons.flatMap(({ first, second, spearman, within }) => {
    const value = (hasGroups ? within.spearman : spearman)?.estimate
    return value === undefined
      ? []
      : [
          { a: first, b: second, value },
          { a: second, b: first, value },
        ]
  })
  const drawn =
    cells.length === 0
      ? null
      : await chart(
          {
            width: { step: 84 },
            height: { step: 30 },
            data: { values: cells },
            encoding: {
              x: {
                field: 'a',
                type: 'nominal',
                sort: [...measures],
                axis: { orient: 'top', labelAngle: 0, title: null },
              },
              y: { field: 'b', type: 'nominal', sort: [...measures], axis: { title: null } },
            },
            layer: [
              {
                mark: 'rect',
                encoding: {
                  color: {
                    field: 'value',
                    type: 'quantitative',
                    scale: { scheme: 'redblue', domain: [-1, 1] },
                    legend: null,
                  },
                },
              },
              {
                mark: { type: 'text' },
                encoding: {
                  text: { field: 'value', type: 'quantitative', format: '.2f' },
                  color: { condition: { test: 'abs(datum.value) > 0.6', value: 'white' }, value: '#222' },
                },
              },
            ],
          },
          'rank correlation between rewards',
        )
  const rows = comparisons.map(
    ({ first, second, compared, samples, spearman, within }) =>
      html`<tr><td>${first}</td><td>${second}</td><td class="n">${number(compared)} of ${number(samples)}</td><td class="n">${interval(spearman)}</td><td class="n">${interval(within.spearman)}</td><td class="n">${interval(within.pairs.accuracy)}</td></tr>`,
  )
  return html`${drawn && html`<figure>${drawn}<figcaption>Spearman correlation ${hasGroups ? 'inside prompts (mean over prompts)' : 'over all samples'}.</figcaption></figure>`}
<div class="scroll"><table><tr><th>measure</th><th>against</th><th class="n">samples with both</th><th class="n">Spearman, all</th><th class="n">Spearman, inside prompts</th><th class="n">same order on pairs</th></tr>${rows}</table></div>
<p class="soft">On pairs of candidates of one prompt: ties of the first measure count half, ties of the second are left out. Brackets are 95% intervals.</p>`
}

async function samplesSection(
  options: RunReportOptions,
  facts: Facts,
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
  const ordered = inTurn(
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
<span class="count soft" aria-live="polite">${ordered.length} of ${number(facts.samples)} samples shown</span></form>
<div class="samples">${cards}</div>`
}

/** One of each kind, then the second of each, ...: no kind crowds out the others; order within a kind stays. */
function inTurn<T>(items: readonly T[], kindOf: (item: T) => string): T[] {
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

function interval(value: BootstrapInterval | null): string {
  return value === null ? '-' : `${figure(value.estimate)} [${figure(value.low)}, ${figure(value.high)}]`
}

function figure(value: number | null): string {
  if (value === null) return '-'
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '-∞'
  return Number.isInteger(value) ? String(value) : value.toFixed(3)
}

function number(value: number): string {
  return value.toLocaleString('en')
}
