import { type Array as JaxArray, numpy as np } from '@jax-js/jax'
import { softmax } from './derivative.ts'

/** Added to scores of what must not be seen; finite, so that a row without anything to see stays a number. */
const hidden = -1e9

/** Keys and values that queries may look at. */
export interface Memory {
  /** Float[B, H, S, d] */
  readonly key: JaxArray
  /** Float[B, H, S, d] */
  readonly value: JaxArray
  /** Added to the scores, broadcast to [B, H, T, S]: 0 where visible. Absent: all is visible. */
  readonly mask?: JaxArray | undefined
}

/**
 * Scaled dot-product attention of Float[B, H, T, d] over one memory after another (a cache and what came since, or a
 * single one), as if they were joined. `change` sees, and may replace, the map Float[B, H, T, S]. Consumes all arrays.
 */
export function attend(
  query: JaxArray,
  memories: readonly Memory[],
  change: (map: JaxArray) => JaxArray = (map) => map,
): JaxArray {
  const scale = 1 / Math.sqrt(query.shape[3]!)
  const scores = memories.map(({ key, mask }, index) => {
    const last = index === memories.length - 1
    const raw = scoresOf(last ? query : query.ref, key).mul(scale)
    return mask === undefined ? raw : raw.add(mask)
  })
  if (scores.length === 1) return mixtureOf(change(softmax(scores[0]!)), memories[0]!.value)
  const ends = scores.map(({ shape }) => shape[3]!).slice(0, -1)
  const cuts = ends.map((_, index) => ends.slice(0, index + 1).reduce((a, b) => a + b))
  return np
    .split(change(softmax(np.concatenate(scores, 3))), cuts, 3)
    .map((map, index) => mixtureOf(map, memories[index]!.value))
    .reduce((a, b) => a.add(b))
}

/** Float[B, H, T, d] and Float[B, H, S, d] to Float[B, H, T, S]; many products of single rows cost more than a sum. */
function scoresOf(query: JaxArray, key: JaxArray): JaxArray {
  return key.shape[2] === 1
    ? np.sum(query.mul(key), -1, { keepdims: true })
    : np.einsum('bhtd,bhsd->bhts', query, key)
}

/** Float[B, H, T, S] and Float[B, H, S, d] to Float[B, H, T, d]. */
function mixtureOf(map: JaxArray, value: JaxArray): JaxArray {
  return value.shape[2] === 1 ? map.mul(value) : np.einsum('bhts,bhsd->bhtd', map, value)
}

export interface CausalOptions {
  /** Positions at the start that all later ones see, whatever the window. @default 0 */
  readonly prefix?: number
  /** Whether those positions see each other in both directions. @default false */
  readonly prefixSeesAll?: boolean
  /** How many positions back one may look, itself included. @default all */
  readonly window?: number | undefined
}

/** Additive mask Float[length, length]: a position sees itself and those before. */
export function causalMask(
  length: number,
  { prefix = 0, prefixSeesAll = false, window = length }: CausalOptions = {},
): JaxArray {
  const mask = new Float32Array(length * length)
  for (let from = 0; from < length; from++)
    for (let to = 0; to < length; to++) {
      const before = to <= from && (to > from - window || to < prefix)
      const visible = before || (prefixSeesAll && from < prefix && to < prefix)
      if (!visible) mask[from * length + to] = hidden
    }
  return np.array(mask, { shape: [length, length] })
}

/** Additive mask Float[B, 1, 1, S] of Float[B, S], which is 1 where there is something to see. Consumes `present`. */
export function paddingMask(present: JaxArray): JaxArray {
  const [batch, length] = present.shape as [number, number]
  return present.sub(1).mul(-hidden).reshape([batch, 1, 1, length])
}

/**
 * Additive mask Float[B, 1, S, S], S = `before` + T, that hides texts in one row from each other: Int[B, T] numbers
 * them. What stands before them is seen by all. Consumes `segments`.
 */
export function segmentMask(segments: JaxArray, before: number): JaxArray {
  const [batch, length] = segments.shape as [number, number]
  const other = np.notEqual(segments.ref.reshape([batch, length, 1]), segments.reshape([batch, 1, length]))
  const mask = np.where(other, hidden, 0).reshape([batch, 1, length, length])
  return before === 0
    ? mask
    : np.pad(mask, [
        [0, 0],
        [0, 0],
        [before, 0],
        [before, 0],
      ])
}

/**
 * Masks of what one new token sees: a memory of `past` places, Float[past] (absent: all of it), and one of `block`
 * places behind it whose first `used` (Int[]) are filled, Float[block]. Consumes `used`.
 */
export function cacheMasks(
  sizes: {
    readonly past: number
    readonly block: number
    /** Places at the start of the past that are always seen. */
    readonly prefix: number
    readonly window?: number | undefined
  },
  used: JaxArray,
): { readonly past: JaxArray | undefined; readonly recent: JaxArray } {
  const { past, block, prefix, window } = sizes
  const places = np.arange(block)
  const filled = np.less(places.ref, used.ref)
  if (window === undefined) {
    for (const array of [places, used]) array.dispose()
    return { past: undefined, recent: np.where(filled, 0, hidden) }
  }
  const oldest = used.sub(window - 1)
  const pastPlaces = np.arange(past)
  const forgotten = np.less(pastPlaces.ref, oldest.ref.add(past)).mul(np.less(prefix - 1, pastPlaces))
  return {
    past: np.where(forgotten, hidden, 0),
    recent: np.where(filled.mul(np.lessEqual(oldest, places)), 0, hidden),
  }
}
