import type { Array as JaxArray } from '@jax-js/jax'
import { GuerdonError, type Reward, Rng } from '../../core/index.ts'
import { scoresOf } from '../../rewards/scores-of.ts'
import type { CompileOptions } from '../../tensor/compile.ts'
import type { Optimiser } from '../../tensor/optimiser.ts'
import { openTraining } from '../../tensor/train.ts'
import { type PathPattern, type Tensor, type Tree, tensor } from '../../tensor/tree.ts'
import { type GroupedAdvantageOptions, groupedAdvantages } from '../objectives/grouped-advantages.ts'
import { type GrpoOptions, grpoLoss } from '../objectives/grpo.ts'
import type { LanguagePolicy, PolicyBatch, PolicyRow } from '../policies/language-policy.ts'
import { averageRecord, type IterationRecord, recordLog, rolloutRecord } from './monitors.ts'
import { byTask, type PolicyTask, type Rollout, rollouts } from './rollouts.ts'

export interface PolicyGradientOptions extends CompileOptions {
  readonly policy: LanguagePolicy
  /** Where training starts. @default the policy's own */
  readonly parameters?: Tree<Tensor>
  /** What is frozen as reference, for a KL term (`objective.beta`) and the `kl` of the records. @default the start */
  readonly reference?: Tree<Tensor> | 'none'
  /** The tasks of an iteration; must depend on its arguments alone. Equally many in every iteration. */
  readonly tasks: (iteration: number, rng: Rng) => readonly PolicyTask[]
  readonly reward: Reward
  /** A judge that never trains, recorded beside the reward. */
  readonly oracle?: Reward
  /** Responses to each task. @default 8 */
  readonly group?: number
  readonly iterations: number
  /** Parts that the rollouts of an iteration are cut into, one update each; must divide their number. @default 1 */
  readonly minibatches?: number
  /** Times that each rollout is learnt from. @default 1 */
  readonly epochs?: number
  readonly advantages?: GroupedAdvantageOptions
  readonly objective?: GrpoOptions
  /** Over the updates from 0. */
  readonly learningRate: number | ((update: number) => number)
  readonly optimiser?: Optimiser
  readonly trainable?: PathPattern
  /** New tokens of a response at most. */
  readonly maxTokens: number
  /** Of the rollouts. @default 1 */
  readonly temperature?: number
  /** A response that could not be judged is masked and counted, or ends the training. @default 'mask' */
  readonly onNull?: 'mask' | 'stop'
  /** @default 0 */
  readonly seed?: string | number
  /** Parameters and optimiser after every `every` iterations (@default 10) and at the end; gone on from when it exists. */
  readonly checkpoint?: { readonly path: string; readonly every?: number }
  /** A file of one JSON line an iteration. */
  readonly log?: string
  readonly onIteration?: (record: IterationRecord, written: readonly Rollout[]) => void
  readonly signal?: AbortSignal
}

/**
 * Group relative policy optimisation of a language policy from any reward: each iteration writes a group of responses
 * to each task, judges them, and takes `epochs * minibatches` steps on the clipped surrogate of their advantages.
 * Gives the parameters in the end and a record of each iteration. Rollouts always come from the current parameters.
 *
 * Throws a `GuerdonError`: `unscored-rollouts` when nothing of an iteration could be judged, or with `onNull: 'stop'`
 * at the first; `diverged` and the others of `openTraining`.
 */
export async function policyGradient(
  options: PolicyGradientOptions,
): Promise<{ readonly parameters: Tree<Tensor>; readonly records: readonly IterationRecord[] }> {
  const { policy, iterations, minibatches = 1, epochs = 1, seed = 0, checkpoint, log, signal } = options
  const { group = 8, reward, oracle, maxTokens, temperature = 1, objective = {}, learningRate } = options
  const start = options.parameters ?? policy.initial
  const reference = options.reference === 'none' ? undefined : (options.reference ?? start)
  const updates = epochs * minibatches
  const rateAt = typeof learningRate === 'number' ? () => learningRate : learningRate
  const training = await openTraining<Tree<Tensor>>({
    ...options,
    parameters: start,
    seed,
    loss: (parameters, batch) => updateLoss(policy, objective, parameters, batch),
    ...(checkpoint === undefined ? {} : { checkpoint: { path: checkpoint.path } }),
  })
  const random = new Rng(seed).fork('policy-gradient')
  const records: IterationRecord[] = []
  const file = log === undefined ? undefined : recordLog(log)
  try {
    await file?.resumeAt(training.step / updates)
    for (let iteration = training.step / updates; iteration < iterations; iteration++) {
      const rng = random.fork(iteration)
      const tasks = options.tasks(iteration, rng.fork('tasks'))
      const judged = { ...(signal === undefined ? {} : { signal }), step: iteration }
      const written = await rollouts({
        policy,
        parameters: training.parameters,
        tasks,
        group,
        reward,
        maxTokens,
        temperature,
        seed: `${seed}/${iteration}`,
        ...judged,
      })
      refuseUnscored(written, reward, iteration, options.onNull ?? 'mask')
      const groups = byTask(written, tasks.length)
      const advantages = groupedAdvantages(
        groups.map((own) => own.map(({ score }) => score.value)),
        options.advantages,
      ).flat()
      const rows = groups.flat()
      const scores =
        oracle &&
        (await scoresOf(
          oracle,
          rows.map(({ sample }) => sample),
          judged,
        ))
      const logpRef = reference && (await policy.score(reference, rows))
      const reports: Record<string, number>[] = []
      for (let epoch = 0; epoch < epochs; epoch++)
        for (const part of partsOf(rows.length, minibatches, rng.fork(`epoch ${epoch}`))) {
          const batch = updateBatch(
            policy,
            part.map((row) => ({ ...rows[row]!, advantage: advantages[row]!, logpRef: logpRef?.[row] })),
          )
          const { loss, gradientNorm, metrics } = await training.advance(batch, rateAt(training.step))
          reports.push({ loss, gradientNorm, ...metrics })
        }
      const record = { iteration, ...rolloutRecord(groups, scores), updates: averageRecord(reports) }
      records.push(record)
      await file?.write(record)
      options.onIteration?.(record, rows)
      if ((iteration + 1) % (checkpoint?.every ?? 10) === 0) await training.save()
    }
    await training.save()
    return { parameters: training.parameters, records }
  } catch (error) {
    if (signal?.aborted && training.step % updates === 0) await training.save()
    throw error
  } finally {
    await training.dispose()
  }
}

