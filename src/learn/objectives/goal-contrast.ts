import { type Array as JaxArray, nn, numpy as np } from '@jax-js/jax'
import { unitLength } from '../../nets/layers.ts'
import { sigmoid } from './logistic.ts'
import { requireShapes } from './shapes.ts'

/**
 * Place counted from the end (-1 = the end token) of a draw `u` in [0, 1) among an answer of `tokens` tokens and its end
 * token: -floor(((p - 1) u + 1) n + 1), its size at most `length` - 1. A larger `u` is a later place. `percentile` p 0
 * covers the whole answer. With padding on the right, count from the end of the answer, not of the row.
 */
export function contrastPlace(
  u: number,
  {
    tokens,
    length,
    percentile = 0,
  }: { readonly tokens: number; readonly length: number; readonly percentile?: number },
): number {
  return -Math.min(Math.floor(((percentile - 1) * u + 1) * tokens + 1), length - 1)
}

/**
 * Sources and goals of the positive pairs: of the two draws of each pair the smaller places the source (earlier), the
 * larger the goal (later); both in the chosen answer. Percentiles are applied after sorting.
 */
export function positivePlaces(
  draws: readonly (readonly [number, number])[],
  answer: { readonly tokens: number; readonly length: number },
  percentiles: { readonly source?: number; readonly goal?: number } = {},
): { readonly sources: number[]; readonly goals: number[] } {
  const { source: sourcePercentile = 0, goal: goalPercentile = 0 } = percentiles
  return {
    sources: draws.map((pair) =>
      contrastPlace(Math.min(...pair), { ...answer, percentile: sourcePercentile }),
    ),
    goals: draws.map((pair) => contrastPlace(Math.max(...pair), { ...answer, percentile: goalPercentile })),
  }
}

/** States Float[B, L, d] at places Int[B, S] (from 0): Float[B, S, d]. Consumes both. */
export function statesAt(states: JaxArray, places: JaxArray): JaxArray {
  requireShapes('statesAt', { states: [states, 'BLd'], places: [places, 'BS'] })
  const chosen = nn.oneHot(places.astype(np.int32), states.shape[1]!).astype(states.dtype)
  return np.matmul(chosen, states)
}

export interface GoalContrastInputs {
  /** Hidden states in the chosen answer, Float[B, S, d]. */
  readonly sources: JaxArray
  /** Hidden states later in the chosen answer, Float[B, G, d]. */
  readonly goals: JaxArray
  /** Hidden states anywhere in the chosen answer, Float[B, R, d]. */
  readonly negativeSources: JaxArray
  /** Hidden states anywhere in the rejected answer, Float[B, H, d]. */
  readonly negativeGoals: JaxArray
}

/**
 * Goal-conditioned contrastive loss (arXiv 2407.13887): beta (-log P - log(1 - N)), with P and N the means over batch and
 * *all* combinations of sigmoid(cosine) between sources and goals: the mean is inside of the logarithm, the cosine has no
 * temperature, so the loss is never below 0.6265 beta. As all combinations count, some goals stand before their sources.
 * Nothing stops the gradient. A scalar, and P and N. Consumes all.
 */
export function goalContrastLoss(
  { sources, goals, negativeSources, negativeGoals }: GoalContrastInputs,
  {
    beta = 0.5,
    averagedGoals = false,
  }: {
    /** @default 0.5 */
    readonly beta?: number
    /** An example's goal vectors are averaged first, as they are, in P and in N. @default false */
    readonly averagedGoals?: boolean
  } = {},
): { readonly loss: JaxArray; readonly positive: JaxArray; readonly negative: JaxArray } {
  requireShapes('goalContrastLoss', {
    sources: [sources, 'BSd'],
    goals: [goals, 'BGd'],
    negativeSources: [negativeSources, 'BRd'],
    negativeGoals: [negativeGoals, 'BHd'],
  })
  const likeness = (from: JaxArray, to: JaxArray) => {
    const ends = averagedGoals ? np.mean(to, 1, { keepdims: true }) : to
    return np.mean(sigmoid(np.einsum('bsd,bgd->bsg', unitLength(from), unitLength(ends))))
  }
  const positive = likeness(sources, goals)
  const negative = likeness(negativeSources, negativeGoals)
  const loss = np
    .log(positive.ref)
    .add(np.log(np.subtract(1, negative.ref)))
    .mul(-beta)
  return { loss, positive, negative }
}
