import { type Array as JaxArray, nn, numpy as np } from '@jax-js/jax'
import { unitLength } from '../../nets/layers.ts'
import { kept } from './averages.ts'
import { requireOption, requireShapes } from './shapes.ts'

// The ideal-point model of PAL (arXiv 2406.08469): an item is liked the more, the closer it is to its user's ideal point,
// a mixture of K prototypes. Its losses are `hingeLosses` or `smoothHingeLosses` of y h (distances), or `choiceLosses` of the
// logits (angles); y is +1 where the RIGHT item is preferred, -1 for the left. All consume their inputs.

/** Mixture weights of users, softmax of their raw weights Float[B, K]; a constant temperature (a learnt one can go negative). */
export function mixtureWeights(
  { rawWeights }: { readonly rawWeights: JaxArray },
  { temperature = 1 }: { /** @default 1 */ readonly temperature?: number } = {},
): JaxArray {
  requireShapes('mixtureWeights', { rawWeights: [rawWeights, 'BK'] })
  requireOption('mixtureWeights', temperature > 0, '`temperature` is above 0')
  return nn.softmax(rawWeights.div(temperature), -1)
}

/**
 * Ideal points Float[B, d] from `weights` Float[B, K] (on the simplex) and prototypes: Float[K, d], the same for all
 * prompts (PAL-A), or Float[B, K, d], each prompt's own (PAL-B). The variants of PAL-A are where the item map f goes:
 * on nothing, on the result (prototypes in f's input space), or on the prototypes.
 */
export function idealPoints({
  weights,
  prototypes,
}: {
  readonly weights: JaxArray
  readonly prototypes: JaxArray
}): JaxArray {
  const common = prototypes.ndim === 2
  requireShapes('idealPoints', {
    weights: [weights, 'BK'],
    prototypes: [prototypes, common ? 'Kd' : 'BKd'],
  })
  return common ? np.matmul(weights, prototypes) : np.sum(np.expandDims(weights, -1).mul(prototypes), 1)
}

interface Comparison {
  /** f(left), Float[..., d]. */
  readonly left: JaxArray
  /** f(right), Float[..., d]. */
  readonly right: JaxArray
  /** Float[..., d]. */
  readonly ideal: JaxArray
}

/** h = ||left - ideal|| - ||right - ideal|| (not squared), Float[...]: above 0 when RIGHT is preferred. */
export function distanceDifferences({ left, right, ideal }: Comparison): JaxArray {
  requireShapes('distanceDifferences', { left: [left, '*'], right: [right, '*'], ideal: [ideal, '*'] })
  return lengths(left.sub(ideal.ref)).sub(lengths(right.sub(ideal)))
}

/**
 * Logits of left and right, Float[..., 2]: exp(logScale), at most 100, times the cosine to the ideal point. `logScale`
 * Float[] starts at log(1 / 0.07) and is learnt.
 */
export function angleLogits({
  left,
  right,
  ideal,
  logScale,
}: Comparison & { readonly logScale: JaxArray }): JaxArray {
  requireShapes('angleLogits', {
    left: [left, '*'],
    right: [right, '*'],
    ideal: [ideal, '*'],
    logScale: [logScale, ''],
  })
  const goal = unitLength(ideal)
  const cosine = (items: JaxArray) => np.sum(unitLength(items).mul(goal.ref), -1)
  const both = np.stack([cosine(left), cosine(right)], -1)
  goal.dispose()
  return both.mul(np.exp(np.minimum(logScale, Math.log(100))))
}

/** How a response's losses per token become one: `cumulative` weighs the p-th of n by p / (n (n + 1) / 2). */
export type TokenWeighting = 'cumulative' | 'mean' | 'last'

/**
 * One loss per response, Float[B], of losses per token Float[B, T] over the tokens where `mask` is 1 (from where the two
 * responses part to the end); 0 when there are none.
 */
export function tokenWeighted(
  { losses, mask }: { readonly losses: JaxArray; readonly mask: JaxArray },
  { over = 'cumulative' }: { /** @default 'cumulative' */ readonly over?: TokenWeighting } = {},
): JaxArray {
  requireShapes('tokenWeighted', { losses: [losses, 'BT'], mask: [mask, 'BT'] })
  const place = np.cumsum(mask.ref, 1).mul(mask.ref) // 1 to n
  const count = np.max(place.ref, 1, { keepdims: true })
  const isLast = np.where(np.equal(place.ref, np.maximum(count, 1)), np.onesLike(mask.ref), 0)
  const weights = { cumulative: place, mean: mask.ref, last: isLast }[over]
  const total = np.maximum(np.sum(weights.ref, 1), 1)
  return np.sum(kept(losses, mask).mul(weights), 1).div(total)
}

/** Sum over rows Float[N, d] of how far their lengths exceed `bound` (23 in PAL-A, 4 in PAL-B), Float[]. */
export function lengthPenalty(
  { rows }: { readonly rows: JaxArray },
  { bound = 23 }: { readonly bound?: number } = {},
): JaxArray {
  requireShapes('lengthPenalty', { rows: [rows, 'Nd'] })
  return np.sum(np.maximum(lengths(rows).sub(bound), 0))
}

/** Euclidean lengths over the last dim, Float[..., d] to Float[...]; the derivative at the zero vector is 0. Consumes it. */
function lengths(vectors: JaxArray): JaxArray {
  return np.sqrt(np.maximum(np.sum(np.square(vectors), -1), 1e-24))
}
