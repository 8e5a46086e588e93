import { type Array as JaxArray, lax, numpy as np } from '@jax-js/jax'
import { requireOption, requireShapes } from './shapes.ts'

// Implicit Q-learning (arXiv 2110.06169). The paper's values (tau 0.7, b 3 for locomotion; tau 0.9, b 10 for mazes; Polyak
// 0.005) are from memory, unverified. Losses are per transition, Float[B]; all consume their inputs.

/**
 * Expectile regression: |tau - [u < 0]| u^2, Float[*]. With tau above 0.5 a value that is too low costs more than one
 * that is too high.
 */
export function expectileLosses(
  { differences }: { /** u = target - value. */ readonly differences: JaxArray },
  { tau = 0.7 }: { /** @default 0.7 */ readonly tau?: number } = {},
): JaxArray {
  requireOption('expectileLosses', tau > 0 && tau < 1, '`tau` is between 0 and 1')
  const weights = np.where(np.less(lax.stopGradient(differences.ref), 0), 1 - tau, tau)
  return np.square(differences).mul(weights)
}

/** V's loss: the expectile of u = min(Q1, Q2) - V, the target critics being constants of the gradient. All Float[B]. */
export function implicitValueLosses(
  {
    values,
    targetQ1,
    targetQ2,
  }: { readonly values: JaxArray; readonly targetQ1: JaxArray; readonly targetQ2: JaxArray },
  options: { readonly tau?: number } = {},
): JaxArray {
  requireShapes('implicitValueLosses', {
    values: [values, 'B'],
    targetQ1: [targetQ1, 'B'],
    targetQ2: [targetQ2, 'B'],
  })
  const target = lax.stopGradient(np.minimum(targetQ1, targetQ2))
  return expectileLosses({ differences: target.sub(values) }, options)
}

export interface ImplicitCriticInputs {
  /** Q1(s, a), Float[B]. */
  readonly q1: JaxArray
  /** Q2(s, a), Float[B]. */
  readonly q2: JaxArray
  /** Float[B]. */
  readonly rewards: JaxArray
  /** V(s') of the data's next state, no action of the policy in it; a constant of the gradient. Float[B]. */
  readonly nextValues: JaxArray
  /** 1 for a true termination (not a time limit), Float[B]. */
  readonly done: JaxArray
}

/** The critics' loss: (r + gamma (1 - done) V(s') - Q_k)^2, the sum of both. */
export function implicitCriticLosses(
  { q1, q2, rewards, nextValues, done }: ImplicitCriticInputs,
  { gamma = 0.99 }: { /** @default 0.99 */ readonly gamma?: number } = {},
): JaxArray {
  requireShapes('implicitCriticLosses', {
    q1: [q1, 'B'],
    q2: [q2, 'B'],
    rewards: [rewards, 'B'],
    nextValues: [nextValues, 'B'],
    done: [done, 'B'],
  })
  const target = lax.stopGradient(rewards.add(np.subtract(1, done).mul(nextValues).mul(gamma)))
  return np.square(target.ref.sub(q1)).add(np.square(target.sub(q2)))
}

export interface AdvantageWeightOptions {
  /** Inverse temperature b. @default 3 */
  readonly b?: number
  /** Greatest weight. @default 100 */
  readonly most?: number
}

/** Weights min(exp(b A), most) of advantage-weighted regression: constants of the gradient, Float[*]. */
export function advantageWeights(
  { advantages }: { readonly advantages: JaxArray },
  { b = 3, most = 100 }: AdvantageWeightOptions = {},
): JaxArray {
  // The exponent is bounded, not the exponential: nothing overflows.
  return lax.stopGradient(np.exp(np.minimum(advantages.mul(b), Math.log(most))))
}

/** Advantage-weighted regression: -weight(A) log pi(a | s), Float[B] each. A = Q - V gets no gradient. */
export function weightedRegressionLosses(
  { logp, advantages }: { readonly logp: JaxArray; readonly advantages: JaxArray },
  options: AdvantageWeightOptions = {},
): JaxArray {
  requireShapes('weightedRegressionLosses', { logp: [logp, 'B'], advantages: [advantages, 'B'] })
  return np.negative(advantageWeights({ advantages }, options).mul(logp))
}
