// Ratings of 60 models from 200,000 votes with 100 bootstrap resamples, against Chatbot Arena's published procedure
// (_arena-ratings.py: numpy and SciPy, one process): processor milliseconds, turn by turn in one run, and how far the
// ratings are apart. Below it the parts: counting, one fit (and textbook minorise-maximise sweeps), standard errors.
//
//   npm run -s bench -- bradley-terry [--json]
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Rng } from '../src/core/index.ts'
import { bradleyTerry, bradleyTerryErrors, countPairs } from '../src/stats/bradley-terry.ts'
import { type Ratings, ratings } from '../src/stats/ratings.ts'
import { fastestMs, print, processorClock } from './_throughput.ts'

const [models, votes, resamples] = [60, 200_000, 100]
const rng = new Rng('bradley-terry')
const a = Int32Array.from({ length: votes }, () => rng.int(0, models))
const b = a.map((model) => (model + rng.int(1, models)) % models)
const values = Float64Array.from(a, (model, vote) => {
  if (rng.chance(0.2)) return 0.5
  return rng.chance(1 / (1 + Math.exp((b[vote]! - model) / 15))) ? 1 : 0
})

/** With NumPy and SciPy. `PYTHON` names another. */
const python = process.env.PYTHON ?? 'python3'

const pairs = countPairs(models, { a, b, values })
const fitted = bradleyTerry(pairs)

interface PeerRun {
  readonly fitMs: number
  readonly totalMs: number
  readonly ratings: readonly number[]
  readonly low: readonly number[]
  readonly high: readonly number[]
}

/** One run of the peer for each call; undefined where Python has no SciPy. */
function peer(): { run(): Promise<PeerRun | undefined>; end(): void } {
  const child = spawn(python, [join(import.meta.dirname, '_arena-ratings.py')], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, OPENBLAS_NUM_THREADS: '1' },
  })
  child.on('error', () => {})
  child.stdin.on('error', () => {})
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const given = { models, resamples, a: [...a], b: [...b], values: [...values] }
  child.stdin.write(`${JSON.stringify(given)}\n`)
  return {
    async run() {
      child.stdin.write('\n')
      const { value, done } = await lines.next()
      return done ? undefined : JSON.parse(value)
    },
    end: () => child.stdin.end(),
  }
}

const arena = peer()
const ours: number[] = []
const theirs: PeerRun[] = []
let found: Ratings | undefined
for (let turn = 0; turn < 8; turn++) {
  const elapsed = processorClock()
  found = ratings(models, { a, b, values }, { rng, resamples })
  ours.push(elapsed())
  const run = await arena.run()
  if (run !== undefined) theirs.push(run)
}
arena.end()

const furthest = (of: (item: number) => number) =>
  Math.max(...found!.ratings.map(({ item }) => Math.abs(of(item))))
const mine = (key: 'rating' | 'low' | 'high') =>
  new Map(found!.ratings.map((rating) => [rating.item, rating[key]]))
const [rating, low, high] = [mine('rating'), mine('low'), mine('high')]
const peerBest = Math.min(...theirs.map(({ totalMs }) => totalMs))
print([
  { measure: 'guerdon, first call [ms]', value: ours[0]! },
  { measure: 'guerdon, best [ms]', value: Math.min(...ours) },
  ...(theirs[0] === undefined
    ? []
    : [
        { measure: "Chatbot Arena's procedure, best [ms]", value: peerBest },
        { measure: 'times as fast', value: peerBest / Math.min(...ours) },
        {
          measure: 'largest difference of a rating',
          value: furthest((item) => rating.get(item)! - theirs[0]!.ratings[item]!),
        },
        {
          measure: 'largest difference of a bound (other resamples)',
          value: Math.max(
            furthest((item) => low.get(item)! - theirs[0]!.low[item]!),
            furthest((item) => high.get(item)! - theirs[0]!.high[item]!),
          ),
        },
      ]),
])
if (theirs[0] === undefined) console.error('Chatbot Arena: python3 has no SciPy')

/** The textbook iteration, until it agrees with the fit to 1e-6. */
function minoriseMaximise(): number {
  const wins = new Float64Array(models)
  pairs.winsA.forEach((won, pair) => {
    wins[pairs.a[pair]!]! += won
    wins[pairs.b[pair]!]! += pairs.winsB[pair]!
  })
  const strength = new Float64Array(models).fill(1)
  for (let sweep = 1; ; sweep++) {
    const met = new Float64Array(models)
    for (let pair = 0; pair < pairs.a.length; pair++) {
      const [i, j] = [pairs.a[pair]!, pairs.b[pair]!]
      const share = (pairs.winsA[pair]! + pairs.winsB[pair]!) / (strength[i]! + strength[j]!)
      met[i]! += share
      met[j]! += share
    }
    for (let i = 0; i < models; i++) strength[i] = wins[i]! / met[i]!
    const logs = strength.map(Math.log)
    const level = logs.reduce((sum, value) => sum + value, 0) / models
    if (logs.every((value, i) => Math.abs(value - level - fitted.logStrengths[i]!) < 1e-6)) return sweep
  }
}
const ms = (work: () => unknown) => fastestMs(work, { runs: 9 })
console.log()
print([
  { step: 'count votes', ms: await ms(() => countPairs(models, { a, b, values })), iterations: '' },
  { step: 'fit', ms: await ms(() => bradleyTerry(pairs)), iterations: fitted.iterations },
  { step: 'standard errors', ms: await ms(() => bradleyTerryErrors(pairs, fitted)), iterations: '' },
  {
    step: 'fit by minorise-maximise, to 1e-6',
    ms: await ms(minoriseMaximise),
    iterations: minoriseMaximise(),
  },
])
