import { chart } from '../audit/report/chart.ts'
import { type Html, html } from '../audit/report/html.ts'
import { figure, intervalFigure } from '../stats/figure.ts'
import type { StoredRun } from '../store/index.ts'
import type { MeasureComparison } from './compare.ts'
import type { Ranking } from './rank.ts'
import type { RunFacts } from './report-facts.ts'
import type { RunSummary } from './run-summary.ts'

export async function rewardsSection(run: StoredRun, summary: RunSummary, facts: RunFacts): Promise<Html> {
  const rows = run.rewards.map(({ name, reward, range }) => {
    const found = summary.rewards[name]!
    const reasons = Object.entries(found.unscoredBy).map(([code, n]) => `${figure(n)} ${code}`)
    return html`<tr><td><b>${name}</b>${reward !== name && html` <span class="soft">${reward}</span>`}</td><td class="n">[${range.map(figure).join(', ')}]</td><td class="n">${figure(found.scored)}</td><td class="n">${figure(found.unscored + found.waiting)}</td><td class="soft">${reasons.join(', ')}</td><td class="n">${figure(found.mean)}</td><td class="n">${figure(found.minimum)}</td><td class="n">${figure(found.maximum)}</td><td class="n">${
      found.groups.groups > 0 ? `${figure(found.groups.zeroVariance)} of ${figure(found.groups.groups)}` : '-'
    }</td></tr>`
  })
  const charts = await Promise.all(
    run.rewards.map(async ({ name }) => {
      const values = facts.values.get(name)!
      if (values.length === 0) return null
      return html`<figure>${await histogram(name, values)}<figcaption>${name}: ${figure(values.length)} scored samples</figcaption></figure>`
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

export async function rankingSection(rankings: readonly Ranking[]): Promise<Html> {
  const { gold } = rankings[0]!
  const judgedByItself = rankings.every(({ by, gold }) => by === gold)
  const rows = rankings.map(
    ({ by, outcomes, gains, unscored, candidates }) =>
      html`<tr><td><b>${by}</b></td><td class="n">${intervalFigure(outcomes.chosen)}</td><td class="n">${intervalFigure(gains.overRandom)}</td><td class="n">${intervalFigure(outcomes.random)}</td><td class="n">${intervalFigure(outcomes.first)}</td><td class="n">${intervalFigure(outcomes.oracle)}</td><td class="n">${outcomes.chosen?.n ?? 0}</td><td class="n">${figure(unscored)} of ${figure(candidates)}</td></tr>`,
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

export async function breakdownSection(run: StoredRun, facts: RunFacts): Promise<Html> {
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

export async function agreementSection(
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
      html`<tr><td>${first}</td><td>${second}</td><td class="n">${figure(compared)} of ${figure(samples)}</td><td class="n">${intervalFigure(spearman)}</td><td class="n">${intervalFigure(within.spearman)}</td><td class="n">${intervalFigure(within.pairs.accuracy)}</td></tr>`,
  )
  return html`${drawn && html`<figure>${drawn}<figcaption>Spearman correlation ${hasGroups ? 'inside prompts (mean over prompts)' : 'over all samples'}.</figcaption></figure>`}
<div class="scroll"><table><tr><th>measure</th><th>against</th><th class="n">samples with both</th><th class="n">Spearman, all</th><th class="n">Spearman, inside prompts</th><th class="n">same order on pairs</th></tr>${rows}</table></div>
<p class="soft">On pairs of candidates of one prompt: ties of the first measure count half, ties of the second are left out. Brackets are 95% intervals.</p>`
}
