import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { GuerdonError, Rng } from '../../core/index.ts'
import { type Manifest, manifestMetadata } from '../../nets/embedded/manifest.ts'
import { weightsPath } from '../../nets/embedded/weights-path.ts'
import { loadCheckpoint, restored, saveCheckpoint } from '../../tensor/checkpoint.ts'
import { type StepReport, train } from '../../tensor/train.ts'
import { mapLeaves, type Tensor, type Tree } from '../../tensor/tree.ts'
import { type Recipe, scheduleOf, stepsOf } from './recipe.ts'

export interface PretrainOptions {
  /** @default '0' */
  readonly seed?: string
  /** @default the recipe's */
  readonly steps?: number
  /** Where weights and the state of training go. */
  readonly directory: string
  /** Goes on from the state of an interrupted training; otherwise training begins anew. @default false */
  readonly resume?: boolean
  /** Steps between two saves of the state. @default 200 */
  readonly every?: number
  /** @default 2 */
  readonly threads?: number
  readonly onStep?: (report: StepReport) => void
  readonly signal?: AbortSignal
}

export interface Pretrained {
  /** The file of the weights. */
  readonly path: string
  readonly manifest: Manifest
  /** Time in training, interruptions left out [s]. */
  readonly seconds: number
  /** Of the last step; undefined when nothing was left to do. */
  readonly loss: number | undefined
}

/**
 * Trains an embedded model and writes its weights as float16 (`NAME.safetensors`) beside the state of training
 * (`NAME.training.safetensors`, full precision). The same seed and steps give the same weights, however often it was
 * interrupted.
 *
 * Throws a `GuerdonError`: `nothing-to-resume`; `checkpoint-mismatch` when the state belongs to another seed or number
 * of steps; those of `train`.
 */
export async function pretrain(recipe: Recipe, options: PretrainOptions): Promise<Pretrained> {
  const { seed = '0', steps = stepsOf(recipe), directory, resume = false, every = 200, threads = 2 } = options
  const path = join(directory, `${recipe.name}.safetensors`)
  const state = join(directory, `${recipe.name}.training.safetensors`)
  let before = 0
  if (resume) before = await secondsOf(state, steps)
  else await rm(state, { force: true })

  const started = performance.now()
  const seconds = () => before + (performance.now() - started) / 1000
  const rng = new Rng(`${recipe.name}/${seed}`)
  const parameters = await startOf(recipe, rng, directory)
  const { rate, stage } = scheduleOf(recipe, steps)
  const batch = recipe.batches(seed)
  const trained = await train({
    loss: recipe.loss as never,
    parameters,
    batches: (step, random) => batch(random, stage(step)),
    steps,
    schedule: rate,
    seed,
    threads,
    ...(recipe.optimiser === undefined ? {} : { optimiser: recipe.optimiser }),
    ...(recipe.average === undefined ? {} : { average: recipe.average }),
    checkpoint: {
      path: state,
      every,
      // read at every save
      metadata: {
        total: String(steps),
        get seconds() {
          return seconds().toFixed(1)
        },
      },
    },
    ...(options.onStep === undefined ? {} : { onStep: options.onStep }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  })
  const usual = steps === stepsOf(recipe) ? '' : ` --steps ${steps}`
  const manifest: Manifest = {
    name: recipe.name,
    ...recipe.model,
    training: { seed, steps, command: `guerdon pretrain ${recipe.name} --seed ${seed}${usual}` },
  }
  const last = trained.averaged ?? trained.parameters
  await saveCheckpoint(path, recipe.kept?.(last) ?? last, {
    precision: 'float16',
    metadata: manifestMetadata(manifest),
  })
  return {
    path,
    manifest,
    seconds: trained.last === undefined ? before : seconds(),
    loss: trained.last?.loss,
  }
}

async function secondsOf(state: string, steps: number): Promise<number> {
  if (!existsSync(state))
    throw new GuerdonError('nothing-to-resume', 'there is no interrupted training to go on with.', {
      place: { file: state },
      fix: 'Leave --resume out to begin anew.',
    })
  const { metadata } = await loadCheckpoint(state)
  if (metadata.total !== String(steps))
    throw new GuerdonError(
      'checkpoint-mismatch',
      `the interrupted training is of ${metadata.total} steps, not of ${steps}.`,
      { place: { file: state }, fix: `Give --steps ${metadata.total}, or leave --resume out.` },
    )
  return Number(metadata.seconds)
}

/**
 * First parameters: random, or (in part) those of the model that the recipe starts from, which is looked for beside
 * the new one and then among those of the package.
 */
async function startOf({ initial, from }: Recipe, rng: Rng, directory: string): Promise<Tree<Tensor>> {
  const random = initial(rng.fork('initial'))
  if (from === undefined) return random
  const own = join(directory, `${from.model}.safetensors`)
  const checkpoint = await loadCheckpoint(existsSync(own) ? own : weightsPath(from.model))
  if (from.parts === undefined) return restored(random, checkpoint)
  const parts = Object.entries(from.parts)
  return mapLeaves(random, (leaf, path) => {
    const part = parts.find(([below]) => path.startsWith(`${below}.`))
    if (part === undefined) return leaf
    const source = part[1] + path.slice(part[0].length)
    const found = checkpoint.tensors.get(source)
    if (String(found?.shape) !== String(leaf.shape))
      throw new GuerdonError(
        'checkpoint-mismatch',
        `${path} [${leaf.shape}] is to start from ${source} of ${from.model}, which is ${found === undefined ? 'not there' : `[${found.shape}]`}.`,
      )
    return found!
  })
}
