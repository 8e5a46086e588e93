import { type Preference, Rng } from '../../core/index.ts'
import { type LanguagePolicy, type PolicyRow, policyRow } from '../../learn/policies/language-policy.ts'
import { textPolicyTask } from '../../learn/tasks/text-tasks.ts'
import type { PolicyPair } from '../../learn/trainers/objective.ts'
import {
  drawCandidate,
  drawTask,
  judgeTask,
  type Split,
  type TextTask,
  taskPrompt,
} from '../../worlds/text/task.ts'
import { textVocabulary } from '../../worlds/text/vocabulary.ts'

/** What is preferred. */
export type Wish = 'quality' | 'brevity'

/** Two answers to a task, one preferred. */
export interface AnswerPair {
  readonly task: TextTask
  readonly better: readonly string[]
  readonly worse: readonly string[]
}

/** Pairs of answers of mixed quality that differ in what is wished for. */
export function answerPairs(seed: string, count: number, wish: Wish, split: Split): AnswerPair[] {
  const worth = (task: TextTask, tokens: readonly string[]) =>
    wish === 'quality' ? judgeTask(task, tokens).total : -tokens.length
  const pairs: AnswerPair[] = []
  for (let attempt = 0; pairs.length < count; attempt++) {
    const rng = new Rng(`${seed}/${wish}/${attempt}`)
    const task = drawTask(rng, { kinds: { instruction: 1 }, split })
    const [first, second] = [drawCandidate(task, rng).tokens, drawCandidate(task, rng).tokens]
    const apart = worth(task, first) - worth(task, second)
    if (
      apart === 0 ||
      first.length === 0 ||
      second.length === 0 ||
      Math.max(first.length, second.length) > 40
    )
      continue
    const [better, worse] = apart > 0 ? [first, second] : [second, first]
    pairs.push({ task, better, worse })
  }
  return pairs
}

export async function policyPairs(
  policy: LanguagePolicy,
  pairs: readonly AnswerPair[],
): Promise<PolicyPair[]> {
  const row = (task: TextTask, tokens: readonly string[]) =>
    policyRow(policy, textPolicyTask('', task).conversation, textVocabulary.join(tokens))
  return Promise.all(
    pairs.map(async ({ task, better, worse }) => ({
      chosen: await row(task, better),
      rejected: await row(task, worse),
    })),
  )
}

export function preferencesOf(pairs: readonly AnswerPair[]): Preference[] {
  return pairs.map(({ task, better, worse }, index) => ({
    id: String(index),
    prompt: textVocabulary.join(taskPrompt(task)),
    chosen: textVocabulary.join(better),
    rejected: textVocabulary.join(worse),
    meta: {},
  }))
}

/** The first half of each answer, which has no end. */
export function halves({ task, better, worse }: AnswerPair): AnswerPair {
  const half = (tokens: readonly string[]) => tokens.slice(0, Math.max(1, Math.ceil(tokens.length / 2)))
  return { task, better: half(better), worse: half(worse) }
}

/** Rows without an end token: of texts that go on. */
export function unended(rows: readonly PolicyRow[]): PolicyRow[] {
  return rows.map((row) => ({ ...row, response: row.response.slice(0, -1) }))
}

/** Share of the pairs whose better answer has the higher number; `better` and `worse` in their order. */
export function pairAccuracy(better: readonly number[], worse: readonly number[]): number {
  const right = better.map((value, index) => (value === worse[index] ? 0.5 : Number(value > worse[index]!)))
  return right.reduce((a, b) => a + b, 0) / right.length
}
