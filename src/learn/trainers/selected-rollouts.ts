import { type SelectMode, selectCandidates } from '../../apply/select.ts'
import type { Rng } from '../../core/index.ts'
import type { Rollout } from './rollouts.ts'

/** The judged rollouts that `select` keeps, ranked by their score or by another number of theirs (null: not ranked). */
export function selectedRollouts(
  groups: readonly (readonly Rollout[])[],
  mode: SelectMode,
  {
    rankedBy = ({ score }) => score.value,
    rng,
  }: { readonly rankedBy?: (rollout: Rollout) => number | null; readonly rng?: Rng } = {},
): Rollout[] {
  const candidates = groups.flatMap((group, task) =>
    group.flatMap((rollout) => {
      const value = rankedBy(rollout)
      return value === null ? [] : [{ item: rollout, id: rollout.sample.id, value, group: String(task) }]
    }),
  )
  return selectCandidates(candidates, mode, rng).map(({ item }) => item)
}

/**
 * A reward less the divergence from where training started: r - beta (log p - log p0), with the sums over a response's
 * tokens [nats], as RAFT ranks by (arXiv 2304.06767). `logpInitial` are those under the initial parameters.
 */
export function divergencePenalised(
  rewards: readonly number[],
  logp: readonly number[],
  logpInitial: readonly number[],
  beta: number,
): number[] {
  return rewards.map((reward, index) => reward - beta * (logp[index]! - logpInitial[index]!))
}
