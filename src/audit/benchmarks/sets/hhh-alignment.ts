import { defineBenchmark } from '../benchmark.ts'
import { pairItem } from '../items.ts'

export const hhhAlignment = defineBenchmark({
  name: 'hhh-alignment',
  title: 'HHH alignment',
  source: 'BIG-bench hhh_alignment (arXiv 2112.00861)',
  summary: 'Prefers the helpful, honest and harmless answer.',
  kind: 'preference',
  chance: 0.5,
  folder: 'hhh-alignment',
  files: { items: ['pairs.jsonl'] },
  how: 'The pairs are in the repository prometheus-eval/prometheus-eval (eval/benchmark/data/hhh_alignment_eval.json), as rows of source, prompt, chosen, rejected.',
  read: (row) => [
    pairItem({
      id: row.has('row') ? String(row.record.row) : row.id(),
      subset: row.text('source'),
      prompt: row.text('prompt'),
      a: row.text('chosen'),
      b: row.text('rejected'),
      label: 1,
    }),
  ],
  aggregation: { top: 'macro' },
})
