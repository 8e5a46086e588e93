import type { Sample } from '../../../core/index.ts'
import { isObject } from '../../../core/index.ts'
import { defineBenchmark } from '../benchmark.ts'

/**
 * Solutions to questions on pictures, of which a reward picks one: share of questions whose pick is right. A reward of
 * steps becomes one of answers by `outcomeFromSteps` (`reduce: 'mean'` as published; with a mean, short answers of one
 * good step win, with a product long ones lose). `selectionAccuracy` gives random choice, majority and pass@n beside.
 *
 * Field names of the data are unverified: rows of question, answer, image and candidates ({ solution or steps, correct })
 * are read.
 */
export const vilbench = defineBenchmark({
  name: 'vilbench',
  title: 'ViLBench',
  source: 'arXiv 2503.20271',
  summary: 'Picks a right solution among several to a question on a picture.',
  kind: 'best-of',
  hub: ['hf://UCSC-VLAA/ViLBench/test'],
  read: (row) => {
    const id = row.id()
    const question = row.text('question')
    const solutions = row.list('candidates').map((candidate, index) => {
      if (!isObject(candidate)) throw row.problem(`candidates.${index}`, 'is not an object.')
      const { steps, solution, correct } = candidate
      const written = Array.isArray(steps) ? steps.map(String).join('\n') : solution
      if (typeof written !== 'string' || typeof correct !== 'boolean')
        throw row.problem(`candidates.${index}`, 'has no solution (or steps), or no correct.')
      return { written, correct, steps: Array.isArray(steps) ? steps.map(String) : undefined }
    })
    const prompt = row.prompt(question)
    const reference = typeof row.record.answer === 'string' ? row.record.answer : undefined
    const candidates = solutions.map(
      ({ written, steps }, index): Sample => ({
        id: `${id}#${index}`,
        group: id,
        prompt,
        output: written,
        ...(reference === undefined ? {} : { reference }),
        meta: steps ? { steps } : {},
      }),
    )
    const subset = typeof row.record.source === 'string' ? row.record.source : 'all'
    return [
      {
        kind: 'best-of',
        id,
        subset,
        cluster: question,
        candidates,
        correct: solutions.map(({ correct }) => correct),
      },
    ]
  },
  aggregation: { ties: 'share', top: 'pooled' },
})
