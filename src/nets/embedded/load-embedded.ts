import { GuerdonError, Rng } from '../../core/index.ts'
import { loadCheckpoint, restored } from '../../tensor/checkpoint.ts'
import type { CompileOptions } from '../../tensor/compile.ts'
import { initialDenoiser } from '../denoiser.ts'
import { initialDualEncoder } from '../dual-encoder.ts'
import { type EmbeddedDualEncoder, embeddedDualEncoder } from './dual-embedder.ts'
import { type EmbeddedImageGenerator, embeddedImageGenerator } from './image-generator.ts'
import { type EmbeddedLanguageModel, embeddedLanguageModel, languageStructure } from './language-model.ts'
import { manifestOf } from './manifest.ts'
import { hasWeights, weightsPath } from './weights-path.ts'

export type EmbeddedModel = EmbeddedLanguageModel | EmbeddedDualEncoder | EmbeddedImageGenerator

interface KindOf {
  readonly 'text-lm': EmbeddedLanguageModel
  readonly 'text-lm-sft': EmbeddedLanguageModel
  readonly 'text-reactions': EmbeddedLanguageModel
  readonly 'scenes-vlm': EmbeddedLanguageModel
  readonly 'scenes-vlm-biased': EmbeddedLanguageModel
  readonly 'scenes-clip': EmbeddedDualEncoder
  readonly 'scenes-gen': EmbeddedImageGenerator
}

/**
 * Loads a small model that comes with this package, by name, or any file that `guerdon pretrain` wrote. What it needs
 * (vocabulary, sizes) is read from the file.
 *
 * Throws a `GuerdonError`: `checkpoint-missing` and `checkpoint-damaged` as `loadCheckpoint`; `bad-weights` and
 * `checkpoint-mismatch` when the file is none of an embedded model.
 *
 * @example
 * const model = await loadEmbedded('text-lm')
 * const [reply] = await model.chat([ask('what is 3 + 4 ?')])
 */
export async function loadEmbedded<Name extends string>(
  name: Name,
  options: CompileOptions = {},
): Promise<Name extends keyof KindOf ? KindOf[Name] : EmbeddedModel> {
  const file = weightsPath(name)
  if (!hasWeights(name))
    throw new GuerdonError('checkpoint-missing', `there are no weights of "${name}".`, {
      place: { file },
      fix: `Train it: guerdon pretrain ${name}.`,
    })
  const checkpoint = await loadCheckpoint(file)
  const manifest = manifestOf(checkpoint, file)
  const id = `${manifest.name}@${(checkpoint.metadata.sha256 ?? '').slice(0, 12)}`
  const { network } = manifest
  const rng = new Rng('structure')
  switch (network.kind) {
    case 'dual-encoder': {
      const parameters = restored(initialDualEncoder(rng, network.config), checkpoint)
      return embeddedDualEncoder(id, manifest, parameters, options) as never
    }
    case 'denoiser': {
      const parameters = restored(initialDenoiser(rng, network.config), checkpoint)
      return embeddedImageGenerator(id, manifest, parameters, options) as never
    }
    default: {
      const parameters = restored(languageStructure(manifest, rng), checkpoint)
      return embeddedLanguageModel(id, manifest, parameters, options) as never
    }
  }
}
