import { GuerdonError, messageOf, type Unscored, unscored } from '../../core/index.ts'
import type { Embedder } from '../../models/index.ts'
import { checkModelName, resolveModel } from '../../nets/resolve-model.ts'
import { identityOfNamed } from '../judge/named-model.ts'

/** An embedder that is there, or that is loaded when it is first needed. */
export interface EmbedderSource {
  /** Part of the identity of the reward that uses it. */
  readonly id: string
  get(): Promise<Embedder | Unscored>
}

/**
 * The embedder that a reward was given, or else the one that its option `model` names, as `resolveModel` knows it.
 *
 * @throws GuerdonError `bad-options` when there is neither, `unknown-model` for a name that can stand for none
 */
export function embedderSource(
  reward: string,
  model: string | undefined,
  embedder: Embedder | undefined,
): EmbedderSource {
  if (embedder !== undefined) return { id: embedder.id, get: async () => embedder }
  if (model === undefined)
    throw new GuerdonError('bad-options', `${reward} needs an embedder.`, {
      fix: 'Name one, such as model: "embedded:scenes-clip".',
    })
  checkModelName(model)
  return {
    id: identityOfNamed(model),
    get: async () => {
      try {
        const { id, dimensions, embedText, embedImage } = await resolveModel(model)
        return {
          id,
          dimensions,
          ...(embedText === undefined ? {} : { embedText }),
          ...(embedImage === undefined ? {} : { embedImage }),
        }
      } catch (error) {
        return unscored('outage', `the embedder ${model} cannot be loaded: ${messageOf(error)}`)
      }
    },
  }
}
