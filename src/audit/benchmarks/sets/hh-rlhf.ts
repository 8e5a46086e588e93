import { conventionNamed } from '../../../data/conventions.ts'
import { defineBenchmark } from '../benchmark.ts'
import { pairsOfReading } from '../items.ts'

/** Dialogues that share all but the last answer. Their text is offensive by design. */
export const hhRlhfHarmless = defineBenchmark({
  name: 'hh-rlhf-harmless',
  title: 'hh-rlhf, harmless-base, test',
  source: 'arXiv 2204.05862',
  summary: 'Prefers the answer that people found less harmful.',
  kind: 'preference',
  chance: 0.5,
  hub: ['hf://Anthropic/hh-rlhf/test'],
  folder: 'hh-rlhf-harmless-test',
  files: { items: ['pairs.jsonl'] },
  read: (row) => {
    const reading = conventionNamed('trl-implicit').read(row)
    return pairsOfReading(
      { ...reading, id: row.has('row') ? String(row.record.row) : reading.id },
      'harmless',
    )
  },
  aggregation: { top: 'pooled' },
})
