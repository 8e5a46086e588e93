/**
 * The process that kill.test.ts kills: scores a file into a store and tells its progress on stdout.
 *
 *   node tests/kill-run.ts STORE SOURCE RUN threads|one last|early
 */
import { scoreRun } from '../src/apply/run.ts'
import { defineReward, type Reward, Rng, textOf, unscored } from '../src/core/index.ts'
import { openStore } from '../src/store/index.ts'

/** Judges at once; some samples cannot be judged. */
export const exact = (): Reward =>
  defineReward({
    name: 'exact',
    judge: ({ output, reference }) =>
      reference === null ? unscored('bad-input', 'no answer') : Number(textOf(output) === reference),
  })

/** Samples that `drawn` has judged in this thread. */
let judged = 0

/**
 * Random, by the sample alone; takes its time. In every process but the last it fails for a while, and stands still
 * after `limit` samples: however fast the machine is, no process is over before it is killed.
 */
export const drawn = ({ last, limit }: { last: boolean; limit: number }): Reward => ({
  ...defineReward({
    name: 'drawn',
    judge: async ({ id }, { rng }) => {
      await new Promise((resolve) => setImmediate(resolve))
      if (!last && ++judged > limit) await new Promise((resolve) => setTimeout(resolve, 1e8))
      const value = rng!.fork(id).uniform()
      if (!last && value < 0.1 && id.startsWith('sample-1')) return unscored('outage', 'not now')
      return { value, parts: { doubled: 2 * value } }
    },
  }),
  params: {}, // `options` are no parameters of the reward: the test wants one identity with and without outages
})

async function main([path, source, runId, threads, last]: readonly string[]): Promise<void> {
  const store = await openStore(path)
  const options = { last: last === 'last', limit: threads === 'threads' ? 1000 : 4000 }
  const module = import.meta.url
  const summary = await scoreRun({
    store,
    samples: source!,
    runId: runId!,
    rewards:
      threads === 'threads'
        ? { exact: { module, export: 'exact' }, drawn: { module, export: 'drawn', options } }
        : { exact: exact(), drawn: drawn(options) },
    // Eight calls of each reward at a time.
    workers: threads === 'threads' ? 4 : 1,
    concurrency: threads === 'threads' ? 2 : 8,
    context: { rng: new Rng('kill') },
    onProgress: ({ newScores }) => console.log(newScores),
  })
  await store.close()
  console.log(summary.timing.newScores)
}

if (import.meta.main) void main(process.argv.slice(2)) // not awaited: the run imports this module for its rewards
