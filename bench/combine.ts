// Samples per second and core of combining five cheap rewards, and the share of it that the rewards alone take.
//
//   npm run -s bench -- combine [--json]
import { defineReward, type Sample } from '../src/core/index.ts'
import { combination } from '../src/rewards/combine/combination.ts'
import { combine, type Term } from '../src/rewards/combine/combine.ts'
import { type ModeName, modes } from '../src/rewards/combine/modes.ts'
import { constantReference } from '../src/rewards/combine/reference.ts'
import { linear } from '../src/rewards/combine/schedule.ts'
import { print, throughput } from './_throughput.ts'

const samples: Sample[] = Array.from({ length: 1024 }, (_, index) => ({
  id: String(index),
  prompt: 'p',
  output: 'a short answer',
  meta: { value: (index % 100) / 100 },
}))
const rewards = [0, 1, 2, 3, 4].map((index) =>
  defineReward({
    name: `t${index}`,
    judge: ({ meta }) => ({ value: meta.value as number, uncertainty: 0.1 }),
  }),
)
const alone = await throughput(samples.length, async () => {
  for (const reward of rewards) await reward.score(samples)
})

const rows: Record<string, string | number>[] = []
const measure = async (name: string, terms: readonly Term[], mode: ModeName) => {
  const reward = combine(terms, { mode })
  const rate = await throughput(samples.length, () => reward.score(samples, { step: 10 }))
  rows.push({ combination: name, 'samples/s': Math.round(rate), 'share of the rewards alone': rate / alone })
}
for (const mode of Object.keys(modes) as ModeName[]) {
  const reference = constantReference(0)
  await measure(
    mode,
    rewards.map((reward) => (mode === 'logSigmoidSum' ? { reward, reference } : { reward })),
    mode,
  )
}
await measure(
  'sum, scheduled weights',
  rewards.map((reward) => ({ reward, weight: linear({ from: 0, to: 1, end: 100 }) })),
  'sum',
)
const inner = combine(
  rewards.slice(1).map((reward) => ({ reward })),
  { mode: 'mean', name: 'inner' },
)
await measure('product of one and a mean of four', [{ reward: rewards[0]! }, { reward: inner }], 'product')

const { total } = combination(
  rewards.map(({ name }) => ({ name, range: [0, 1] })),
  { mode: 'sum' },
)
const parts = { t0: 0.1, t1: 0.2, t2: 0.3, t3: 0.4, t4: 0.5 }
const again = await throughput(1024, () => {
  for (let i = 0; i < 1024; i++) total(parts)
})
rows.push({
  combination: 'sum again, from stored parts',
  'samples/s': Math.round(again),
  'share of the rewards alone': again / alone,
})
print(rows)
