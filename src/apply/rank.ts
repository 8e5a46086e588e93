import { Rng, type Sample } from '../core/index.ts'
import {
  type BootstrapInterval,
  bestOfKCurve,
  bestOfKDivergence,
  bootstrapMean,
  places,
} from '../stats/index.ts'
import { gather } from './gather.ts'
import { type Measure, measureReader, type ScoredSamples } from './measure.ts'

export interface RankOptions {
  /** The reward that chooses. */
  readonly by: Measure
  /** The truth that the choice is judged by. @default the reward itself */
  readonly gold?: Measure
  /**
   * When several candidates share the best score: the first of them, or the expectation over them (each chosen with
   * equal chance). @default 'first'
   */
  readonly ties?: 'first' | 'expectation'
  /** The answer that a candidate gives, for a majority vote beside the choice; null where it gives none. */
  readonly answer?: (sample: Sample) => string | null
  /** Where the best-of-k curve ends. @default 256, or the largest number of candidates */
  readonly longestCurve?: number
  /** Of the bootstrap over prompts. @default new Rng('rank') */
  readonly rng?: Rng
  /** @default 1000, none for more than 20,000 prompts (see `bootstrapMean`) */
  readonly resamples?: number
  /** @default 0.95 */
  readonly level?: number
}

/** What a way of choosing earns, in units of the gold measure; null where it is unknown. */
export interface Outcomes {
  /** Highest reward. Unscored candidates never win. */
  readonly chosen: number | null
  /** Expectation of a candidate drawn at random from those whose gold is known. */
  readonly random: number | null
  /** The first candidate in the order of the data. */
  readonly first: number | null
  /** The best gold there is. */
  readonly oracle: number | null
  /** The first candidate that gives the most frequent answer; null without `answer`. */
  readonly majority: number | null
}

export interface RankedCandidate {
  readonly id: string
  readonly value: number | null
  readonly gold: number | null
  /** 1 = best, equal scores share the better place; null for an unscored candidate. */
  readonly place: number | null
}

export interface RankedGroup {
  readonly group: string
  /** Best first; equal scores in the order of the data; unscored last. */
  readonly candidates: readonly RankedCandidate[]
  readonly unscored: number
  /** The chosen candidate, or all that tie for it under `expectation`; empty when none is scored. */
  readonly chosen: readonly string[]
  readonly outcomes: Outcomes
}

export interface BestOfKPoint {
  readonly k: number
  /** Expected gold of the best of k drawn candidates, mean over prompts; ties each with equal chance. */
  readonly expected: BootstrapInterval
  /** Prompts with at least k candidates that count: the mean is over these, so a ragged set changes with k. */
  readonly groups: number
  /** Bound on the divergence from the policy sampled from [nats]. */
  readonly divergence: number
}

export interface Ranking {
  readonly by: string
  readonly gold: string
  readonly ties: 'first' | 'expectation'
  readonly candidates: number
  readonly unscored: number
  /** Scored candidates whose gold is unknown; they may be chosen, and then their prompt has no `chosen` outcome. */
  readonly goldUnknown: number
  readonly groups: readonly RankedGroup[]
  /** Prompts none of whose candidates is scored. */
  readonly unrankable: readonly string[]
  /** Mean over the prompts where the outcome is known (`n` says how many). */
  readonly outcomes: Readonly<Record<keyof Outcomes, BootstrapInterval | null>>
  /** Mean of paired differences over the prompts where both are known. */
  readonly gains: {
    readonly overRandom: BootstrapInterval | null
    readonly overFirst: BootstrapInterval | null
    readonly overMajority: BootstrapInterval | null
    /** chosen - oracle: at most 0. */
    readonly overOracle: BootstrapInterval | null
  }
  readonly curve: readonly BestOfKPoint[]
}

interface Candidate {
  readonly id: string
  readonly value: number | null
  readonly gold: number | null
  readonly answer: string | null
}

/**
 * Best-of-n for every prompt, beside choosing at random, the first, the majority and an oracle, and how it grows
 * with n. Intervals resample prompts.
 */
