import { type BenchmarkFiles, defineBenchmark } from '../benchmark.ts'
import { pairItem } from '../items.ts'
import { type PublishedCheck, publishedCheck } from '../published.ts'
import { choiceOf, verdictsInBothOrders } from '../verdicts-in-both-orders.ts'

/** Percent right over both orders, as LLMBar's authors print them for MT-Bench's human votes. */
const printed = {
  'GPT-4 Vanilla_NoRules': 81,
  'ChatGPT Vanilla_NoRules': 71.25,
  'LLaMA2 Vanilla_NoRules': 72,
}

export const mtbenchHuman = defineBenchmark({
  name: 'mtbench-human',
  title: 'MT-Bench, majority of human votes',
  source: 'arXiv 2306.05685, pairs as in LLMBar (arXiv 2310.07641)',
  summary: 'Prefers the answer that most people preferred.',
  kind: 'preference',
  chance: 0.5,
  folder: 'mtbench-human',
  files: { items: ['mtbench-pairs.jsonl'], verdicts: ['mtbench-verdicts.jsonl'] },
  how: 'The pairs are in the repository princeton-nlp/LLMBar (Dataset/Processed/MT-Bench).',
  read: (row) => [
    pairItem({
      id: row.id(),
      subset: 'MT-Bench',
      prompt: row.text('input'),
      a: row.text('output_1'),
      b: row.text('output_2'),
      label: choiceOf(row.record.label) ?? 0,
    }),
  ],
  aggregation: { top: 'pooled' },
  recompute,
})

async function recompute(files: BenchmarkFiles): Promise<PublishedCheck[]> {
  const labels = new Map<string, number | null>()
  for await (const row of files.rows('items')) labels.set(row.id(), choiceOf(row.record.label))
  const judges = await verdictsInBothOrders(files.rows('verdicts'), (id) =>
    labels.has(id) ? 'MT-Bench' : undefined,
  )
  return Object.entries(printed).flatMap(([judge, published]) => {
    const verdicts = judges.get(`${judge} on MT-Bench`)
    if (verdicts === undefined) return []
    const right = verdicts.reduce(
      (sum, { id, aFirst, bFirst }) =>
        sum + Number(aFirst === labels.get(id)) + Number(bFirst === labels.get(id)),
      0,
    )
    return [
      publishedCheck({
        benchmark: 'mtbench-human',
        row: judge,
        measure: 'accuracy',
        published,
        recomputed: (100 * right) / (2 * verdicts.length),
        tolerance: 0.005,
      }),
    ]
  })
}
