// A reward that may hang or take all memory, in a process of its own: what it spoils is unscored, the rest goes on.
import { fileURLToPath } from 'node:url'
import { defineReward, openStore, scoreRun, textOf } from 'guerdon'
import { isolate } from 'guerdon/rewards'

/** Made anew in the process, which imports this file. */
export function wandering() {
  return defineReward({
    name: 'wandering',
    judge: ({ output }) => {
      while (textOf(output) === '') {} // an empty answer is never done with
      return 1
    },
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const reward = await isolate({ module: import.meta.url, export: 'wandering' }, { timeoutMs: 1000 })
  const store = await openStore('.guerdon/example.db')
  const { rewards } = await scoreRun({
    samples: new URL('answers.jsonl', import.meta.url).pathname,
    rewards: { wandering: reward },
    store,
  })
  const { scored, unscoredBy, firstUnscored } = rewards.wandering!
  console.log(`${scored} scored, unscored: ${JSON.stringify(unscoredBy)}`)
  for (const { line, sample, reason } of firstUnscored)
    console.log(`line ${line}, sample ${sample}: ${reason}`)
  reward.close()
  await store.close()
}
