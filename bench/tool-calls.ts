// Samples per second and core of the tool-call rewards on short outputs.
import type { Reward, Sample } from '../src/core/index.ts'
import { toolrl } from '../src/methods/toolrl.ts'
import { toolCalls } from '../src/rewards/verifiable/calls/tool-calls.ts'

const gold = `<think>Two tools.</think>
<tool_call>
{"name": "get_weather", "parameters": {"city": "Oslo", "unit": "C"}}
{"name": "search", "parameters": {"q": "ski"}}
</tool_call>`
const wanted = [
  { name: 'get_weather', arguments: { city: 'Oslo', unit: 'C' } },
  { name: 'search', arguments: { q: 'ski' } },
]
const accepted = [
  { get_weather: { city: ['Oslo', 'Oslo, Norway'], unit: ['C', ''] } },
  { search: { q: ['ski', 'skiing'] } },
]
const json = (unit: string) =>
  `[{"name": "get_weather", "arguments": {"city": "Oslo", "unit": "${unit}"}}, {"name": "search", "arguments": {"q": "ski"}}]`

const cases: readonly [name: string, reward: Reward, output: string, reference: Sample['reference']][] = [
  ['tool-calls, JSON, right', toolCalls(), json('C'), wanted],
  ['tool-calls, JSON, one value wrong', toolCalls(), json('F'), wanted],
  ['tool-calls, accepted values', toolCalls(), json('C'), accepted],
  ['tool-calls, code', toolCalls(), '[get_weather(city="Oslo", unit="C"), search(q="ski")]', wanted],
  ['toolrl, right', toolrl(), gold, gold],
  ['toolrl, one value wrong', toolrl(), gold.replace('"C"', '"F"'), gold],
]

const batch = 20_000
const rows = []
for (const [name, reward, output, reference] of cases) {
  const samples: Sample[] = Array.from({ length: batch }, (_, index) => ({
    id: String(index),
    prompt: 'p',
    output,
    reference: reference!,
    meta: {},
  }))
  await reward.score(samples) // warm-up
  let best = Number.POSITIVE_INFINITY
  for (let run = 0; run < 5; run++) {
    // Processor time, so that what else the machine does is not counted.
    const started = process.cpuUsage()
    await reward.score(samples)
    const { user, system } = process.cpuUsage(started)
    best = Math.min(best, (user + system) / 1000)
  }
  rows.push({ reward: name, samplesPerSecond: Math.round((batch / best) * 1000) })
}

if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(rows)}\n`)
else
  for (const { reward, samplesPerSecond } of rows)
    process.stdout.write(
      `${reward.padEnd(36)} ${samplesPerSecond.toLocaleString('en').padStart(12)} samples/s\n`,
    )
