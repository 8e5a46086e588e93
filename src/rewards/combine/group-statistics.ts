import { mean, standardDeviation } from '../../stats/moments.ts'

/** What one group's scores look like; unscored ones enter nothing but their own count. */
export interface GroupStatistics {
  readonly group: string
  readonly scored: number
  readonly unscored: number
  /** Null where nothing is scored. */
  readonly mean: number | null
  /** Population (ddof 0); null where nothing is scored. */
  readonly standardDeviation: number | null
  /** All scored values are equal: the group teaches nothing. Null with fewer than two scored values. */
  readonly zeroVariance: boolean | null
}

/** One entry per group, in order of first appearance. `groups[i]` is the group of `scores[i]`. */
export function groupStatistics(
  scores: readonly { readonly value: number | null }[],
  groups: readonly string[],
): GroupStatistics[] {
  if (scores.length !== groups.length)
    throw new RangeError(`${scores.length} scores cannot belong to ${groups.length} groups`)
  const members = new Map<string, { values: number[]; unscored: number }>()
  scores.forEach(({ value }, index) => {
    const group = groups[index]!
    let member = members.get(group)
    if (member === undefined) {
      member = { values: [], unscored: 0 }
      members.set(group, member)
    }
    if (value === null) member.unscored += 1
    else member.values.push(value)
  })
  return [...members].map(([group, { values, unscored }]) => ({
    group,
    scored: values.length,
    unscored,
    mean: mean(values),
    standardDeviation: standardDeviation(values, { ddof: 0 }),
    zeroVariance: values.length < 2 ? null : values.every((value) => value === values[0]),
  }))
}

export interface ZeroVarianceShare {
  /** Share of the counted groups whose scored values are all equal; null where no group counts. */
  readonly share: number | null
  readonly zeroVariance: number
  /** Groups with at least two scored values: the denominator. */
  readonly counted: number
  /** Groups left out because fewer than two of their values are scored. */
  readonly tooFew: number
  readonly unscored: number
}

/** How many groups give no signal to a group-relative advantage. */
export function zeroVarianceShare(
  scores: readonly { readonly value: number | null }[],
  groups: readonly string[],
): ZeroVarianceShare {
  const statistics = groupStatistics(scores, groups)
  const counted = statistics.filter(({ zeroVariance }) => zeroVariance !== null)
  const flat = counted.filter(({ zeroVariance }) => zeroVariance).length
  return {
    share: counted.length === 0 ? null : flat / counted.length,
    zeroVariance: flat,
    counted: counted.length,
    tooFew: statistics.length - counted.length,
    unscored: statistics.reduce((total, group) => total + group.unscored, 0),
  }
}
