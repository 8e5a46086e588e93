// Samples per second and core of the tool-call rewards on short outputs.
//
//   npm run -s bench -- tool-calls [--json]
import type { Reward, Sample } from '../src/core/index.ts'
import { toolrl } from '../src/methods/toolrl.ts'
import { toolCalls } from '../src/rewards/verifiable/calls/tool-calls.ts'
import { print, throughput } from './_throughput.ts'

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

const batch = 1024
const rows = []
for (const [name, reward, output, reference] of cases) {
  const samples: Sample[] = Array.from({ length: batch }, (_, index) => ({
    id: String(index),
    prompt: 'p',
    output,
    reference: reference!,
    meta: {},
  }))
  const perSecond = await throughput(batch, () => reward.score(samples))
  rows.push({ reward: name, 'samples/s per core': Math.round(perSecond) })
}
print(rows)
