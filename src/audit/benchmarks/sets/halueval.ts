import type { Sample } from '../../../core/index.ts'
import { defineBenchmark } from '../benchmark.ts'

/** Answers of ChatGPT that people marked as hallucinated or not: one output at a time. */
export const halueval = defineBenchmark({
  name: 'halueval',
  title: 'HaluEval, general user queries',
  source: 'arXiv 2305.11747',
  summary: 'Tells an answer with hallucinations from one without.',
  kind: 'binary',
  chance: 0.5,
  folder: 'halueval-general',
  files: { items: ['responses.jsonl'] },
  how: 'The responses are in the repository RUCAIBox/HaluEval (data/general_data.json).',
  read: (row) => {
    const id = row.id('ID')
    const sample: Sample = {
      id,
      prompt: row.text('user_query'),
      output: row.text('chatgpt_response'),
      meta: {},
    }
    const good = row.text('hallucination') === 'no'
    return [{ kind: 'binary', id, subset: good ? 'sound' : 'hallucinated', sample, good }]
  },
  // Balanced accuracy: four of five answers are sound, so that saying so of all would be right on most.
  aggregation: { top: 'macro' },
})
