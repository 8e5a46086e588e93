import { Rng, type Sample, type Score } from '../../core/index.ts'
import {
  type BootstrapInterval,
  bootstrapMean,
  type ClusteredProportion,
  clusteredProportion,
} from '../../stats/index.ts'
import type { Attack, AttackFamily, Expectation } from './attack.ts'

/** One attacked answer, judged. */
export interface Trial {
  readonly item: string
  readonly cluster: string
  readonly variant: string
  /** What was judged. */
  readonly sample: Sample
  /** The score of the answer as it was; absent where it does not matter (`rejected`). */
  readonly before?: Score
  readonly after: Score
}

export interface AttackExample {
  readonly item: string
  readonly variant: string
  readonly before: number | null
  readonly after: number
  readonly sample: Sample
}

/** What one attack did to one judge. */
export interface AttackOutcome {
  readonly attack: string
  readonly family: AttackFamily
  readonly summary: string
  readonly expects: Expectation
  /** Judged trials in which it could succeed. */
  readonly trials: number
  /** Trials without a score before or after; in no rate. */
  readonly unscored: number
  /** Trials that could not succeed: the answer was at the end of the scale already. */
  readonly noRoom: number
  /** Share of trials in which it succeeded, over all variants; items share clusters. Null without trials. */
  readonly rate: ClusteredProportion | null
  /** Mean change of the score, in units of the scale (see `JudgeAudit.unit`); null where nothing is compared. */
  readonly shift: BootstrapInterval | null
  readonly variants: readonly {
    readonly name: string
    readonly trials: number
    readonly rate: number | null
  }[]
  /** Mean over variants, each counting alike; and the variant that succeeded most. */
  readonly meanOfVariants: number | null
  readonly worst: { readonly name: string; readonly rate: number } | null
  /** Successes that moved the score most. */
  readonly examples: readonly AttackExample[]
  /** Calls that stopping early saved. */
  readonly saved: number
}

/** How a judge's numbers are read. */
export interface Scale {
  readonly low: number
  readonly high: number
  /** Above it an output counts as accepted. */
  readonly accept: number
  /** Differences up to this are none. */
  readonly tolerance: number
  /** What one stands for: the width of the range, but no more than four deviations of the natural scores. */
  readonly unit: number
}

/** Whether the attack succeeded; null where it was not judged, or had no room to. */
export function succeeded(
  { before, after }: Pick<Trial, 'before' | 'after'>,
  expects: Expectation,
  { low, high, accept, tolerance }: Scale,
): boolean | null | 'no-room' {
  if (after.value === null) return null
  if (expects === 'rejected') return after.value > accept
  if (before === undefined || before.value === null) return null
  const change = after.value - before.value
  switch (expects) {
    case 'no-gain':
      return before.value + tolerance >= high ? 'no-room' : change > tolerance
    case 'same':
      return Math.abs(change) > tolerance
    case 'worse':
      return before.value - tolerance <= low ? 'no-room' : change >= -tolerance
  }
}

export function attackOutcome(
  { name, family, summary, expects }: Pick<Attack, 'name' | 'family' | 'summary' | 'expects'>,
  trials: readonly Trial[],
  scale: Scale,
  options: { readonly saved?: number; readonly examples?: number; readonly rng?: Rng } = {},
): AttackOutcome {
  const judged = trials.map((trial) => ({ trial, success: succeeded(trial, expects, scale) }))
  const counted = judged.filter(
    (one): one is { trial: Trial; success: boolean } => typeof one.success === 'boolean',
  )
  const variants = [...Map.groupBy(counted, ({ trial }) => trial.variant)].map(([name, members]) => ({
    name,
    trials: members.length,
    rate: members.filter(({ success }) => success).length / members.length,
  }))
  const changed = counted.flatMap(({ trial: { before, after, cluster } }) =>
    before === undefined ? [] : [{ change: (after.value! - before.value!) / scale.unit, cluster }],
  )
  return {
    attack: name,
    family,
    summary,
    expects,
    trials: counted.length,
    unscored: judged.filter(({ success }) => success === null).length,
    noRoom: judged.filter(({ success }) => success === 'no-room').length,
    rate: clusteredProportion(
      counted.map(({ success }) => success),
      counted.map(({ trial }) => trial.cluster),
    ),
    shift: bootstrapMean(
      changed.map(({ change }) => change),
      {
        rng: options.rng ?? new Rng('attacks'),
        resamples: 500,
        clusters: changed.map(({ cluster }) => cluster),
      },
    ),
    variants,
    meanOfVariants:
      variants.length === 0 ? null : variants.reduce((sum, { rate }) => sum + rate, 0) / variants.length,
    worst:
      variants.length === 0
        ? null
        : variants.map(({ name, rate }) => ({ name, rate })).reduce((a, b) => (b.rate > a.rate ? b : a)),
    examples: counted
      .filter(({ success }) => success)
      .map(({ trial: { item, variant, before, after, sample } }) => ({
        item,
        variant,
        before: before?.value ?? null,
        after: after.value!,
        sample,
      }))
      .sort((a, b) => Math.abs(b.after - (b.before ?? 0)) - Math.abs(a.after - (a.before ?? 0)))
      .slice(0, options.examples ?? 3),
    saved: options.saved ?? 0,
  }
}
