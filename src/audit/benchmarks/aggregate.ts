import type { Rng } from '../../core/index.ts'
import { type BootstrapInterval, bootstrap } from '../../stats/index.ts'

/** How one item went. */
export interface Verdict {
  readonly subset: string
  /** @default each item is its own */
  readonly cluster?: string
  /** `graded`: worth `credit`; `unresolved`: no verdict, or votes without a majority. */
  readonly outcome: 'right' | 'wrong' | 'tie' | 'graded' | 'unresolved'
  /** In [0, 1]: of a grade, or what a tie earns where it is shared (1 / number of those tied). */
  readonly credit?: number
  /** People called it a tie: right when a tie was said. */
  readonly tiedLabel?: boolean
}

export interface AggregateOptions {
  /** Unresolved items earn `unresolvedCredit` of the score, or leave the denominator. @default 'all' */
  readonly denominator?: 'all' | 'resolved'
  /** @default 0 */
  readonly unresolvedCredit?: number
  /** What a tie earns: half, its `credit`, nothing, or its place in the denominator is taken away. @default 'half' */
  readonly ties?: 'half' | 'share' | 'wrong' | 'drop'
  /** Items that people called a tie: left out, or right when a tie was said. @default 'drop' */
  readonly labelTies?: 'drop' | 'match'
  /** Sections by name with their subsets. @default every subset is a section */
  readonly sections?: Readonly<Record<string, readonly string[]>>
  /** Weight of a subset within its section. @default its items in the denominator: the section is pooled */
  readonly weights?: Readonly<Record<string, number>>
  /** The headline: over all items, the plain mean of the sections, or their mean with these weights. @default 'macro' */
  readonly top?: 'pooled' | 'macro' | Readonly<Record<string, number>>
  /** Scores of subsets that are not a mean of credits, from the places of their items. */
  readonly measures?: Readonly<Record<string, SubsetMeasure>>
}

/** The score of the items at some places (repeats count); null where it is not defined. */
export type SubsetMeasure = (places: readonly number[]) => number | null

/** The score of a benchmark, a section or a subset. */
export interface AggregateScore {
  readonly name: string
  /** Null when nothing is in the denominator: never 0. */
  readonly score: number | null
  readonly interval: BootstrapInterval | null
  readonly items: number
  /** Items in the denominator. */
  readonly counted: number
  readonly right: number
  readonly wrong: number
  readonly ties: number
  readonly unresolved: number
}

export interface Aggregate {
  readonly headline: AggregateScore
  /** The same items as one pool, and the plain mean of the sections: papers quote either. */
  readonly pooled: number | null
  readonly macro: number | null
  readonly sections: readonly AggregateScore[]
  readonly subsets: readonly AggregateScore[]
  /** Sections of the benchmark without a scored item; they are in no mean. */
  readonly missing: readonly string[]
  /** Subsets that no section names; they count in `pooled` only. */
  readonly outside: readonly string[]
}

export interface AggregateIntervals {
  readonly rng: Rng
  /** @default 1000; 0 leaves intervals out */
  readonly resamples?: number
  /** @default 0.95 */
  readonly level?: number
}

/**
 * The scores of a benchmark from the verdicts on its items, by its own rules. Intervals resample clusters and
 * compute the whole score again, so they hold for weighted sections and odd measures as well.
 */
