import { dipR1Method } from './dip-r1.ts'
import { gotR1Method } from './got-r1.ts'
import { lscRewardTransformMethod } from './lsc-reward-transform.ts'
import type { Method } from './method.ts'
import { sgpRlMethod } from './sgp-rl.ts'
import { toolrlMethod } from './toolrl.ts'
import { visionR1Method } from './vision-r1.ts'
import { visualRftMethod } from './visual-rft.ts'
import { vlmR1Method } from './vlm-r1.ts'

/** Every published system that is a working component, in the order of the cards. */
export const methods: readonly Method[] = [
  vlmR1Method,
  visualRftMethod,
  visionR1Method,
  gotR1Method,
  sgpRlMethod,
  lscRewardTransformMethod,
  toolrlMethod,
  dipR1Method,
]
