import { defineMethod } from './method.ts'

export const temporalSelfRewardingMethod = defineMethod({
  id: 'temporal-self-rewarding',
  parts: ['guerdon/apply#anchoredChoice', 'guerdon/apply#anchoredPairs', 'guerdon/learn#iterativeTraining'],
})
