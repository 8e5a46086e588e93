import { Rng } from '../src/core/index.ts'
import type { ChatMessage, ChatModel, ChatReply } from '../src/models/chat-model.ts'
import { type Failed, failed } from '../src/models/outcome.ts'
import { type ChoiceModel, type ChoiceProbabilities, choiceProbabilities } from '../src/models/token-model.ts'

/** All text of a conversation. */
export function textOfConversation(messages: readonly ChatMessage[]): string {
  return messages.map(({ text }) => text).join('\n')
}

/** What a scripted model saw. */
export interface Scripted<Model> {
  readonly model: Model
  readonly seen: (readonly ChatMessage[])[]
}

/** Says what a function says: a text, a whole reply, or null for an outage. */
export function scriptedModel(
  reply: (messages: readonly ChatMessage[], index: number) => string | ChatReply | null,
): Scripted<ChatModel> {
  const seen: (readonly ChatMessage[])[] = []
  return {
    seen,
    model: {
      id: 'scripted',
      chat: async (conversations) =>
        conversations.map((messages): ChatReply => {
          const said = reply(messages, seen.push(messages) - 1)
          if (said === null)
            return { text: null, finish: 'failed', failure: { code: 'outage', reason: 'no answer' } }
          return typeof said === 'string' ? { text: said, finish: 'stop' } : said
        }),
    },
  }
}

/** Says yes with the probability that a function gives; null is an outage, a pair a bound. */
export function scriptedChoices(
  yes: (messages: readonly ChatMessage[], index: number) => number | readonly [number, number] | null,
): Scripted<ChoiceModel> {
  const seen: (readonly ChatMessage[])[] = []
  return {
    seen,
    model: {
      id: 'scripted choices',
      choices: async <Choice extends string>(
        conversations: readonly (readonly ChatMessage[])[],
        variants: Readonly<Record<Choice, readonly string[]>>,
      ) =>
        conversations.map((messages): ChoiceProbabilities<Choice> | Failed => {
          const said = yes(messages, seen.push(messages) - 1)
          if (said === null) return failed('outage', 'no answer')
          const [least, most] = typeof said === 'number' ? [said, said] : said
          const logps = Object.fromEntries(
            Object.keys(variants).map((choice) => [choice, [Math.log(choice === 'yes' ? least : 1 - most)]]),
          ) as Record<Choice, number[]>
          const found = choiceProbabilities(logps)
          if (typeof said === 'number') return found
          const bound = { yes: [least, most], no: [1 - most, 1 - least] } as never
          return { ...found, bounds: { full: bound, among: bound } }
        }),
    },
  }
}

/**
 * A judge that knows the truth and errs: `truth` gives what should be said of a conversation and what would be wrong;
 * one of the two is said, wrong with probability `error`, the same for the same conversation.
 */
export function noisyOracle(
  truth: (text: string) => readonly [right: string, wrong: string],
  { error, seed = 0 }: { readonly error: number; readonly seed?: string | number },
): Scripted<ChatModel> {
  return scriptedModel((messages) => {
    const text = textOfConversation(messages)
    const [right, wrong] = truth(text)
    return new Rng(`oracle/${seed}/${text}`).chance(error) ? wrong : right
  })
}
