import { defineMethod } from './method.ts'

export const ixcRewardMethod = defineMethod({
  id: 'ixc-2-5-reward',
  benchmarks: ['rm-bench', 'vl-rewardbench', 'rewardbench'],
  parts: [
    'guerdon/learn#trainRewardModel',
    'guerdon/learn#bradleyTerryLosses',
    'guerdon/learn#generalisedAdvantages',
    'guerdon/learn#actorCritic',
  ],
})
