// Simple rewards, a small language model and scripted judges of known bias on real preferences and on the adversarial
// ones among them: accuracy by the benchmark's own rules, and how it falls apart by which answer is the longer one.
// `balanced` is the mean of the last two: a lover of length has 0.5 there, whatever its accuracy.
//
//   npm run -s bench -- length-lovers [BENCHMARK ...] [--json]
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { leaderboard } from '../src/apply/leaderboard.ts'
import { baselineRewards, likelihood, scriptedJudge } from '../src/audit/baselines/index.ts'
import { benchmarkNamed, loadBenchmark } from '../src/audit/benchmarks/index.ts'
import type { Comparator, Reward } from '../src/core/index.ts'
import { loadEmbedded } from '../src/nets/embedded/index.ts'
import type { BootstrapInterval } from '../src/stats/index.ts'
import { sharedData } from '../tests/shared-data.ts'
import { print } from './_throughput.ts'

process.env.GUERDON_DATA ??= sharedData

const chosen = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const everything = [
  ...[
    'llmbar',
    'mtbench-human',
    'pandalm',
    'hhh-alignment',
    'hh-rlhf-harmless',
    'ukp-convarg',
    'finegrained-qa',
  ],
  ...['prmbench', 'sugarcrepe', 'text-preference', 'text-adversarial'],
]
const names = (chosen.length > 0 ? chosen : everything).filter((name) => {
  const { folder, generate } = benchmarkNamed(name)
  return (
    generate !== undefined || (folder !== undefined && existsSync(join(process.env.GUERDON_DATA!, folder)))
  )
})

const model = await loadEmbedded('text-lm')
const figure = (interval: BootstrapInterval | null) =>
  interval === null
    ? '-'
    : `${interval.estimate.toFixed(3)} [${interval.low.toFixed(2)}, ${interval.high.toFixed(2)}]`

const rows = []
for (const name of names) {
  const benchmark = await loadBenchmark(benchmarkNamed(name))
  const scripted = (title: string, options: Parameters<typeof scriptedJudge>[1]) =>
    scriptedJudge(benchmark.items, { ...options, name: title })
  const judges: (Reward | Comparator)[] = [
    ...baselineRewards(),
    // The closed language of the text world is all that it knows.
    ...(name.startsWith('text-') ? [likelihood(model, 'output'), likelihood(model, 'token')] : []),
    scripted('judge right 8 of 10', { accuracy: 0.8 }),
    scripted('the same, loves length', { accuracy: 0.8, lengthBias: 3 }),
    scripted('the same, loves the first', { accuracy: 0.8, firstBias: 2 }),
  ]
  const { boards } = await leaderboard({
    judges: Object.fromEntries(judges.map((judge) => [judge.name, judge])),
    benchmarks: [benchmark],
    resamples: 200,
  })
  for (const { judge, result, length, place } of boards[0]!.rows)
    rows.push({
      benchmark: name,
      judge,
      place,
      items: result.headline.counted,
      accuracy: figure(result.headline.interval),
      'longer is right': figure(length?.whenAligned ?? null),
      'shorter is right': figure(length?.whenOpposed ?? null),
      balanced: figure(length?.balanced ?? null),
      'takes the longer': figure(length?.judgePrefers ?? null),
      'first slot': result.firstSlot ? result.firstSlot.share.toFixed(2) : '-',
    })
}
await model.dispose()
print(rows)
