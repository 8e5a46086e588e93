import { Rng, type ScoredSample } from '../core/index.ts'
import {
  type BootstrapInterval,
  bootstrapMean,
  type GroupAdvantageOptions,
  groupAdvantages,
  kendall,
  paired,
  places,
} from '../stats/index.ts'
import { gather } from './gather.ts'
import { type Measure, measureReader, type ScoredSamples } from './measure.ts'
import { argMaxMin, buildPairs, type PairOptions } from './pairs.ts'

export interface RescoreOptions {
  /** The reward as it was. */
  readonly before: Measure
  /** Another reward or variant of the run, or `recombined({ terms, mode })` over stored parts. */
  readonly after: Measure
  readonly advantages?: GroupAdvantageOptions
  /** How pairs are built from either. @default best against worst */
  readonly pairs?: Omit<PairOptions, 'by'>
  /** How many changed samples to list. @default 20 */
  readonly changes?: number
  /** Of the interval. @default new Rng('rescore') */
  readonly rng?: Rng
}

export interface SampleChange {
  readonly id: string
  readonly group: string
  readonly before: number | null
  readonly after: number | null
  /** Among the scored samples of the prompt, 1 = best, equal scores share the better place. */
  readonly placeBefore: number | null
  readonly placeAfter: number | null
  readonly advantageBefore: number | null
  readonly advantageAfter: number | null
}

/** What changes downstream when one reward takes the place of another. */
export interface Rescoring {
  readonly before: string
  readonly after: string
  readonly samples: number
  readonly scored: { readonly before: number; readonly after: number; readonly both: number }
  readonly groups: number
  readonly ranks: {
    /** Prompts with two or more samples scored both ways. */
    readonly groups: number
    /** Of those: prompts with another first-best sample. */
    readonly bestChanged: number
    /** Of those: prompts in which two samples change order, or a tie is made or broken. */
    readonly orderChanged: number
    /** tau-b of the two orders, mean over the prompts where it is defined. */
    readonly kendall: BootstrapInterval | null
  }
  readonly advantages: {
    /** Samples that have an advantage both ways. */
    readonly compared: number
    /** Reinforced before and discouraged after, or the other way round. */
    readonly signChanged: number
    readonly meanAbsoluteChange: number | null
    readonly largestChange: number | null
    /** Prompts whose scored samples (two or more) are all equal: they teach nothing. */
    readonly flatBefore: number
    readonly flatAfter: number
  }
  readonly pairs: {
    readonly before: number
    readonly after: number
    readonly same: number
    /** The same two samples, the other one chosen. */
    readonly reversed: number
    readonly lost: number
    readonly gained: number
  }
  /** Largest change of advantage first (one that appears or vanishes counts whole). */
  readonly changes: readonly SampleChange[]
}

interface Row {
  readonly scored: ScoredSample
  readonly before: number | null
  readonly after: number | null
}

