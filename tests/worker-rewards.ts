import { defineGroupReward, defineReward, textOf, unscored } from '../src/core/index.ts'

// Rewards that the tests of workers name as a module, since workers are other processes.

/** Whether the output is the reference; some samples cannot be judged. */
export const exact = () =>
  defineReward({
    name: 'exact',
    judge: ({ output, reference }) =>
      reference === null ? unscored('bad-input', 'no answer') : Number(textOf(output) === reference),
  })

/** Random, by the sample alone; gives other work a turn at every sample. */
export const drawn = () =>
  defineReward({
    name: 'drawn',
    judge: async ({ id }, { rng }) => {
      await new Promise((resolve) => setImmediate(resolve))
      const value = rng!.fork(id).uniform()
      return { value, parts: { doubled: 2 * value } }
    },
  })

/** The share of a group's samples that say the same. */
export const agreement = () =>
  defineGroupReward({
    name: 'agreement',
    judgeGroup: (group) =>
      group.map(({ output }) => ({
        value: group.filter((other) => textOf(other.output) === textOf(output)).length / group.length,
      })),
  })

/** Takes down the process at one sample, as native code does. */
export const deadly = () =>
  defineReward({
    name: 'deadly',
    judge: ({ id }) => {
      if (id === 'sample-7') process.abort()
      return 1
    },
  })

/** Breaks at one sample, with the thread. */
export const broken = () =>
  defineReward({
    name: 'broken',
    judge: ({ id }) => {
      if (id === 'sample-7') process.exit(3)
      return 1
    },
  })

/** Takes its time. */
export const slow = ({ ms = 50 }: { ms?: number } = {}) =>
  defineReward({
    name: 'slow',
    judge: async () => {
      await new Promise((resolve) => setTimeout(resolve, ms))
      return 1
    },
  })
