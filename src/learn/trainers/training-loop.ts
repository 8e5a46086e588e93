import { GuerdonError, Rng } from '../../core/index.ts'
import type { CompileOptions } from '../../tensor/compile.ts'
import type { Optimiser } from '../../tensor/optimiser.ts'
import { openTraining, type Training, type TrainingOptions } from '../../tensor/train.ts'
import type { PathPattern, Tensor, Tree } from '../../tensor/tree.ts'
import {
  type CheckpointSet,
  type CheckpointSetState,
  keptCheckpoints,
  type PastIteration,
} from './checkpoint-set.ts'
import { averageRecord, type LoopRecord, recordLog } from './monitors.ts'

/** What every trainer that works in iterations can be asked, whatever it learns from. */
export interface LoopOptions<Own, Written> extends CompileOptions {
  /** Iterations in all, those before a resumption included. */
  readonly iterations: number
  /** Ends training after an iteration, by the records so far, before `iterations`: a budget of another kind. @default never */
  readonly until?: (records: readonly LoopRecord<Own>[]) => boolean
  /** Or its schedule over the updates from 0 (and the iteration that they belong to). */
  readonly learningRate: number | ((update: number, iteration: number) => number)
  readonly optimiser?: Optimiser
  /** Which parameters change, by path. @default all */
  readonly trainable?: PathPattern
  /** @default 0 */
  readonly seed?: string | number
  /**
   * Parameters, optimiser, records and roles after every `every` iterations (@default 10) and at the end. If the file
   * exists, training goes on from it, to the bit as if it had not been interrupted.
   */
  readonly checkpoint?: { readonly path: string; readonly every?: number }
  /** A file of one JSON line an iteration. */
  readonly log?: string
  /** Measures parameters after an iteration, every `every` iterations (@default 1); kept as `evaluation` of the record. */
  readonly evaluate?: {
    readonly every?: number
    readonly measure: (
      parameters: Tree<Tensor>,
      iteration: number,
    ) => Promise<Readonly<Record<string, number>>>
  }
  readonly onIteration?: (record: LoopRecord<Own>, written: readonly Written[]) => void | Promise<void>
  /**
   * What happens when the loss or a gradient is not finite: the error is thrown, with the last checkpoint's place, or
   * training ends and gives the parameters that the iteration began with. @default 'throw'
   */
  readonly onDivergence?: 'throw' | 'stop'
  /** Aborted: training is saved where it can be gone on from exactly, and the signal's reason thrown. */
  readonly signal?: AbortSignal
}

export interface TrainingResult<Own> {
  /** Of the policy, in the end. */
  readonly parameters: Tree<Tensor>
  /** Of all iterations, those before a resumption included. */
  readonly records: readonly LoopRecord<Own>[]
  /** Why training ended early, with `onDivergence: 'stop'`. */
  readonly diverged?: GuerdonError
}

/** One iteration, as a trainer sees it. */
export interface LoopIteration<Own> {
  /** From 0. */
  readonly iteration: number
  /** Seeded by seed and iteration. */
  readonly rng: Rng
  /** Of the policy. */
  readonly checkpoints: CheckpointSet
  readonly training: Pick<Training<Tree<Tensor>>, 'parameters' | 'restart' | 'branch'>
  /** One update. Its loss, gradient norm and metrics are given, and enter the record's `updates`, averaged. */
  advance(batch: Tree<Tensor>): Promise<Readonly<Record<string, number>>>
  /** The learning rate that the next update would have. */
  learningRate(): number
  /** Of the iterations before. */
  readonly records: readonly LoopRecord<Own>[]
  readonly signal?: AbortSignal
}

/** What is a trainer's own. */
export interface LoopTrainer<Own, Written> {
  /** Seeds what is drawn; a checkpoint of another trainer is refused. */
  readonly name: string
  /** All that is trained, where training starts. */
  readonly parameters: Tree<Tensor>
  readonly loss: TrainingOptions<Tree<Tensor>>['loss']
  /** The policy among the parameters. @default all of them */
  readonly policyOf?: (parameters: Tree<Tensor>) => Tree<Tensor>
  readonly past?: Readonly<Record<string, PastIteration>>
  /** A number of an iteration's record that is greatest when it began with the best parameters; without it, none are. */
  readonly bestBy?: (record: LoopRecord<Own>) => number | null
  /** Writes, judges and learns; gives what the record says beside the updates. */
  iterate(iteration: LoopIteration<Own>): Promise<{
    readonly record: Own
    /** Numbers about the updates that `advance` does not know. */
    readonly updates?: Readonly<Record<string, number>>
    readonly written: readonly Written[]
  }>
}

