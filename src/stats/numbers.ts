/**
 * Statistics take numbers only: an unscored sample is left out by the caller, who says how many were. Throws a
 * `RangeError` that names the first value that is not finite.
 */
export function requireFinite(values: ArrayLike<number>, name = 'values'): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i]))
      throw new RangeError(`${name}[${i}] is ${values[i]}: statistics take finite numbers only`)
  }
}

/** Throws a `RangeError` unless both lists are finite and of one length. */
export function requirePaired(a: ArrayLike<number>, b: ArrayLike<number>): void {
  if (a.length !== b.length)
    throw new RangeError(`lists of ${a.length} and ${b.length} numbers cannot be paired`)
  requireFinite(a, 'first list: values')
  requireFinite(b, 'second list: values')
}

/** Two lists with the places left out where either holds no number. */
export interface Paired {
  readonly a: readonly number[]
  readonly b: readonly number[]
  /** Places in the original lists, ascending. */
  readonly indices: readonly number[]
  readonly n: number
  /** Of the places left out: where only a, only b, or both had no number. */
  readonly dropped: { readonly a: number; readonly b: number; readonly both: number }
}

/** Lines up two lists of scores, keeping the places where both have a number and counting the others. */
export function paired(a: readonly (number | null)[], b: readonly (number | null)[]): Paired {
  if (a.length !== b.length)
    throw new RangeError(`lists of ${a.length} and ${b.length} scores cannot be paired`)
  const kept = { a: [] as number[], b: [] as number[], indices: [] as number[] }
  const dropped = { a: 0, b: 0, both: 0 }
  for (let i = 0; i < a.length; i++) {
    const [left, right] = [a[i]!, b[i]!]
    if (left === null && right === null) dropped.both++
    else if (left === null) dropped.a++
    else if (right === null) dropped.b++
    else {
      kept.a.push(left)
      kept.b.push(right)
      kept.indices.push(i)
    }
  }
  return { ...kept, n: kept.indices.length, dropped }
}
