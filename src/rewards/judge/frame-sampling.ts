/**
 * Indices of `count` frames spread evenly over `length`, first and last included: `floor(i (length - 1) / (count - 1) +
 * 0.5)`; for one frame the first. All of them where there are no more than `count`.
 */
export function uniformIndices(length: number, count: number): number[] {
  if (!(Number.isSafeInteger(length) && length >= 0 && Number.isSafeInteger(count) && count >= 1))
    throw new RangeError(`${count} of ${length} frames`)
  if (length <= count) return Array.from({ length }, (_, index) => index)
  if (count === 1) return [0]
  return Array.from({ length: count }, (_, index) => Math.floor((index * (length - 1)) / (count - 1) + 0.5))
}
