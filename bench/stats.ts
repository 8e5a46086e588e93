// Statistics against simple-statistics, or against the textbook loop where that has no such function: processor time
// of the best of several runs, in one process.
//
//   npm run -s bench -- stats [--json]
import { quantile as peerQuantile, sampleCorrelation, sampleRankCorrelation } from 'simple-statistics'
import { Rng } from '../src/core/index.ts'
import {
  areaUnderRoc,
  bestOfKCurve,
  bootstrap,
  bootstrapMean,
  kendall,
  pearson,
  quantile,
  spearman,
} from '../src/stats/index.ts'
import { fastestMs, print } from './_throughput.ts'

const rng = new Rng('bench')
const size = 100_000
const a = Array.from({ length: size }, () => rng.normal())
const b = a.map((value) => value + rng.normal())
const tied = a.map((value) => Math.round(value * 2))
const some = 5_000
const [fewA, fewB] = [tied.slice(0, some), b.slice(0, some)]
const scores = a.slice(0, 10_000)
const prompts = scores.map((_, i) => i >> 2)
const wins = b.slice(0, 2_000)
const losses = a.slice(0, 2_000)
const hundred = a.slice(0, 100)

interface Case {
  readonly name: string
  readonly run: () => unknown
  /** What does the same another way; its result must be equal. */
  readonly peer?: { readonly name: string; readonly run: () => unknown }
}

const cases: readonly Case[] = [
  {
    name: 'Pearson, 100,000',
    run: () => pearson(a, b),
    peer: { name: 'simple-statistics', run: () => sampleCorrelation(a, b) },
  },
  {
    name: 'Spearman, 100,000',
    run: () => spearman(a, b),
    peer: { name: 'simple-statistics', run: () => sampleRankCorrelation(a, b) },
  },
  { name: 'Kendall tau-b, 100,000 distinct', run: () => kendall(a, b).tauB },
  { name: 'Kendall tau-b, 100,000 with ties', run: () => kendall(tied, b).tauB },
  {
    name: 'Kendall tau-b, 5,000 with ties',
    run: () => kendall(fewA, fewB).tauB,
    peer: { name: 'double loop', run: () => pairwiseTau(fewA, fewB) },
  },
  {
    name: 'quantile, 100,000',
    run: () => quantile(a, 0.5),
    peer: { name: 'simple-statistics', run: () => peerQuantile(a, 0.5) },
  },
  {
    name: 'bootstrap of a mean, 1,000 x 10,000',
    run: () => bootstrapMean(scores, { rng })!.low,
    peer: { name: 'general statistic', run: () => bootstrap(scores.length, meanAt, { rng })!.low },
  },
  {
    name: 'the same by prompt, 2,500 clusters',
    run: () => bootstrapMean(scores, { rng, clusters: prompts })!.low,
    peer: {
      name: 'general statistic',
      run: () => bootstrap(scores.length, meanAt, { rng, clusters: prompts })!.low,
    },
  },
  {
    name: 'area under ROC, 2,000 x 2,000',
    run: () => areaUnderRoc(wins, losses),
    peer: { name: 'double loop', run: () => pairwiseWins(wins, losses) },
  },
  { name: 'best of k, whole curve, 100 samples', run: () => bestOfKCurve(hundred).at(-1) },
]

function meanAt(at: Uint32Array): number {
  let sum = 0
  for (let i = 0; i < at.length; i++) sum += scores[at[i]!]!
  return sum / at.length
}

function pairwiseTau(x: readonly number[], y: readonly number[]): number {
  let [surplus, untiedX, untiedY] = [0, 0, 0]
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < i; j++) {
      const [signX, signY] = [Math.sign(x[i]! - x[j]!), Math.sign(y[i]! - y[j]!)]
      surplus += signX * signY
      untiedX += Number(signX !== 0)
      untiedY += Number(signY !== 0)
    }
  }
  return surplus / Math.sqrt(untiedX) / Math.sqrt(untiedY)
}

function pairwiseWins(x: readonly number[], y: readonly number[]): number {
  let wins = 0
  for (const left of x) for (const right of y) wins += left > right ? 1 : left === right ? 0.5 : 0
  return wins / x.length / y.length
}

const rows = []
for (const { name, run, peer } of cases) {
  if (peer) {
    const [ours, theirs] = [run() as number, peer.run() as number]
    // simple-statistics takes another definition of a quantile: one order statistic, not between two.
    if (Math.abs(ours - theirs) > 1e-4) throw new Error(`${name}: ${ours} is not the peer's ${theirs}`)
  }
  const settings = { runs: 30, limitMs: 1000 }
  const own = await fastestMs(run, settings)
  const other = peer && (await fastestMs(peer.run, settings))
  rows.push({
    statistic: name,
    ms: own,
    peer: peer?.name ?? '',
    'peer ms': other ?? '',
    'times as fast': other === undefined ? '' : other / own,
  })
}
print(rows)
