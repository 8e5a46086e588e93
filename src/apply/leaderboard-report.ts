import { chart } from '../audit/report/chart.ts'
import { type Html, html } from '../audit/report/html.ts'
import { page, type Section } from '../audit/report/page.ts'
import { figure, intervalFigure } from '../stats/figure.ts'
import { headlineFigure, judgedNothing, lovesLength, percent } from './audit-verdict.ts'
import { type BenchmarkBoard, isBetter, type Leaderboard } from './leaderboard.ts'

/** One self-contained HTML page: many judges side by side, and who cannot be told from whom. */
export async function leaderboardReport(board: Leaderboard, title = 'Leaderboard'): Promise<string> {
  const sections: Section[] = [{ id: 'verdict', title: 'Verdict', body: await verdictSection(board) }]
  for (const one of board.boards)
    sections.push({
      id: `on-${one.benchmark.spec.name}`,
      title: one.benchmark.spec.title,
      body: await boardSection(one),
    })
  return page({
    title,
    lead: html`<p>${board.boards[0]?.rows.length ?? 0} judges on ${board.boards.length} ${board.boards.length === 1 ? 'benchmark' : 'benchmarks'}, seed <code>${board.seed}</code>. Brackets are 95% intervals.</p>`,
    sections,
  })
}

async function verdictSection({ boards, overall }: Leaderboard): Promise<Html> {
  const best = boards.map(({ benchmark, rows }) => {
    const [first] = rows
    if (first === undefined) return null
    const alike = first.likeIt.filter(
      (name) => rows.find(({ judge }) => judge === name)!.place === first.place,
    )
    return html`<li>${benchmark.spec.title}: <b>${first.judge}</b> ${headlineFigure(first.result)}${
      alike.length > 0 ? `, not told from ${alike.join(', ')}` : ', ahead of all others'
    }</li>`
  })
  const found = boards.flatMap(({ benchmark, rows }) =>
    rows
      .filter(({ length }) => lovesLength(length))
      .map(({ judge, length }) => ({ judge, title: benchmark.spec.title, length: length! })),
  )
  const lovers = [...Map.groupBy(found, ({ judge }) => judge)].map(
    ([judge, on]) =>
      html`<li><b>${judge}</b>: ${on
        .map(
          ({ title, length: { whenAligned, whenOpposed, balanced } }) =>
            `${title} (right in ${percent(whenAligned!.estimate)} where the better answer is the longer, ${percent(whenOpposed!.estimate)} where it is the shorter; balanced ${figure(balanced?.estimate, 2)})`,
        )
        .join(', ')}</li>`,
  )
  const rated =
    overall === null
      ? null
      : html`<h3>Over all benchmarks</h3><div class="scroll"><table><tr><th>judge</th><th class="n">rating</th><th class="n">interval</th><th class="n">place at best</th></tr>${overall.map(
          ({ judge, rating, low, high, place }) =>
            html`<tr><td><b>${judge}</b></td><td class="n">${rating.toFixed(0)}</td><td class="n">${low.toFixed(0)} to ${high.toFixed(0)}</td><td class="n">${place}</td></tr>`,
        )}</table></div><p class="soft">Bradley-Terry ratings from every item on which one judge earned more than another; 1000 is the middle, 400 points are tenfold odds.</p>`
  return html`<div class="verdict"><div class="good"><h3>Best</h3><ul>${best}</ul></div><div class="${lovers.length > 0 ? 'bad' : 'good'}"><h3>Loves length</h3>${
    lovers.length > 0 ? html`<ul>${lovers}</ul>` : html`<p class="soft">None that the data show.</p>`
  }</div></div>${rated}`
}

