import { GuerdonError } from '../../core/index.ts'
import { ask } from '../../models/chat-model.ts'
import { succeeded } from '../../models/outcome.ts'
import type { EmbeddedModel } from '../../nets/embedded/load-embedded.ts'
import { meanInterval, wilsonInterval } from '../../stats/index.ts'
import { judgeTask, type TaskKind, type TextTask, taskAt, taskPrompt } from '../../worlds/text/task.ts'
import { textVocabulary } from '../../worlds/text/vocabulary.ts'
import type { EvaluationOptions, Metric } from './recipe.ts'

type Range = Pick<Metric, 'least' | 'most'>

interface Judged {
  readonly kind: TaskKind
  readonly isWellFormed: boolean
  readonly parts: Readonly<Record<string, number>>
  readonly total: number
}

/**
 * Answers to held-out tasks, judged by the oracle of the text world: greedy, and (well-formedness and arithmetic)
 * sampled at temperature 1.
 */
export async function evaluateTextModel(
  model: EmbeddedModel,
  { seed, samples, signal }: EvaluationOptions,
  wanted: { readonly wellFormed?: Range; readonly arithmetic?: Range } = {},
): Promise<Metric[]> {
  if (model.kind !== 'language') throw new GuerdonError('bad-option', 'this is measured on language models.')
  const kinds = ['instruction', 'arithmetic', 'tools'] as const
  const tasks = kinds.flatMap((kind) =>
    Array.from({ length: samples }, (_, index) =>
      taskAt(`evaluation/${seed}/${kind}`, index, { kinds: { [kind]: 1 }, split: 'test' }),
    ),
  )
  const judged = async (temperature: number) => {
    const replies = succeeded(
      await model.chat(
        tasks.map((task) => ask(textVocabulary.join(taskPrompt(task)))),
        { temperature, seed, ...(signal === undefined ? {} : { signal }) },
      ),
    )
    return replies.map(({ text, finish }, index) => judge(tasks[index]!, text, finish === 'stop'))
  }
  const greedy = await judged(0)
  const sampled = await judged(1)
  const of = (all: readonly Judged[], kind: TaskKind) => all.filter((item) => item.kind === kind)
  const share = (items: readonly Judged[], isRight: (item: Judged) => boolean) =>
    wilsonInterval(items.filter(isRight).length, items.length)
  const isCorrect = ({ parts }: Judged) => parts.correctness === 1
  const form =
    'nothing but an answer in the grammar of its task, ended by the model (instructions, arithmetic, tool calls alike)'
  return [
    {
      name: 'well-formed answers',
      interval: share(greedy, (item) => item.isWellFormed),
      note: `greedy; ${form}`,
      ...wanted.wellFormed,
    },
    {
      name: 'arithmetic accuracy',
      interval: share(of(greedy, 'arithmetic'), isCorrect),
      note: 'greedy; the final number, one to three operations up to 99',
      ...wanted.arithmetic,
    },
    {
      name: 'instructions, mean quality',
      interval: meanInterval(of(greedy, 'instruction').map(({ total }) => total)),
      note: "greedy; the oracle's total in [0, 1]",
    },
    {
      name: 'instructions without fault',
      interval: share(of(greedy, 'instruction'), ({ total }) => total > 0.9999),
      note: 'greedy',
    },
    {
      name: 'tool calls exactly right',
      interval: share(of(greedy, 'tools'), ({ parts }) => parts.exact === 1),
      note: 'greedy; one to three calls',
    },
    {
      name: 'well-formed answers, sampled',
      interval: share(sampled, (item) => item.isWellFormed),
      note: 'temperature 1',
    },
    {
      name: 'arithmetic accuracy, sampled',
      interval: share(of(sampled, 'arithmetic'), isCorrect),
      note: 'temperature 1',
    },
  ]
}

function judge(task: TextTask, text: string, isEnded: boolean): Judged {
  const { parts, total } = judgeTask(task, textVocabulary.split(text))
  const form = task.task === 'instruction' ? parts.fluency : parts.format
  return { kind: task.task, parts, total, isWellFormed: isEnded && form === 1 }
}
