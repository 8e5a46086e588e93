import { GuerdonError } from '../../core/index.ts'
import type { ChatModel } from '../../models/chat-model.ts'
import type { ChoiceModel } from '../../models/token-model.ts'
import { constantModel } from './constant-model.ts'

/**
 * A model by its name, for rewards that are written as text: `embedded:scenes-vlm`, or `constant:yes`, which always says
 * that. It is loaded when it is first asked.
 */
export function namedModel(name: string): ChatModel & ChoiceModel {
  const [kind, rest] = splitOnce(name)
  if (kind === 'constant') return constantModel(rest)
  if (kind !== 'embedded')
    throw new GuerdonError('unknown-model', `there is no model "${name}".`, {
      fix: 'Write embedded:NAME or constant:REPLY.',
    })
  let loading: Promise<ChatModel & ChoiceModel> | undefined
  const load = () => {
    loading ??= import('../../nets/embedded/load-embedded.ts').then(
      async ({ loadEmbedded }) => (await loadEmbedded(rest)) as unknown as ChatModel & ChoiceModel,
    )
    return loading
  }
  return {
    id: name,
    chat: async (conversations, options) => (await load()).chat(conversations, options),
    choices: async (conversations, variants, options) =>
      (await load()).choices(conversations, variants, options),
  }
}

function splitOnce(name: string): readonly [string, string] {
  const at = name.indexOf(':')
  return at < 0 ? [name, ''] : [name.slice(0, at), name.slice(at + 1)]
}
