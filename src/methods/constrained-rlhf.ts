import { defineMethod } from './method.ts'

export const constrainedRlhfMethod = defineMethod({
  id: 'constrained-rlhf',
  parts: [
    'guerdon#multiplierStep',
    'guerdon#tiltedPolicy',
    'guerdon/stats#nelderMead',
    'guerdon/learn#mixedAdvantages',
    'guerdon/learn#constrainedActorCritic',
  ],
})
