import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { textOf } from '../../core/index.ts'
import type { IterationRecord, LoopRecord } from '../../learn/trainers/monitors.ts'
import type { Rollout } from '../../learn/trainers/rollouts.ts'
import { progressText } from '../../learn/trainers/training-progress.ts'
import { figure } from '../../stats/figure.ts'
import type { ArmOptions, ArmResult, ExampleOutput, RunContext } from './reproduction.ts'

export interface TrackedOptions {
  /** Of the training. */
  readonly iterations: number
  /** Tells the trainings of one run apart. @default 'training' */
  readonly part?: string
  /** Iterations between two checkpoints. @default 20 */
  readonly every?: number
}

/**
 * What ties a training to its run, to be spread into the trainer's options: seed, checkpoint, log, live progress, and a
 * few outputs kept along the way.
 *
 * @example
 * await policyGradient({ policy, reward, tasks, ...tracked(run, context, { iterations: 80 }) })
 */
export function tracked(
  run: ArmOptions,
  context: RunContext,
  { iterations, part = 'training', every = 20 }: TrackedOptions,
) {
  const shown = new Set([0, 0.25, 0.5, 0.75, 1].map((share) => Math.round(share * (iterations - 1))))
  return {
    iterations,
    seed: run.seed,
    checkpoint: { path: join(run.folder, 'checkpoint', `${part}.safetensors`), every },
    log: join(run.folder, `${part}.jsonl`),
    signal: context.signal,
    async onIteration(record: LoopRecord<object>, written: readonly unknown[]): Promise<void> {
      context.progress({ done: record.iteration + 1, all: iterations, note: progressText(record) })
      const [first] = written as readonly Partial<Rollout>[]
      if (shown.has(record.iteration) && first?.sample !== undefined && first.score !== undefined)
        await keepExample(run.folder, {
          prompt: textOf(first.sample.prompt),
          output: first.text!,
          note: first.score.value === null ? first.score.reason : `reward ${figure(first.score.value)}`,
          iteration: record.iteration,
        })
    },
  }
}

/** What an arm's training measured along the way: the reward and the monitors, and `evaluate` by its own names. */
export function curvesOf(records: readonly IterationRecord[]): NonNullable<ArmResult['curves']> {
  const curves: Record<string, readonly (number | null)[]> = {}
  const add = (name: string, read: (record: IterationRecord) => number | null | undefined) => {
    const values = records.map((record) => read(record) ?? null)
    if (values.some((value) => value !== null)) curves[name] = values
  }
  add('reward', ({ reward }) => reward)
  add('oracle', ({ oracle }) => oracle)
  add('KL to the start', ({ kl }) => kl)
  add('length', ({ length }) => length)
  add('distinct-2', ({ distinct2 }) => distinct2)
  add('groups of equal rewards', ({ uniformGroups }) => uniformGroups)
  add('gradient norm', ({ updates }) => updates.gradientNorm)
  const measured = new Set(records.flatMap(({ evaluation = {} }) => Object.keys(evaluation)))
  for (const name of measured) add(`held-out ${name}`, ({ evaluation }) => evaluation?.[name])
  return curves
}

/** What trainings spent: each response was written once and judged once; of offline ones, examples read. */
export function spentBy(
  records: readonly { readonly samples: number; readonly reward?: number | null }[],
): Pick<ArmResult, 'samples' | 'rewardCalls'> {
  const samples = (own: typeof records) => own.reduce((total, record) => total + record.samples, 0)
  return {
    samples: samples(records),
    rewardCalls: samples(records.filter(({ reward }) => reward !== undefined)),
  }
}

const examplesFile = 'examples.jsonl'

async function keepExample(folder: string, example: ExampleOutput): Promise<void> {
  await mkdir(folder, { recursive: true })
  await appendFile(join(folder, examplesFile), `${JSON.stringify(example)}\n`)
}

/** Outputs that a run kept along the way, each iteration's once. */
export async function keptExamples(folder: string): Promise<readonly ExampleOutput[]> {
  const text = await readFile(join(folder, examplesFile), 'utf8').catch(() => '')
  const examples = text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as ExampleOutput)
  return [...new Map(examples.map((example) => [example.iteration, example])).values()]
}
