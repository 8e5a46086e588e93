import type { Array as JaxArray } from '@jax-js/jax'
import type { Rng } from '../../core/index.ts'
import type { EmbeddedModel } from '../../nets/embedded/load-embedded.ts'
import type { Manifest } from '../../nets/embedded/manifest.ts'
import type { Interval } from '../../stats/index.ts'
import { type Optimiser, warmupCosine } from '../../tensor/optimiser.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'

/** How one embedded model is made. */
export interface Recipe {
  readonly name: string
  /** One line: what it is. */
  readonly summary: string
  /** What it is trained on and measured on, for its card. */
  readonly data: string
  /** What it cannot do by its making, for its card. */
  readonly limits: readonly string[]
  readonly model: Pick<Manifest, 'network' | 'tokenizer' | 'dialogue'>
  /**
   * The model whose weights training starts from; with `parts`, only those below some paths, each with the path that
   * they stand below in that model. @default random weights
   */
  readonly from?: { readonly model: string; readonly parts?: Readonly<Record<string, string>> }
  /** One after the other, on the same parameters. */
  readonly stages: readonly Stage[]
  /** @default AdamW */
  readonly optimiser?: Optimiser
  /** Decay of a moving average of the parameters, which then is the model. @default the last parameters are */
  readonly average?: number
  readonly initial: (rng: Rng) => Tree<Tensor>
  /** Traced: borrows parameters, consumes the batch. */
  readonly loss: (parameters: never, batch: never) => JaxArray
  /** The part of the trained parameters that is the model; the rest served training only. @default all */
  readonly kept?: (parameters: Tree<Tensor>) => Tree<Tensor>
  /** Batches depend on the seed and the step alone; `stage` from 0. */
  readonly batches: (seed: string) => (rng: Rng, stage: number) => Tree<Tensor>
  /** Measures the trained model on held-out data by the world's oracle. `samples` bounds the work of each metric. */
  readonly evaluate: (model: EmbeddedModel, options: EvaluationOptions) => Promise<Metric[]>
}

export interface Stage {
  readonly steps: number
  /** Learning rate at its highest: after `warmup` steps; from there a cosine goes down to 0. */
  readonly peak: number
  readonly warmup: number
  /** Steps after which the cosine is at 0, where the stage ends before it is. @default steps */
  readonly decay?: number
}

/** Steps of all stages. */
export function stepsOf({ stages }: Pick<Recipe, 'stages'>): number {
  return stages.reduce((sum, { steps }) => sum + steps, 0)
}

/**
 * Learning rate at each step (from 0), and the stage that it belongs to. With another number of steps than the
 * recipe's, all stages become longer or shorter alike.
 */
export function scheduleOf(
  { stages }: Pick<Recipe, 'stages'>,
  steps: number,
): { readonly rate: (step: number) => number; readonly stage: (step: number) => number } {
  const scale = steps / stepsOf({ stages })
  const ends = stages.map((_, index) => Math.round(stepsOf({ stages: stages.slice(0, index + 1) }) * scale))
  const rates = stages.map(({ peak, warmup, steps, decay = steps }, index) => {
    const length = ends[index]! - (ends[index - 1] ?? 0)
    const total = Math.max(1, (length * decay) / steps)
    return warmupCosine({ peak, warmup: Math.min(warmup, length / 4), total })
  })
  const stage = (step: number) =>
    Math.max(
      0,
      ends.findIndex((end) => step < end),
    )
  return { stage, rate: (step) => rates[stage(step)]!(step - (ends[stage(step) - 1] ?? 0)) }
}

export interface EvaluationOptions {
  readonly seed: string
  /** Tasks or scenes of each metric. */
  readonly samples: number
  readonly signal?: AbortSignal
}

export interface Metric {
  readonly name: string
  /** With its 95% interval; null where nothing was there to measure. */
  readonly interval: Interval | null
  /** What it should be: in [least, most]. */
  readonly least?: number
  readonly most?: number
  /** What was measured, and how. */
  readonly note?: string
}