/**
 * The loop that all trainers share: iterations, one after the other, each recorded, logged, and kept so that training
 * goes on from it exactly; a training that diverges ends at what was good.
 *
 * Throws a `GuerdonError`: `diverged`; `checkpoint-mismatch` for a checkpoint of another trainer, seed or network; and
 * what the trainer throws.
 */
export async function trainingLoop<Own extends object, Written>(
  options: LoopOptions<Own, Written>,
  trainer: LoopTrainer<Own, Written>,
): Promise<TrainingResult<Own>> {
  const { iterations, learningRate, seed = 0, checkpoint, evaluate, signal } = options
  const { policyOf = (all: Tree<Tensor>) => all, bestBy = () => null } = trainer
  const training = await openTraining<Tree<Tensor>>({
    ...options,
    parameters: trainer.parameters,
    seed,
    loss: trainer.loss,
    ...(checkpoint === undefined ? {} : { checkpoint: { path: checkpoint.path } }),
  })
  try {
    const progress = resumedProgress<Own>(training.resumedFrom, trainer.name, checkpoint?.path)
    const records = [...progress.records]
    const kept = await keptCheckpoints({
      initial: policyOf(trainer.parameters),
      current: policyOf(training.parameters),
      ...(trainer.past === undefined ? {} : { past: trainer.past }),
      ...(checkpoint === undefined ? {} : { path: checkpoint.path }),
      ...(progress.roles === undefined ? {} : { resumed: progress.roles }),
    })
    const file = options.log === undefined ? undefined : recordLog(options.log)
    await file?.resumeAt(records)
    const save = async () => {
      await kept.save()
      const own = { trainer: trainer.name, records, roles: kept.state } satisfies Progress<Own>
      await training.save({ loop: JSON.stringify(own) })
      await kept.tidy()
    }
    const random = new Rng(seed).fork(trainer.name)

    const isOver = () => records.length >= iterations || (records.length > 0 && options.until?.(records))
    while (!isOver()) {
      const iteration = records.length
      const reports: Record<string, number>[] = []
      let touched = false
      const rate = () =>
        typeof learningRate === 'number' ? learningRate : learningRate(training.step, iteration)
      const one = () =>
        trainer.iterate({
          iteration,
          rng: random.fork(iteration),
          checkpoints: kept.set,
          training: {
            get parameters() {
              return training.parameters
            },
            restart(parameters) {
              touched = true
              training.restart(parameters)
            },
            branch: training.branch,
          },
          async advance(batch) {
            signal?.throwIfAborted()
            touched = true
            const { loss, gradientNorm, metrics } = await training.advance(batch, rate())
            const report = { loss, gradientNorm, ...metrics }
            reports.push(report)
            return report
          },
          learningRate: rate,
          records,
          ...(signal === undefined ? {} : { signal }),
        })
      try {
        signal?.throwIfAborted()
        const { record: own, updates, written } = await one()
        const measured =
          evaluate !== undefined && (iteration + 1) % (evaluate.every ?? 1) === 0
            ? await evaluate.measure(policyOf(training.parameters), iteration)
            : undefined
        const record: LoopRecord<Own> = {
          iteration,
          ...own,
          updates: { ...averageRecord(reports), ...updates },
          ...(measured === undefined ? {} : { evaluation: measured }),
        }
        const before = Math.max(...records.map((past) => bestBy(past) ?? Number.NEGATIVE_INFINITY))
        const value = bestBy(record)
        records.push(record)
        kept.next(policyOf(training.parameters), value !== null && value > before)
        touched = false
        await file?.write(record)
        await options.onIteration?.(record, written)
      } catch (error) {
        if (signal?.aborted && !touched) await save()
        if (options.onDivergence !== 'stop' || !(error instanceof GuerdonError) || error.code !== 'diverged')
          throw error
        return { parameters: kept.set.current, records, diverged: error }
      }
      if ((iteration + 1) % (checkpoint?.every ?? 10) === 0) await save()
    }
    await save()
    return { parameters: policyOf(training.parameters), records }
  } finally {
    await training.dispose()
  }
}

interface Progress<Own> {
  readonly trainer: string
  readonly records: readonly LoopRecord<Own>[]
  readonly roles: CheckpointSetState
}

function resumedProgress<Own>(
  saved: Readonly<Record<string, string>> | undefined,
  trainer: string,
  path: string | undefined,
): Partial<Progress<Own>> & Pick<Progress<Own>, 'records'> {
  if (saved === undefined) return { records: [] }
  const progress: Partial<Progress<Own>> = JSON.parse(saved.loop ?? '{}')
  if (progress.trainer === trainer) return progress as Progress<Own>
  throw new GuerdonError(
    'checkpoint-mismatch',
    `the checkpoint is of ${progress.trainer ?? 'no'} trainer, not of ${trainer}.`,
    { place: { file: path! }, fix: 'Give another path, or remove the file to begin anew.' },
  )
}
