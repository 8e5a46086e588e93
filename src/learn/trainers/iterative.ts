import type { Training } from '../../tensor/train.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'
import type { PastIteration } from './checkpoint-set.ts'
import type { IterationRecord } from './monitors.ts'
import { filledParts, type LearningObjective } from './objective.ts'
import {
  type JudgedIteration,
  type PolicyTrained,
  type PolicyTrainingOptions,
  policyTraining,
} from './policy-training.ts'
import type { Rollout } from './rollouts.ts'

/** A role of the `CheckpointSet`, or a name of `past`. */
export type Role = 'initial' | 'previous' | 'current' | 'best' | (string & {})

export interface IterativeOptions<Item> extends PolicyTrainingOptions {
  /** Turns the judged rollouts of each task into what is learnt from. */
  readonly build: (
    groups: readonly (readonly Rollout[])[],
    context: BuildContext<Item>,
  ) => readonly Item[] | Promise<readonly Item[]>
  readonly objective: LearningObjective<Item>
  /** Which parameters the objective compares with. @default 'initial' */
  readonly reference?: Role | ((iteration: number) => Role)
  /** Which parameters the updates of an iteration begin with, if not those it sampled with. @default 'current' */
  readonly start?: Role
  /** The optimiser's moments go on through the iterations, or begin anew with each, as a new training would. @default 'kept' */
  readonly moments?: 'kept' | 'fresh'
  /** Past iterations whose parameters `build` and `reference` can name. */
  readonly past?: Readonly<Record<string, PastIteration>>
  /** What makes an iteration's start the `best` parameters: the greatest of these. @default the mean reward */
  readonly bestBy?: (record: IterationRecord) => number | null
  /** Times that an iteration's items are learnt from. @default 1 */
  readonly epochs?: number
  /** Items of an update. @default 32 */
  readonly batch?: number
}

/** What `build` can see and do beside the rollouts. */
export interface BuildContext<Item = any>
  extends Pick<
    JudgedIteration,
    'iteration' | 'checkpoints' | 'tasks' | 'policy' | 'rng' | 'records' | 'write' | 'signal'
  > {
  /** Log-probabilities of the rollouts' tokens under the initial parameters, task by task as they come. */
  readonly logpInitial: readonly Float32Array[]
  /**
   * Parameters trained on these items for this iteration's use alone, by the same objective, epochs and learning rate,
   * with an optimiser of their own.
   */
  trained(
    items: readonly Item[],
    options?: {
      /** @default 'current' */
      readonly start?: Role
      /** @default that of the training */
      readonly reference?: Role
    },
  ): Promise<Tree<Tensor>>
  /** Numbers about what is built, for the record of the iteration: they stand among its `updates`. */
  measure(numbers: Readonly<Record<string, number>>): void
}

/**
 * Sample, judge, build, train, over and over: rejection sampling, online preferences and self-rewarding are settings of
 * it. Rollouts come from the current parameters, and only from them; `build` may have others write too. The record of
 * an iteration is about all its rollouts, not those selected; `updates.items` is how many items were built. An iteration
 * that builds nothing trains nothing. Throws as `policyGradient`.
 */
export async function iterativeTraining<Item>(options: IterativeOptions<Item>): Promise<PolicyTrained> {
  const { policy, build, objective, epochs = 1, batch = 32, start = 'current' } = options
  const initial = options.parameters ?? policy.initial
  return policyTraining(options, {
    name: 'iterative',
    parameters: initial,
    reference: initial,
    past: options.past ?? {},
    ...(options.bestBy === undefined ? {} : { bestBy: options.bestBy }),
    loss: (parameters, items) => objective.loss(parameters, items),
    async learn(judged) {
      const { iteration, checkpoints, training, rng } = judged
      const reference =
        typeof options.reference === 'function' ? options.reference(iteration) : options.reference
      /** Takes the epochs over the items, each batch given to `advance`. */
      const over = async (
        items: readonly Item[],
        against: Role | undefined,
        name: string,
        advance: (made: Tree<Tensor>) => Promise<unknown>,
      ) => {
        const frozen = checkpoints.named(against ?? 'initial')
        for (let epoch = 0; epoch < epochs && items.length > 0; epoch++)
          for (const part of filledParts(rng.fork(`${name} ${epoch}`).shuffled(items), batch))
            await advance(await objective.batchOf(part, frozen))
      }
      const measured: Record<string, number> = {}
      const context: BuildContext<Item> = {
        ...judged,
        measure: (numbers) => void Object.assign(measured, numbers),
        rng: rng.fork('build'),
        logpInitial: judged.logpRef!,
        async trained(items, { start: from = 'current', reference: against = reference } = {}) {
          const branch: Pick<Training<Tree<Tensor>>, 'parameters' | 'advance'> = training.branch(
            checkpoints.named(from),
          )
          await over(items, against, 'aside', async (made) => {
            judged.signal?.throwIfAborted()
            await branch.advance(made, judged.learningRate())
          })
          return branch.parameters
        },
      }
      const items = await build(judged.groups, context)
      if (start !== 'current') training.restart(checkpoints.named(start))
      else if (options.moments === 'fresh') training.restart()
      await over(items, reference, 'epoch', judged.advance)
      return { ...measured, items: items.length }
    },
  })
}
