import { join } from 'node:path'
import { GuerdonError, type Json, Rng } from '../../core/index.ts'
import type { GuidanceOptions, LanguagePolicy } from '../../learn/policies/language-policy.ts'
import { languagePolicy } from '../../learn/policies/language-policy.ts'
import { dialogueBatch, textModel } from '../../learn/pretrain/text-model.ts'
import { textPolicyTask } from '../../learn/tasks/text-tasks.ts'
import { type DecoderConfig, decoderLoss, initialDecoder } from '../../nets/decoder.ts'
import { type EmbeddedLanguageModel, loadEmbedded } from '../../nets/embedded/index.ts'
import { manifestMetadata } from '../../nets/embedded/manifest.ts'
import { saveCheckpoint } from '../../tensor/checkpoint.ts'
import { warmupCosine } from '../../tensor/optimiser.ts'
import { train } from '../../tensor/train.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'
import { type Dialogue, dialogueOf } from '../../worlds/text/dialogue.ts'
import { judgeTask, type TaskVerdict, type TextTask, taskPrompt } from '../../worlds/text/task.ts'
import { textVocabulary } from '../../worlds/text/vocabulary.ts'
import type { ExampleOutput } from './reproduction.ts'

/** One exchange to learn from. */
export interface TextExample {
  readonly task: TextTask
  readonly answer: readonly string[]
  /** What is asked. @default the task's prompt */
  readonly prompt?: readonly string[]
}

export interface TextTrainingOptions {
  /** Must depend on its argument alone. */
  readonly example: (rng: Rng) => TextExample
  readonly steps: number
  /** @default 32 */
  readonly batch?: number
  /** Highest learning rate. @default 3e-3 */
  readonly peak?: number
  readonly seed: string | number
}

/** Tokens that a dialogue of a proof has at most; longer ones are drawn again. */
const length = 80

async function likelihoodTrained(
  config: DecoderConfig,
  parameters: Tree<Tensor>,
  { example, steps, batch = 32, peak = 3e-3, seed }: TextTrainingOptions,
): Promise<Tree<Tensor>> {
  const trained = await train({
    parameters,
    loss: (current, given) => decoderLoss(current, config, given),
    batches: (_, rng) => dialogueBatch(dialogues(rng, example, batch), length),
    steps,
    seed,
    schedule: warmupCosine({ peak, warmup: Math.min(50, steps / 4), total: steps }),
  })
  return trained.parameters
}

function dialogues(rng: Rng, example: TextTrainingOptions['example'], count: number): Dialogue[] {
  const drawn: Dialogue[] = []
  for (let attempt = 0; drawn.length < count; attempt++) {
    const { task, answer, prompt = taskPrompt(task) } = example(rng.fork(attempt))
    const dialogue = dialogueOf(prompt, answer)
    if (dialogue.ids.length <= length) drawn.push(dialogue)
  }
  return drawn
}

/** Trains a small model from nothing and writes it to the folder, under its name; gives the path. */
export async function textStart(
  folder: string,
  options: TextTrainingOptions & { readonly name: string; readonly width: number; readonly depth: number },
): Promise<string> {
  const { name, width, depth, steps, seed } = options
  const model = textModel({ width, depth, heads: 4, context: 112 })
  const initial = initialDecoder(new Rng(`${name}/${seed}`), model.network.config)
  const parameters = await likelihoodTrained(model.network.config, initial, options)
  const path = join(folder, `${name}.safetensors`)
  const training = { seed: String(seed), steps, command: 'guerdon reproduce' }
  await saveCheckpoint(path, parameters, {
    precision: 'float32',
    metadata: manifestMetadata({ ...model, name, training }),
  })
  return path
}

/** Trains an embedded model of the text world further and writes it to the folder, under its name; the path is what arms start from. */
export async function tunedStart(
  folder: string,
  {
    from,
    name = 'start',
    ...options
  }: TextTrainingOptions & { readonly from: string; readonly name?: string },
): Promise<string> {
  const policy = await startingPolicy(from)
  const { manifest } = policy.model
  if (manifest.network.kind !== 'decoder') throw new TypeError('a policy of the text world is a decoder')
  const parameters = await likelihoodTrained(manifest.network.config, policy.initial, options)
  const path = join(folder, `${name}.safetensors`)
  await saveCheckpoint(path, parameters, { precision: 'float32', metadata: manifestMetadata(manifest) })
  return path
}

/** The model and the policy at a path that `tunedStart` or `textStart` gave, or of an embedded model's name. */
export async function startingPolicy(
  start: Json | undefined,
): Promise<LanguagePolicy & { readonly model: EmbeddedLanguageModel }> {
  const model = (await loadEmbedded(String(start))) as EmbeddedLanguageModel
  return Object.assign(languagePolicy(model), { model })
}

export interface AnsweredTask {
  readonly task: TextTask
  readonly text: string
  readonly tokens: number
  readonly verdict: TaskVerdict
}

/** Answers to tasks, judged by the oracle; greedy by default. */
export async function answersTo(
  policy: LanguagePolicy,
  parameters: Tree<Tensor>,
  tasks: readonly TextTask[],
  {
    maxTokens = 64,
    temperature = 0,
    seed = 0,
    ...guidance
  }: GuidanceOptions & {
    readonly maxTokens?: number
    readonly temperature?: number
    readonly seed?: number
  } = {},
): Promise<AnsweredTask[]> {
  const prompts = await Promise.all(
    tasks.map((task, index) => policy.promptOf(textPolicyTask(String(index), task).conversation)),
  )
  const written = await policy.sample(parameters, prompts, { maxTokens, temperature, seed, ...guidance })
  return written.map(({ tokens }, index) => {
    const text = policy.decode(tokens)
    return {
      task: tasks[index]!,
      text,
      tokens: tokens.length,
      verdict: judgeTask(tasks[index]!, textVocabulary.split(text)),
    }
  })
}

/** The mean of a part of the oracle's verdicts, or of their totals. */
export function meanPart(answers: readonly AnsweredTask[], part?: string): number {
  const values = answers.map(({ verdict }) => {
    const value = part === undefined ? verdict.total : verdict.parts[part]
    if (value === undefined) throw new GuerdonError('unknown-part', `verdicts have no part "${part}".`)
    return value
  })
  return values.reduce((a, b) => a + b, 0) / values.length
}

/** Mean length [tokens]. */
export function tokensOf(answers: readonly AnsweredTask[]): number {
  return answers.reduce((sum, { tokens }) => sum + tokens, 0) / answers.length
}

/** An answer as an output to look at. */
export function exampleOf({ task, text }: AnsweredTask, note: string): ExampleOutput {
  return { prompt: textVocabulary.join(taskPrompt(task)), output: text, note }
}
