import { defineMethod } from './method.ts'

export const vlDacMethod = defineMethod({
  id: 'vl-dac',
  parts: ['guerdon/learn#stepPolicyLoss', 'guerdon/learn#stepActorCritic', 'guerdon/learn#playingPolicy'],
})