/** What would change if `after` took the place of `before`: ranks, group advantages and preference pairs. */
export async function rescore(samples: ScoredSamples, options: RescoreOptions): Promise<Rescoring> {
  const [before, after] = [measureReader(options.before), measureReader(options.after)]
  const groups = await gather(
    samples,
    [before, after],
    ({ scored, values }): Row => ({
      scored,
      before: values[0]!,
      after: values[1]!,
    }),
  )
  const rows = [...groups.values()].flat()
  const ranks = { groups: 0, bestChanged: 0, orderChanged: 0 }
  const taus: number[] = []
  const flat = { before: 0, after: 0 }
  const changes: SampleChange[] = []
  for (const [group, members] of groups) {
    const [was, is] = [members.map((row) => row.before), members.map((row) => row.after)]
    const both = paired(was, is)
    if (both.n >= 2) {
      const tau = kendall(both.a, both.b)
      ranks.groups++
      ranks.bestChanged += Number(firstBest(both.a) !== firstBest(both.b))
      ranks.orderChanged += Number(
        tau.discordant > 0 || tau.tiedA !== tau.tiedBoth || tau.tiedB !== tau.tiedBoth,
      )
      if (tau.tauB !== null) taus.push(tau.tauB)
    }
    flat.before += Number(isFlat(was))
    flat.after += Number(isFlat(is))
    const [placesBefore, placesAfter] = [placesOf(was), placesOf(is)]
    const advantages = [
      groupAdvantages(was, options.advantages),
      groupAdvantages(is, options.advantages),
    ] as const
    members.forEach((row, i) => {
      changes.push({
        id: row.scored.sample.id,
        group,
        before: row.before,
        after: row.after,
        placeBefore: placesBefore[i]!,
        placeAfter: placesAfter[i]!,
        advantageBefore: advantages[0][i]!,
        advantageAfter: advantages[1][i]!,
      })
    })
  }
  const compared = changes.filter(
    ({ advantageBefore, advantageAfter }) => advantageBefore !== null && advantageAfter !== null,
  )
  const sizes = compared.map(changeOf)
  return {
    before: before.name,
    after: after.name,
    samples: rows.length,
    scored: {
      before: rows.filter((row) => row.before !== null).length,
      after: rows.filter((row) => row.after !== null).length,
      both: rows.filter((row) => row.before !== null && row.after !== null).length,
    },
    groups: groups.size,
    ranks: {
      ...ranks,
      kendall: bootstrapMean(taus, { rng: options.rng ?? new Rng('rescore') }),
    },
    advantages: {
      compared: compared.length,
      signChanged: compared.filter((change) => change.advantageBefore! * change.advantageAfter! < 0).length,
      meanAbsoluteChange:
        sizes.length === 0 ? null : sizes.reduce((sum, size) => sum + size, 0) / sizes.length,
      largestChange: sizes.length === 0 ? null : sizes.reduce((most, size) => Math.max(most, size)),
      flatBefore: flat.before,
      flatAfter: flat.after,
    },
    pairs: await pairChanges(rows, options.pairs ?? {}),
    changes: changes
      .filter((change) => changeOf(change) > 0 || change.before !== change.after)
      .sort((a, b) => changeOf(b) - changeOf(a))
      .slice(0, options.changes ?? 20),
  }
}

async function pairChanges(
  rows: readonly Row[],
  options: Omit<PairOptions, 'by'>,
): Promise<Rescoring['pairs']> {
  const keysOf = async (side: 'before' | 'after') => {
    const values = new Map(rows.map((row) => [row.scored, row[side]]))
    const { preferences } = await buildPairs(values.keys(), {
      ...options,
      by: { name: side, read: (scored) => values.get(scored)! },
    })
    return new Map(
      preferences.map(({ meta }) => [
        JSON.stringify([meta.chosenId, meta.rejectedId]),
        JSON.stringify([meta.rejectedId, meta.chosenId]),
      ]),
    )
  }
  const [before, after] = [await keysOf('before'), await keysOf('after')]
  let [same, reversed] = [0, 0]
  for (const [key, mirrored] of before) {
    if (after.has(key)) same++
    else if (after.has(mirrored)) reversed++
  }
  return {
    before: before.size,
    after: after.size,
    same,
    reversed,
    lost: before.size - same - reversed,
    gained: after.size - same - reversed,
  }
}

function firstBest(values: readonly number[]): number {
  return argMaxMin(values)?.max ?? 0
}

function isFlat(values: readonly (number | null)[]): boolean {
  const known = values.filter((value) => value !== null)
  return known.length >= 2 && known.every((value) => value === known[0])
}

function placesOf(values: readonly (number | null)[]): (number | null)[] {
  const known = places(values.filter((value) => value !== null))
  let next = 0
  return values.map((value) => (value === null ? null : known[next++]!))
}

function changeOf({ advantageBefore, advantageAfter }: SampleChange): number {
  return Math.abs((advantageAfter ?? 0) - (advantageBefore ?? 0))
}
