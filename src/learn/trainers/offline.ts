import type { Rng } from '../../core/index.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'
import type { LanguagePolicy } from '../policies/language-policy.ts'
import { filledParts, type LearningObjective } from './objective.ts'
import { type LoopOptions, type TrainingResult, trainingLoop } from './training-loop.ts'

export interface OfflineOptions<Item> extends LoopOptions<OfflineRecord, Item> {
  readonly policy: LanguagePolicy
  /** Where training starts. @default the policy's own */
  readonly parameters?: Tree<Tensor>
  /** What is learnt from: all of it in every iteration, or what an iteration draws (from its arguments alone). */
  readonly items: readonly Item[] | ((iteration: number, rng: Rng) => readonly Item[])
  readonly objective: LearningObjective<Item>
  /** Frozen parameters that the objective compares with. @default where training starts */
  readonly reference?: Tree<Tensor>
  /** Items of an update. @default 32 */
  readonly batch?: number
}

export interface OfflineRecord {
  /** Items read. */
  readonly samples: number
}

/**
 * Learns from what is there already: `supervised` from responses, `preferred` from pairs. An iteration is one pass over
 * its items in random order. Throws as `trainingLoop`.
 *
 * @example
 * await offlineTraining({ policy, items: rows, objective: supervised(policy), iterations: 3, learningRate: 1e-3 })
 */
export function offlineTraining<Item>(options: OfflineOptions<Item>): Promise<TrainingResult<OfflineRecord>> {
  const { policy, items: given, objective, batch = 32 } = options
  const start = options.parameters ?? policy.initial
  return trainingLoop<OfflineRecord, Item>(options, {
    name: 'offline',
    parameters: start,
    loss: (parameters, made) => objective.loss(parameters, made),
    async iterate({ iteration, rng, advance }) {
      const items = typeof given === 'function' ? given(iteration, rng.fork('items')) : given
      for (const part of filledParts(rng.fork('order').shuffled(items), batch))
        await advance(await objective.batchOf(part, options.reference ?? start))
      return { record: { samples: items.length }, written: items }
    },
  })
}
