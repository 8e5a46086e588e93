import { GuerdonError } from '../../core/index.ts'
import type { Reproduction } from './reproduction.ts'

/** Proofs by the method's id, loaded when they are wanted: they bring the tensor engine along. */
const proofs: Readonly<Record<string, () => Promise<Reproduction>>> = {
  'constrained-rlhf': async () => (await import('../constrained-rlhf/proof.ts')).constrainedRlhfProof,
  cream: async () => (await import('../cream/proof.ts')).creamProof,
  'curr-reft': async () => (await import('../curr-reft/proof.ts')).currReftProof,
  genarm: async () => (await import('../genarm/proof.ts')).genarmProof,
  gflowvlm: async () => (await import('../gflowvlm/proof.ts')).gflowvlmProof,
  'goal-conditioned-rm': async () => (await import('../goal-conditioned-rm/proof.ts')).goalConditionedRmProof,
  'ixc-2-5-reward': async () => (await import('../ixc-2-5-reward/proof.ts')).ixcRewardProof,
  'lsc-reward-transform': async () => (await import('../lsc-reward-transform/proof.ts')).lscProof,
  pal: async () => (await import('../pal/proof.ts')).palProof,
  raft: async () => (await import('../raft/proof.ts')).raftProof,
  selm: async () => (await import('../selm/proof.ts')).selmProof,
  'temporal-self-rewarding': async () =>
    (await import('../temporal-self-rewarding/proof.ts')).temporalSelfRewardingProof,
  toolrl: async () => (await import('../toolrl/proof.ts')).toolrlProof,
  'vision-r1': async () => (await import('../vision-r1/proof.ts')).visionR1Proof,
  'vision-sr1': async () => (await import('../vision-sr1/proof.ts')).visionSr1Proof,
  'visual-rft': async () => (await import('../visual-rft/proof.ts')).visualRftProof,
  'vl-dac': async () => (await import('../vl-dac/proof.ts')).vlDacProof,
  'vlm-r1': async () => (await import('../vlm-r1/proof.ts')).vlmR1Proof,
}

export const provenIds: readonly string[] = Object.keys(proofs)

/** Throws `unknown-proof` for a system without one. */
export async function proofOf(id: string): Promise<Reproduction> {
  const load = proofs[id]
  if (load) return load()
  throw new GuerdonError('unknown-proof', `there is no reproduction of "${id}".`, {
    fix: `There are reproductions of ${provenIds.join(', ')}.`,
  })
}
