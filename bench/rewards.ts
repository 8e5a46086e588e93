// Samples per second and core of every registered reward, on its own examples.
//
//   npm run -s bench -- rewards [NAME ...] [--json]
import { Rng, type Sample } from '../src/core/index.ts'
import { allRewardTypes } from '../src/methods/resolve.ts'
import { print, throughput } from './_throughput.ts'

const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const context = { rng: new Rng('bench'), step: 10 }
const rows = []
for (const type of allRewardTypes()) {
  if (wanted.length > 0 && !wanted.includes(type.name)) continue
  const options = type.examples[0]!.options ?? {}
  const reward = type.create(options)
  const same = type.examples.filter(
    (example) => JSON.stringify(example.options ?? {}) === JSON.stringify(options),
  )
  const samples: Sample[] = Array.from({ length: 256 }, (_, index) => {
    const { sample } = same[index % same.length]!
    return { ...sample, id: String(index), group: String(index % 32) }
  })
  const characters =
    samples.reduce((sum, { output }) => sum + JSON.stringify(output).length, 0) / samples.length
  const perSecond = await throughput(samples.length, () => reward.score(samples, context), {
    runs: 4,
    warmups: 1,
    warmupMs: 700,
    minimumMs: 150,
  })
  rows.push({
    reward: type.name,
    'samples/s per core': Math.round(perSecond),
    'output length': Math.round(characters),
  })
}
print(rows.sort((a, b) => b['samples/s per core'] - a['samples/s per core']))
