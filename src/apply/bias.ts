import { Rng } from '../core/index.ts'
import { type BootstrapInterval, bootstrap, pairPoints } from '../stats/index.ts'
import type { PairTable } from './compare-pairs.ts'

/** How far a judge follows something that should not matter, such as length. */
export interface JudgeBias {
  readonly judge: string
  /** Pairs with a strict label and a verdict on which the nuisance differs; everything here is about these. */
  readonly pairs: number
  /** Accuracy (ties earn half) where the label's choice has more of the nuisance, and where it has less. */
  readonly whenAligned: BootstrapInterval | null
  readonly whenOpposed: BootstrapInterval | null
  /** The first minus the second: 0 for a judge whose errors do not depend on the nuisance. */
  readonly gap: BootstrapInterval | null
  /** Share of pairs on which the judge (ties half), and the label, take the side with more of it; and the difference, paired. */
  readonly judgePrefers: BootstrapInterval | null
  readonly labelPrefers: BootstrapInterval | null
  readonly excess: BootstrapInterval | null
}

/**
 * Compares every judge of a table with its labels where a nuisance (`margins` of it, first minus second, such as
 * the difference in length) points with the label and against it.
 */
export function judgeBias(
  table: PairTable,
  margins: readonly number[],
  options: {
    /** @default new Rng('bias') */
    readonly rng?: Rng
    /** @default 1000 */
    readonly resamples?: number
    /** @default 0.95 */
    readonly level?: number
  } = {},
): JudgeBias[] {
  const { rng = new Rng('bias'), resamples = 1000, level = 0.95 } = options
  if (margins.length !== table.ids.length)
    throw new RangeError(`${margins.length} margins of the nuisance for ${table.ids.length} pairs`)
  return Object.entries(table.judges).map(([judge, verdicts]) => {
    const rows = verdicts.flatMap((verdict, i) => {
      const [label, more] = [Math.sign(table.labels[i]!), Math.sign(margins[i]!)]
      if (verdict === null || label === 0 || more === 0) return []
      const points = pairPoints(verdict, label)!
      const prefersMore = pairPoints(verdict, more)!
      return [{ points, prefersMore, aligned: label === more, cluster: table.clusters?.[i] ?? String(i) }]
    })
    const clusters = rows.map(({ cluster }) => cluster)
    const over = (statistic: (drawn: Totals) => number | null) =>
      bootstrap(rows.length, (at) => statistic(totalsOf(rows, at)), { rng, resamples, level, clusters })
    const difference = (a: number | null, b: number | null) => (a === null || b === null ? null : a - b)
    return {
      judge,
      pairs: rows.length,
      whenAligned: over((drawn) => drawn.whenAligned),
      whenOpposed: over((drawn) => drawn.whenOpposed),
      gap: over((drawn) => difference(drawn.whenAligned, drawn.whenOpposed)),
      judgePrefers: over((drawn) => drawn.judgePrefers),
      labelPrefers: over((drawn) => drawn.labelPrefers),
      excess: over((drawn) => difference(drawn.judgePrefers, drawn.labelPrefers)),
    }
  })
}

interface Totals {
  readonly whenAligned: number | null
  readonly whenOpposed: number | null
  readonly judgePrefers: number | null
  readonly labelPrefers: number | null
}

function totalsOf(
  rows: readonly { points: number; prefersMore: number; aligned: boolean }[],
  at: Uint32Array,
): Totals {
  let [aligned, alignedPoints, opposedPoints, prefersMore] = [0, 0, 0, 0]
  for (const i of at) {
    const row = rows[i]!
    prefersMore += row.prefersMore
    if (row.aligned) {
      aligned++
      alignedPoints += row.points
    } else opposedPoints += row.points
  }
  const n = at.length
  return {
    whenAligned: aligned === 0 ? null : alignedPoints / aligned,
    whenOpposed: aligned === n ? null : opposedPoints / (n - aligned),
    judgePrefers: n === 0 ? null : prefersMore / n,
    labelPrefers: n === 0 ? null : aligned / n,
  }
}
