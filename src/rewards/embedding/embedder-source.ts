import { GuerdonError, messageOf, type Unscored, unscored } from '../../core/index.ts'
import type { Embedder } from '../../models/index.ts'

/** An embedder that is there, or that is loaded when it is first needed. */
export interface EmbedderSource {
  /** Part of the identity of the reward that uses it. */
  readonly id: string
  get(): Promise<Embedder | Unscored>
}

/**
 * The embedder that a reward was given, or else the one that its option `model` names. Throws `bad-options` when there is
 * neither.
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
  return {
    id: model,
    get: () => {
      const loading = loaded.get(model) ?? loadEmbedder(model)
      loaded.set(model, loading)
      return loading
    },
  }
}

/** Embedders by name, shared by all rewards that name them. */
const loaded = new Map<string, Promise<Embedder | Unscored>>()

async function loadEmbedder(name: string): Promise<Embedder | Unscored> {
  try {
    const { loadEmbedded } = await import('../../nets/embedded/load-embedded.ts')
    return await loadEmbedded(name.replace(/^embedded:/, '') as 'scenes-clip')
  } catch (error) {
    return unscored('outage', `the embedder ${name} cannot be loaded: ${messageOf(error)}`)
  }
}
