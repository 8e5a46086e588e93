import { defineBenchmark } from '../benchmark.ts'
import { pairItem } from '../items.ts'

const predictions = [1, 2, 3, 4] as const

/** Long answers to questions over passages, four a question, every two compared by people. */
export const finegrainedQa = defineBenchmark({
  name: 'finegrained-qa',
  title: 'Fine-grained RLHF, question answering',
  source: 'arXiv 2306.01693',
  summary: 'Prefers the long answer that people preferred.',
  kind: 'preference',
  chance: 0.5,
  folder: 'finegrained-rlhf-qa',
  files: { items: ['feedback.jsonl'] },
  how: 'The feedback is in the repository allenai/FineGrainedRLHF (tasks/qa_feedback/data/dev_feedback.json).',
  read: (row) => {
    const order = row.list('preference').map(Number)
    const question = row.text('question')
    const passages = row
      .list('passages')
      .map((passage) => (Array.isArray(passage) ? passage.flat().join(' ') : String(passage)))
    const id = row.has('row') ? String(row.record.row) : row.id()
    let pair = 0
    return predictions.flatMap((first) =>
      predictions.slice(first).flatMap((second) => {
        const label = order[pair++]!
        if (label === 0 || !Number.isFinite(label)) return []
        return [
          pairItem({
            id: `${id}/${first}-${second}`,
            subset: 'qa',
            cluster: question,
            prompt: `${passages.join('\n\n')}\n\n${question}`,
            a: row.text(`prediction ${first}`),
            b: row.text(`prediction ${second}`),
            label: label === 1 ? 1 : -1,
            reference: row.text('gold'),
          }),
        ]
      }),
    )
  },
  aggregation: { top: 'pooled' },
})
