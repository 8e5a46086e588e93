import type { ChatModel } from '../../models/chat-model.ts'
import type { ChoiceModel, ChoiceProbabilities } from '../../models/token-model.ts'

/**
 * A model that says one thing whatever it is shown: the baseline that any judge must beat (always yes, always the first),
 * and a stand-in where there is no model. It costs nothing.
 */
export function constantModel(reply: string): ChatModel & ChoiceModel {
  const isSaid = (variants: readonly string[]) => variants.some((text) => text.trim() === reply.trim())
  return {
    id: `constant:${reply}`,
    chat: async (conversations) => conversations.map(() => ({ text: reply, finish: 'stop' as const })),
    choices: async <Choice extends string>(
      conversations: readonly unknown[],
      variants: Readonly<Record<Choice, readonly string[]>>,
    ) => {
      const choices = Object.keys(variants) as Choice[]
      const said = choices.filter((choice) => isSaid(variants[choice]))
      const share = (of: readonly Choice[]) =>
        Object.fromEntries(
          choices.map((choice) => [choice, of.includes(choice) ? 1 / of.length : 0]),
        ) as Record<Choice, number>
      const found: ChoiceProbabilities<Choice> = {
        full: share(said),
        among: share(said.length > 0 ? said : choices),
      }
      return conversations.map(() => found)
    },
  }
}
