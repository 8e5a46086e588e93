import { argMaxMin } from '../../apply/pairs.ts'
import type { Rng } from '../../core/index.ts'
import { textPolicyTask } from '../../learn/tasks/text-tasks.ts'
import type { PolicyTask, Rollout } from '../../learn/trainers/rollouts.ts'
import { type CorpusOptions, corpusItem } from '../../worlds/text/dialogue.ts'
import { drawTask, type TextTask, textTasks } from '../../worlds/text/task.ts'
import { type ExampleOutput, firstTuningSeed } from './reproduction.ts'
import { type AnsweredTask, exampleOf, meanPart, type TextExample, tokensOf } from './text-world.ts'

// What proofs share whose policies answer instructions of the text world.

const instructions = { kinds: { instruction: 1 } } as const

/** Instructions and answers of the corpus, of mixed quality unless told otherwise; depends on its argument alone. */
export function corpusExample(
  name: string,
  rng: Rng,
  options: Pick<CorpusOptions, 'answers'> = {},
): Pick<TextExample, 'task'> & { readonly answer: readonly string[] } {
  const { task, answer } = corpusItem(name, rng.int(0, 2 ** 31), { ...instructions, ...options })
  return { task, answer: answer.tokens }
}

/** New instructions in each iteration of a training. */
export function newInstructions(count: number): (iteration: number, rng: Rng) => readonly PolicyTask[] {
  return (iteration, rng) =>
    Array.from({ length: count }, (_, index) =>
      textPolicyTask(`${iteration}-${index}`, drawTask(rng.fork(index), { ...instructions, split: 'train' })),
    )
}

/** The name of a set of held-out tasks: trials are chosen on tasks of their own. */
export function heldOutName(name: string, seed: number): string {
  return seed < firstTuningSeed ? name : `${name}/tuning`
}

/** Held-out instructions: the same for every seed of the verdict, others for trials. */
export function heldOutInstructions(name: string, seed: number, count: number): readonly TextTask[] {
  return textTasks(heldOutName(name, seed), count, { ...instructions, split: 'test' })
}

/** The oracle's mean quality and the mean length [tokens]. */
export function qualityOf(answers: readonly AnsweredTask[]): {
  readonly quality: number
  readonly tokens: number
} {
  return { quality: meanPart(answers), tokens: tokensOf(answers) }
}

/** The first three answers with their quality. */
export function qualityExamples(answers: readonly AnsweredTask[]): ExampleOutput[] {
  return answers.slice(0, 3).map((answer) => exampleOf(answer, `quality ${answer.verdict.total.toFixed(2)}`))
}

/** The first of those that tie; undefined where all are worth the same, or best and worst are the same answer. */
export function bestAndWorst(
  group: readonly Rollout[],
): { readonly chosen: Rollout; readonly rejected: Rollout } | undefined {
  const judged = group.filter(({ score }) => score.value !== null)
  const places = argMaxMin(judged.map(({ score }) => score.value!))
  if (places === null) return undefined
  const [chosen, rejected] = [judged[places.max]!, judged[places.min]!]
  return chosen.text === rejected.text ? undefined : { chosen, rejected }
}
