// A reward of your own in five lines, combined with one of ours, on a file; then the best answer of each prompt.
import { combine, defineReward, openStore, rank, scoredSamples, scoreRun, textOf } from 'guerdon'
import { math } from 'guerdon/rewards'

const brief = defineReward({
  name: 'brief',
  judge: ({ output }) => Math.max(0, 1 - textOf(output).length / 400),
})
const mix = combine([{ reward: math() }, { reward: brief, weight: 0.2 }], { mode: 'sum' })

const store = await openStore('.guerdon/example.db')
const { run, rewards } = await scoreRun({
  samples: new URL('answers.jsonl', import.meta.url).pathname,
  rewards: { mix, brief },
  store,
})
console.log(
  `mix: ${rewards.mix?.scored} scored, ${rewards.mix?.unscored} not, mean ${rewards.mix?.mean?.toFixed(3)}`,
)
const { groups } = await rank(scoredSamples(store, run), { by: 'mix' })
for (const { group, chosen } of groups) console.log(`${group} -> ${chosen}`)
await store.close()
