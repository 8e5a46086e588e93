// Preference pairs for a trainer: score, keep the best and the worst answer of each prompt, write what TRL reads.
import { buildPairs, openStore, scoredSamples, scoreRun } from 'guerdon'
import { writePreferences } from 'guerdon/data'
import { math } from 'guerdon/rewards'

const [out = 'pairs.jsonl'] = process.argv.slice(2)
const store = await openStore('.guerdon/example.db')
const { run } = await scoreRun({
  samples: new URL('answers.jsonl', import.meta.url).pathname,
  rewards: { math: math() },
  store,
})
const { preferences, counts } = await buildPairs(scoredSamples(store, run), { by: 'math', minMargin: 0.5 })
await writePreferences(out, preferences, { convention: 'trl' })
console.log(`${counts.kept} pairs of ${counts.groups} prompts in ${out}; ${counts.unscored} answers unscored`)
for (const { id } of preferences) console.log(id)
await store.close()
