import { groupOf, Rng } from '../core/index.ts'
import {
  type BootstrapInterval,
  type BootstrapOptions,
  batchInterval,
  bootstrap,
  bootstrapMean,
  cohenKappa,
  type Kappa,
  type Kendall,
  kendall,
  midRanks,
  type PairAccuracyOptions,
  pearson,
  spearman,
} from '../stats/index.ts'
import { type Measure, measureReader, type ScoredSamples } from './measure.ts'

export interface CompareOptions {
  /** A reward. */
  readonly first: Measure
  /** Another reward, or the label that the first is measured by. */
  readonly second: Measure
  /** How ties count in the accuracy on pairs; `second` is the label. `tolerance` is not taken. */
  readonly ties?: Omit<PairAccuracyOptions, 'tolerance'>
  /** At least this much is a pass, for the kappa of passes. @default none: kappa of the values when they are few */
  readonly thresholds?: { readonly first: number; readonly second: number }
  /** @default new Rng('compare') */
  readonly rng?: Rng
  /** @default 1000; above 10,000 samples intervals come from batches unless this is given */
  readonly resamples?: number
  /** @default 0.95 */
  readonly level?: number
  /** How many disagreements to list. @default 20 */
  readonly disagreements?: number
}

/** Accuracy of the first measure's order on pairs of one prompt, with what it was counted from. */
export interface PairsWithin {
  readonly accuracy: BootstrapInterval | null
  readonly pairs: number
  readonly counted: number
  readonly right: number
  readonly wrong: number
  readonly predictedTies: number
  readonly labelTies: number
}

export interface Disagreement {
  readonly id: string
  readonly group: string
  readonly first: number
  readonly second: number
  /** Share of the compared samples ranked below (mid-ranks, 0 to 1), first minus second. */
  readonly rankGap: number
}

export interface MeasureComparison {
  readonly first: string
  readonly second: string
  readonly samples: number
  /** Samples with both numbers; everything below is about these. */
  readonly compared: number
  /** Samples without a number: of the first only, of the second only, of both. */
  readonly leftOut: { readonly first: number; readonly second: number; readonly both: number }
  readonly groups: number
  /** What the intervals resample: whole prompts, or samples when there is but one prompt. */
  readonly resampled: 'prompts' | 'samples'
  readonly pearson: BootstrapInterval | null
  readonly spearman: BootstrapInterval | null
  /** tau-b. */
  readonly kendall: BootstrapInterval | null
  /** Inside prompts, where differences between prompts cannot help: what choosing and training rest on. */
  readonly within: {
    /** Mean over the prompts where it is defined (`n` of the interval). */
    readonly pearson: BootstrapInterval | null
    readonly spearman: BootstrapInterval | null
    readonly kendall: BootstrapInterval | null
    readonly pairs: PairsWithin
  }
  /** Of passes, or of the values themselves when both together take at most 10; null otherwise. */
  readonly kappa: { readonly plain: Kappa; readonly quadratic: Kappa } | null
  /** Largest gap between the two rankings first. */
  readonly disagreements: readonly Disagreement[]
}

/** Correlations of more samples than this are not resampled. */
const batchedAbove = 10_000

