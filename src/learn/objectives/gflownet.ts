import { type Array as JaxArray, lax, numpy as np } from '@jax-js/jax'
import { kept, tokenSum } from './averages.ts'
import { requireOption, requireShapes } from './shapes.ts'

// GFlowNet losses on trees (the whole history is the state, so that the backward policy is 1), as in GFlowVLM (arXiv
// 2503.06514). Trajectories that minimise them are sampled in proportion to their reward, which must be above 0: floor it
// before the logarithm. Only the agent's choices are in the policy, not the environment's chances. All consume their inputs.

/**
 * log P_F of a step, Float[B]: the sum of the action's token log-probabilities plus `thoughtWeight` times that of the
 * thought's. With a weight other than 1 P_F is not normalised over (thought, action), and sampling in proportion to the
 * reward is no longer exact.
 */
export function forwardLogp(
  inputs: {
    /** Float[B, T]. */
    readonly actionLogp: JaxArray
    /** Float[B, T]. */
    readonly actionMask: JaxArray
    /** Float[B, S]. */
    readonly thoughtLogp: JaxArray
    /** Float[B, S]. */
    readonly thoughtMask: JaxArray
  },
  { thoughtWeight = 0.4 }: { /** The paper's lambda. @default 0.4 */ readonly thoughtWeight?: number } = {},
): JaxArray {
  requireShapes('forwardLogp', {
    actionLogp: [inputs.actionLogp, 'BT'],
    actionMask: [inputs.actionMask, 'BT'],
    thoughtLogp: [inputs.thoughtLogp, 'BS'],
    thoughtMask: [inputs.thoughtMask, 'BS'],
  })
  const thought = tokenSum(inputs.thoughtLogp, inputs.thoughtMask)
  return tokenSum(inputs.actionLogp, inputs.actionMask).add(thought.mul(thoughtWeight))
}

export interface TrajectoryBalanceInputs {
  /** log P_F summed over a trajectory's steps, stopping included where it is a choice, Float[B] [nats]. */
  readonly logp: JaxArray
  /** Of the reward at its end, Float[B]; no gradient. */
  readonly logReward: JaxArray
  /** Float[B, G], 1 where the trajectory belongs to the task: each task has its own normaliser. @default one task */
  readonly tasks?: JaxArray
}

/**
 * Variance trajectory balance, per trajectory: (zeta - mean zeta of its task)^2, zeta = log P_F - log R = minus an
 * estimate of log Z. `losses` and `zeta` Float[B]. The mean has its gradient. A task with one trajectory has loss 0,
 * gradient 0; so have identical trajectories: sample, don't act greedily.
 */
export function varianceTrajectoryBalance({ logp, logReward, tasks }: TrajectoryBalanceInputs): {
  readonly losses: JaxArray
  readonly zeta: JaxArray
} {
  requireShapes('varianceTrajectoryBalance', {
    logp: [logp, 'B'],
    logReward: [logReward, 'B'],
    tasks: [tasks, 'BG'],
  })
  const zeta = logp.sub(lax.stopGradient(logReward))
  if (tasks === undefined) return { losses: np.square(zeta.ref.sub(np.mean(zeta.ref))), zeta }
  const counts = np.maximum(np.sum(tasks.ref, 0), 1) // [G]
  const means = np.sum(tasks.ref.mul(np.expandDims(zeta.ref, 1)), 0).div(counts)
  const own = np.sum(tasks.mul(np.expandDims(means, 0)), 1)
  return { losses: np.square(zeta.ref.sub(own)), zeta }
}

export interface PrefixBalanceInputs {
  /** log P_F of each step after the first state, Float[B, M] [nats]: entry k leads from prefix k to prefix k + 1. */
  readonly logp: JaxArray
  /**
   * log-probability of stopping at each prefix, Float[B, M + 1]: read from the distribution that the actions of that step
   * come from, not from the end token's.
   */
  readonly stopLogp: JaxArray
  /** Of the reward for stopping at each prefix, Float[B, M + 1]; no gradient. */
  readonly logReward: JaxArray
  /** 1 for the prefixes that exist, Float[B, M + 1], from the left. @default all */
  readonly mask?: JaxArray
}

