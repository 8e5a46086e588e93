import {
  canonicalJson,
  GuerdonError,
  type Preference,
  Rng,
  type Sample,
  type ScoredSample,
  textOf,
} from '../core/index.ts'
import { gather } from './gather.ts'
import { type Measure, measureReader, type ScoredSamples } from './measure.ts'

/**
 * Which candidates of a prompt face each other. `all`: every two. `best-worst`: the highest and the lowest score,
 * the first of those that tie. `best-rest`: the highest with every other. `{ top: m }`: each of the m best with
 * every one below it, in order of rank.
 */
export type PairStrategy = 'all' | 'best-worst' | 'best-rest' | { readonly top: number }

export interface PairOptions {
  /** Several: pairs for each dimension by itself; an output may win one and lose another, and both are kept. */
  readonly by: Measure | readonly Measure[]
  /** @default 'best-worst' */
  readonly strategy?: PairStrategy
  /** Keep pairs whose scores differ by more than this. @default 0: ties are dropped */
  readonly minMargin?: number
  /** For each prompt and dimension. @default no limit */
  readonly maxPairsPerPrompt?: number
  /** Which pairs stay under the limit: the widest margins, or a random draw. @default 'widest' */
  readonly keep?: 'widest' | 'random'
  /** A gate on the winner, so that nothing is learned from the least bad. @default every winner passes */
  readonly chosenIf?: (scored: ScoredSample) => boolean
  /**
   * Drop a pair whose chosen text is more than this many times as long as the rejected one (characters), so that
   * length is not what is learned. @default no limit
   */
  readonly maxLengthRatio?: number
  /** Of `keep: 'random'`. @default new Rng('pairs') */
  readonly rng?: Rng
}

/** What became of the candidates and of the pairs that the strategy proposed; the pairs add up. */
export interface PairSetCounts {
  readonly groups: number
  readonly candidates: number
  /** Scores that were not there, summed over dimensions. */
  readonly unscored: number
  readonly proposed: number
  readonly tied: number
  readonly belowMargin: number
  /** Chosen and rejected are the same output. */
  readonly identical: number
  readonly gated: number
  readonly tooLong: number
  readonly overLimit: number
  readonly kept: number
  /** Prompts that gave no pair in any dimension. */
  readonly groupsWithoutPair: number
}

export interface PairSet {
  readonly preferences: readonly Preference[]
  readonly counts: PairSetCounts
}

interface Candidate {
  readonly scored: ScoredSample
  readonly value: number
}

/** Preference pairs from scores: candidates of one prompt face each other, the higher score is chosen. */
export async function buildPairs(samples: ScoredSamples, options: PairOptions): Promise<PairSet> {
  const {
    strategy = 'best-worst',
    maxPairsPerPrompt = Infinity,
    keep = 'widest',
    rng = new Rng('pairs'),
  } = options
  const measures = Array.isArray(options.by) ? (options.by as readonly Measure[]) : [options.by as Measure]
  const dimensions = measures.map(measureReader)
  const groups = await gather(samples, dimensions, (row) => row)

  const preferences: Preference[] = []
  const counts = emptyCounts(groups)
  for (const [group, rows] of groups) {
    const before = preferences.length
    dimensions.forEach(({ name }, at) => {
      const scored = rows.flatMap(({ scored, values }) =>
        values[at] === null ? [] : [{ scored, value: values[at]! }],
      )
      counts.unscored += rows.length - scored.length
      let kept = proposals(scored, strategy).filter(([chosen, rejected]) =>
        isKept(chosen, rejected, options, counts),
      )
      if (kept.length > maxPairsPerPrompt) {
        counts.overLimit += kept.length - maxPairsPerPrompt
        kept =
          keep === 'random'
            ? rng.fork(`${group}\u0000${name}`).sample(kept, maxPairsPerPrompt)
            : kept.toSorted((p, q) => marginOf(q) - marginOf(p)).slice(0, maxPairsPerPrompt)
      }
      const several = dimensions.length > 1
      for (const [chosen, rejected] of kept)
        preferences.push(preferenceOf(chosen, rejected, { reward: name, group }, several ? `#${name}` : ''))
    })
    if (preferences.length === before) counts.groupsWithoutPair++
  }
  return { preferences, counts: { ...counts, kept: preferences.length } }
}

/**
 * Places of the highest and the lowest number, the first of those that tie; null for an empty list or when all are
 * equal.
 */