/** How far two measures of the same samples agree: two rewards, or a reward and a label. */
export async function compare(samples: ScoredSamples, options: CompareOptions): Promise<MeasureComparison> {
  const first = measureReader(options.first)
  const second = measureReader(options.second)
  const ids: string[] = []
  const groups: string[] = []
  const a: number[] = []
  const b: number[] = []
  const leftOut = { first: 0, second: 0, both: 0 }
  let total = 0
  for await (const scored of samples) {
    total++
    const [left, right] = [first.read(scored), second.read(scored)]
    if (left === null || right === null) {
      leftOut[left !== null ? 'second' : right !== null ? 'first' : 'both']++
      continue
    }
    ids.push(scored.sample.id)
    groups.push(groupOf(scored.sample))
    a.push(left)
    b.push(right)
  }
  first.finish()
  second.finish()

  const n = ids.length
  const members = [...Map.groupBy(ids.keys(), (i) => groups[i]!).values()]
  const { rng = new Rng('compare'), level = 0.95, disagreements = 20 } = options
  const resampling = {
    rng,
    level,
    ...(options.resamples === undefined ? {} : { resamples: options.resamples }),
  }
  const byPrompt = members.length > 1
  const batched = options.resamples === undefined && n > batchedAbove
  const over = (statistic: (a: ArrayLike<number>, b: ArrayLike<number>) => number | null) =>
    (batched ? batchInterval : bootstrap)(n, (at) => statistic(pick(a, at), pick(b, at)), {
      ...resampling,
      ...(byPrompt ? { clusters: groups } : {}),
    })
  const lists = members.map((at) => [pick(a, at), pick(b, at)] as const)
  const tau = lists.map(([x, y]) => kendall(x, y))
  const meanWithin = (values: readonly (number | null)[]) =>
    bootstrapMean(
      values.filter((value) => value !== null),
      resampling,
    )
  return {
    first: first.name,
    second: second.name,
    samples: total,
    compared: n,
    leftOut,
    groups: members.length,
    resampled: byPrompt ? 'prompts' : 'samples',
    pearson: over(pearson),
    spearman: over(spearman),
    kendall: over((x, y) => kendall(x, y).tauB),
    within: {
      pearson: meanWithin(lists.map(([x, y]) => pearson(x, y))),
      spearman: meanWithin(lists.map(([x, y]) => spearman(x, y))),
      kendall: meanWithin(tau.map(({ tauB }) => tauB)),
      pairs: pairsWithin(tau, options.ties ?? {}, resampling),
    },
    kappa: kappaOf(a, b, options.thresholds),
    disagreements: rankGaps(ids, groups, a, b).slice(0, disagreements),
  }
}

function pick(values: readonly number[], at: ArrayLike<number>): Float64Array {
  const picked = new Float64Array(at.length)
  for (let i = 0; i < at.length; i++) picked[i] = values[at[i]!]!
  return picked
}

/** Accuracy on all pairs of each prompt from Kendall's counts, so a prompt of many samples needs no list of pairs. */
function pairsWithin(
  counts: readonly Kendall[],
  { predictedTies = 'half', labelTies = 'drop' }: Omit<PairAccuracyOptions, 'tolerance'>,
  resampling: BootstrapOptions,
): PairsWithin {
  const whole = { pairs: 0, counted: 0, right: 0, wrong: 0, predictedTies: 0, labelTies: 0 }
  const earned: number[] = []
  const counted: number[] = []
  for (const { pairs, concordant, discordant, tiedA, tiedB, tiedBoth } of counts) {
    const undecided = tiedA - tiedBoth
    const labelPoints = labelTies === 'match' ? tiedBoth : labelTies === 'half' ? tiedB / 2 : 0
    earned.push(concordant + (predictedTies === 'half' ? undecided / 2 : 0) + labelPoints)
    counted.push(
      concordant +
        discordant +
        (predictedTies === 'drop' ? 0 : undecided) +
        (labelTies === 'drop' ? 0 : tiedB),
    )
    whole.pairs += pairs
    whole.counted += counted.at(-1)!
    whole.right += concordant
    whole.wrong += discordant
    whole.predictedTies += undecided
    whole.labelTies += tiedB
  }
  return { ...whole, accuracy: bootstrapMean(earned, { ...resampling, weights: counted }) }
}

function kappaOf(
  a: readonly number[],
  b: readonly number[],
  thresholds: CompareOptions['thresholds'],
): MeasureComparison['kappa'] {
  const [x, y] = thresholds
    ? [
        a.map((value) => Number(value >= thresholds.first)),
        b.map((value) => Number(value >= thresholds.second)),
      ]
    : [a, b]
  const values = new Set<number>()
  for (const list of [x, y]) {
    for (const value of list) {
      values.add(value)
      if (values.size > 10) return null
    }
  }
  const plain = cohenKappa(x, y)
  const quadratic = cohenKappa(x, y, { weights: 'quadratic' })
  return plain && quadratic && { plain, quadratic }
}

function rankGaps(
  ids: readonly string[],
  groups: readonly string[],
  a: readonly number[],
  b: readonly number[],
): Disagreement[] {
  const [ranksA, ranksB] = [midRanks(a), midRanks(b)]
  const scale = Math.max(1, ids.length - 1)
  return ids
    .map((id, i) => ({
      id,
      group: groups[i]!,
      first: a[i]!,
      second: b[i]!,
      rankGap: (ranksA[i]! - ranksB[i]!) / scale,
    }))
    .filter(({ rankGap }) => rankGap !== 0)
    .sort((x, y) => Math.abs(y.rankGap) - Math.abs(x.rankGap))
}
