import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { ChatModel } from '../../models/chat-model.ts'
import { type Capability, capable } from '../../models/model.ts'
import type { ChoiceModel } from '../../models/token-model.ts'
import { hasWeights, weightsPath } from '../../nets/embedded/weights-path.ts'
import { checkModelName, resolveModel } from '../../nets/resolve-model.ts'
import { constantModel } from './constant-model.ts'

/**
 * A model by its name, for rewards that are written as text: any name that `resolveModel` knows, or `constant:yes`, which
 * always says that. It is loaded when it is first asked; asked for what it cannot do, each question fails and says so.
 *
 * @throws GuerdonError `unknown-model` for a name that can stand for none
 */
export function namedModel(name: string): ChatModel & ChoiceModel {
  const constant = /^constant:([\s\S]*)$/.exec(name)
  if (constant) return constantModel(constant[1]!)
  checkModelName(name)
  const as = async <Wanted extends Capability>(wanted: Wanted) => capable(await resolveModel(name), wanted)
  return {
    id: identityOfNamed(name),
    chat: async (conversations, options) => (await as('chat')).chat(conversations, options),
    choices: async (conversations, variants, options) =>
      (await as('choices')).choices(conversations, variants, options),
  }
}

/** The name; of a model that comes with this package also which weights they are, so that others are another model. */
export function identityOfNamed(name: string): string {
  const weights = /^embedded:(.+)$/.exec(name)?.[1]
  if (weights === undefined || !hasWeights(weights)) return name
  const digest = createHash('sha256')
    .update(readFileSync(weightsPath(weights)))
    .digest('hex')
  return `${name}#${digest.slice(0, 12)}`
}
