/** A vector of an embedding space, of any length. */
export type Vector = ArrayLike<number>

/** Sum of the products of equal places; NaN when the lengths differ. Accumulated in float64. */
export function dotProduct(a: Vector, b: Vector): number {
  if (a.length !== b.length) return Number.NaN
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** The vector at length 1; a vector of length 0 stays as it is. */
export function unitVector(vector: Vector): Float64Array {
  const length = Math.sqrt(dotProduct(vector, vector))
  return Float64Array.from(vector, (value) => (length === 0 ? value : value / length))
}

/** The mean, place by place. It is not of length 1, unless all are the same unit vector. */
export function meanVector(vectors: readonly Vector[]): Float64Array {
  const mean = new Float64Array(vectors[0]?.length ?? 0)
  for (const vector of vectors) for (let i = 0; i < mean.length; i++) mean[i]! += vector[i]! / vectors.length
  return mean
}
