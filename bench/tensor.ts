/**
 * The tensor engine beside jax-js, PyTorch and TensorFlow.js, in turns inside one run so that a busy machine slows all
 * of them: the step of a small decoder, the step of a small control policy, sampling with a cache beside recomputing,
 * and two trainings in the pool beside one after the other.
 *
 *   npm run -s bench -- tensor [--only decoder,policy,sampling,pool] [--rounds 9] [--threads 2] [--tensorflow FOLDER]
 *     [--json]
 */
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { adamW, sgd } from '../src/tensor/optimiser.ts'
import { runJobs } from '../src/tensor/pool.ts'
import { decoderEngines, operatorShares } from './_tensor-decoder.ts'
import { median, rowsOf, timed } from './_tensor-peers.ts'
import { policyEngine } from './_tensor-policy.ts'
import { samplingTimes } from './_tensor-sampling.ts'
import { print } from './_throughput.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'decoder,policy,sampling,pool' },
    rounds: { type: 'string', default: '9' },
    threads: { type: 'string', default: '2' },
    tensorflow: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const parts = values.only.split(',')
const [rounds, threads] = [Number(values.rounds), Number(values.threads)]
const rows: ReturnType<typeof rowsOf> = []
const others: { measure: string; value: number }[] = []
const skipped: string[] = []

if (parts.includes('decoder')) {
  const engines = await decoderEngines(threads, values.tensorflow, skipped)
  rows.push(...rowsOf('decoder step', await timed(engines, rounds, 3)))
  const shares = await operatorShares(threads)
  const products = shares
    .filter(([operator]) => /MatMul|Gemm/.test(operator))
    .reduce((sum, [, share]) => sum + share, 0)
  others.push({ measure: 'decoder step: share of matrix products', value: products })
  for (const [operator, share] of shares.slice(0, 8))
    others.push({ measure: `decoder step: ${operator}`, value: share })
}
if (parts.includes('policy'))
  for (const [name, optimiser] of [
    ['SGD', sgd()],
    ['AdamW', adamW()],
  ] as const) {
    const engines = [
      await policyEngine('guerdon', 'ort', optimiser, 50),
      await policyEngine('jax-js', 'jax', optimiser, 10),
    ]
    rows.push(...rowsOf(`policy step, ${name}`, await timed(engines, 3 * rounds, 10)))
  }
if (parts.includes('sampling')) rows.push(...rowsOf('token of 64 texts', await samplingTimes(3)))
if (parts.includes('pool'))
  others.push({ measure: 'pool: two trainings, times as fast as in turn', value: await poolSpeedup() })
others.push({ measure: 'threads', value: threads }, { measure: 'load of the machine', value: loadavg()[0]! })

if (values.json) print([...rows, ...others])
else {
  if (rows.length > 0) {
    print(rows)
    console.log()
  }
  print(others)
}
for (const line of skipped) console.error(`skipped ${line}`)

/** How many times as fast two trainings are side by side in the pool as one after the other; median of three. */
async function poolSpeedup(): Promise<number> {
  const jobs = [1, 2].map((seed) => ({
    module: new URL('../tests/fixtures/pool-jobs.ts', import.meta.url),
    export: 'trainSmall',
    options: { seed, steps: 2500, width: 256 },
  }))
  const seconds = async (workers: number) => {
    const started = performance.now()
    const failed = (await runJobs(jobs, { workers })).find(({ status }) => status !== 'done')
    if (failed !== undefined) throw new Error(`a job of the pool was ${failed.status}`)
    return performance.now() - started
  }
  const ratios: number[] = []
  for (let round = 0; round < 3; round++) ratios.push((await seconds(1)) / (await seconds(2)))
  return median(ratios)
}