export async function rank(samples: ScoredSamples, options: RankOptions): Promise<Ranking> {
  const { ties = 'first', rng = new Rng('rank'), resamples, level } = options
  const by = measureReader(options.by)
  const gold = measureReader(options.gold ?? options.by)
  const members = await gather(
    samples,
    [by, gold],
    ({ scored, values }): Candidate => ({
      id: scored.sample.id,
      value: values[0]!,
      gold: values[1]!,
      answer: options.answer?.(scored.sample) ?? null,
    }),
  )

  const all = [...members.values()].flat()
  const groups = [...members].map(([group, candidates]) => rankedGroup(group, candidates, ties))
  const bootstrap = {
    rng,
    ...(resamples === undefined ? {} : { resamples }),
    ...(level === undefined ? {} : { level }),
  }
  const meanOver = (value: (outcomes: Outcomes) => number | null) =>
    bootstrapMean(
      groups.map(({ outcomes }) => value(outcomes)).filter((known) => known !== null),
      bootstrap,
    )
  const gainOver = (other: keyof Outcomes) =>
    meanOver((outcomes) =>
      outcomes.chosen === null || outcomes[other] === null ? null : outcomes.chosen - outcomes[other],
    )
  return {
    by: by.name,
    gold: gold.name,
    ties,
    candidates: all.length,
    unscored: all.filter(({ value }) => value === null).length,
    goldUnknown: all.filter((candidate) => candidate.value !== null && candidate.gold === null).length,
    groups,
    unrankable: groups.filter(({ chosen }) => chosen.length === 0).map(({ group }) => group),
    outcomes: {
      chosen: meanOver(({ chosen }) => chosen),
      random: meanOver(({ random }) => random),
      first: meanOver(({ first }) => first),
      oracle: meanOver(({ oracle }) => oracle),
      majority: meanOver(({ majority }) => majority),
    },
    gains: {
      overRandom: gainOver('random'),
      overFirst: gainOver('first'),
      overMajority: gainOver('majority'),
      overOracle: gainOver('oracle'),
    },
    curve: curveOf([...members.values()], options.longestCurve ?? 256, bootstrap),
  }
}

function rankedGroup(
  group: string,
  candidates: readonly Candidate[],
  ties: 'first' | 'expectation',
): RankedGroup {
  const scored = candidates.filter(
    (candidate): candidate is Candidate & { value: number } => candidate.value !== null,
  )
  const sorted = scored.toSorted((a, b) => b.value - a.value)
  const place = places(sorted.map(({ value }) => value))
  const tied = sorted.filter((_, i) => place[i] === 1)
  const chosen = ties === 'first' ? tied.slice(0, 1) : tied
  const golds = candidates.map(({ gold }) => gold)
  const known = golds.filter((gold) => gold !== null)
  const winner = majorityOf(candidates)
  return {
    group,
    candidates: [
      ...sorted.map(({ id, value, gold }, i) => ({ id, value, gold, place: place[i]! })),
      ...candidates
        .filter(({ value }) => value === null)
        .map(({ id, gold }) => ({ id, value: null, gold, place: null })),
    ],
    unscored: candidates.length - scored.length,
    chosen: chosen.map(({ id }) => id),
    outcomes: {
      chosen: meanIfKnown(chosen.map(({ gold }) => gold)),
      random: meanIfKnown(known),
      first: golds[0] ?? null,
      oracle: known.length === 0 ? null : known.reduce((best, value) => Math.max(best, value)),
      majority: winner?.gold ?? null,
    },
  }
}

/** Null for none, and when one of them is unknown. */
function meanIfKnown(values: readonly (number | null)[]): number | null {
  if (values.length === 0) return null
  let sum = 0
  for (const value of values) {
    if (value === null) return null
    sum += value
  }
  return sum / values.length
}

function majorityOf(candidates: readonly Candidate[]): Candidate | undefined {
  const votes = Map.groupBy(
    candidates.filter(({ answer }) => answer !== null),
    ({ answer }) => answer,
  )
  let best: readonly Candidate[] = []
  for (const group of votes.values()) if (group.length > best.length) best = group
  return best[0]
}

function curveOf(
  groups: readonly (readonly Candidate[])[],
  longest: number,
  bootstrap: Parameters<typeof bootstrapMean>[1],
): BestOfKPoint[] {
  const curves = groups.map((candidates) => {
    const usable = candidates.filter(
      (candidate): candidate is Candidate & { value: number; gold: number } =>
        candidate.value !== null && candidate.gold !== null,
    )
    return bestOfKCurve(
      usable.map(({ value }) => value),
      usable.map(({ gold }) => gold),
      longest,
    )
  })
  const end = curves.reduce((most, { length }) => Math.max(most, length), 0)
  return Array.from({ length: end }, (_, i) => {
    const reaching = curves.filter(({ length }) => length > i).map((curve) => curve[i]!)
    return {
      k: i + 1,
      expected: bootstrapMean(reaching, bootstrap)!,
      groups: reaching.length,
      divergence: bestOfKDivergence(i + 1),
    }
  })
}
