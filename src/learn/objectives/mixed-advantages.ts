import { type Array as JaxArray, lax, numpy as np } from '@jax-js/jax'
import { requireOption, requireShapes } from './shapes.ts'

export interface MixedAdvantageInputs {
  /** Of what is optimised under the constraints, such as minus the KL; standardised on its own. Float[*]. */
  readonly objective: JaxArray
  /** Of the N constrained rewards, each standardised on its own: Float[*, N]. */
  readonly components: JaxArray
  /** Float[N], from `multiplierOf`. */
  readonly multipliers: JaxArray
}

export interface MixedAdvantageOptions {
  /**
   * `bounded`: the objective weighs N - sum(multipliers), so that the weights sum to N; for squashed multipliers. `plain`:
   * the objective weighs 1. @default 'bounded'
   */
  readonly form?: 'bounded' | 'plain'
}

/**
 * The advantage that constrained PPO learns from (arXiv 2310.04373): (N - sum_i lambda_i) A_objective + sum_i lambda_i A_i,
 * Float[*]. Standardise each advantage before they are mixed, or their scales weigh them silently. A multiplier below 0
 * lowers its component. A constant of the gradient. Consumes all.
 */
export function mixedAdvantages(
  { objective, components, multipliers }: MixedAdvantageInputs,
  { form = 'bounded' }: MixedAdvantageOptions = {},
): JaxArray {
  requireShapes('mixedAdvantages', { multipliers: [multipliers, 'N'] })
  const count = multipliers.shape[0]!
  requireOption(
    'mixedAdvantages',
    components.shape.join() === [...objective.shape, count].join(),
    `components have shape [${components.shape}], not that of the objective and one column for each of ${count} multipliers`,
  )
  const weight = form === 'plain' ? 1 : np.subtract(count, np.sum(multipliers.ref))
  const constrained = np.sum(components.mul(multipliers), -1)
  return lax.stopGradient(objective.mul(weight).add(constrained))
}
