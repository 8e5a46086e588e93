import type { Range } from '../../core/index.ts'

// Interval arithmetic over ranges, infinite ends included: what values an expression of rewards can take.

export function addRanges([a, b]: Range, [c, d]: Range): Range {
  return [a + c, b + d]
}

export function multiplyRanges(a: Range, b: Range): Range {
  const ends = a.flatMap((x) => b.map((y) => (x === 0 || y === 0 ? 0 : x * y))) // 0 times infinity is 0 here
  return [Math.min(...ends), Math.max(...ends)]
}

export function hull(ranges: readonly Range[]): Range {
  return [Math.min(...ranges.map(([low]) => low)), Math.max(...ranges.map(([, high]) => high))]
}

/** The range of `map` over a range on which it rises. */
export function mapRange([low, high]: Range, map: (end: number) => number): Range {
  return [map(low), map(high)]
}
