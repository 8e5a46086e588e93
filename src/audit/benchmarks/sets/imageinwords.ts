import { isObject } from '../../../core/index.ts'
import type { Row } from '../../../data/row.ts'
import { mean } from '../../../stats/index.ts'
import { netPreference } from '../../../stats/net-preference.ts'
import { type BenchmarkFiles, defineBenchmark } from '../benchmark.ts'
import { pairItem, withPicture } from '../items.ts'
import { type PublishedCheck, publishedCheck, publishedRows } from '../published.ts'
import { countVerdicts, readSideBySide, type SideBySide } from '../side-by-side.ts'

/** Metrics of the comparison, in the order of the published numbers. "Hallucination": who has fewer is better. */
const metrics = [
  'Comprehensiveness',
  'First few line(s) as tldr',
  'Hallucination',
  'Human Like',
  'Specificity',
] as const

const own = ['IIW', 'IIW-Human']

/** What people said of the first description, by metric; metrics without a verdict are left out. */
function verdictsOf(comparison: unknown): Readonly<Record<string, SideBySide>> {
  if (!isObject(comparison)) return {}
  return Object.fromEntries(
    metrics.flatMap((metric) => {
      const verdict = readSideBySide(comparison[`metrics/${metric}`], own)
      return verdict === null ? [] : [[metric, verdict] as const]
    }),
  )
}

/** The comparisons that a row holds, by whom the description was compared with. Half of IIW-400 has none. */
function comparisonsOf({ record }: Row): Readonly<Record<string, unknown>> {
  const [first] = metrics
  const plain = record[`metrics/${first}`] === undefined ? {} : { [record.DOCCI ? 'DOCCI' : 'DCI']: record }
  return { ...plain, 'GPT-4V': record['iiw-human-sxs-gpt4v'], 'IIW-P5B': record['iiw-human-sxs-iiw-p5b'] }
}

/**
 * Detailed descriptions of a picture compared by people on five metrics; a pair counts once for each metric. Only
 * comparisons whose two texts are in the data are items (with IIW-P5B, and DOCCI); the verdicts of all are what
 * `recompute` counts. Net preferences merge the two strengths.
 */
export const imageinwords = defineBenchmark({
  name: 'imageinwords',
  title: 'ImageInWords, side by side',
  source: 'arXiv 2405.02793',
  summary: 'Prefers the detailed description that people preferred, by metric.',
  kind: 'preference',
  chance: 0.5,
  folder: 'imageinwords-sxs',
  files: {
    items: ['iiw-400.jsonl', 'docci.jsonl'],
    comparisons: ['dci.jsonl', 'docci.jsonl', 'iiw-400.jsonl'],
  },
  how: 'The data are in the repository google/imageinwords (datasets/IIW-400, DCI_Test, DOCCI_Test: data.jsonl), named iiw-400.jsonl, dci.jsonl and docci.jsonl; put the pictures into "images" beside them.',
  read: (row) => {
    const a = row.text('IIW')
    const picture = String(row.record['image/key'] ?? row.record.image)
    return Object.entries(comparisonsOf(row)).flatMap(([other, comparison]) => {
      const b = row.record[other]
      if (typeof b !== 'string') return []
      return Object.entries(verdictsOf(comparison)).map(([metric, label]) =>
        pairItem({
          id: `${picture}/${other}/${metric}`,
          subset: metric,
          cluster: picture,
          prompt: withPicture('Describe the picture in detail.', row, picture),
          a,
          b,
          label,
          meta: { metric, compared_with: other },
        }),
      )
    })
  },
  aggregation: { top: 'macro' },
  published: {
    rows: publishedRows(['mean', ...metrics], {
      'IIW over DCI': [71.07, 61.61, 90.18, 42.86, 83.04, 77.68],
      'IIW over DOCCI': [61.2, 42, 79, 35, 68, 82],
      'IIW-Human over GPT-4V': [47.6, 35, 70, 59, 21, 53],
      'IIW-Human over IIW-P5B': [70.8, 78, 58, 75, 52, 91],
    }),
    recompute: (values) => ({ mean: mean(metrics.map((metric) => values[metric]!)) }),
    tolerance: 0.01,
  },
  recompute,
})

/** Net preferences from the verdicts themselves, for the comparisons of which all published rows are there. */
async function recompute(files: BenchmarkFiles): Promise<PublishedCheck[]> {
  const sizes: Readonly<Record<string, number>> = { DCI: 112, DOCCI: 100, 'GPT-4V': 100, 'IIW-P5B': 100 }
  const verdicts = new Map<string, SideBySide[]>()
  for await (const row of files.rows('comparisons'))
    for (const [other, comparison] of Object.entries(comparisonsOf(row)))
      for (const [metric, verdict] of Object.entries(verdictsOf(comparison))) {
        const list = verdicts.get(`${other}/${metric}`) ?? []
        if (list.length === 0) verdicts.set(`${other}/${metric}`, list)
        list.push(verdict)
      }
  return (imageinwords.published?.rows ?? []).flatMap(({ who, values }) =>
    metrics.flatMap((measure) => {
      const other = who.replace(/^.* over /, '')
      const list = verdicts.get(`${other}/${measure}`) ?? []
      if (list.length !== sizes[other]) return []
      return [
        publishedCheck({
          benchmark: 'imageinwords',
          row: who,
          measure,
          published: values[measure]!,
          recomputed: netPreference(countVerdicts(list))!.net,
          tolerance: 0.005,
        }),
      ]
    }),
  )
}
