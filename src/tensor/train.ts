import { existsSync } from 'node:fs'
import { type Array as JaxArray, tree, valueAndGrad } from '@jax-js/jax'
import { GuerdonError, Rng } from '../core/index.ts'
import { loadCheckpoint, restored, saveCheckpoint } from './checkpoint.ts'
import type { CompileOptions } from './compile.ts'
import { compileByShape } from './compile-by-shape.ts'
import { release } from './crossing.ts'
import type { Arrays } from './leafwise.ts'
import { adamW, clippedByGlobalNorm, globalNorm, movedAverage, type Optimiser } from './optimiser.ts'
import { leavesOf, mapLeaves, type PathPattern, partitioned, type Tensor, type Tree, tensor } from './tree.ts'

export interface TrainingOptions<Parameters extends Tree<Tensor>> extends CompileOptions {
  /**
   * The scalar to make small, traced: it gets the parameters and a batch as jax arrays and consumes the batch. It may
   * return `metrics` (scalars) beside the loss.
   */
  readonly loss: (parameters: any, batch: any) => JaxArray | LossWithMetrics
  readonly parameters: Parameters
  /** Which parameters change, by path such as `blocks.0.attention.input.weight`; the others stay. @default all */
  readonly trainable?: PathPattern
  /** @default adamW() */
  readonly optimiser?: Optimiser
  /** Greatest global norm of the gradients; `Infinity` for none. @default 1 */
  readonly clip?: number
  /** @default 0 */
  readonly seed?: string | number
  /** Decay of a moving average of the trained parameters, such as 0.999. @default none is kept */
  readonly average?: number
  /** Where parameters and the state of training are kept. If the file exists, training goes on from it. */
  readonly checkpoint?: Pick<TrainCheckpoint, 'path' | 'metadata'>
}

/** A training whose batches come from outside, one step at a time: they may depend on the parameters so far. */
export interface Training<Parameters extends Tree<Tensor>> {
  /** Steps done, those before a resumption included. */
  readonly step: number
  readonly parameters: Parameters
  /** The moving average of the parameters, when `average` was given. */
  readonly averaged?: Parameters | undefined
  /** What `save` was given with the checkpoint that this training goes on from; undefined of one from the start. */
  readonly resumedFrom: Readonly<Record<string, string>> | undefined
  /** One step of gradient descent. A step that diverges throws and changes nothing. Steps are taken one at a time. */
  advance(batch: Tree<Tensor>, learningRate: number): Promise<StepReport>
  /** Goes on from these parameters (@default the present ones) with the optimiser as at the start; steps count on. */
  restart(parameters?: Parameters): void
  /**
   * A training of its own from other parameters, by the same compiled step: with a new optimiser, from step 0, without a
   * checkpoint. It lives as long as this one.
   */
  branch(parameters: Parameters): Pick<Training<Parameters>, 'step' | 'parameters' | 'advance'>
  /**
   * Writes the checkpoint, where one is wanted and the last is older or of another `metadata`.
   * @param metadata of this moment, beside the checkpoint's own
   */
  save(metadata?: Readonly<Record<string, string>>): Promise<void>
  dispose(): Promise<void>
}

export interface TrainOptions<Parameters extends Tree<Tensor>>
  extends Omit<TrainingOptions<Parameters>, 'checkpoint'> {
  /**
   * The batch of a step. It must depend on its arguments alone (`rng` is seeded by seed and step), so that training
   * goes on exactly where it stopped. Batches may differ in shape; each shape is compiled once.
   */
  readonly batches: (step: number, rng: Rng) => Tree<Tensor> | Promise<Tree<Tensor>>
  /** Steps in all, those before a resumption included. */
  readonly steps: number
  /** Learning rate, or its schedule over the steps from 0. */
  readonly schedule: number | ((step: number) => number)
  readonly checkpoint?: TrainCheckpoint
  readonly onStep?: (report: StepReport) => void
  /** Aborted: a checkpoint is saved (where one is wanted) and the signal's reason thrown. */
  readonly signal?: AbortSignal
}

export interface LossWithMetrics {
  readonly loss: JaxArray
  readonly metrics: Readonly<Record<string, JaxArray>>
}

export interface TrainCheckpoint {
  readonly path: string
  /** Steps between two saves; the end is always saved. @default 500 */
  readonly every?: number
  /** Kept in the file beside step and seed. */
  readonly metadata?: Readonly<Record<string, string>>
}

export interface StepReport {
  /** From 0. */
  readonly step: number
  readonly loss: number
  readonly metrics: Readonly<Record<string, number>>
  /** Before clipping. */
  readonly gradientNorm: number
  readonly learningRate: number
}

