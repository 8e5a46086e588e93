import { basename } from 'node:path'
import type { AttackItem } from '../audit/attacks/attack.ts'
import { attackItemsOfSamples } from '../audit/attacks/attack-items.ts'
import { type Benchmark, type BenchmarkItem, defineBenchmark } from '../audit/benchmarks/index.ts'
import { type GuerdonError, groupOf, promptText, type Sample } from '../core/index.ts'
import { type ReadOptions, readSamples } from '../data/read.ts'

/** A user's own file as a benchmark, where its rows say what is good; attacks need no labels. */
export interface FileBenchmark {
  /** Null where no row has a label. */
  readonly benchmark: Benchmark | null
  readonly attackItems: readonly AttackItem[]
}

/** Fields of `meta` that may hold what people said of an output: a number, a boolean, `chosen` or `rejected`. */
const labelFields = ['label', 'quality', 'score', 'rating'] as const

/**
 * Reads any file that `readSamples` reads: preference pairs become pairs, several rated answers to a prompt a list, and
 * single answers with a label of 0 or 1 (or a boolean) good and bad outputs.
 */
export async function fileBenchmark(path: string, options: ReadOptions = {}): Promise<FileBenchmark> {
  const samples: Sample[] = []
  const problems: GuerdonError[] = []
  for await (const batch of readSamples(path, options)) {
    samples.push(...batch.samples)
    problems.push(...batch.errors)
  }
  const field = labelFields.find((name) => samples.some(({ meta }) => labelOf(meta[name]) !== null))
  const labelled = samples.map((sample) => ({
    sample,
    label: field === undefined ? null : labelOf(sample.meta[field]),
  }))
  const items = [...Map.groupBy(labelled, ({ sample }) => groupOf(sample))].flatMap(([group, members]) =>
    itemsOf(group, members),
  )
  const [first] = items
  const spec = defineBenchmark({
    name: basename(path).replace(/\.(gz|jsonl|ndjson|json|csv|tsv|parquet)\b.*$/, ''),
    title: basename(path),
    source: path,
    summary: `Agrees with ${field === undefined ? 'nothing: there are no labels' : `meta.${field}`}.`,
    kind: first?.kind ?? 'preference',
    ...(first?.kind === 'list' ? {} : { chance: 0.5 }),
    aggregation: { top: 'pooled' },
  })
  const middle = middleOf(labelled.flatMap(({ label }) => (label === null ? [] : [label])))
  return {
    benchmark:
      first === undefined
        ? null
        : { spec, items: items.filter(({ kind }) => kind === first.kind), source: path, problems },
    attackItems: attackItemsOfSamples(labelled, middle),
  }
}

function labelOf(value: unknown): number | null {
  if (value === 'chosen') return 1
  if (value === 'rejected') return 0
  if (typeof value === 'boolean') return Number(value)
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

function middleOf(labels: readonly number[]): number {
  let [low, high] = [Infinity, -Infinity]
  for (const label of labels) [low, high] = [Math.min(low, label), Math.max(high, label)]
  return low <= high ? (low + high) / 2 : 0.5
}

function itemsOf(
  group: string,
  members: readonly { readonly sample: Sample; readonly label: number | null }[],
): BenchmarkItem[] {
  const known = members.filter((one): one is { sample: Sample; label: number } => one.label !== null)
  const cluster = known[0] === undefined ? group : promptText(known[0].sample.prompt)
  const head = { id: group, subset: 'all', cluster }
  if (known.length === 2) {
    const [a, b] = known as [(typeof known)[0], (typeof known)[0]]
    return [{ kind: 'preference', ...head, a: a.sample, b: b.sample, label: a.label - b.label }]
  }
  if (known.length > 2)
    return [
      {
        kind: 'list',
        ...head,
        candidates: known.map(({ sample }) => sample),
        gold: known.map(({ label }) => label),
      },
    ]
  return known.flatMap(({ sample, label }) =>
    label === 0 || label === 1 ? [{ kind: 'binary', ...head, sample, good: label === 1 }] : [],
  )
}
