import type { Comparator, Comparison, Json, Pair, ScoreContext, Unscored } from '../../core/index.ts'
import { unscored } from '../../core/index.ts'
import { totalUsage } from '../usage.ts'

/** A context with its probability, or any weight that is not negative. */
export interface WeightedContext {
  readonly context: string
  readonly weight: number
}

export interface ContextComparatorOptions {
  readonly name: string
  readonly version?: string
  /** Judges a pair in the context of `meta.context`. */
  readonly comparator: Comparator
  /** The contexts of each pair, at least one each. */
  readonly contexts: (
    pairs: readonly Pair[],
    context: ScoreContext,
  ) => Promise<readonly (readonly WeightedContext[] | Unscored)[]>
  /** `expectation` over all contexts, or only the likeliest one, the first among equals. @default 'expectation' */
  readonly choose?: 'expectation' | 'likeliest'
  /** What sets the contexts apart. */
  readonly params?: Json
}

/**
 * A preference in two steps: contexts, then the preference in each, `sum p(z) p(a better | z)`. The parts `context 1`,
 * `context 2`, ... are the preferences in each, `context 1 weight` its normalised weight. A pair of which one context with
 * weight could not be judged is unscored.
 */
export function contextComparator(options: ContextComparatorOptions): Comparator {
  const { name, version = '1', comparator, contexts, choose = 'expectation', params = null } = options
  return {
    name,
    version,
    params: { comparator: comparator.params, choose, contexts: params },
    compare: async (pairs, context = {}) => {
      const found = await contexts(pairs, context)
      const chosen = found.map((list) =>
        'code' in list ? list : weighted(list as readonly WeightedContext[], choose),
      )
      const asked = pairs.flatMap((pair, index) => {
        const list = chosen[index]!
        return 'code' in list ? [] : list.map((each, at) => inContext(pair, each.context, at))
      })
      const comparisons = await comparator.compare(asked, context)
      let next = 0
      return chosen.map((list): Comparison => {
        if ('code' in list) return list
        const own = list.map(() => comparisons[next++]!)
        return expectation(list, own)
      })
    },
  }
}

/** With weights that sum to 1; contexts without weight are not asked about. */
function weighted(
  list: readonly WeightedContext[],
  choose: 'expectation' | 'likeliest',
): readonly WeightedContext[] | Unscored {
  const total = list.reduce((sum, { weight }) => sum + weight, 0)
  if (!(total > 0) || list.some(({ weight }) => !(weight >= 0)))
    return unscored('bad-input', 'the weights of the contexts must not be negative, and one must be above 0')
  if (choose === 'likeliest') {
    const best = Math.max(...list.map(({ weight }) => weight))
    return [{ ...list.find(({ weight }) => weight === best)!, weight: 1 }]
  }
  return list.flatMap((each) => (each.weight === 0 ? [] : [{ ...each, weight: each.weight / total }]))
}

function inContext({ id, a, b }: Pair, context: string, at: number): Pair {
  return {
    id: `${id}/context ${at + 1}`,
    a: { ...a, meta: { ...a.meta, context } },
    b: { ...b, meta: { ...b.meta, context } },
  }
}

function expectation(list: readonly WeightedContext[], own: readonly Comparison[]): Comparison {
  const usage = totalUsage(own.map((comparison) => comparison.usage))
  const share = (values: readonly (number | null | undefined)[]) =>
    values.reduce<number>((sum, value, z) => sum + list[z]!.weight * (value ?? 0), 0)
  const parts = {
    ...Object.fromEntries(
      own.flatMap(({ value }, z) => [
        [`context ${z + 1}`, value],
        [`context ${z + 1} weight`, list[z]!.weight],
      ]),
    ),
    parsed: share(own.map((comparison) => comparison.parts?.parsed)),
  }
  const failure = own.find((comparison): comparison is Unscored => comparison.value === null)
  if (failure !== undefined) return { ...failure, parts, usage }
  const orders = own.map((comparison) => ('orders' in comparison ? comparison.orders : undefined))
  const both = orders.every((order) => order !== undefined && order[0] !== null && order[1] !== null)
  return {
    value: Math.min(1, share(own.map(({ value }) => value))),
    ...(both
      ? {
          orders: [share(orders.map((order) => order![0])), share(orders.map((order) => order![1]))] as const,
        }
      : {}),
    rationale: list.map(({ context, weight }) => `${Math.round(100 * weight)}%: ${context}`).join('\n'),
    parts,
    usage,
  }
}
