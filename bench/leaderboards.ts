// Published numbers computed again: what a row's own columns imply, what the data give, and the result tables of the
// real data. A line for each measure with the largest residual; `--all` lists every number.
//
//   npm run -s bench -- leaderboards [--all] [--json]
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { allPublishedChecks, type PublishedCheck, publishedCheck } from '../src/audit/benchmarks/index.ts'
import { kendall, mean, pearson, spearman } from '../src/stats/index.ts'
import { sharedData } from '../tests/shared-data.ts'
import { print } from './_throughput.ts'

process.env.GUERDON_DATA ??= sharedData

type CsvRow = Readonly<Record<string, string>>

const tables = join(sharedData, 'leaderboards')
const table = (file: string): CsvRow[] =>
  parse(readFileSync(join(tables, file)), { columns: true, relax_column_count: true })
const numberOf = (cell: string | undefined) =>
  cell === undefined || cell.trim() === '' ? null : Number(cell.replaceAll(',', ''))

/** The average that OpenCLIP prints for a model is the plain mean of its 38 data sets. */
function openClip(): PublishedCheck[] {
  const rows = table('openclip-38.csv')
  const average = 'Average perf. on 38 datasets'
  const described = new Set(['name', 'pretrained', 'params (M)', 'FLOPs (B)', average])
  return rows.map((row) => {
    const scores = Object.entries(row).flatMap(([column, cell]) =>
      described.has(column) ? [] : [numberOf(cell)!],
    )
    return publishedCheck({
      benchmark: 'openclip-38',
      row: `${row.name} ${row.pretrained}`,
      measure: 'average',
      published: numberOf(row[average])!,
      recomputed: mean(scores)!,
      tolerance: 1e-4,
    })
  })
}

/** Errors are what accuracy leaves. */
function timm(): PublishedCheck[] {
  return ['timm-imagenet', 'timm-imagenet-real', 'timm-imagenet-a'].flatMap((benchmark) =>
    table(`${benchmark}.csv`).flatMap((row) =>
      (['top1', 'top5'] as const).map((measure) =>
        publishedCheck({
          benchmark,
          row: `${row.model} ${row.img_size}`,
          measure: `${measure}_err`,
          published: numberOf(row[`${measure}_err`])!,
          recomputed: 100 - numberOf(row[measure])!,
          tolerance: 1e-3,
        }),
      ),
    ),
  )
}

type Correlation = (a: number[], b: number[]) => number | null

/** Correlations of result tables, as they are written down beside the data. */
function correlations(): PublishedCheck[] {
  const expected = JSON.parse(readFileSync(join(sharedData, 'expected.json'), 'utf8')).leaderboards
  const both = (pairs: readonly (readonly [number | null, number | null])[], measure: Correlation) => {
    const known = pairs.filter((pair): pair is readonly [number, number] => !pair.includes(null))
    return measure(
      known.map(([a]) => a),
      known.map(([, b]) => b),
    )!
  }
  const check = (row: string, measure: string, published: number, recomputed: number) =>
    publishedCheck({ benchmark: 'leaderboards', row, measure, published, recomputed, tolerance: 1e-4 })
  const tauB: Correlation = (a, b) => kendall(a, b).tauB
  const alpaca = table('alpacaeval2.csv')
  const column = (name: string) => alpaca.map((row) => numberOf(row[name]))
  const zip = (a: readonly (number | null)[], b: readonly (number | null)[]) =>
    a.map((value, i) => [value, b[i]!] as const)
  const imagenet = new Map(table('timm-imagenet.csv').map((row) => [row.model!, numberOf(row.top1)]))
  const timmRows = (['real', 'a'] as const).flatMap((other) => {
    const row = `timm imagenet vs imagenet-${other}`
    // Models that stand in both tables, once each.
    const models = new Map(
      table(`timm-imagenet-${other}.csv`).map(({ model, top1 }) => [model!, numberOf(top1)]),
    )
    const pairs = [...models].flatMap(([model, top1]) =>
      imagenet.has(model) ? [[imagenet.get(model)!, top1] as const] : [],
    )
    return [
      check(row, 'models', expected[row].models, pairs.length),
      check(row, 'pearson', expected[row].pearson, both(pairs, pearson)),
      check(row, 'spearman', expected[row].spearman, both(pairs, spearman)),
      check(row, 'kendall b', expected[row].kendall_b, both(pairs, tauB)),
    ]
  })
  const clip = table('openclip-38.csv')
  const versions = zip(
    clip.map((row) => numberOf(row['ImageNet 1k'])),
    clip.map((row) => numberOf(row['ImageNet v2'])),
  )
  return [
    ...timmRows,
    check(
      'openclip ImageNet 1k vs v2',
      'spearman',
      expected['openclip ImageNet 1k vs v2'].spearman,
      both(versions, spearman),
    ),
    ...(
      [
        ['spearman_winrate_vs_length_controlled', 'win_rate', 'length_controlled_winrate'],
        ['spearman_winrate_vs_length', 'win_rate', 'avg_length'],
        ['spearman_lc_vs_length', 'length_controlled_winrate', 'avg_length'],
      ] as const
    ).map(([name, a, b]) =>
      check('alpacaeval2', name, expected.alpacaeval2[name], both(zip(column(a), column(b)), spearman)),
    ),
  ]
}

const checks = [
  ...(await allPublishedChecks()),
  ...(existsSync(tables) ? [...openClip(), ...timm(), ...correlations()] : []),
]

if (process.argv.includes('--all'))
  print(
    checks.map(({ benchmark, row, measure, published, recomputed, residual, agrees }) => ({
      benchmark,
      row,
      measure,
      published: String(published),
      recomputed: recomputed.toFixed(4),
      residual: residual.toFixed(4),
      agrees: agrees ? 'yes' : 'NO',
    })),
  )
else
  print(
    [...Map.groupBy(checks, ({ benchmark, measure }) => `${benchmark}\u0000${measure}`).values()].map(
      (group) => {
        const worst = group.reduce((a, b) => (Math.abs(b.residual) > Math.abs(a.residual) ? b : a))
        const { benchmark, measure, row, published, recomputed, residual } = worst
        return {
          benchmark,
          measure,
          numbers: group.length,
          agree: group.filter(({ agrees }) => agrees).length,
          'largest residual': residual.toFixed(4),
          of: row,
          published: String(published),
          recomputed: recomputed.toFixed(4),
        }
      },
    ),
  )