export interface Trained<Parameters> {
  readonly parameters: Parameters
  /** The moving average of the parameters, when `average` was given. */
  readonly averaged?: Parameters
  /** Report of the last step; absent when none was left to do. */
  readonly last?: StepReport
}

type Flat<Leaf> = Readonly<Record<string, Leaf>>

/** What changes from step to step, all of it saved. */
type State = {
  readonly parameters: Flat<Tensor>
  readonly optimiser: Tree<Tensor>
  readonly average: Flat<Tensor>
}

type StepResult = State & { readonly loss: Tensor; readonly norm: Tensor; readonly metrics: Flat<Tensor> }

/**
 * Trains parameters by gradient descent. The same seed and batches give the same parameters, whether or not training
 * was interrupted. Throws as `openTraining` does.
 */
export async function train<Parameters extends Tree<Tensor>>(
  options: TrainOptions<Parameters>,
): Promise<Trained<Parameters>> {
  const { batches, steps, schedule, seed = 0, checkpoint, onStep, signal } = options
  const rateAt = typeof schedule === 'number' ? () => schedule : schedule
  const training = await openTraining<Parameters>(options)
  const random = new Rng(seed).fork('batches')
  let last: StepReport | undefined
  try {
    while (training.step < steps) {
      const { step } = training
      if (signal?.aborted) {
        await training.save()
        throw signal.reason
      }
      last = await training.advance(await batches(step, random.fork(step)), rateAt(step))
      onStep?.(last)
      if (training.step % (checkpoint?.every ?? 500) === 0) await training.save()
    }
    await training.save()
  } finally {
    await training.dispose()
  }
  const { parameters, averaged } = training
  return {
    parameters,
    ...(averaged === undefined ? {} : { averaged }),
    ...(last === undefined ? {} : { last }),
  }
}

/**
 * A training that is led step by step. The whole step is one compiled graph, and the state goes from its outputs to
 * its inputs. If the checkpoint's file exists, training goes on from it.
 *
 * Throws a `GuerdonError`: `diverged` when the loss or a gradient is not finite, with step, seed and the last good
 * checkpoint; `checkpoint-mismatch` when the checkpoint belongs to another training; those of `compile`.
 */
export async function openTraining<Parameters extends Tree<Tensor>>(
  options: TrainingOptions<Parameters>,
): Promise<Training<Parameters>> {
  const { parameters, seed = 0, checkpoint } = options
  const { matching: trained, others: frozen } = partitioned(parameters, options.trainable ?? (() => true))
  if (Object.keys(trained).length === 0)
    throw new GuerdonError('bad-option', 'no parameter matches `trainable`, so there is nothing to train.', {
      fix: `Paths look like ${leavesOf(parameters)[0]?.path ?? ''}.`,
    })
  const optimiser = options.optimiser ?? adamW()
  const start = fresh(trained)
  const { state, step, progress: resumedFrom } = await resumed(start, checkpoint, seed)
  const compiled = compileByShape<readonly Tree<Tensor>[], StepResult>(
    tracedStep(options, optimiser) as never,
    options,
  )
  /** The newest checkpoint on disk: its step, and what it was saved with. */
  let saved = resumedFrom && { step, metadata: JSON.stringify(resumedFrom) }
  const run = running({ state, step })
  return Object.assign(run, {
    resumedFrom,
    branch: (from: Parameters) => running({ state: fresh(trainedOf(from)), step: 0 }),
    async save(given: Readonly<Record<string, string>> = {}) {
      const mark = JSON.stringify(given)
      if (checkpoint === undefined || (saved?.step === run.step && saved.metadata === mark)) return
      const done = run.step
      const metadata = { ...checkpoint.metadata, step: String(done), seed: String(seed), progress: mark }
      await saveCheckpoint(checkpoint.path, { frozen, ...run.kept() }, { metadata })
      saved = { step: done, metadata: mark }
    },
    dispose: () => compiled.dispose(),
  })

  function trainedOf(whole: Parameters): Flat<Tensor> {
    return partitioned(whole, options.trainable ?? (() => true)).matching
  }

  function fresh(flat: Flat<Tensor>): State {
    return {
      parameters: flat,
      optimiser: optimiser.initialState(flat),
      average: options.average === undefined ? {} : flat,
    }
  }

  /** A state that the compiled step moves on. */
  function running(begin: { readonly state: State; readonly step: number }) {
    let { state, step } = begin
    /** Whether nobody but this training has the state's tensors. */
    let own = false
    /** The state, for readers that outlast the next step. */
    const kept = () => {
      own = false
      return state
    }
    const whole = (changed: Flat<Tensor>) =>
      mapLeaves(parameters, (_, path) => changed[path] ?? frozen[path]!) as Parameters
    return {
      kept,
      get step() {
        return step
      },
      get parameters() {
        return whole(kept().parameters)
      },
      get averaged() {
        return options.average === undefined ? undefined : whole(kept().average)
      },
      restart(from?: Parameters) {
        state = fresh(from === undefined ? kept().parameters : trainedOf(from))
        own = false
      },
      async advance(batch: Tree<Tensor>, learningRate: number): Promise<StepReport> {
        const rate = tensor([learningRate], [])
        const { loss, norm, metrics, ...next } = await compiled.run(state, frozen, batch, rate)
        const report: StepReport = {
          step,
          loss: numberIn(loss),
          metrics: Object.fromEntries(
            Object.entries(metrics).map(([name, value]) => [name, numberIn(value)]),
          ),
          gradientNorm: numberIn(norm),
          learningRate,
        }
        if (!Number.isFinite(report.loss) || !Number.isFinite(report.gradientNorm))
          throw diverged(report, seed, saved && { path: checkpoint!.path, step: saved.step })
        if (own) release(state)
        state = next
        own = true
        step++
        return report
      },
    }
  }
}

