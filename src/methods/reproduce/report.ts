import type { TopLevelSpec } from 'vega-lite'
import { chart } from '../../audit/report/chart.ts'
import { type Html, html } from '../../audit/report/html.ts'
import { page } from '../../audit/report/page.ts'
import { figure } from '../../stats/figure.ts'
import { catalogueEntry } from '../catalogue/catalogue.ts'
import type { MetricSummary, ReproductionResult, TunedArm } from './reproduce.ts'
import type { Reproduction } from './reproduction.ts'

/** One page about a reproduction: the verdict and what decided it, arms side by side, curves, outputs. */
export async function reproductionReport(
  reproduction: Reproduction,
  result: ReproductionResult,
): Promise<string> {
  const entry = catalogueEntry(reproduction.id)
  const verdict = result.verdict ?? (result.quick ? 'quick slice, no verdict' : 'no verdict')
  return page({
    title: `${entry.name}: ${verdict}`,
    lead: html`<p>${result.claim}</p><p class="soft">${entry.title} (${entry.paper}). ${result.seeds} seeds, ${figure(result.seconds / 60, 1)} minutes of one core.</p>`,
    sections: [
      { id: 'criteria', title: 'What decides', body: criteriaTable(result) },
      { id: 'arms', title: 'Arms', body: armsTable(result) },
      ...(result.tuning.length === 0 ? [] : [{ id: 'tuning', title: 'Tuning', body: tuningTable(result) }]),
      { id: 'curves', title: 'Along the way', body: await curves(result) },
      { id: 'outputs', title: 'Outputs', body: outputs(result) },
      {
        id: 'notes',
        title: 'How it was done',
        body: html`<ul>${reproduction.notes.map((note) => html`<li>${note}</li>`)}</ul>${failures(result)}`,
      },
    ],
  })
}

function criteriaTable({ criteria }: ReproductionResult): Html {
  if (criteria.length === 0) return html`<p class="soft">Nothing is judged of a quick slice.</p>`
  return html`<div class="scroll"><table><thead><tr><th>criterion</th><th>kind</th><th>holds</th><th>measured</th></tr></thead>
<tbody>${criteria.map(
    ({ name, kind, holds, measured }) =>
      html`<tr><td>${name}</td><td>${kind}</td><td class="${holds ? 'good' : 'bad'}">${holds ? 'yes' : 'no'}</td><td>${measured}</td></tr>`,
  )}</tbody></table></div>`
}

function armsTable({ arms }: ReproductionResult): Html {
  const metrics = [...new Set(arms.flatMap(({ metrics }) => Object.keys(metrics)))]
  return html`<div class="scroll"><table><thead><tr><th>arm</th>${metrics.map((name) => html`<th class="n">${name}</th>`)}<th class="n">samples</th><th class="n">reward calls</th><th>what it is</th></tr></thead>
<tbody>${arms.map(
    (arm) =>
      html`<tr><td>${arm.arm}</td>${metrics.map((name) => html`<td class="n">${metricText(arm.metrics[name])}</td>`)}<td class="n">${figure(arm.samples)}</td><td class="n">${figure(arm.rewardCalls)}</td><td>${arm.description}</td></tr>`,
  )}</tbody></table></div>`
}

function tuningTable({ tuning }: ReproductionResult): Html {
  const [{ what, metric, seeds, trials }] = tuning as [TunedArm]
  return html`<p class="soft">Every value of one grid for each, by ${metric}, on seeds that decide nothing else (${seeds.join(', ')}).</p><div class="scroll"><table><thead><tr><th>${what} of</th>${trials.map(({ value }) => html`<th class="n">${value}</th>`)}<th class="n">chosen</th><th>used by</th></tr></thead>
<tbody>${tuning.map(
    ({ arm, trials, chosen, usedBy }) =>
      html`<tr><td>${arm}</td>${trials.map(({ mean }) => html`<td class="n">${mean === null ? 'failed' : figure(mean)}</td>`)}<td class="n">${chosen}</td><td>${usedBy.join(', ')}</td></tr>`,
  )}</tbody></table></div>`
}

/** `0.12 [0.05, 0.19]`, and in how many seeds there was nothing to measure. */
export function metricText(metric: MetricSummary | undefined): string {
  if (metric === undefined) return '-'
  const { mean, low, high, missing } = metric
  const interval = low === null ? '' : ` [${figure(low)}, ${figure(high)}]`
  return `${figure(mean)}${interval}${missing === undefined ? '' : ` (${missing} not measured)`}`
}

async function curves({ runs }: ReproductionResult): Promise<Html> {
  const names = [...new Set(runs.flatMap(({ curves = {} }) => Object.keys(curves)))]
  if (names.length === 0) return html`<p class="soft">No curves were kept.</p>`
  const drawn: Html[] = []
  for (const name of names) {
    const values = runs.flatMap(({ arm, seed, curves = {} }) =>
      (curves[name] ?? []).flatMap((value, step) => (value === null ? [] : [{ arm, seed, step, value }])),
    )
    const specification: TopLevelSpec = {
      data: { values },
      width: 360,
      height: 220,
      layer: [
        {
          mark: { type: 'line', opacity: 0.25, strokeWidth: 1 },
          encoding: { detail: { field: 'seed' } },
        },
        { mark: { type: 'line', strokeWidth: 2 }, encoding: { y: { aggregate: 'mean', field: 'value' } } },
      ],
      encoding: {
        x: { field: 'step', type: 'quantitative', title: 'iteration' },
        y: { field: 'value', type: 'quantitative', title: name, scale: { zero: false } },
        color: { field: 'arm', type: 'nominal', title: null },
      },
    }
    drawn.push(
      html`<figure>${await chart(specification, `${name} over iterations`)}<figcaption>${name}; thin lines are seeds, thick ones their means</figcaption></figure>`,
    )
  }
  return html`<div class="charts">${drawn}</div>`
}

function outputs({ runs, arms }: ReproductionResult): Html {
  const shown = arms.flatMap(({ arm }) => {
    const run = runs.find((run) => run.arm === arm)
    return (run?.examples ?? []).map((example) => ({ arm, ...example }))
  })
  if (shown.length === 0) return html`<p class="soft">No outputs were kept.</p>`
  return html`<div class="samples">${shown.map(
    ({ arm, prompt, output, note, iteration }) =>
      html`<article><h3><span>${arm}${iteration === undefined ? '' : html`, iteration ${iteration}`}</span><span class="soft">${note ?? ''}</span></h3><pre>${prompt}</pre><pre>${output}</pre></article>`,
  )}</div>`
}

function failures({ failures }: ReproductionResult): Html | string {
  if (failures.length === 0) return ''
  return html`<h3>Runs that failed</h3><ul>${failures.map(({ run, reason }) => html`<li>${run}: ${reason}</li>`)}</ul>`
}
