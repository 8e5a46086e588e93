import { Rng } from '../core/index.ts'
import {
  type BootstrapInterval,
  bootstrapMean,
  cohenKappa,
  type McNemar,
  mcnemar,
  type PairAccuracy,
  type PairAccuracyOptions,
  pairAccuracy,
  pairPoints,
  signOf,
  standardDeviation,
} from '../stats/index.ts'
import { gather } from './gather.ts'
import { type Measure, measureReader, type ScoredSamples } from './measure.ts'
import { requireFewPairs } from './pairs.ts'

/** Pairs with what people, and one or more judges, said of them. Lists run alike, one place for each pair. */
export interface PairTable {
  readonly ids: readonly string[]
  /** Above 0: the first of the pair is better; 0: a tie. */
  readonly labels: readonly number[]
  /** The prompt of each pair: intervals resample these. @default each pair by itself */
  readonly clusters?: readonly string[]
  /** Margins by judge: above 0 says the first is better, 0 a tie, null that it could not be judged. */
  readonly judges: Readonly<Record<string, readonly (number | null)[]>>
}

export interface ComparePairsOptions extends PairAccuracyOptions {
  /** @default new Rng('compare') */
  readonly rng?: Rng
  /** @default 1000, none for more than 20,000 prompts (see `bootstrapMean`) */
  readonly resamples?: number
  /** @default 0.95 */
  readonly level?: number
  /** How many disagreements to list for each judge. @default 20 */
  readonly disagreements?: number
  /** Which judges to compare with each other. @default every two */
  readonly between?: readonly (readonly [first: string, second: string])[]
}

export interface PairDisagreement {
  readonly id: string
  readonly label: number
  readonly margin: number
  /** |margin| in standard deviations of the judge's margins (about 0, n): how sure it was while wrong. */
  readonly confidence: number
}

export interface JudgeAgreement {
  readonly judge: string
  /** Pairs that the judge could not judge; they are in no denominator. */
  readonly unjudged: number
  readonly counts: PairAccuracy
  /** Share of points earned over the pairs that count; null when none does. */
  readonly accuracy: BootstrapInterval | null
  /**
   * Cohen's kappa of first / tie / second, over both orders of every pair, so that which side came first does not
   * matter: without ties 2 accuracy - 1.
   */
  readonly kappa: number | null
  /** Surest first: the judge prefers the side that the label does not. */
  readonly disagreements: readonly PairDisagreement[]
}

/** Two judges on the pairs that count for both. */
export interface JudgeDifference {
  readonly first: string
  readonly second: string
  readonly pairs: number
  /** Accuracy of the first minus that of the second, paired. */
  readonly accuracy: BootstrapInterval | null
  /** On pairs where one is wholly right and the other wholly wrong; half points are left out. */
  readonly mcnemar: McNemar
  /** Their agreement with each other, as `JudgeAgreement.kappa`. */
  readonly kappa: number | null
}

export interface PairComparison {
  readonly pairs: number
  readonly prompts: number
  readonly judges: readonly JudgeAgreement[]
  /** One for each two judges asked for, in that order. */
  readonly differences: readonly JudgeDifference[]
}

