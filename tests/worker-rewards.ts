import { createHash } from 'node:crypto'
import { defineGroupReward, defineReward, textOf, unscored } from '../src/core/index.ts'
import { ask } from '../src/models/chat-model.ts'
import { openaiModel } from '../src/models/endpoint/openai-model.ts'

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

/** Takes down the process at one sample, as native code or too little memory does. */
export const deadly = () =>
  defineReward({
    name: 'deadly',
    judge: ({ id }) => {
      if (id === 'sample-7') process.kill(process.pid, 'SIGKILL')
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

/** Keeps the processor busy for a while. */
export const busy = ({ ms = 0.5 }: { ms?: number } = {}) => {
  const rounds = Math.round(ms * 400) // of the speed of the day
  return defineReward({
    name: 'busy',
    judge: ({ output }) => {
      let text = textOf(output)
      for (let round = 0; round < rounds; round++) text = createHash('sha256').update(text).digest('hex')
      return text.charCodeAt(0) % 2
    },
  })
}

/** What a chat model at an endpoint says of the output, as a number. */
export const judged = ({ baseUrl }: { baseUrl: string }) => {
  const model = openaiModel('judge', { baseUrl })
  return defineReward({
    name: 'judged',
    judge: async ({ id, output }, { signal }) => {
      const [said] = await model.chat([ask(`${id}: ${textOf(output)}`)], signal ? { signal } : {})
      return said!.failure ? unscored(said!.failure.code, said!.failure.reason) : Number(said!.text)
    },
  })
}
