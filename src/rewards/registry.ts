import type { RewardType } from './reward-type.ts'

/** Every reward that goes by a plain name. Published systems join by their method (`methods/registry.ts`). */
export const rewardTypes: readonly RewardType[] = []
