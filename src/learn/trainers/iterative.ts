import { GuerdonError, type Reward, Rng } from '../../core/index.ts'
import { scoresOf } from '../../rewards/scores-of.ts'
import type { CompileOptions } from '../../tensor/compile.ts'
import type { Optimiser } from '../../tensor/optimiser.ts'
import { openTraining } from '../../tensor/train.ts'
import type { PathPattern, Tensor, Tree } from '../../tensor/tree.ts'
import type { LanguagePolicy } from '../policies/language-policy.ts'
import { averageRecord, type IterationRecord, recordLog, rolloutRecord } from './monitors.ts'
import type { LearningObjective, Weighted } from './objective.ts'
import { byTask, type PolicyTask, type Rollout, rollouts } from './rollouts.ts'

/** Parameters by the part they play in an iteration. */
export interface CheckpointSet {
  /** Before the first iteration. */
  readonly initial: Tree<Tensor>
  /** Before the last iteration; the initial ones in the first. */
  readonly previous: Tree<Tensor>
  /** What writes now. */
  readonly current: Tree<Tensor>
}

export interface BuildContext {
  readonly iteration: number
  readonly checkpoints: CheckpointSet
  readonly tasks: readonly PolicyTask[]
  readonly policy: LanguagePolicy
  readonly rng: Rng
  readonly signal?: AbortSignal
}

export interface IterativeOptions<Item> extends CompileOptions {
  readonly policy: LanguagePolicy
  /** Where training starts. @default the policy's own */
  readonly parameters?: Tree<Tensor>
  /** The tasks of an iteration; must depend on its arguments alone. */
  readonly tasks: (iteration: number, rng: Rng) => readonly PolicyTask[]
  readonly reward: Reward
  /** A judge that never trains, recorded beside the reward. */
  readonly oracle?: Reward
  /** Responses to each task. */
  readonly group: number
  readonly iterations: number
  /** Turns the judged rollouts of each task into what is learnt from. */
  readonly build: (
    groups: readonly (readonly Rollout[])[],
    context: BuildContext,
  ) => readonly Item[] | Promise<readonly Item[]>
  readonly objective: LearningObjective<Item>
  /** Which parameters the objective compares with. @default 'initial' */
  readonly reference?: 'initial' | 'previous' | 'current'
  /** Times that an iteration's items are learnt from. @default 1 */
  readonly epochs?: number
  /** Items of an update. @default 32 */
  readonly batch?: number
  /** Over the updates from 0. */
  readonly learningRate: number | ((update: number) => number)
  readonly optimiser?: Optimiser
  readonly trainable?: PathPattern
  /** New tokens of a response at most. */
  readonly maxTokens: number
  /** Of the rollouts. @default 1 */
  readonly temperature?: number
  /** @default 0 */
  readonly seed?: string | number
  /** A file of one JSON line an iteration. */
  readonly log?: string
  readonly onIteration?: (record: IterationRecord, written: readonly Rollout[]) => void
  readonly signal?: AbortSignal
}

/**
 * Sample, judge, build, train, over and over: rejection sampling and iterated preference optimisation are settings of
 * it. Rollouts come from the current parameters, and only from them. The record of an iteration is about all its
 * rollouts, not those selected; `updates.items` is how many items were built. An iteration that builds nothing
 * trains nothing.
 */
export async function iterativeTraining<Item>(
  options: IterativeOptions<Item>,
): Promise<{ readonly parameters: Tree<Tensor>; readonly records: readonly IterationRecord[] }> {
  const { policy, tasks: tasksOf, reward, oracle, group, iterations, build, objective, maxTokens } = options
  const { epochs = 1, batch = 32, learningRate, temperature = 1, seed = 0, signal } = options
  const rateAt = typeof learningRate === 'number' ? () => learningRate : learningRate
  const initial = options.parameters ?? policy.initial
  const training = await openTraining<Tree<Tensor>>({
    ...options,
    parameters: initial,
    seed,
    loss: (parameters, items) => objective.loss(parameters, items),
  })
  const random = new Rng(seed).fork('iterative')
  const records: IterationRecord[] = []
  const file = options.log === undefined ? undefined : recordLog(options.log)
  let checkpoints: CheckpointSet = { initial, previous: initial, current: initial }
  try {
    await file?.resumeAt(0)
    for (let iteration = 0; iteration < iterations; iteration++) {
      const rng = random.fork(iteration)
      const tasks = tasksOf(iteration, rng.fork('tasks'))
      const stop = signal === undefined ? {} : { signal }
      const written = await rollouts({
        policy,
        parameters: checkpoints.current,
        tasks,
        group,
        reward,
        maxTokens,
        temperature,
        seed: `${seed}/${iteration}`,
        step: iteration,
        ...stop,
      })
      if (written.every(({ score }) => score.value === null))
        throw new GuerdonError(
          'unscored-rollouts',
          `no response of iteration ${iteration} could be judged: ${(written[0]!.score as { reason: string }).reason}.`,
          { place: { reward: reward.name, sample: written[0]!.sample.id } },
        )
      const groups = byTask(written, tasks.length)
      const rows = groups.flat()
      const scores =
        oracle &&
        (await scoresOf(
          oracle,
          rows.map(({ sample }) => sample),
          stop,
        ))
      const items = await build(groups, {
        iteration,
        checkpoints,
        tasks,
        policy,
        rng: rng.fork('build'),
        ...stop,
      })
      const reference = checkpoints[options.reference ?? 'initial']
      const reports: Record<string, number>[] = []
      for (let epoch = 0; epoch < epochs && items.length > 0; epoch++)
        for (const part of filledParts(rng.fork(`epoch ${epoch}`).shuffled(items), batch)) {
          signal?.throwIfAborted()
          const made = await objective.batchOf(part, reference)
          const { loss, gradientNorm, metrics } = await training.advance(made, rateAt(training.step))
          reports.push({ loss, gradientNorm, ...metrics })
        }
      checkpoints = { initial, previous: checkpoints.current, current: training.parameters }
      const updates = { ...averageRecord(reports), items: items.length }
      const record = { iteration, ...rolloutRecord(groups, scores), updates }
      records.push(record)
      await file?.write(record)
      options.onIteration?.(record, rows)
    }
    return { parameters: training.parameters, records }
  } finally {
    await training.dispose()
  }
}

/** Parts of one size; the last is filled up with items of weight 0. */
function filledParts<Item>(items: readonly Item[], size: number): Weighted<Item>[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, part) =>
    Array.from({ length: size }, (_, place) => {
      const index = part * size + place
      return { item: items[index % items.length]!, weight: Number(index < items.length) }
    }),
  )
}
