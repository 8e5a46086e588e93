import { quantile as peerQuantile, sampleCorrelation, sampleRankCorrelation } from 'simple-statistics'
import { figure, table } from '../src/cli/table.ts'
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

// Statistics against simple-statistics, or against the textbook loop where that has no such function: processor time
// of the best of several runs, in one process. `--json` prints the numbers.

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

/** Milliseconds of processor time, best of the runs that fit in about a second (at least three). */
function milliseconds(run: () => unknown): number {
  run()
  let [best, spent] = [Infinity, 0]
  for (let i = 0; i < 3 || (i < 30 && spent < 1000); i++) {
    const started = process.cpuUsage()
    run()
    const { user, system } = process.cpuUsage(started)
    best = Math.min(best, (user + system) / 1000)
    spent += (user + system) / 1000
  }
  return best
}

const rows = cases.map(({ name, run, peer }) => {
  if (peer) {
    const [ours, theirs] = [run() as number, peer.run() as number]
    // simple-statistics takes another definition of a quantile: one order statistic, not between two.
    if (Math.abs(ours - theirs) > 1e-4) throw new Error(`${name}: ${ours} is not the peer's ${theirs}`)
  }
  const own = milliseconds(run)
  const other = peer && milliseconds(peer.run)
  return {
    name,
    milliseconds: own,
    peer: peer?.name ?? null,
    peerMilliseconds: other ?? null,
    timesAsFast: other === undefined ? null : other / own,
  }
})

const output = process.argv.includes('--json')
  ? [JSON.stringify(rows, null, 2)]
  : table(
      ['statistic', 'ms', 'peer', 'peer ms', 'times as fast'],
      rows.map((row) => [
        row.name,
        row.milliseconds.toFixed(2),
        row.peer ?? '-',
        row.peerMilliseconds === null ? '-' : row.peerMilliseconds.toFixed(2),
        figure(row.timesAsFast, 1),
      ]),
    )
process.stdout.write(`${output.join('\n')}\n`)
