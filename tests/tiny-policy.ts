import { defineReward, Rng, textOf } from '../src/core/index.ts'
import { type LanguagePolicy, languagePolicy } from '../src/learn/policies/language-policy.ts'
import type { PolicyTask } from '../src/learn/trainers/rollouts.ts'
import { ask } from '../src/models/chat-model.ts'
import { initialDecoder } from '../src/nets/decoder.ts'
import { embeddedLanguageModel } from '../src/nets/embedded/language-model.ts'

/** The words of the smallest policy there is. */
export const tinyTokens = ['<bos>', '<eos>', 'say', 'a', 'b', 'c'] as const

/** An untrained decoder of width 16 over six words, and what frees it. */
export function tinyPolicy(): { readonly policy: LanguagePolicy; dispose(): Promise<void> } {
  const config = { width: 16, depth: 1, heads: 2, vocabulary: tinyTokens.length, context: 16 }
  const model = embeddedLanguageModel(
    'tiny',
    {
      name: 'tiny',
      network: { kind: 'decoder', config },
      tokenizer: { tokens: [...tinyTokens], marks: ['<bos>', '<eos>'] },
      dialogue: { before: [], between: ['<bos>'], end: '<eos>' },
      training: { seed: '0', steps: 0, command: 'none' },
    },
    initialDecoder(new Rng('tiny'), config),
    { threads: 1 },
  )
  const policy = languagePolicy(model, { threads: 1 })
  return {
    policy,
    dispose: async () => {
      await Promise.all([policy.dispose(), model.dispose()])
    },
  }
}

/** The share of the answer's words that are the letter asked for. */
export const letterReward = defineReward({
  name: 'letter',
  needs: ['reference'],
  judge: ({ output, reference }) => {
    const words = textOf(output).split(' ').filter(Boolean)
    return words.length === 0 ? 0 : words.filter((word) => word === reference).length / words.length
  },
})

/** Asks for a letter: `say a`, `say b`, `say c`, in turn. */
export function letterTasks(count = 6): PolicyTask[] {
  return Array.from({ length: count }, (_, id) => {
    const letter = tinyTokens[3 + (id % 3)]!
    const prompt = `say ${letter}`
    return { conversation: ask(prompt), sample: { id: `task-${id}`, prompt, reference: letter, meta: {} } }
  })
}