export function argMaxMin(values: readonly number[]): { readonly max: number; readonly min: number } | null {
  if (values.length === 0) return null
  let [max, min] = [0, 0]
  for (let i = 1; i < values.length; i++) {
    if (values[i]! > values[max]!) max = i
    if (values[i]! < values[min]!) min = i
  }
  return values[max] === values[min] ? null : { max, min }
}

/** A preference between two samples of one prompt, with where it came from in `meta`. */
export function preferenceOf(
  chosen: Candidate,
  rejected: Candidate,
  meta: { readonly reward: string; readonly group: string; readonly [key: string]: string },
  suffix = '',
): Preference {
  const [winner, loser] = [chosen.scored.sample, rejected.scored.sample]
  return {
    id: `${winner.id}>${loser.id}${suffix}`,
    prompt: winner.prompt,
    chosen: winner.output,
    rejected: loser.output,
    margin: chosen.value - rejected.value,
    meta: {
      ...meta,
      chosenId: winner.id,
      rejectedId: loser.id,
      chosenScore: chosen.value,
      rejectedScore: rejected.value,
    },
  }
}

export function sameOutput(a: Sample, b: Sample): boolean {
  return a.output === b.output || canonicalJson(a.output) === canonicalJson(b.output)
}

function proposals(candidates: readonly Candidate[], strategy: PairStrategy): [Candidate, Candidate][] {
  if (candidates.length < 2) return []
  if (strategy === 'best-worst') {
    const places = argMaxMin(candidates.map(({ value }) => value))
    return [places ? [candidates[places.max]!, candidates[places.min]!] : [candidates[0]!, candidates[1]!]]
  }
  const top = strategy === 'all' ? Number.POSITIVE_INFINITY : strategy === 'best-rest' ? 1 : strategy.top
  requireFewPairs(candidates.length, Math.min(top, candidates.length))
  const pairs: [Candidate, Candidate][] = []
  const ranked = strategy === 'all' ? candidates : candidates.toSorted((a, b) => b.value - a.value)
  for (let i = 0; i < Math.min(top, ranked.length); i++) {
    for (let j = i + 1; j < ranked.length; j++) {
      const [a, b] = [ranked[i]!, ranked[j]!]
      pairs.push(a.value >= b.value ? [a, b] : [b, a])
    }
  }
  return pairs
}

/** Far above any useful number: what passes for one prompt is probably rows without a prompt. */
const mostPairs = 5_000_000

/** Throws a `GuerdonError` when `top` candidates against all those below make too many pairs to hold. */
export function requireFewPairs(candidates: number, top: number): void {
  const pairs = top * candidates - (top * (top + 1)) / 2
  if (pairs > mostPairs)
    throw new GuerdonError(
      'too-many-pairs',
      `one prompt has ${candidates} candidates, which make ${pairs} pairs.`,
      {
        fix: 'Give samples of different prompts different prompts or groups, or pair the best with the worst.',
      },
    )
}

function isKept(
  chosen: Candidate,
  rejected: Candidate,
  { minMargin = 0, chosenIf, maxLengthRatio = Infinity }: PairOptions,
  counts: Mutable<PairSetCounts>,
): boolean {
  counts.proposed++
  const margin = chosen.value - rejected.value
  const [winner, loser] = [chosen.scored.sample, rejected.scored.sample]
  if (margin === 0) counts.tied++
  else if (!(margin > minMargin)) counts.belowMargin++
  else if (sameOutput(winner, loser)) counts.identical++
  else if (chosenIf && !chosenIf(chosen.scored)) counts.gated++
  else if (textOf(winner.output).length > maxLengthRatio * textOf(loser.output).length) counts.tooLong++
  else return true
  return false
}

function marginOf([chosen, rejected]: readonly [Candidate, Candidate]): number {
  return chosen.value - rejected.value
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

function emptyCounts(groups: ReadonlyMap<string, readonly unknown[]>): Mutable<PairSetCounts> {
  return {
    groups: groups.size,
    candidates: groups.values().reduce((sum, rows) => sum + rows.length, 0),
    unscored: 0,
    proposed: 0,
    tied: 0,
    belowMargin: 0,
    identical: 0,
    gated: 0,
    tooLong: 0,
    overLimit: 0,
    kept: 0,
    groupsWithoutPair: 0,
  }
}