type UpdateBatch<Leaf> = {
  readonly rows: PolicyBatch<Leaf>
  /** Float[B, C] */
  readonly logpOld: Leaf
  readonly logpRef?: Leaf
  /** Float[B] */
  readonly advantages: Leaf
}

interface UpdateRow extends Rollout {
  /** Null: the row is left out of the update. */
  readonly advantage: number | null
  readonly logpRef: Float32Array | undefined
}

function updateLoss(
  policy: LanguagePolicy,
  objective: GrpoOptions,
  parameters: unknown,
  { rows, ...given }: UpdateBatch<JaxArray>,
) {
  const mask = rows.mask.ref
  return grpoLoss({ ...given, logp: policy.logp(parameters, rows), mask }, objective)
}

function updateBatch(policy: LanguagePolicy, rows: readonly UpdateRow[]): UpdateBatch<Tensor> {
  const batch = policy.batchOf(rows)
  const [, columns] = batch.mask.shape as [number, number]
  const mask = batch.mask.data as Float32Array
  const result = {
    logpOld: alignedRows(policy, batch, rows, ({ logp }) => logp),
    ...(rows.every(({ logpRef }) => logpRef)
      ? { logpRef: alignedRows(policy, batch, rows, ({ logpRef }) => logpRef!) }
      : {}),
    advantages: tensor(
      rows.map(({ advantage }) => advantage ?? 0),
      [rows.length],
    ),
  }
  rows.forEach(({ advantage }, index) => {
    if (advantage === null) mask.fill(0, index * columns, (index + 1) * columns)
  })
  return { rows: batch, ...result }
}

/** Numbers of each response's tokens in the columns of a batch, Float[B, C]; 0 elsewhere. */
export function alignedRows<Row extends PolicyRow>(
  policy: LanguagePolicy,
  { mask: { shape } }: PolicyBatch<Tensor>,
  rows: readonly Row[],
  numbersOf: (row: Row, index: number) => ArrayLike<number>,
): Tensor {
  const [count, columns] = shape as [number, number]
  const data = new Float32Array(count * columns)
  rows.forEach((row, index) => {
    data.set(numbersOf(row, index), index * columns + row.tokens.length - policy.firstColumn)
  })
  return tensor(data, shape)
}

/** Indices in random order, in `count` parts of one size. */
export function partsOf(rows: number, count: number, rng: Rng): number[][] {
  if (rows % count !== 0)
    throw new GuerdonError(
      'bad-option',
      `${rows} rollouts cannot be cut into ${count} minibatches of one size.`,
    )
  const all = Array.from({ length: rows }, (_, row) => row)
  const order = count === 1 ? all : rng.shuffled(all)
  const size = rows / count
  return Array.from({ length: count }, (_, part) => order.slice(part * size, (part + 1) * size))
}

export function refuseUnscored(
  written: readonly Rollout[],
  reward: Reward,
  iteration: number,
  onNull: 'mask' | 'stop',
): void {
  const failed = written.filter(({ score }) => score.value === null)
  if (failed.length === 0 || (onNull === 'mask' && failed.length < written.length)) return
  const { code, reason } = failed[0]!.score as { code: string; reason: string }
  throw new GuerdonError(
    'unscored-rollouts',
    `${failed.length} of ${written.length} responses of iteration ${iteration} could not be judged: ${code}, ${reason}.`,
    { place: { reward: reward.name, sample: failed[0]!.sample.id } },
  )
}