/** How far judges agree with labels on the same pairs, and with each other. */
export function comparePairs(table: PairTable, options: ComparePairsOptions = {}): PairComparison {
  const { rng = new Rng('compare'), resamples, level = 0.95 } = options
  const { ids, labels } = table
  const clusters = table.clusters ?? ids.map((_, i) => String(i))
  const columns = Object.entries(table.judges)
  for (const [name, list] of [['labels', labels], ['clusters', clusters], ...columns] as const)
    if (list.length !== ids.length)
      throw new RangeError(`${name}: ${list.length} places for ${ids.length} pairs`)

  const meanOf = (points: readonly (number | null)[]) => {
    const counted = points.flatMap((value, i) => (value === null ? [] : [i]))
    return bootstrapMean(
      counted.map((i) => points[i]!),
      {
        rng,
        level,
        ...(resamples === undefined ? {} : { resamples }),
        clusters: counted.map((i) => clusters[i]!),
      },
    )
  }
  const points = columns.map(([, margins]) =>
    margins.map((margin, i) => (margin === null ? null : pairPoints(margin, labels[i]!, options))),
  )
  const judges = columns.map(([judge, margins], column): JudgeAgreement => {
    const judged = margins.flatMap((margin, i) => (margin === null ? [] : [i]))
    const own = judged.map((i) => margins[i]!)
    const truth = judged.map((i) => labels[i]!)
    return {
      judge,
      unjudged: margins.length - judged.length,
      counts: pairAccuracy(own, truth, options),
      accuracy: meanOf(points[column]!),
      kappa: kappaOfSigns(
        own.map((margin) => signOf(margin, options.tolerance)),
        truth.map(Math.sign),
      ),
      disagreements: disagreementsOf(
        judged.map((i) => ids[i]!),
        own,
        truth,
        options.disagreements ?? 20,
      ),
    }
  })
  const names = columns.map(([judge]) => judge)
  const between =
    options.between ?? names.flatMap((first, i) => names.slice(i + 1).map((second) => [first, second]))
  const differences = between.map(([first, second]): JudgeDifference => {
    const [one, other] = [names.indexOf(first!), names.indexOf(second!)]
    if (one < 0 || other < 0)
      throw new RangeError(`there is no judge "${one < 0 ? first : second}", only ${names.join(', ')}`)
    const [a, b] = [points[one]!, points[other]!]
    const gaps = a.map((value, i) => (value === null || b[i] == null ? null : value - b[i]))
    const [left, right] = [columns[one]![1], columns[other]![1]]
    const both = left.flatMap((margin, i) => (margin === null || right[i] == null ? [] : [i]))
    return {
      first: first!,
      second: second!,
      pairs: gaps.filter((gap) => gap !== null).length,
      accuracy: meanOf(gaps),
      mcnemar: mcnemar(gaps.filter((gap) => gap === 1).length, gaps.filter((gap) => gap === -1).length),
      kappa: kappaOfSigns(
        both.map((i) => signOf(left[i]!, options.tolerance)),
        both.map((i) => signOf(right[i]!, options.tolerance)),
      ),
    }
  })
  return { pairs: ids.length, prompts: new Set(clusters).size, judges, differences }
}

/**
 * Every two samples of a prompt whose label is known, as pairs: the label is the difference of their labels, a
 * judge's margin the difference of its scores (null where it scored only one).
 */
export async function pairTable(
  samples: ScoredSamples,
  options: { readonly label: Measure; readonly rewards: readonly Measure[] },
): Promise<PairTable> {
  const label = measureReader(options.label)
  const rewards = options.rewards.map(measureReader)
  const groups = await gather(samples, [label, ...rewards], ({ scored, values: [known, ...values] }) =>
    known == null ? undefined : { id: scored.sample.id, label: known, values },
  )
  const table = { ids: [] as string[], labels: [] as number[], clusters: [] as string[] }
  const judges = rewards.map(() => [] as (number | null)[])
  for (const [key, rows] of groups) {
    requireFewPairs(rows.length, rows.length)
    for (let i = 0; i < rows.length; i++) {
      for (let j = i + 1; j < rows.length; j++) {
        const [a, b] = [rows[i]!, rows[j]!]
        table.ids.push(`${a.id} / ${b.id}`)
        table.labels.push(a.label - b.label)
        table.clusters.push(key)
        judges.forEach((margins, reward) => {
          const [left, right] = [a.values[reward]!, b.values[reward]!]
          margins.push(left === null || right === null ? null : left - right)
        })
      }
    }
  }
  return { ...table, judges: Object.fromEntries(rewards.map(({ name }, i) => [name, judges[i]!])) }
}

/** Kappa of the signs of two lists over both orders of every pair; null when not defined. */
function kappaOfSigns(a: readonly number[], b: readonly number[]): number | null {
  const bothOrders = (signs: readonly number[]) => [...signs, ...signs.map((sign) => 0 - sign)]
  return cohenKappa(bothOrders(a), bothOrders(b))?.kappa ?? null
}

function disagreementsOf(
  ids: readonly string[],
  margins: readonly number[],
  labels: readonly number[],
  most: number,
): PairDisagreement[] {
  const scale = standardDeviation([...margins, ...margins.map((margin) => -margin)], { ddof: 0 })
  return ids
    .map((id, i) => ({
      id,
      label: labels[i]!,
      margin: margins[i]!,
      confidence: scale ? Math.abs(margins[i]!) / scale : 0,
    }))
    .filter(({ label, margin }) => label * margin < 0)
    .sort((a, b) => b.confidence - a.confidence)
    .slice(0, most)
}
