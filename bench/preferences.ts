// How far simple measures and published judges agree with people on real preferences, with 95% bootstrap intervals
// over prompts. `--all` adds every published prompting strategy.
//
//   npm run -s bench -- preferences [--all] [--json]
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { comparePairs, judgeBias, orderAgreement } from '../src/apply/index.ts'
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
import { print } from './_throughput.ts'

const everything = process.argv.includes('--all')
const shown =
  /^(GPT-4|ChatGPT|LLaMA2|PaLM2|Falcon) (Vanilla|Vanilla_NoRules|Metrics_Reference)$|^(GPT-3\.5|PandaLM-7B)$/

type Row = Record<string, string | number>

function rowsOfSet(set: PreferenceSet): Row[] {
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
      ...agreement(accuracy),
      kappa: kappa ?? '',
      'same in both orders': orders?.consistent?.estimate ?? '',
      'first slot': orders?.slotBias?.estimate ?? '',
      'longer beyond people': biases[i]!.excess?.estimate ?? '',
    }
  })
}

function agreement(accuracy: Interval | null): Row {
  return {
    'agrees with people': accuracy?.estimate ?? '',
    low: accuracy?.low ?? '',
    high: accuracy?.high ?? '',
  }
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
const rows = present.flatMap((set) => loaders[set]!(join(sharedData, set)).flatMap(rowsOfSet))

// How far people agree with each other: the ceiling.
const people = (set: string, judge: string, kappa: number | null) =>
  rows.push({ set, judge, kappa: kappa ?? '' })
if (present.includes('pandalm-testset')) {
  const labels = rowsOf(join(sharedData, 'pandalm-testset'), 'labels-all.jsonl')
  for (const [a, b] of [
    [1, 2],
    [1, 3],
    [2, 3],
  ]) {
    const verdicts = [a, b].map((person) => labels.map((row) => row[`annotator${person}`]))
    people('pandalm', `annotators ${a} and ${b}`, cohenKappa(verdicts[0]!, verdicts[1]!)!.kappa)
  }
}
if (present.includes('ukp-convarg')) {
  const votes = Map.groupBy(
    rowsOf(join(sharedData, 'ukp-convarg'), 'votes.jsonl.gz'),
    ({ a1, a2 }) => `${a1}_${a2}`,
  )
  const labels = [...votes.values()].map((cast) => cast.map(({ label }) => label))
  people('ukp-convarg', 'about five votes a pair (alpha)', krippendorffAlpha(labels, 'nominal'))
}
print(rows)