async function boardSection(board: BenchmarkBoard): Promise<Html> {
  const { rows, benchmark } = board
  const points = rows.flatMap(({ judge, result, result: { headline } }) =>
    headline.interval === null || judgedNothing(result)
      ? []
      : [{ judge, value: headline.score, low: headline.interval.low, high: headline.interval.high }],
  )
  const { chance } = benchmark.spec
  const drawn =
    points.length === 0
      ? null
      : await chart(
          {
            width: 420,
            height: { step: 24 },
            data: { values: points },
            layer: [
              ...(chance === undefined
                ? []
                : [
                    {
                      data: { values: [{ chance }] },
                      mark: { type: 'rule' as const, color: '#c0392b', strokeDash: [4, 4] },
                      encoding: { x: { field: 'chance', type: 'quantitative' as const } },
                    },
                  ]),
              {
                mark: { type: 'rule', strokeWidth: 2, color: '#3557d5' },
                encoding: {
                  y: {
                    field: 'judge',
                    type: 'nominal',
                    sort: points.map(({ judge }) => judge),
                    axis: { title: null, labelLimit: 260 },
                  },
                  x: { field: 'low', type: 'quantitative', title: 'score', scale: { zero: false } },
                  x2: { field: 'high' },
                },
              },
              {
                mark: { type: 'point', filled: true, size: 60, color: '#3557d5' },
                encoding: {
                  y: { field: 'judge', type: 'nominal', sort: points.map(({ judge }) => judge) },
                  x: { field: 'value', type: 'quantitative' },
                },
              },
            ],
          },
          `scores on ${benchmark.spec.title}`,
        )
  const hasLength = rows.some(({ length }) => length !== null)
  return html`<p class="soft">${benchmark.spec.summary} ${figure(benchmark.items.length)} items; chance ${figure(chance)}.</p>
<div class="scroll"><table><tr><th class="n">place</th><th>judge</th><th class="n">score</th><th class="n">not judged</th>${
    hasLength &&
    html`<th class="n">length balanced</th><th class="n">better is longer − shorter</th><th class="n">score ~ length</th>`
  }<th>not told from</th></tr>${rows.map(
    ({ judge, result, length, place, likeIt }) =>
      html`<tr><td class="n">${place}</td><td><b>${judge}</b></td><td class="n">${headlineFigure(result)}</td><td class="n">${figure(result.unscored.total)}</td>${
        hasLength &&
        html`<td class="n">${intervalFigure(length?.balanced)}</td><td class="n ${lovesLength(length) ? 'bad' : ''}">${intervalFigure(length?.gap)}</td><td class="n">${figure(length?.correlation?.estimate, 2)}</td>`
      }<td class="wrap soft">${likeIt.join(', ')}</td></tr>`,
  )}</table></div>
${drawn && html`<figure>${drawn}<figcaption>Scores with 95% intervals; the dashed line is chance. Whether two judges differ is decided by their paired difference below, not by whether these overlap.</figcaption></figure>`}
<p class="soft">${hasLength && 'Better is longer − shorter: accuracy where the better answer is the longer one minus accuracy where it is the shorter; 0 for a judge that length does not move, 1 for length itself.'}</p>
<h3>Row minus column</h3>${differencesTable(board)}`
}

function differencesTable({ rows, differences }: BenchmarkBoard): Html {
  const names = rows.map(({ judge }) => judge)
  const cell = (row: string, column: string) => {
    if (row === column) return html`<td></td>`
    const found = differences.find(
      ({ first, second }) => (first === row && second === column) || (first === column && second === row),
    )
    if (found?.difference == null) return html`<td class="n">-</td>`
    const sign = found.first === row ? 1 : -1
    const tone = isBetter(row, column, differences)
      ? 'good'
      : isBetter(column, row, differences)
        ? 'bad'
        : 'soft'
    const { estimate, low, high } = found.difference
    const bounds = [sign * low, sign * high].sort((a, b) => a - b).map((bound) => figure(bound, 2))
    return html`<td class="n ${tone}" title="${bounds[0]} to ${bounds[1]}; McNemar's p ${figure(found.mcnemar.mid)}">${sign * estimate > 0 ? '+' : ''}${figure(sign * estimate, 2)}</td>`
  }
  return html`<div class="scroll"><table><tr><th></th>${names.map((name) => html`<th class="n">${name}</th>`)}</tr>${names.map(
    (row) => html`<tr><td><b>${row}</b></td>${names.map((column) => cell(row, column))}</tr>`,
  )}</table></div><p class="soft">Paired differences of the score over the same items. Green and red are beyond doubt (the 95% interval over clusters excludes 0); intervals and McNemar's p appear on hovering.</p>`
}
