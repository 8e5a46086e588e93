// Processor milliseconds to rank 60 models by 200,000 votes, against minorise-maximise sweeps over the same counts.
//
//   npm run -s bench -- bradley-terry [--json]
import { Rng } from '../src/core/index.ts'
import { bradleyTerry, bradleyTerryErrors, countPairs } from '../src/stats/bradley-terry.ts'
import { fastestMs, print } from './_throughput.ts'

const [models, votes] = [60, 200_000]
const rng = new Rng('bradley-terry')
const a = Int32Array.from({ length: votes }, () => rng.int(0, models))
const b = a.map((model) => (model + rng.int(1, models)) % models)
const values = Float64Array.from(a, (model, vote) => {
  if (rng.chance(0.2)) return 0.5
  return rng.chance(1 / (1 + Math.exp((b[vote]! - model) / 15))) ? 1 : 0
})

const pairs = countPairs(models, { a, b, values })
const fitted = bradleyTerry(pairs)

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
