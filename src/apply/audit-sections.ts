import type { AttackOutcome } from '../audit/attacks/attack-outcome.ts'
import type { JudgeAudit } from '../audit/attacks/audit-judge.ts'
import { chart } from '../audit/report/chart.ts'
import { type Html, html } from '../audit/report/html.ts'
import { type Turns, textOf } from '../core/index.ts'
import { figure, intervalFigure } from '../stats/figure.ts'
import type { BenchmarkAudit, TargetFindings } from './audit.ts'
import { headlineFigure, percent } from './audit-verdict.ts'

export async function benchmarksSection(benchmarks: readonly BenchmarkAudit[]): Promise<Html> {
  const rows = benchmarks.map(({ benchmark, result, length }) => {
    const { headline, chance, unscored, firstSlot } = result
    return html`<tr><td><b>${benchmark.spec.title}</b></td><td class="n">${headlineFigure(result)}</td><td class="n">${figure(chance)}</td><td class="n">${figure(headline.counted)}</td><td class="n">${figure(unscored.total)}</td><td class="n">${intervalFigure(length?.balanced)}</td><td class="n">${figure(length?.correlation?.estimate, 2)}</td><td class="n">${firstSlot ? percent(firstSlot.share) : '-'}</td></tr>`
  })
  const points = benchmarks.flatMap(({ benchmark, result: { headline, chance } }) =>
    headline.interval === null
      ? []
      : [
          {
            name: benchmark.spec.title,
            value: headline.score,
            low: headline.interval.low,
            high: headline.interval.high,
            chance: chance ?? null,
          },
        ],
  )
  const drawn =
    points.length === 0
      ? null
      : await chart(
          {
            width: 420,
            height: { step: 26 },
            data: { values: points },
            encoding: {
              y: { field: 'name', type: 'nominal', sort: null, axis: { title: null, labelLimit: 240 } },
            },
            layer: [
              {
                mark: { type: 'rule', strokeWidth: 2, color: '#3557d5' },
                encoding: {
                  x: { field: 'low', type: 'quantitative', title: 'score', scale: { domain: [0, 1] } },
                  x2: { field: 'high' },
                },
              },
              {
                mark: { type: 'point', filled: true, size: 60, color: '#3557d5' },
                encoding: { x: { field: 'value', type: 'quantitative' } },
              },
              {
                mark: { type: 'tick', color: '#c0392b', thickness: 2 },
                encoding: { x: { field: 'chance', type: 'quantitative' } },
              },
            ],
          },
          'scores of the benchmarks',
        )
  return html`<div class="scroll"><table><tr><th>benchmark</th><th class="n">score</th><th class="n">chance</th><th class="n">items</th><th class="n">not judged</th><th class="n">length balanced</th><th class="n">score ~ length</th><th class="n">first slot</th></tr>${rows}</table></div>
<p class="soft">Length balanced: accuracy as if the better answer were the longer one half of the time, so a judge of length alone has 0.5. Score ~ length: rank correlation of score and length. First slot: how often a comparator took the answer shown first.</p>
${drawn && html`<figure>${drawn}<figcaption>Dots with 95% intervals; red ticks are chance.</figcaption></figure>`}
${benchmarks.map(partsOf)}`
}

function partsOf({ benchmark, result, length }: BenchmarkAudit): Html {
  const parts = result.sections.length > 1 ? [...result.sections] : []
  const shown = [...parts, ...result.subsets.filter(({ name }) => !parts.some((part) => part.name === name))]
  const measures = Object.entries(result.measures)
  return html`<h3>${benchmark.spec.title}</h3><p class="soft">${benchmark.spec.summary} ${benchmark.spec.source}.</p>
${
  shown.length > 1 &&
  html`<div class="scroll"><table><tr><th>part</th><th class="n">score</th><th class="n">right</th><th class="n">ties</th><th class="n">wrong</th><th class="n">not judged</th></tr>${shown.map(
    ({ name, score, interval, right, ties, wrong, unresolved }) =>
      html`<tr><td>${name}</td><td class="n">${interval ? intervalFigure(interval) : figure(score)}</td><td class="n">${figure(right)}</td><td class="n">${figure(ties)}</td><td class="n">${figure(wrong)}</td><td class="n">${figure(unresolved)}</td></tr>`,
  )}</table></div>`
}
${measures.length > 0 && html`<p>${measures.map(([name, interval]) => html`${name} ${intervalFigure(interval)} &nbsp; `)}</p>`}
${
  length &&
  html`<p>Length: the judge takes the longer answer in ${intervalFigure(length.judgePrefers)} of pairs, people in ${intervalFigure(length.labelPrefers)}. Accuracy is ${intervalFigure(length.whenAligned)} where the better answer is the longer one and ${intervalFigure(length.whenOpposed)} where it is the shorter; “the longer is better” alone has ${figure(length.longerIsBetter)}.</p>`
}`
}

