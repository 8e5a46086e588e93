import type { ChatModel } from '../../models/chat-model.ts'
import { type ChoiceModel, choiceProbabilities } from '../../models/token-model.ts'

/**
 * A model that says one thing whatever it is shown: the baseline that any judge must beat (always yes, always the first),
 * and a stand-in where there is no model. It costs nothing.
 */
export function constantModel(reply: string): ChatModel & ChoiceModel {
  return {
    id: `constant:${reply}`,
    chat: async (conversations) => conversations.map(() => ({ text: reply, finish: 'stop' as const })),
    choices: async (conversations, variants) => {
      const logps = Object.fromEntries(
        Object.entries<readonly string[]>(variants).map(([choice, texts]) => [
          choice,
          texts.map((text) =>
            reply.trim() === text.trim() ? -Math.log(texts.length) : Number.NEGATIVE_INFINITY,
          ),
        ]),
      )
      const found = choiceProbabilities(logps as never)
      return conversations.map(() => found as never)
    },
  }
}
