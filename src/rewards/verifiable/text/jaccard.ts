import { canonicalJson } from '../../../core/index.ts'

/**
 * Multiset Jaccard: shared items, each as often as both lists hold it, over all items: sum min / sum max of the
 * counts, in [0, 1]. Items are equal by value and type (`3` is not `'3'`), objects and arrays deeply; order does not
 * matter. 1 when both lists are empty, 0 when one is.
 *
 * @example multisetJaccard(['a', 'a', 'b'], ['a', 'b', 'c']) // 2 / 4
 */
export function multisetJaccard(a: readonly unknown[], b: readonly unknown[]): number {
  if (a.length === 0 && b.length === 0) return 1
  const counts = new Map<unknown, number>()
  for (const item of a) {
    const key = keyOf(item)
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  let shared = 0
  for (const item of b) {
    const key = keyOf(item)
    const left = counts.get(key) ?? 0
    if (left === 0) continue
    shared++
    counts.set(key, left - 1)
  }
  return shared / (a.length + b.length - shared)
}

/**
 * Jaccard of the sets of items: repeats are free. Same equality as `multisetJaccard`; 1 when both are empty, 0 when
 * one is.
 *
 * @example jaccard(['a', 'a', 'b'], ['a', 'b', 'c']) // 2 / 3
 */
export function jaccard(a: readonly unknown[], b: readonly unknown[]): number {
  return multisetJaccard([...new Set(a.map(keyOf))], [...new Set(b.map(keyOf))])
}

/** The marker keeps an object apart from the text that spells it. */
function keyOf(item: unknown): unknown {
  return typeof item === 'object' && item !== null ? `\u0000${canonicalJson(item)}` : item
}
