import { type Comparator, type Comparison, Rng, textOf, unscored } from '../../core/index.ts'
import type { BenchmarkItem } from '../benchmarks/benchmark.ts'

export interface ScriptedJudgeOptions {
  /** @default 'scripted judge' */
  readonly name?: string
  /** How often it would be right without any bias, in (0, 1). @default 0.8 */
  readonly accuracy?: number
  /** Log-odds for the longer answer, for each doubling of length [characters]. @default 0 */
  readonly lengthBias?: number
  /** Log-odds for the side shown first. @default 0 */
  readonly firstBias?: number
  /** Share of pairs on which its reply cannot be read. @default 0 */
  readonly unreadable?: number
}

/**
 * A judge of known skill and bias: it knows the labels of `items` and errs by design, so that an audit can be tested
 * against the truth. Pairs that it does not know are unscored. The same seed gives the same verdicts.
 */
export function scriptedJudge(
  items: readonly BenchmarkItem[],
  options: ScriptedJudgeOptions = {},
): Comparator {
  const { name = 'scripted judge', accuracy = 0.8, lengthBias = 0, firstBias = 0, unreadable = 0 } = options
  if (!(accuracy > 0 && accuracy < 1))
    throw new RangeError(`an accuracy of ${accuracy} is not within 0 and 1`)
  const labels = new Map(
    items.flatMap((item) =>
      item.kind === 'preference'
        ? [
            [`${item.a.id}\u0000${item.b.id}`, Math.sign(item.label)] as const,
            [`${item.b.id}\u0000${item.a.id}`, -Math.sign(item.label)] as const,
          ]
        : [],
    ),
  )
  const skill = Math.log(accuracy / (1 - accuracy))
  return {
    name,
    version: '1',
    params: { accuracy, lengthBias, firstBias, unreadable },
    compare: async (pairs, { rng = new Rng('scripted judge') } = {}) =>
      pairs.map(({ id, a, b }): Comparison => {
        const label = labels.get(`${a.id}\u0000${b.id}`)
        if (label === undefined)
          return unscored('not-applicable', 'the scripted judge does not know this pair')
        const own = rng.fork(id)
        if (own.chance(unreadable)) return unscored('unparsable', 'its reply cannot be read')
        const length = (text: string) => Math.log2(1 + text.length)
        const longer = length(textOf(a.output)) - length(textOf(b.output))
        const odds = skill * label + lengthBias * longer + firstBias
        return { value: own.chance(1 / (1 + Math.exp(-odds))) ? 1 : 0 }
      }),
  }
}
