import { testVectors } from '../../tests/vectors.ts'
import type { SelectMode } from '../apply/select.ts'
import type { Rollout } from '../learn/trainers/rollouts.ts'
import { divergencePenalised, selectedRollouts } from '../learn/trainers/selected-rollouts.ts'

interface Penalised {
  readonly rewards: readonly number[]
  readonly logp: readonly number[]
  readonly logpInitial: readonly number[]
  readonly beta: number
}

testVectors('raft', {
  local: (rewards: number[][]) => selectedPlaces(rewards, { mode: 'local' }).map(([, place]) => place),
  global: ({ rewards, fraction }: { rewards: number[][]; fraction: number }) =>
    selectedPlaces(rewards, { mode: 'global', fraction }).map(
      ([task, place]) => task! * rewards[0]!.length + place!,
    ),
  kl_reward: ({ rewards, logp, logpInitial, beta }: Penalised) => {
    const values = divergencePenalised(rewards, logp, logpInitial, beta)
    const bestOf = (ranked: readonly number[]) => selectedPlaces([ranked], { mode: 'local' })[0]![1]
    return { values, best: bestOf(values), bestRaw: bestOf(rewards) }
  },
})

/** Task and place of each selected response. */
function selectedPlaces(rewards: readonly (readonly number[])[], mode: SelectMode): number[][] {
  const groups = rewards.map((values, task) =>
    values.map((value, place) => ({ task, sample: { id: `${task} ${place}` }, score: { value } }) as Rollout),
  )
  return selectedRollouts(groups, mode).map(({ sample }) => sample.id.split(' ').map(Number))
}
