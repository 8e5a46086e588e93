import { stat, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { loadEmbedded } from '../../nets/embedded/load-embedded.ts'
import { modelCard } from './card.ts'
import { type Pretrained, type PretrainOptions, pretrain } from './pretrain.ts'
import type { Metric, Recipe } from './recipe.ts'

export interface TrainEmbeddedOptions extends PretrainOptions {
  /** Held-out tasks or scenes for each metric. @default 512 */
  readonly samples?: number
  /** Called when training is done and measuring begins. */
  readonly onMeasure?: () => void
}

export interface TrainedEmbedded extends Pretrained {
  readonly metrics: readonly Metric[]
  /** The file of the model card. */
  readonly card: string
}

/** Seed of all evaluations: held-out data are the same for every training. */
const evaluationSeed = 'held-out'

/** Trains an embedded model, measures the weights that it wrote and writes their card (`NAME.md`) beside them. */
export async function trainEmbedded(recipe: Recipe, options: TrainEmbeddedOptions): Promise<TrainedEmbedded> {
  const { samples = 512, threads = 2, signal, onMeasure } = options
  const made = await pretrain(recipe, options)
  onMeasure?.()
  const metrics = await measured(recipe, made.path, {
    samples,
    threads,
    ...(signal === undefined ? {} : { signal }),
  })
  const model = await loadEmbedded(made.path)
  const card = join(options.directory, `${recipe.name}.md`)
  await writeFile(
    card,
    modelCard({
      recipe,
      made,
      parameters: model.parameters,
      bytes: (await stat(made.path)).size,
      metrics,
      evaluation: { seed: evaluationSeed, samples },
      machine: `${threads} threads of ${availableParallelism()} cores, Node ${process.versions.node.split('.')[0]}`,
    }),
  )
  return { ...made, metrics, card }
}

/** Metrics of weights on held-out data. @param file name or path of the weights */
export async function measured(
  recipe: Recipe,
  file: string,
  options: { readonly samples: number; readonly threads?: number; readonly signal?: AbortSignal },
): Promise<Metric[]> {
  const { samples, threads = 2, signal } = options
  const model = await loadEmbedded(file, { threads })
  try {
    return await recipe.evaluate(model, {
      seed: evaluationSeed,
      samples,
      ...(signal === undefined ? {} : { signal }),
    })
  } finally {
    await model.dispose()
  }
}
