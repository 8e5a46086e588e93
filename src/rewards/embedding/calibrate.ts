import { quantiles } from '../../stats/quantiles.ts'
import type { Threshold } from '../combine/threshold.ts'

/**
 * Bounds for `rescale`, from similarities measured on a sample of pictures: their `low` and `high` quantiles. The range
 * of a cosine belongs to its encoder (hundredths for CLIP), so bounds of another encoder leave every value at 0 or at 1.
 *
 * @param values  similarities of one encoder, of good and bad pictures alike
 * @throws RangeError when the quantiles are equal or there are no values
 * @example
 * const bounds = calibrate(similarities)
 * const reward = rescale(similarity, bounds) // in [0, 1]
 */
export function calibrate(values: ArrayLike<number>, low: number = 0.05, high: number = 0.95): Threshold {
  const [from, to] = quantiles(values, [low, high])
  if (from == null || to == null || !(from < to))
    throw new RangeError(
      `the ${low} and ${high} quantiles of ${values.length} values are no interval: [${from}, ${to}]`,
    )
  return [from, to]
}
