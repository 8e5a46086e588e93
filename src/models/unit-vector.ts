/** The vector scaled to length 1; undefined where it has no length, or an infinite one. */
export function unitVector(values: Float32Array): Float32Array | undefined {
  let sum = 0
  for (const value of values) sum += value * value
  const length = Math.sqrt(sum)
  return length > 0 && Number.isFinite(length) ? values.map((value) => value / length) : undefined
}
