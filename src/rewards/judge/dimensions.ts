import type { Comparator, Comparison, Pair, Unscored } from '../../core/index.ts'
import { totalUsage } from '../usage.ts'

export interface DimensionsOptions {
  readonly name: string
  readonly version?: string
  /** One judge for each dimension. */
  readonly dimensions: Readonly<Record<string, Comparator>>
  /** Which dimensions a pair has, or why it cannot be judged. @default all */
  readonly of?: (pair: Pair) => readonly string[] | Unscored
}

/**
 * Judges pairs on several dimensions: the comparison is their mean, `parts` has each (an output may win one and lose
 * another). A pair with a dimension that could not be judged is unscored, and the parts keep what could.
 */
export function dimensionsComparator({ name, version = '1', dimensions, of }: DimensionsOptions): Comparator {
  const entries = Object.entries(dimensions)
  return {
    name,
    version,
    params: Object.fromEntries(entries.map(([dimension, { params }]) => [dimension, params])),
    compare: async (pairs, context) => {
      const wanted = pairs.map((pair) => of?.(pair) ?? Object.keys(dimensions))
      const found = new Map<string, Map<Pair, Comparison>>()
      await Promise.all(
        entries.map(async ([dimension, comparator]) => {
          const mine = pairs.filter((_, index) => {
            const list = wanted[index]!
            return !('code' in list) && list.includes(dimension)
          })
          const comparisons = mine.length === 0 ? [] : await comparator.compare(mine, context)
          found.set(dimension, new Map(mine.map((pair, index) => [pair, comparisons[index]!])))
        }),
      )
      return pairs.map((pair, index) => {
        const list = wanted[index]!
        if ('code' in list) return list
        return meanOver(list.map((dimension) => [dimension, found.get(dimension)!.get(pair)!] as const))
      })
    },
  }
}

function meanOver(judged: readonly (readonly [dimension: string, Comparison])[]): Comparison {
  const usage = totalUsage(judged.map(([, comparison]) => comparison.usage))
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const parts = {
    ...Object.fromEntries(judged.map(([dimension, { value }]) => [dimension, value])),
    parsed: mean(judged.map(([, comparison]) => comparison.parts?.parsed ?? 0)),
  }
  const failure = judged.find(([, { value }]) => value === null)
  if (failure) {
    const [dimension, comparison] = failure as [string, Unscored]
    return { ...comparison, reason: `${dimension}: ${comparison.reason}`, parts, usage }
  }
  const sound = judged.map(([, comparison]) => comparison as Exclude<Comparison, Unscored>)
  const orders = sound.flatMap(({ orders }) => (orders ? [orders] : []))
  const rationale = judged
    .flatMap(([dimension, comparison]) =>
      'rationale' in comparison && comparison.rationale ? [`${dimension}: ${comparison.rationale}`] : [],
    )
    .join('\n')
  return {
    value: mean(sound.map(({ value }) => value)),
    ...(orders.length === sound.length
      ? {
          orders: [
            mean(orders.map(([aFirst]) => aFirst!)),
            mean(orders.map(([, bFirst]) => bFirst!)),
          ] as const,
        }
      : {}),
    ...(rationale === '' ? {} : { rationale }),
    parts,
    usage,
  }
}