/** One step as a traced function. */
function tracedStep<Parameters extends Tree<Tensor>>(
  options: TrainingOptions<Parameters>,
  optimiser: Optimiser,
) {
  const { loss, parameters, clip = 1, average: decay } = options
  return (
    state: { parameters: Flat<JaxArray>; optimiser: Arrays; average: Flat<JaxArray> },
    frozen: Flat<JaxArray>,
    batch: Arrays,
    learningRate: JaxArray,
  ) => {
    const objective = (trained: Flat<JaxArray>) => {
      const whole = mapLeaves(parameters, (_, path) => trained[path] ?? frozen[path]!)
      const result = loss(whole, batch)
      return 'loss' in result ? [result.loss, result.metrics] : [result, {}]
    }
    const differentiated = valueAndGrad(objective as never, { hasAux: true }) as unknown as (
      trained: unknown,
    ) => [[JaxArray, Flat<JaxArray>], Arrays]
    const [[value, metrics], gradients] = differentiated(tree.ref(state.parameters as never))
    const norm = globalNorm(gradients)
    const clipped = Number.isFinite(clip) ? clippedByGlobalNorm(gradients, clip).gradients : gradients
    const next = optimiser.update(clipped, state.optimiser, state.parameters, learningRate)
    return {
      parameters: next.parameters,
      optimiser: next.state,
      average:
        decay === undefined
          ? {}
          : movedAverage(state.average, tree.ref(next.parameters as never) as Arrays, decay),
      loss: value,
      norm,
      metrics,
    }
  }
}

async function resumed(
  start: State,
  checkpoint: Pick<TrainCheckpoint, 'path'> | undefined,
  seed: string | number,
): Promise<{ state: State; step: number; progress: Readonly<Record<string, string>> | undefined }> {
  if (checkpoint === undefined || !existsSync(checkpoint.path))
    return { state: start, step: 0, progress: undefined }
  const loaded = await loadCheckpoint(checkpoint.path)
  const step = Number(loaded.metadata.step)
  if (!Number.isInteger(step) || loaded.metadata.seed !== String(seed))
    throw new GuerdonError(
      'checkpoint-mismatch',
      `the checkpoint is of step ${loaded.metadata.step} and seed ${loaded.metadata.seed}, not of a training with seed ${seed}.`,
      { place: { file: checkpoint.path }, fix: 'Give another path, or remove the file to begin anew.' },
    )
  const tensors = new Map([...loaded.tensors].filter(([path]) => !path.startsWith('frozen.')))
  const progress = JSON.parse(loaded.metadata.progress ?? '{}')
  return { state: restored(start, { ...loaded, tensors }) as State, step, progress }
}

function diverged(
  { step, loss, gradientNorm }: StepReport,
  seed: string | number,
  saved: { path: string; step: number } | undefined,
): GuerdonError {
  const where =
    saved === undefined ? 'No checkpoint was saved.' : `Last good: ${saved.path}, step ${saved.step}.`
  return new GuerdonError(
    'diverged',
    `training diverged at step ${step} with seed ${seed}: loss ${loss}, gradient norm ${gradientNorm}.`,
    { fix: `${where} Lower the learning rate, or look for a division or logarithm of 0 in the loss.` },
  )
}

function numberIn({ data }: Tensor): number {
  return Number(data[0])
}
