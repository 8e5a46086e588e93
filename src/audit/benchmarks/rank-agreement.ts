/**
 * Share of the pairs of different gold value that the values put in the same order, in [0, 1]; a tie earns half. Null
 * when all gold values are equal. With `weights: 'gap'` a pair weighs 1 + its gold difference.
 */
export function pairOrder(
  values: readonly number[],
  gold: readonly number[],
  { weights = 'equal' }: { readonly weights?: 'equal' | 'gap' } = {},
): number | null {
  let [earned, total] = [0, 0]
  for (let i = 0; i < gold.length; i++) {
    for (let j = i + 1; j < gold.length; j++) {
      const wanted = gold[i]! - gold[j]!
      if (wanted === 0) continue
      const weight = weights === 'gap' ? 1 + Math.abs(wanted) : 1
      const said = Math.sign(values[i]! - values[j]!) * Math.sign(wanted)
      total += weight
      earned += weight * (said > 0 ? 1 : said === 0 ? 0.5 : 0)
    }
  }
  return total === 0 ? null : earned / total
}

/**
 * Normalised discounted cumulative gain of the order by value, in [0, 1] for gains of at least 0: discount
 * 1 / log2(rank + 1), equal values in the order given. Null when the ideal gain is 0.
 *
 * @param gain  `linear` takes the gold value itself, `exponential` 2^gold - 1
 */
export function discountedGain(
  values: readonly number[],
  gold: readonly number[],
  gain: 'linear' | 'exponential' = 'linear',
): number | null {
  const worth = (value: number) => (gain === 'linear' ? value : 2 ** value - 1)
  const cumulative = (order: readonly number[]) =>
    order.reduce((sum, index, rank) => sum + worth(gold[index]!) / Math.log2(rank + 2), 0)
  const by = (list: readonly number[]) => [...list.keys()].sort((i, j) => list[j]! - list[i]!)
  const ideal = cumulative(by(gold))
  return ideal === 0 ? null : cumulative(by(values)) / ideal
}

/** Share of right candidates among those with the highest value: the chance that a pick among them is right. */
export function argmaxShare(values: readonly number[], correct: readonly boolean[]): number {
  const highest = Math.max(...values)
  const best = [...values.keys()].filter((index) => values[index] === highest)
  return best.filter((index) => correct[index]).length / best.length
}
