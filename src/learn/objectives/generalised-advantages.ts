import { type Array as JaxArray, lax, numpy as np } from '@jax-js/jax'
import { kept } from './averages.ts'
import { requireOption, requireShapes } from './shapes.ts'

export interface GeneralisedAdvantageInputs {
  /** Float[B, T]. */
  readonly rewards: JaxArray
  /** Values V_t of the states before each step, Float[B, T]. */
  readonly values: JaxArray
  /** 1 where an episode truly terminated with this step (never for a time limit), Float[B, T]. */
  readonly done: JaxArray
  /** 1 where an episode was cut by a time limit or a full buffer inside of the row, Float[B, T]. @default none */
  readonly cut?: JaxArray
  /** Value of the cut episode's own last observation, Float[B, T], read where `cut` is 1; needed with `cut`. */
  readonly cutValues?: JaxArray
  /** Value of the state after the last step that counts, Float[B]. @default 0 */
  readonly bootstrap?: JaxArray
  /** Steps that count, Float[B, T]. Steps left out are passed over (tool output between two turns). @default all */
  readonly mask?: JaxArray
}

export interface GeneralisedAdvantageOptions {
  /** Discount per step. @default 1 */
  readonly gamma?: number
  /** @default 0.95 */
  readonly lambda?: number
}

/**
 * Generalised advantage estimation (arXiv 1506.02438):
 * delta_t = r_t + gamma (1 - done_t) V_{t+1} - V_t, A_t = delta_t + gamma lambda (1 - done_t) A_{t+1}, and the returns
 * R_t = A_t + V_t from the advantages as they are: whiten afterwards (`whitened`). At a cut, V_{t+1} is the cut
 * episode's own value and A_{t+1}, of the next episode, is not carried over. Both Float[B, T], 0 outside of the mask,
 * and constants of the gradient. Consumes all.
 */
export function generalisedAdvantages(
  inputs: GeneralisedAdvantageInputs,
  { gamma = 1, lambda = 0.95 }: GeneralisedAdvantageOptions = {},
): { readonly advantages: JaxArray; readonly returns: JaxArray } {
  const { rewards, done, cut, cutValues, bootstrap, mask: given } = inputs
  requireShapes('generalisedAdvantages', {
    rewards: [rewards, 'BT'],
    values: [inputs.values, 'BT'],
    done: [done, 'BT'],
    cut: [cut, 'BT'],
    cutValues: [cutValues, 'BT'],
    bootstrap: [bootstrap, 'B'],
    mask: [given, 'BT'],
  })
  requireOption(
    'generalisedAdvantages',
    (cut === undefined) === (cutValues === undefined),
    '`cut` and `cutValues` go together',
  )
  const [rows, steps] = rewards.shape as [number, number]
  const mask = given ?? np.onesLike(rewards.ref)
  const values = lax.stopGradient(kept(inputs.values, mask.ref))
  const after =
    bootstrap === undefined ? np.zerosLike(values.ref.slice([], [0, 1])) : bootstrap.reshape([rows, 1])
  const carried = recurred(values.ref, np.subtract(1, mask.ref), after) // the value of the next step that counts
  let next = carried.slice([], [1, steps + 1])
  let going = np.subtract(1, kept(done, mask.ref))
  const living = going.ref
  if (cut !== undefined && cutValues !== undefined) {
    const cuts = kept(cut, mask.ref)
    next = np.where(np.greater(cuts.ref, 0), cutValues, next)
    going = going.mul(np.subtract(1, cuts))
  }
  const deltas = kept(rewards.add(next.mul(living).mul(gamma)).sub(values.ref), mask.ref)
  // A step that is left out hands on what it gets.
  const factors = np.where(np.greater(mask.ref, 0), going.mul(gamma * lambda), 1)
  const end = np.zerosLike(values.ref.slice([], [0, 1]))
  const advantages = lax.stopGradient(kept(recurred(deltas, factors, end).slice([], [0, steps]), mask))
  return { advantages: advantages.ref, returns: advantages.add(values) }
}

/**
 * x_t = terms_t + factors_t x_{t+1} backwards from x_T = `end`: Float[B, T], Float[B, T], Float[B, 1] to Float[B, T + 1],
 * in log2(T) doublings instead of T steps. Consumes all.
 */
function recurred(terms: JaxArray, factors: JaxArray, end: JaxArray): JaxArray {
  const steps = terms.shape[1]!
  let x = np.concatenate([terms, end.ref], 1)
  let factor = np.concatenate([factors, np.zerosLike(end)], 1)
  for (let reach = 1; reach <= steps; reach *= 2) {
    x = x.ref.add(factor.ref.mul(shifted(x, reach)))
    factor = factor.ref.mul(shifted(factor, reach))
  }
  factor.dispose()
  return x
}

/** Each row moved `by` places to the left, zeros coming in from the right. Consumes it. */
function shifted(rows: JaxArray, by: number): JaxArray {
  const width = rows.shape[1]!
  return np.pad(rows.slice([], [by, width]), [
    [0, 0],
    [0, by],
  ])
}
