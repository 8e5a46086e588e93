import type { RewardType } from './reward-type.ts'
import { boxes } from './verifiable/detection-reward.ts'
import { length } from './verifiable/length.ts'
import { repetition } from './verifiable/repetition.ts'
import { toolCallsType } from './verifiable/tool-calls.ts'

/** Every reward that goes by a plain name. Published systems join by their method (`methods/registry.ts`). */
export const rewardTypes: readonly RewardType[] = [boxes, length, repetition, toolCallsType]
