import { groupOf, Rng, type ScoredSample } from '../core/index.ts'
import { type Measure, measureReader, type ScoredSamples } from './measure.ts'

/** Which samples to keep, as for rejection-sampling fine-tuning. */
export type SelectMode =
  /** The `keep` best of every prompt; of equal scores the first. @default keep 1 */
  | { readonly mode: 'local'; readonly keep?: number }
  /** The best floor(fraction * scored samples) of all prompts together, best first; only for scores that mean the same on every prompt. */
  | { readonly mode: 'global'; readonly fraction: number }
  /** Every sample that scores at least this. */
  | { readonly mode: 'threshold'; readonly atLeast: number }
  /**
   * Statistical rejection: a sample is accepted with probability exp((score - highest) / beta), `beta` in units of
   * the score; `highest` is the prompt's best score or a number that none exceeds.
   * @source RSO, arXiv 2309.06657
   */
  | { readonly mode: 'rso'; readonly beta: number; readonly highest?: number }

export interface Selection {
  /** In the order of the data (`global`: best first). */
  readonly selected: readonly ScoredSample[]
  readonly counts: {
    readonly samples: number
    /** Never selected. */
    readonly unscored: number
    readonly selected: number
    readonly groups: number
    /** Prompts none of whose samples was selected. */
    readonly emptyGroups: number
  }
  /**
   * Mean score of all scored samples, and of the selected ones. The second always looks better: report the first as
   * the policy's reward.
   */
  readonly means: { readonly all: number | null; readonly selected: number | null }
}

/** Something with a score, among others of its group. */
export interface Candidate<Item> {
  readonly item: Item
  /** Unique; random choices are forked by it. */
  readonly id: string
  readonly value: number
  readonly group: string
}

type Row = Candidate<ScoredSample>

/** Keeps samples by their score; unscored ones are never kept. */
export async function select(
  samples: ScoredSamples,
  options: SelectMode & {
    readonly by: Measure
    /** Of `rso`, forked by sample. @default new Rng('select') */
    readonly rng?: Rng
  },
): Promise<Selection> {
  const by = measureReader(options.by)
  const rows: Row[] = []
  const groups = new Set<string>()
  let total = 0
  for await (const scored of samples) {
    total++
    const group = groupOf(scored.sample)
    groups.add(group)
    const value = by.read(scored)
    if (value !== null) rows.push({ item: scored, id: scored.sample.id, value, group })
  }
  by.finish()
  const kept = selectCandidates(rows, options, options.rng)
  return {
    selected: kept.map(({ item }) => item),
    counts: {
      samples: total,
      unscored: total - rows.length,
      selected: kept.length,
      groups: groups.size,
      emptyGroups: groups.size - new Set(kept.map(({ group }) => group)).size,
    },
    means: { all: meanValue(rows), selected: meanValue(kept) },
  }
}

/** exp((score - highest) / beta), never above 1. */
export function acceptance(score: number, highest: number, beta: number): number {
  return Math.min(1, Math.exp((score - highest) / beta))
}

/** What is kept of scored candidates, whatever they are; in their order (`global`: best first). */
export function selectCandidates<Item>(
  rows: readonly Candidate<Item>[],
  options: SelectMode,
  rng = new Rng('select'),
): readonly Candidate<Item>[] {
  switch (options.mode) {
    case 'local': {
      const { keep = 1 } = options
      if (!(Number.isSafeInteger(keep) && keep >= 1)) throw new RangeError(`the ${keep} best of each prompt`)
      const best = new Set<Candidate<Item>>()
      for (const group of Map.groupBy(rows, (row) => row.group).values())
        for (const row of group.toSorted(byValue).slice(0, keep)) best.add(row)
      return rows.filter((row) => best.has(row))
    }
    case 'global': {
      const { fraction } = options
      if (!(fraction >= 0 && fraction <= 1)) throw new RangeError(`fraction ${fraction} is not in [0, 1]`)
      return rows.toSorted(byValue).slice(0, Math.floor(fraction * rows.length + 1e-9))
    }
    case 'threshold':
      return rows.filter(({ value }) => value >= options.atLeast)
    case 'rso': {
      const { beta } = options
      if (!(beta > 0)) throw new RangeError(`beta ${beta} is not above 0`)
      const highest = new Map<string, number>()
      for (const { group, value } of rows)
        highest.set(group, Math.max(value, highest.get(group) ?? -Infinity))
      return rows.filter(({ id, value, group }) =>
        rng.fork(id).chance(acceptance(value, options.highest ?? highest.get(group)!, beta)),
      )
    }
  }
}

function byValue(a: { readonly value: number }, b: { readonly value: number }): number {
  return b.value - a.value
}

function meanValue(rows: readonly Row[]): number | null {
  return rows.length === 0 ? null : rows.reduce((sum, { value }) => sum + value, 0) / rows.length
}
