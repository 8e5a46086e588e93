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
    const raw = np.einsum('bhtd,bhsd->bhts', last ? query : query.ref, key).mul(scale)
    return mask === undefined ? raw : raw.add(mask)
  })
  if (scores.length === 1)
    return np.einsum('bhts,bhsd->bhtd', change(softmax(scores[0]!)), memories[0]!.value)
  const ends = scores.map(({ shape }) => shape[3]!).slice(0, -1)
  const cuts = ends.map((_, index) => ends.slice(0, index + 1).reduce((a, b) => a + b))
  const maps = np.split(change(softmax(np.concatenate(scores, 3))), cuts, 3)
  return maps
    .map((map, index) => np.einsum('bhts,bhsd->bhtd', map, memories[index]!.value))
    .reduce((a, b) => a.add(b))
}

export interface CausalOptions {
  /** The first `prefix` positions see each other in both directions. @default 0 */
  readonly prefix?: number
  /** How many positions back one may look, itself included (the prefix stays visible). @default all */
  readonly window?: number
}

/** Additive mask Float[length, length]: a position sees itself and those before. */
export function causalMask(length: number, { prefix = 0, window = length }: CausalOptions = {}): JaxArray {
  const mask = new Float32Array(length * length)
  for (let from = 0; from < length; from++)
    for (let to = 0; to < length; to++) {
      const visible = (to <= from && (to > from - window || to < prefix)) || (from < prefix && to < prefix)
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
 * Masks of one new token that stands at `slot` (Int[]) of a memory of `block` places behind one of `past`: of the past
 * Float[past] (absent: all visible), and of the recent places Float[block], up to the slot itself. Consumes `slot`.
 */
export function slotMask(
  sizes: {
    readonly past: number
    readonly block: number
    /** Places at the start of the past that are always seen. */
    readonly prefix: number
    readonly window?: number | undefined
  },
  slot: JaxArray,
): { readonly past: JaxArray | undefined; readonly recent: JaxArray } {
  const { past, block, prefix, window } = sizes
  const places = np.arange(block)
  const ahead = np.less(slot.ref, places.ref)
  if (window === undefined) {
    slot.dispose()
    return { past: undefined, recent: np.where(ahead, hidden, 0) }
  }
  const oldest = slot.sub(window - 1)
  const behind = np.less(places, oldest.ref)
  const pastPlaces = np.arange(past)
  const forgotten = np.less(pastPlaces.ref, oldest.add(past)).mul(np.less(prefix - 1, pastPlaces))
  return {
    past: np.where(forgotten, hidden, 0),
    recent: np.where(np.add(ahead, behind), hidden, 0),
  }
}