export function aggregate(
  verdicts: readonly Verdict[],
  options: AggregateOptions = {},
  intervals?: AggregateIntervals,
): Aggregate {
  const names = [...new Set(verdicts.map(({ subset }) => subset))]
  const sections = options.sections ?? Object.fromEntries(names.map((name) => [name, [name]]))
  const known = new Set(Object.values(sections).flat())
  const place = new Map(names.map((name, index) => [name, index]))
  const subsetAt = Uint32Array.from(verdicts, ({ subset }) => place.get(subset)!)
  const credits = Float64Array.from(verdicts, (verdict) => creditOf(verdict, options) ?? Number.NaN)

  const tally = (parts: readonly Part[], drawn: ArrayLike<number>): Tally => {
    const sums = new Float64Array(names.length)
    const counts = new Float64Array(names.length)
    for (let i = 0; i < drawn.length; i++) {
      const { subsets, credits, counted } = parts[drawn[i]!]!
      for (let j = 0; j < subsets.length; j++) {
        sums[subsets[j]!]! += credits[j]!
        counts[subsets[j]!]! += counted[j]!
      }
    }
    const means = names.map((name, index) => {
      const measure = options.measures?.[name]
      if (measure)
        return measure(
          Array.from(drawn).flatMap((unit) => parts[unit]!.places.filter((at) => subsetAt[at] === index)),
        )
      return counts[index]! > 0 ? sums[index]! / counts[index]! : null
    })
    return { sums, counts, means }
  }
  const sectionScore = ({ counts, means }: Tally, subsets: readonly string[]) =>
    weightedMean(
      subsets.flatMap((name) => {
        const index = place.get(name)
        if (index === undefined) return []
        return [[means[index]!, options.weights?.[name] ?? counts[index]!] as const]
      }),
    )
  const pooled = ({ sums, counts }: Tally) => {
    const total = sum(counts)
    return total > 0 ? sum(sums) / total : null
  }
  const overSections = (drawn: Tally, weights?: Readonly<Record<string, number>>) =>
    weightedMean(
      Object.entries(sections).map(([name, subsets]) => [
        sectionScore(drawn, subsets),
        weights === undefined ? 1 : (weights[name] ?? 0),
      ]),
    )
  const top = options.top ?? 'macro'
  const headline = (drawn: Tally) =>
    top === 'pooled' ? pooled(drawn) : overSections(drawn, top === 'macro' ? undefined : top)

  const everywhere = verdicts.map((_, index) => index)
  const scored = (
    name: string,
    places: readonly number[],
    statistic: (drawn: Tally) => number | null,
  ): AggregateScore => {
    const clusters = Map.groupBy(places, (index) => verdicts[index]!.cluster ?? index)
    const parts = [...clusters.values()].map((members) => partOf(members, subsetAt, credits))
    const interval =
      intervals === undefined || intervals.resamples === 0
        ? null
        : bootstrap(parts.length, (drawn) => statistic(tally(parts, drawn)), intervals)
    return {
      name,
      score: statistic(tally(parts, [...parts.keys()])),
      ...countsOf(
        places.map((index) => verdicts[index]!),
        places.map((index) => credits[index]!),
      ),
      interval: interval && { ...interval, n: places.length },
    }
  }
  const ofSubsets = (subsets: readonly string[]) =>
    everywhere.filter((index) => subsets.includes(verdicts[index]!.subset))
  const whole = everywhere.map((index) => partOf([index], subsetAt, credits))
  const all = tally(whole, everywhere)
  const sectionScores = Object.entries(sections).map(([name, subsets]) =>
    scored(name, ofSubsets(subsets), (drawn) => sectionScore(drawn, subsets)),
  )
  const isPlain = options.sections === undefined && options.weights === undefined
  return {
    headline: scored(
      'all',
      top === 'pooled' ? everywhere : everywhere.filter((index) => known.has(verdicts[index]!.subset)),
      headline,
    ),
    pooled: pooled(all),
    macro: overSections(all),
    sections: sectionScores.filter(({ score }) => score !== null),
    subsets: isPlain
      ? sectionScores
      : names.map((name, index) => scored(name, ofSubsets([name]), ({ means }) => means[index]!)),
    missing: sectionScores.filter(({ score }) => score === null).map(({ name }) => name),
    outside: names.filter((name) => !known.has(name)),
  }
}

/** The items of one cluster, which are resampled together, summed by subset. */
interface Part {
  readonly places: readonly number[]
  readonly subsets: readonly number[]
  /** Of each of `subsets`: credit earned, and items in the denominator. */
  readonly credits: readonly number[]
  readonly counted: readonly number[]
}

function partOf(places: readonly number[], subsetAt: Uint32Array, credits: Float64Array): Part {
  const sums = new Map<number, [credit: number, count: number]>()
  for (const place of places) {
    if (Number.isNaN(credits[place])) continue
    const sum = sums.get(subsetAt[place]!) ?? [0, 0]
    sums.set(subsetAt[place]!, [sum[0] + credits[place]!, sum[1] + 1])
  }
  const entries = [...sums]
  return {
    places,
    subsets: entries.map(([subset]) => subset),
    credits: entries.map(([, [credit]]) => credit),
    counted: entries.map(([, [, count]]) => count),
  }
}

interface Tally {
  readonly sums: Float64Array
  readonly counts: Float64Array
  readonly means: readonly (number | null)[]
}

/** What an item adds to the score, in [0, 1]; null where the rules leave it out. */
export function creditOf(verdict: Verdict, options: AggregateOptions = {}): number | null {
  const { denominator = 'all', unresolvedCredit = 0, ties = 'half', labelTies = 'drop' } = options
  if (verdict.tiedLabel && labelTies === 'drop') return null
  switch (verdict.outcome) {
    case 'right':
      return 1
    case 'wrong':
      return 0
    case 'graded':
      return verdict.credit ?? 0
    case 'tie':
      return ties === 'drop' ? null : ties === 'wrong' ? 0 : ties === 'half' ? 0.5 : (verdict.credit ?? 0.5)
    case 'unresolved':
      return denominator === 'resolved' ? null : unresolvedCredit
  }
}

function countsOf(verdicts: readonly Verdict[], credits: readonly number[]) {
  const of = (outcome: Verdict['outcome']) => verdicts.filter((verdict) => verdict.outcome === outcome).length
  return {
    items: verdicts.length,
    counted: credits.filter((credit) => !Number.isNaN(credit)).length,
    right: of('right'),
    wrong: of('wrong'),
    ties: of('tie'),
    unresolved: of('unresolved'),
  }
}

/** Of those that are defined; null when none is or the weights come to nothing. */
function weightedMean(parts: readonly (readonly [value: number | null, weight: number])[]): number | null {
  let [total, weights] = [0, 0]
  for (const [value, weight] of parts) {
    if (value === null) continue
    total += value * weight
    weights += weight
  }
  return weights > 0 ? total / weights : null
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0)
}