/**
 * Sub-trajectory balance over all pairs of prefixes, each of which may end (its reward is known): per trajectory, Float[B].
 * For i < j: e = [log R_i + sum of log P_F from i to j + stop_j - log R_j - stop_i]^2. The paper prints R_i in both places,
 * a typo that lets the reward cancel out. Needs a policy that knows when to stop.
 */
export function subTrajectoryBalanceLosses(
  inputs: PrefixBalanceInputs,
  {
    over = 'mean',
    lambda = 1,
    asPrinted = false,
  }: {
    /** The sum over pairs (the paper), or their mean weighted by lambda^(j - i - 1) (the reference code). @default 'mean' */
    readonly over?: 'sum' | 'mean'
    /** @default 1 */
    readonly lambda?: number
    /** With the paper's typo, as a control: nothing is learnt of the reward. @default false */
    readonly asPrinted?: boolean
  } = {},
): JaxArray {
  requireOption('subTrajectoryBalance', lambda > 0, '`lambda` is above 0')
  const { logReward, ...others } = inputs
  const { flows, mask } = prefixFlows('subTrajectoryBalance', {
    ...others,
    logReward: asPrinted ? logReward.mul(0) : logReward,
  })
  const prefixes = flows.shape[1]!
  const later = np.expandDims(flows.ref, 1)
  const errors = np.square(later.sub(np.expandDims(flows, 2))) // [B, i, j]
  const pairs = np.expandDims(mask.ref, 1).mul(np.expandDims(mask, 2))
  const weights = Array.from({ length: prefixes }, (_, i) =>
    Array.from({ length: prefixes }, (_, j) => (j > i ? (over === 'sum' ? 1 : lambda ** (j - i - 1)) : 0)),
  )
  const weighted = pairs.mul(np.array(weights, { dtype: errors.dtype }))
  const total = np.sum(errors.mul(weighted.ref), [1, 2])
  const weight = np.sum(weighted, [1, 2])
  if (over === 'mean') return total.div(np.maximum(weight, 1e-30))
  weight.dispose()
  return total
}

/**
 * Detailed balance: the same for neighbouring prefixes alone, Float[B, M], 0 where a prefix is missing. Sum it over the
 * transitions. Needs a reward for every prefix.
 */
export function detailedBalanceLosses(inputs: PrefixBalanceInputs): JaxArray {
  const { flows, mask } = prefixFlows('detailedBalance', inputs)
  const last = flows.shape[1]!
  const errors = np.square(flows.ref.slice([], [1, last]).sub(flows.slice([], [0, last - 1])))
  return errors.mul(mask.slice([], [1, last]))
}

/**
 * Each prefix's log P_F from the start + log-probability of stopping - log reward, Float[B, M + 1]. Balance is when these
 * are equal along a trajectory.
 */
function prefixFlows(
  objective: string,
  { logp, stopLogp, logReward, mask: given }: PrefixBalanceInputs,
): { readonly flows: JaxArray; readonly mask: JaxArray } {
  requireShapes(objective, { logp: [logp, 'BM'], stopLogp: [stopLogp, 'BN'] })
  requireShapes(objective, {
    stopLogp: [stopLogp, 'BN'],
    logReward: [logReward, 'BN'],
    mask: [given, 'BN'],
  })
  const [rows, prefixes] = stopLogp.shape as [number, number]
  requireOption(objective, prefixes === logp.shape[1]! + 1, 'there is one prefix more than steps')
  const mask = given ?? np.onesLike(stopLogp.ref)
  const steps = kept(logp, mask.ref.slice([], [1, prefixes]))
  const start = np.zeros([rows, 1], { dtype: steps.dtype })
  const along = np.concatenate([start, np.cumsum(steps, 1)], 1)
  const ends = stopLogp.sub(lax.stopGradient(logReward))
  return { flows: along.add(kept(ends, mask.ref)), mask }
}
