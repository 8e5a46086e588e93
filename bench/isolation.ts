// What isolation costs a cheap reward, in batches of 256: microseconds of wall-clock time per sample, and the time to
// replace a process that was stopped.
//
//   npm run -s bench -- isolation [--json]
import type { Sample } from '../src/core/index.ts'
import { isolate } from '../src/rewards/isolate.ts'
import { namedReward } from '../src/rewards/named-reward.ts'
import { print } from './_throughput.ts'

const expression = 'exact'
const samples: Sample[] = Array.from({ length: 256 }, (_, index) => ({
  id: String(index),
  prompt: 'What is the capital of Norway?',
  output: index % 2 ? 'Oslo' : 'Bergen',
  reference: 'Oslo',
  meta: { model: 'a', row: index },
}))

async function microsecondsPerSample(
  score: (samples: readonly Sample[]) => Promise<unknown>,
): Promise<number> {
  for (let warmup = 0; warmup < 20; warmup++) await score(samples)
  let best = Number.POSITIVE_INFINITY
  for (let run = 0; run < 5; run++) {
    const started = performance.now()
    for (let batch = 0; batch < 20; batch++) await score(samples)
    best = Math.min(best, (performance.now() - started) / 20)
  }
  return (best * 1000) / samples.length
}

const inside = namedReward(expression)
const bare = await microsecondsPerSample((batch) => inside.score(batch))
const rows: Record<string, string | number>[] = [
  { where: 'in this thread', 'us/sample': bare, 'overhead us/sample': 0, 'start ms': 0 },
]
for (const [where, options] of [
  ['process', {}],
  ['process, batchSize 64', { batchSize: 64 }],
  ['thread', { runIn: 'thread' }],
] as const) {
  const started = performance.now()
  const reward = await isolate(expression, options)
  const start = performance.now() - started
  const spent = await microsecondsPerSample((batch) => reward.score(batch))
  reward.close()
  rows.push({ where, 'us/sample': spent, 'overhead us/sample': spent - bare, 'start ms': Math.round(start) })
}
print(rows)