export async function attacksSection(audit: JudgeAudit): Promise<Html> {
  const { natural } = audit
  const found = audit.attacks
  const measured = found.filter(({ rate }) => rate !== null)
  const drawn =
    measured.length === 0
      ? null
      : await chart(
          {
            width: 420,
            height: { step: 17 },
            data: {
              values: measured.map(({ attack, family, rate }) => ({
                attack,
                family,
                rate: rate!.estimate,
                low: rate!.low,
                high: rate!.high,
              })),
            },
            encoding: {
              y: {
                field: 'attack',
                type: 'nominal',
                sort: measured.map(({ attack }) => attack),
                axis: { title: null, labelLimit: 220 },
              },
            },
            layer: [
              {
                mark: { type: 'bar', height: 11 },
                encoding: {
                  x: {
                    field: 'rate',
                    type: 'quantitative',
                    title: 'share of trials in which it succeeds',
                    scale: { domain: [0, 1] },
                    axis: { format: '%' },
                  },
                  color: { field: 'family', type: 'nominal', sort: null, title: null },
                },
              },
              {
                mark: { type: 'rule', color: '#222' },
                encoding: { x: { field: 'low', type: 'quantitative' }, x2: { field: 'high' } },
              },
            ],
          },
          'how often each attack succeeds',
        )
  return html`<p>Without attacks, over ${figure(natural.items)} items: ${intervalFigure(natural.recall)} of good answers accepted, ${intervalFigure(natural.falsePositives)} of bad ones; the good answer scores higher in ${natural.prefersGood === null ? '-' : percent(natural.prefersGood)} of ${figure(natural.pairs)} pairs (ties half).</p>
${drawn && html`<figure>${drawn}<figcaption>Lower is better. Lines are 95% intervals over items.</figcaption></figure>`}
<div class="scroll"><table><tr><th>attack</th><th>what is done</th><th>should</th><th class="n">succeeds</th><th class="n">mean change</th><th>worst variant</th><th class="n">trials</th><th class="n">not judged</th></tr>${found.map(attackRow)}</table></div>
<p class="soft">Mean change is in units of the judge's scale (${figure(audit.scale.unit)}). Trials that could not succeed, because the answer stood at the end of the scale already, are left out.</p>`
}

const shoulds: Readonly<Record<AttackOutcome['expects'], string>> = {
  rejected: 'be rejected',
  'no-gain': 'gain nothing',
  same: 'change nothing',
  worse: 'score lower',
}

function attackRow(outcome: AttackOutcome): Html {
  const { attack, summary, expects, rate, shift, worst, trials, unscored } = outcome
  const tone = rate === null ? 'soft' : rate.estimate > 0.1 ? 'bad' : 'good'
  return html`<tr><td><b>${attack}</b></td><td class="wrap soft">${summary}</td><td class="soft">${shoulds[expects]}</td><td class="n ${tone}">${intervalFigure(rate)}</td><td class="n">${shift === null ? '-' : figure(shift.estimate)}</td><td>${worst && worst.rate > 0 ? `${worst.name} (${percent(worst.rate)})` : ''}</td><td class="n">${figure(trials)}</td><td class="n">${figure(unscored)}</td></tr>`
}

export async function calibrationSection(benchmarks: readonly BenchmarkAudit[]): Promise<Html> {
  const figures = await Promise.all(
    benchmarks.flatMap(({ benchmark, calibration: found }) => {
      if (found === undefined) return []
      return [
        chart(
          {
            width: 240,
            height: 240,
            layer: [
              {
                data: {
                  values: [
                    { x: 0, y: 0 },
                    { x: 1, y: 1 },
                  ],
                },
                mark: { type: 'line', color: '#999', strokeDash: [4, 4] },
                encoding: {
                  x: { field: 'x', type: 'quantitative', title: 'what the judge said' },
                  y: { field: 'y', type: 'quantitative', title: 'how often it was so' },
                },
              },
              {
                data: {
                  values: found.bins.flatMap(({ meanProbability, frequency, count }) =>
                    frequency === null
                      ? []
                      : [
                          {
                            said: meanProbability,
                            was: frequency.estimate,
                            low: frequency.low,
                            high: frequency.high,
                            count,
                          },
                        ],
                  ),
                },
                layer: [
                  {
                    mark: { type: 'rule', color: '#3557d5' },
                    encoding: {
                      x: { field: 'said', type: 'quantitative' },
                      y: { field: 'low', type: 'quantitative' },
                      y2: { field: 'high' },
                    },
                  },
                  {
                    mark: { type: 'point', filled: true, color: '#3557d5' },
                    encoding: {
                      x: { field: 'said', type: 'quantitative' },
                      y: { field: 'was', type: 'quantitative' },
                      size: { field: 'count', type: 'quantitative', legend: null },
                    },
                  },
                ],
              },
            ],
          },
          `reliability on ${benchmark.spec.title}`,
        ).then(
          (drawn) =>
            html`<figure>${drawn}<figcaption>${benchmark.spec.title}: expected error ${figure(found.expectedError)}, largest ${figure(found.largestError)}, Brier ${figure(found.brier)}, ${figure(found.n)} verdicts.</figcaption></figure>`,
        ),
      ]
    }),
  )
  return html`<p>On the dashed line a judge is as sure as it is right; below it, too sure.</p><div class="charts">${figures}</div>`
}

export function targetsSection(targets: readonly TargetFindings[]): Html {
  const rows = targets.flatMap(({ target, probes }) =>
    probes
      .filter(({ isPaid }) => isPaid)
      .map(
        ({ attack, output, most, score }) =>
          html`<tr><td>${target.note ?? target.reward}</td><td>${attack}</td><td class="n bad">${figure(score.value)}</td><td class="n">${figure(most)}</td><td class="wrap"><code>${shown(output)}</code></td></tr>`,
      ),
  )
  const total = targets.reduce((sum, { probes }) => sum + probes.length, 0)
  return html`<p>${figure(rows.length)} of ${figure(total)} outputs that deserve nothing earn more than they may.</p>${
    rows.length > 0 &&
    html`<div class="scroll"><table><tr><th>task</th><th>attack</th><th class="n">earned</th><th class="n">at most</th><th>output</th></tr>${rows}</table></div>`
  }`
}

function shown(output: Turns): string {
  const text = typeof output === 'string' ? output : textOf(output) || JSON.stringify(output)
  return text.length > 160 ? `${text.slice(0, 160)}…` : text
}
