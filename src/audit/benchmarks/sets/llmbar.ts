import { cohenKappa } from '../../../stats/index.ts'
import { type BenchmarkFiles, defineBenchmark } from '../benchmark.ts'
import { pairItem } from '../items.ts'
import { type PublishedCheck, publishedCheck } from '../published.ts'
import { choiceOf, verdictsInBothOrders } from '../verdicts-in-both-orders.ts'

/**
 * Instruction following with an objectively better answer: Natural pairs, and adversarial ones whose worse answer
 * looks better (longer, more polished) but answers something else.
 */
export const llmbar = defineBenchmark({
  name: 'llmbar',
  title: 'LLMBar',
  source: 'arXiv 2310.07641',
  summary: 'Prefers the answer that follows the instruction, also where the other one looks better.',
  kind: 'preference',
  chance: 0.5,
  folder: 'llmbar',
  files: { items: ['pairs.jsonl'], verdicts: ['verdicts.jsonl'], statistics: ['statistics.json'] },
  how: 'The pairs are in the repository princeton-nlp/LLMBar (Dataset/LLMBar), as rows of id, subset, input, output_1, output_2, label.',
  read: (row) => [
    pairItem({
      id: row.id(),
      subset: row.text('subset'),
      prompt: row.text('input'),
      a: row.text('output_1'),
      b: row.text('output_2'),
      label: choiceOf(row.record.label) ?? 0,
    }),
  ],
  aggregation: {
    sections: { Natural: ['Natural'], Adversarial: ['Neighbor', 'GPTInst', 'GPTOut', 'Manual'] },
    weights: { Natural: 1, Neighbor: 1, GPTInst: 1, GPTOut: 1, Manual: 1 },
    top: 'macro',
  },
  recompute: recomputedCells,
})

/** Every cell that its authors print, from the verdicts of the judges: accuracy in each order, both, and agreement. */
async function recomputedCells(files: BenchmarkFiles): Promise<PublishedCheck[]> {
  const labels = new Map<string, { subset: string; label: number }>()
  for await (const row of files.rows('items'))
    labels.set(row.id(), { subset: row.text('subset'), label: choiceOf(row.record.label) ?? 0 })
  const judges = await verdictsInBothOrders(files.rows('verdicts'), (id) => labels.get(id)?.subset)
  const checks: PublishedCheck[] = []
  for await (const row of files.rows('statistics')) {
    const name = `${row.text('evaluator')} ${row.text('strategy')} on ${row.text('subset')}`
    const verdicts = judges.get(name)
    if (verdicts === undefined) continue
    const points = verdicts.map(({ id, aFirst, bFirst }) => {
      const { label } = labels.get(id)!
      return [Number(aFirst === label), Number(bFirst === label)] as const
    })
    const share = (right: (pair: readonly [number, number]) => number) =>
      (100 * points.reduce((sum, pair) => sum + right(pair), 0)) / points.length
    const recomputed = {
      correct_False: share(([a]) => a),
      correct_True: share(([, b]) => b),
      correct_average: share(([a, b]) => (a + b) / 2),
      correct_both: share(([a, b]) => a * b),
      equal: (100 * verdicts.filter(({ aFirst, bFirst }) => aFirst === bFirst).length) / verdicts.length,
    }
    const printed = row.record.statistics as Record<string, string>
    for (const [measure, value] of Object.entries(recomputed)) {
      const published = Number(/([\d.]+)%/.exec(printed[measure] ?? '')?.[1])
      if (Number.isNaN(published)) continue
      const head = { benchmark: 'llmbar', row: name, measure }
      checks.push(publishedCheck({ ...head, published, recomputed: value, tolerance: 0.005 }))
    }
    // Published with what could not be read as the wrong choice.
    const chosen = (id: string, verdict: number | null) => verdict ?? -labels.get(id)!.label
    const kappa = cohenKappa(
      verdicts.map(({ id, aFirst }) => chosen(id, aFirst)),
      verdicts.map(({ id, bFirst }) => chosen(id, bFirst)),
    )?.kappa
    const published = Number(printed.kappa_agreement)
    if (kappa !== null && kappa !== undefined && Number.isFinite(published))
      checks.push(
        publishedCheck({
          benchmark: 'llmbar',
          row: name,
          measure: 'kappa_agreement',
          published,
          recomputed: kappa,
          tolerance: 1e-6,
        }),
      )
  }
  return checks
}
