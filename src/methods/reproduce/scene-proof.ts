import { join } from 'node:path'
import { Rng } from '../../core/index.ts'
import { type LanguagePolicy, type PolicyRow, policyRow } from '../../learn/policies/language-policy.ts'
import { type SceneTask, scenePolicyTask } from '../../learn/tasks/scene-tasks.ts'
import { supervised } from '../../learn/trainers/objective.ts'
import { offlineTraining } from '../../learn/trainers/offline.ts'
import type { PolicyTask } from '../../learn/trainers/rollouts.ts'
import { ask } from '../../models/chat-model.ts'
import { manifestMetadata } from '../../nets/embedded/manifest.ts'
import { saveCheckpoint } from '../../tensor/checkpoint.ts'
import { warmupCosine } from '../../tensor/optimiser.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'
import type { Scene } from '../../worlds/scenes/scene.ts'
import { type SceneWorldOptions, sceneWorld } from '../../worlds/scenes/scene-world.ts'
import type { ExampleOutput } from './reproduction.ts'
import { heldOutName } from './text-proof.ts'
import { startingPolicy } from './text-world.ts'

// What proofs share whose policies look at scenes. They are `scenes-vlm`, tuned to a start with room.

/** A task and what is to be answered. */
export interface SceneExample extends SceneTask {
  readonly answer: string
  /** The prompt alone is read, without the picture. @default false */
  readonly unseen?: boolean
}

/** The words alone are trained, as they were when the model was made: its eyes stay. */
export const wordsOnly = /^decoder\./

export interface SceneStartOptions {
  /** @default 'scenes-vlm' */
  readonly from?: string
  /** Of the file. @default 'start' */
  readonly name?: string
  /** Must depend on its argument alone. */
  readonly example: (rng: Rng) => SceneExample
  readonly steps: number
  /** Examples of a step. @default 32 */
  readonly batch?: number
  /** Highest learning rate. @default 1e-3 */
  readonly peak?: number
  readonly seed: string | number
}

/** Trains a model that sees on examples and writes it to the folder, under its name; the path is what arms start from. */
export async function tunedSceneStart(
  folder: string,
  {
    from = 'scenes-vlm',
    name = 'start',
    example,
    steps,
    batch = 32,
    peak = 1e-3,
    ...rest
  }: SceneStartOptions,
): Promise<string> {
  const policy = await startingPolicy(from)
  const rng = new Rng(`scene-start/${rest.seed}`)
  const rows = await exampleRows(
    policy,
    Array.from({ length: steps * batch }, (_, index) => example(rng.fork(index))),
  )
  const { parameters } = await offlineTraining<PolicyRow>({
    ...rest,
    policy,
    trainable: wordsOnly,
    objective: supervised(policy),
    items: (step) => rows.slice(step * batch, (step + 1) * batch),
    batch,
    iterations: steps,
    learningRate: warmupCosine({ peak, warmup: Math.min(20, steps / 4), total: steps }),
  })
  const path = join(folder, `${name}.safetensors`)
  await saveCheckpoint(path, parameters, {
    precision: 'float32',
    metadata: manifestMetadata(policy.model.manifest),
  })
  return path
}

/** Examples as `supervised` reads them. */
export function exampleRows(
  policy: LanguagePolicy,
  examples: readonly SceneExample[],
): Promise<readonly PolicyRow[]> {
  return Promise.all(
    examples.map((example) =>
      policyRow(
        policy,
        example.unseen ? ask(example.prompt) : scenePolicyTask('', example).conversation,
        example.answer,
      ),
    ),
  )
}

/**
 * Rows of each iteration of an offline training: pass after pass over all of them, each in an order of its own. As many
 * are read as the other arms sample, however few rows there are.
 */
export function passesOver<Row>(
  rows: readonly Row[],
  perIteration: number,
  seed: string,
): (iteration: number) => readonly Row[] {
  const pass = (index: number) => new Rng(`${seed}/pass ${index}`).shuffled(rows)
  return (iteration) => {
    const first = iteration * perIteration
    const passes = Array.from(
      { length: Math.floor((first + perIteration - 1) / rows.length) - Math.floor(first / rows.length) + 1 },
      (_, index) => pass(Math.floor(first / rows.length) + index),
    )
    return passes.flat().slice(first % rows.length, (first % rows.length) + perIteration)
  }
}

/**
 * Held-out scenes: the same for every seed of the verdict, others for trials. `test` shows the types of the training,
 * `composition` at least one pair of colour and shape that no training scene showed.
 */
export function heldOutScenes(
  name: string,
  seed: number,
  count: number,
  options: Omit<SceneWorldOptions, 'seed'> & { readonly split: 'test' | 'composition' },
): readonly Scene[] {
  return sceneWorld({ ...options, seed: heldOutName(name, seed) }).scenes(count)
}

/** New tasks in each iteration of a training, about scenes of the split `train`. */
export function newSceneTasks(
  seed: string,
  count: number,
  taskOf: (scene: Scene, rng: Rng, iteration: number) => SceneTask,
  options: Omit<SceneWorldOptions, 'seed' | 'split'> = {},
): (iteration: number, rng: Rng) => readonly PolicyTask[] {
  const world = sceneWorld({ ...options, seed })
  return (iteration, rng) =>
    world
      .scenes(count, iteration * count)
      .map((scene, index) =>
        scenePolicyTask(`${iteration}-${index}`, taskOf(scene, rng.fork(index), iteration)),
      )
}

export interface AnsweredScene {
  readonly task: SceneTask
  readonly text: string
  /** Its tokens, and the log-probability of each [nats]. */
  readonly tokens: readonly number[]
  readonly logp: readonly number[]
}

/** Answers to tasks; as the arms write them, at temperature 1. */
export async function answersToScenes(
  policy: LanguagePolicy,
  parameters: Tree<Tensor>,
  tasks: readonly SceneTask[],
  { maxTokens, temperature = 1, seed = 0 }: { maxTokens: number; temperature?: number; seed?: number },
): Promise<readonly AnsweredScene[]> {
  const prompts = await Promise.all(
    tasks.map((task) => policy.promptOf(scenePolicyTask('', task).conversation)),
  )
  const written = await policy.sample(parameters, prompts, { maxTokens, temperature, seed })
  return written.map(({ tokens, logp }, index) => ({
    task: tasks[index]!,
    text: policy.decode(tokens),
    tokens,
    logp,
  }))
}

/** An answer as an output to look at; what the picture shows stands beside it. */
export function sceneExampleOf({ task, text }: AnsweredScene, note: string): ExampleOutput {
  const shown = task.scene.objects.map(
    ({ size, colour, shape, box }) => `${size} ${colour} ${shape} [${box}]`,
  )
  return { prompt: `${task.prompt} (${shown.join(', ')})`, output: text, note }
}
