import { isObject, type Json } from '../../core/index.ts'
import { numberFrom } from '../row.ts'
import { type Convention, hasAll } from './convention.ts'
import { referenceNames, referenceOf } from './single.ts'

const completionsColumns = new Set(['id', 'prompt', 'completions', 'image', 'images', ...referenceNames])

/** Several completions of one prompt, for best-of-n and group rewards. */
export const promptCompletions: Convention = {
  name: 'completions',
  title: 'a prompt with several completions',
  columns: `prompt, completions (list); optional id, ${referenceNames.join(' or ')}, image or images`,
  unpaired: 'its completions are not rated',
  matches: (record) => hasAll(record, 'prompt', 'completions'),
  read: (row) => ({
    id: row.id(),
    prompt: row.prompt(row.turns('prompt')),
    candidates: row
      .list('completions')
      .map((item, index) => ({ output: row.turns(`completions.${index}`, item) })),
    reference: referenceOf(row.record),
    meta: row.rest(completionsColumns),
    several: true,
  }),
}

const stepColumns = new Set(['id', 'prompt', 'completions', 'labels'])

/**
 * TRL's stepwise supervision: one output, its steps joined by line breaks. The steps stand in `meta.steps`, whether
 * each is right is the reference.
 */
export const stepwise: Convention = {
  name: 'trl-stepwise',
  aliases: ['stepwise'],
  title: 'labelled steps (TRL stepwise supervision)',
  columns: 'prompt, completions (list of text), labels (list of the same length)',
  unpaired: 'labels stand for steps',
  matches: (record) => hasAll(record, 'prompt', 'completions', 'labels'),
  read: (row) => {
    const steps = row.texts('completions')
    const labels = row.list('labels')
    if (labels.length !== steps.length)
      throw row.problem('labels', `has ${labels.length} labels for ${steps.length} steps.`)
    return {
      id: row.id(),
      prompt: row.turns('prompt'),
      candidates: [{ output: steps.join('\n') }],
      reference: labels as Json,
      meta: { steps, ...row.rest(stepColumns) },
    }
  },
}

const prm800kColumns = new Set(['id', 'question', 'label'])

/**
 * PRM800K as OpenAI ships it: the trace that was followed (at each step the chosen completion, the human's own, or
 * the one that ended it) with its ratings -1, 0, 1 or null as the reference.
 */
export const prm800k: Convention = {
  name: 'prm800k',
  title: 'rated steps (PRM800K)',
  columns: 'question.problem, label.steps',
  unpaired: 'ratings stand for steps',
  matches: ({ question, label }) =>
    isObject(question) &&
    typeof question.problem === 'string' &&
    isObject(label) &&
    Array.isArray(label.steps),
  read: (row) => {
    const question = row.record.question as Record<string, unknown>
    const { steps: rawSteps, ...label } = row.record.label as { steps: unknown[] } & Record<string, unknown>
    const steps: string[] = []
    const ratings: (number | null)[] = []
    for (const [index, step] of rawSteps.entries()) {
      if (!isObject(step)) throw row.problem(`label.steps.${index}`, 'is not an object.')
      const completions = Array.isArray(step.completions) ? step.completions : []
      const taken =
        typeof step.chosen_completion === 'number'
          ? completions[step.chosen_completion]
          : (step.human_completion ?? completions[0])
      if (taken === null || taken === undefined) continue
      const text = isObject(taken) ? taken.text : taken
      if (typeof text !== 'string') throw row.problem(`label.steps.${index}`, 'has no text.')
      steps.push(text)
      ratings.push(isObject(taken) ? numberFrom(taken.rating) : null)
    }
    return {
      id: row.id(),
      prompt: question.problem as string,
      candidates: [{ output: steps.join('\n') }],
      reference: ratings,
      meta: { steps, question: question as Json, label: label as Json, ...row.rest(prm800kColumns) },
    }
  },
}
