import { type Array as JaxArray, numpy as np, tree } from '@jax-js/jax'
import { smallSize } from './crossing.ts'
import type { Tree } from './tree.ts'

// Runs inside traced functions, so jax-js is imported plainly here: whoever imports this file traces.

/** A tree of jax arrays, as a traced function sees parameters and gradients. */
export type Arrays = Tree<JaxArray>

/**
 * An element-wise function of the leaves at one place of several trees, which have one structure; gives a tree for
 * each of its results. Small leaves of one type and kind (of the first tree) go through it joined to one vector, as an
 * operator costs a microsecond however few numbers it works on. Consumes all arrays.
 */
export function leafwise<Kind extends string | boolean>(
  fn: (leaves: JaxArray[], kind: Kind) => JaxArray[],
  trees: readonly Arrays[],
  kindOf: (leaf: JaxArray) => Kind = () => '' as Kind,
): Arrays[] {
  const flattened = trees.map((item) => tree.flatten(item as never) as unknown as [JaxArray[], unknown])
  const [leaves, structure] = flattened[0]!
  const results: JaxArray[][] = []
  for (const group of groups(leaves, kindOf)) {
    const shapes = group.map((index) => leaves[index]!.shape)
    const kind = kindOf(leaves[group[0]!]!)
    const given = flattened.map(([items]) => joined(group.map((index) => items[index]!)))
    fn(given, kind).forEach((whole, result) => {
      results[result] ??= []
      taken(whole, shapes).forEach((leaf, place) => {
        results[result]![group[place]!] = leaf
      })
    })
  }
  return results.map((made) => tree.unflatten(structure as never, made as never) as Arrays)
}

/** The leaves, small ones joined to one vector. Consumes none. */
export function joinedLeaves(arrays: Arrays): JaxArray[] {
  const leaves = tree.leaves(arrays as never) as JaxArray[]
  return groups(leaves, () => '').map((group) => joined(group.map((index) => leaves[index]!.ref)))
}

function groups(leaves: readonly JaxArray[], kindOf: (leaf: JaxArray) => string | boolean): number[][] {
  const found = new Map<string, number[]>()
  leaves.forEach((leaf, index) => {
    const key = leaf.size <= smallSize ? `${leaf.dtype} ${kindOf(leaf)}` : String(index)
    found.set(key, [...(found.get(key) ?? []), index])
  })
  return [...found.values()]
}

function joined(arrays: readonly JaxArray[]): JaxArray {
  if (arrays.length === 1) return arrays[0]!
  return np.concatenate(
    arrays.map((array) => array.reshape([array.size])),
    0,
  )
}

/** What was joined, apart again. */
function taken(whole: JaxArray, shapes: readonly number[][]): JaxArray[] {
  if (shapes.length === 1) return [whole]
  const sizes = shapes.map((shape) => shape.reduce((a, b) => a * b, 1))
  const cuts = sizes.slice(1).map((_, index) => sizes.slice(0, index + 1).reduce((a, b) => a + b))
  return np.split(whole, cuts, 0).map((part, index) => part.reshape(shapes[index]!))
}
