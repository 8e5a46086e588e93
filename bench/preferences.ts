import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { comparePairs, judgeBias, orderAgreement } from '../src/apply/index.ts'
import { figure, table } from '../src/cli/table.ts'
import { cohenKappa, type Interval, krippendorffAlpha } from '../src/stats/index.ts'
import {
  heuristics,
  hhRlhf,
  llmbar,
  mtbench,
  type PreferenceSet,
  pandalm,
  rowsOf,
  tableOf,
  ukp,
} from '../tests/preference-sets.ts'
import { sharedData } from '../tests/shared-data.ts'

// How far simple measures and published judges agree with people on real preferences, with 95% bootstrap intervals
// over prompts. `--all` adds every published prompting strategy, `--json` prints the numbers.

interface Line {
  readonly set: string
  readonly judge: string
  /** Pairs that count: strict labels that the judge could judge. */
  readonly pairs: number
  readonly unjudged: number
  readonly accuracy: Interval | null
  readonly kappa: number | null
  /** Same verdict in both orders, and how much the first slot is favoured. */
  readonly consistent: Interval | null
  readonly slotBias: Interval | null
  /** How much more often than people the judge takes the longer text. */
  readonly lengthExcess: Interval | null
}

const everything = process.argv.includes('--all')
const shown =
  /^(GPT-4|ChatGPT|LLaMA2|PaLM2|Falcon) (Vanilla|Vanilla_NoRules|Metrics_Reference)$|^(GPT-3\.5|PandaLM-7B)$/

function linesOf(set: PreferenceSet): Line[] {
  const whole = tableOf(set)
  const names = Object.keys(whole.judges).filter(
    (name) => everything || name in heuristics || shown.test(name),
  )
  const chosen = { ...whole, judges: Object.fromEntries(names.map((name) => [name, whole.judges[name]!])) }
  const { judges } = comparePairs(chosen, { between: [], disagreements: 0 })
  const biases = judgeBias(chosen, whole.judges['longer wins'] as number[])
  return judges.flatMap(({ judge, accuracy, counts, kappa, unjudged }, i) => {
    if (counts.counted === 0) return []
    const published = set.judges.find((one) => one.judge === judge)
    const orders = published?.bFirst && orderAgreement({ aFirst: published.aFirst, bFirst: published.bFirst })
    return {
      set: set.name,
      judge,
      pairs: counts.counted,
      unjudged,
      accuracy,
      kappa,
      consistent: orders?.consistent ?? null,
      slotBias: orders?.slotBias ?? null,
      lengthExcess: biases[i]!.excess,
    }
  })
}

const loaders: Record<string, (folder: string) => PreferenceSet[]> = {
  llmbar,
  'mtbench-human': (folder) => [mtbench(folder)],
  'pandalm-testset': (folder) => [pandalm(folder)],
  'hh-rlhf-harmless-test': (folder) => [hhRlhf(folder)],
  'ukp-convarg': (folder) => [ukp(folder)],
}
const present = Object.keys(loaders).filter((set) => existsSync(join(sharedData, set)))
if (present.length === 0) {
  process.stderr.write(
    'the real data sets are absent: set GUERDON_DATA to their folder (see CONTRIBUTING.md)\n',
  )
  process.exit(2)
}
const lines = present.flatMap((set) => loaders[set]!(join(sharedData, set)).flatMap(linesOf))

/** How far people agree with each other: the ceiling. */
const people: Record<string, number | null> = {}
if (present.includes('pandalm-testset')) {
  const rows = rowsOf(join(sharedData, 'pandalm-testset'), 'labels-all.jsonl')
  for (const [a, b] of [
    [1, 2],
    [1, 3],
    [2, 3],
  ])
    people[`pandalm: kappa of annotators ${a} and ${b}`] = cohenKappa(
      rows.map((row) => row[`annotator${a}`]),
      rows.map((row) => row[`annotator${b}`]),
    )!.kappa
}
if (present.includes('ukp-convarg')) {
  const votes = Map.groupBy(
    rowsOf(join(sharedData, 'ukp-convarg'), 'votes.jsonl.gz'),
    ({ a1, a2 }) => `${a1}_${a2}`,
  )
  people['ukp-convarg: alpha of about five votes a pair'] = krippendorffAlpha(
    [...votes.values()].map((rows) => rows.map(({ label }) => label)),
    'nominal',
  )
}

const interval = (value: Interval | null) =>
  value === null ? '-' : `${value.estimate.toFixed(3)} [${value.low.toFixed(3)}, ${value.high.toFixed(3)}]`
const output = process.argv.includes('--json')
  ? [JSON.stringify({ lines, people }, null, 2)]
  : [
      ...table(
        [
          'set',
          'judge',
          'pairs',
          'agrees with people',
          'kappa',
          'same in both orders',
          'first slot',
          'longer beyond people',
        ],
        lines.map((line) => [
          line.set,
          line.judge,
          String(line.pairs),
          interval(line.accuracy),
          figure(line.kappa),
          line.consistent === null ? '-' : figure(line.consistent.estimate),
          line.slotBias === null ? '-' : figure(line.slotBias.estimate),
          interval(line.lengthExcess),
        ]),
      ),
      '',
      ...table(
        ['people with people', 'agreement'],
        Object.entries(people).map(([name, value]) => [name, figure(value)]),
      ),
    ]
process.stdout.write(`${output.join('\n')}\n`)
